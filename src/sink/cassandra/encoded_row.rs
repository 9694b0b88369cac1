//! A row of `created_users` in the encoding of Cassandra's native protocol, made by the thread that reads, from texts that still lie in the
//! record: the driver only copies it.

use bytes::{Bytes, BytesMut};
use scylla::cluster::metadata::{ColumnType, NativeType};
use scylla::response::query_result::ColumnSpecs;
use scylla::serialize::SerializationError;
use scylla::serialize::row::{RowSerializationContext, SerializeRow};
use scylla::serialize::writers::RowWriter;

use crate::user::row::CreatedUser;

/// The values of the statement in its order: each the length in four bytes, big end first, and the bytes; a length of −1 is null.
///
/// Source: Cassandra's native protocol, version 4, section 3 (`[value]`) and 6 (the types).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedRow(Bytes);

/// The columns in the order of the statement, with their types: nobody looks at them again when a row is written.
const COLUMNS: [(&str, NativeType); 14] = [
    ("id", NativeType::Uuid),
    ("first_name", NativeType::Text),
    ("last_name", NativeType::Text),
    ("gender", NativeType::Text),
    ("address", NativeType::Text),
    ("post_code", NativeType::Text),
    ("email", NativeType::Text),
    ("username", NativeType::Text),
    ("dob", NativeType::Timestamp),
    ("registered_date", NativeType::Timestamp),
    ("phone", NativeType::Text),
    ("picture", NativeType::Text),
    ("nationality", NativeType::Text),
    ("country", NativeType::Text),
];

/// The statement that takes the values of a row.
pub(super) fn insert_into(keyspace: &str) -> String {
    let names = COLUMNS.map(|(name, _)| name).join(", ");
    let values = COLUMNS.map(|_| "?").join(", ");
    format!("INSERT INTO {keyspace}.created_users ({names}) VALUES ({values}) USING TIMESTAMP ?")
}

/// The first column that is of another type than the rows are encoded for.
pub(super) fn other_type(specs: ColumnSpecs<'_, '_>) -> Option<&'static str> {
    let mut pairs = COLUMNS.iter().zip(specs.iter());
    let other = pairs.find(|((_, native), spec)| *spec.typ() != ColumnType::Native(native.clone()));
    other.map(|((name, _), _)| *name)
}

/// Makes rows. They end on other threads than this one, which an allocator is slow at: so many lie in one allocation, and it goes with the
/// last of them.
#[derive(Default)]
pub struct RowEncoder(BytesMut);

/// About one request ([`crate::pipeline::batch::Limits`]).
const ALLOCATION_BYTES: usize = 40_000;

impl RowEncoder {
    /// The row, and what it takes up in a request ([`CreatedUser::size_bytes`]). Every field is named, so that the compiler lists this place
    /// when one is added. `written_ms` is the time of the Kafka record that it came from.
    pub fn encode(&mut self, user: &CreatedUser<'_>, written_ms: i64) -> (EncodedRow, usize) {
        let CreatedUser {
            id,
            first_name,
            last_name,
            gender,
            address,
            post_code,
            email,
            username,
            dob_ms,
            registered_date_ms,
            phone,
            picture,
            nationality,
            country,
        } = user;
        let size_bytes = user.size_bytes();
        if self.0.capacity() < size_bytes {
            self.0 = BytesMut::with_capacity(size_bytes.max(ALLOCATION_BYTES));
        }
        self.add(id.as_bytes());
        self.add(first_name.as_bytes());
        self.add(last_name.as_bytes());
        for text in [gender, address, post_code, email, username] {
            self.add_or_null(text.as_ref().map(|text| text.as_bytes()));
        }
        for time_ms in [dob_ms, registered_date_ms] {
            self.add_or_null(
                time_ms
                    .map(i64::to_be_bytes)
                    .as_ref()
                    .map(<[u8; 8]>::as_slice),
            );
        }
        for text in [phone, picture, nationality, country] {
            self.add_or_null(text.as_ref().map(|text| text.as_bytes()));
        }
        // Microseconds, as USING TIMESTAMP has them.
        self.add(&written_ms.saturating_mul(1_000).to_be_bytes());
        (EncodedRow(self.0.split().freeze()), size_bytes)
    }

    fn add_or_null(&mut self, value: Option<&[u8]>) {
        match value {
            Some(value) => self.add(value),
            None => self.0.extend_from_slice(&(-1i32).to_be_bytes()),
        }
    }

    fn add(&mut self, value: &[u8]) {
        // No text of a row is longer than some thousand characters (`user::clean`).
        self.0
            .extend_from_slice(&(value.len() as i32).to_be_bytes());
        self.0.extend_from_slice(value);
    }
}

impl EncodedRow {
    /// The time of the Kafka record that it came from.
    pub fn written_ms(&self) -> i64 {
        let written_us = self.0.last_chunk().map_or(0, |it| i64::from_be_bytes(*it));
        written_us / 1_000
    }

    /// Each value, or nothing for null.
    fn values(&self) -> impl Iterator<Item = Option<&[u8]>> {
        let mut rest = &self.0[..];
        std::iter::from_fn(move || {
            let (length, after) = rest.split_first_chunk::<4>()?;
            let length = usize::try_from(i32::from_be_bytes(*length)).ok();
            let (value, after) = after.split_at(length.unwrap_or(0));
            rest = after;
            Some(length.map(|_| value))
        })
    }
}

impl SerializeRow for EncodedRow {
    fn serialize(
        &self,
        _: &RowSerializationContext<'_>,
        writer: &mut RowWriter<'_>,
    ) -> Result<(), SerializationError> {
        for value in self.values() {
            let cell = writer.make_cell_writer();
            match value {
                Some(value) => {
                    cell.set_value(value).map_err(SerializationError::new)?;
                }
                None => {
                    cell.set_null();
                }
            }
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use uuid::Uuid;

    use super::*;

    fn user() -> CreatedUser<'static> {
        CreatedUser {
            id: Uuid::from_u128(7),
            first_name: "Ada".into(),
            last_name: "Löve".into(),
            gender: None,
            address: Some(Cow::Borrowed("")),
            post_code: None,
            email: Some("a@b".into()),
            username: None,
            dob_ms: Some(-1),
            registered_date_ms: None,
            phone: None,
            picture: None,
            nationality: Some("GB".into()),
            country: None,
        }
    }

    #[test]
    fn every_column_has_its_value_in_order() {
        let (row, _) = RowEncoder::default().encode(&user(), 2);
        let id = Uuid::from_u128(7);
        let (dob, written) = ((-1i64).to_be_bytes(), 2_000i64.to_be_bytes());
        let expected: [Option<&[u8]>; COLUMNS.len() + 1] = [
            Some(id.as_bytes().as_slice()),
            Some(b"Ada"),
            Some("Löve".as_bytes()),
            None,
            Some(b""),
            None,
            Some(b"a@b"),
            None,
            Some(&dob),
            None,
            None,
            None,
            Some(b"GB"),
            None,
            Some(&written),
        ];
        assert_eq!(row.values().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_room_that_is_made_is_enough() {
        let (row, size_bytes) = RowEncoder::default().encode(&user(), 2);
        assert!(row.0.len() <= size_bytes);
    }

    #[test]
    fn rows_of_one_allocation_or_of_several_are_as_if_each_had_its_own() {
        let mut encoder = RowEncoder::default();
        let users: Vec<_> = (0..200)
            .map(|number| CreatedUser {
                picture: Some("x".repeat(number * number).into()),
                ..user()
            })
            .collect();
        let rows = users.iter().map(|user| encoder.encode(user, 2));
        let apart = users
            .iter()
            .map(|user| RowEncoder::default().encode(user, 2));
        assert_eq!(rows.collect::<Vec<_>>(), apart.collect::<Vec<_>>());
    }
}
