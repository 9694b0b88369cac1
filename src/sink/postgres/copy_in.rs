//! Rows for a `COPY … FROM STDIN (FORMAT binary)`, in pieces so large that neither side waits often for the other.

use std::io::Cursor;
use std::pin::Pin;

use futures_util::SinkExt;
use tokio_postgres::{Client, CopyInSink, Error, Statement};

const PIECE_BYTES: usize = 64 << 10;
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// Flags, and the length of an extension of the header.
const NO_FLAGS: [u8; 8] = [0; 8];
const END: [u8; 2] = (-1_i16).to_be_bytes();

pub(super) struct CopyIn {
    sink: Pin<Box<CopyInSink<Cursor<Vec<u8>>>>>,
    piece: Vec<u8>,
}

impl CopyIn {
    pub(super) async fn begin(client: &Client, statement: &Statement) -> Result<Self, Error> {
        Ok(Self {
            sink: Box::pin(client.copy_in(statement).await?),
            piece: header(),
        })
    }

    /// The values of all columns, each as PostgreSQL sends it in binary.
    pub(super) async fn row<const COLUMNS: usize>(
        &mut self,
        values: [&[u8]; COLUMNS],
    ) -> Result<(), Error> {
        add_row(&mut self.piece, values);
        if self.piece.len() < PIECE_BYTES {
            return Ok(());
        }
        let next = Vec::with_capacity(self.piece.capacity());
        let piece = std::mem::replace(&mut self.piece, next);
        self.sink.send(Cursor::new(piece)).await
    }

    /// Tells how many rows were written, or why none.
    pub(super) async fn end(mut self) -> Result<u64, Error> {
        self.piece.extend_from_slice(&END);
        self.sink.send(Cursor::new(self.piece)).await?;
        self.sink.as_mut().finish().await
    }
}

fn header() -> Vec<u8> {
    let mut piece = Vec::with_capacity(PIECE_BYTES + (PIECE_BYTES >> 3));
    piece.extend_from_slice(SIGNATURE);
    piece.extend_from_slice(&NO_FLAGS);
    piece
}

fn add_row<const COLUMNS: usize>(piece: &mut Vec<u8>, values: [&[u8]; COLUMNS]) {
    piece.extend_from_slice(&(COLUMNS as i16).to_be_bytes());
    for value in values {
        // No value is longer than an answer of the API, which is limited.
        piece.extend_from_slice(&(value.len() as i32).to_be_bytes());
        piece.extend_from_slice(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_its_number_of_columns_and_each_value_after_its_length() {
        let mut piece = header();
        assert_eq!(piece, b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0");
        piece.clear();
        add_row(&mut piece, [&7_i64.to_be_bytes(), b"ab", b""]);
        assert_eq!(
            piece,
            b"\0\x03\0\0\0\x08\0\0\0\0\0\0\0\x07\0\0\0\x02ab\0\0\0\0"
        );
    }
}
