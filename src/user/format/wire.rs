//! Confluent's wire format: a zero byte, the schema's id as four bytes, big end first, and the payload.
//!
//! Source: <https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format>. No JSON text
//! begins with a zero byte, so the first byte tells the two apart.

use crate::rejection::{Reason, Rejection};

const MAGIC: u8 = 0;
pub const HEADER_BYTES: usize = 5;
/// Ids are signed numbers of 32 bits in the registry, above zero.
const MAX_ID: u32 = i32::MAX as u32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Framed<'a> {
    pub schema_id: u32,
    pub payload: &'a [u8],
}

/// Nothing where the value is not in the wire format.
pub fn split(value: &[u8]) -> Result<Option<Framed<'_>>, Rejection> {
    if value.first() != Some(&MAGIC) {
        return Ok(None);
    }
    let Some((header, payload)) = value.split_first_chunk::<HEADER_BYTES>() else {
        return Err(Rejection::of(Reason::InvalidWireFormat));
    };
    let [_, id @ ..] = *header;
    let schema_id = u32::from_be_bytes(id);
    // No registry gives such an id: some refuse the question itself, which would look like a registry that is not well.
    if schema_id == 0 || schema_id > MAX_ID {
        return Err(Rejection::of(Reason::UnknownSchema).schema_id(schema_id));
    }
    Ok(Some(Framed { schema_id, payload }))
}

/// The beginning of a value.
pub(super) fn header(schema_id: u32) -> Vec<u8> {
    let mut value = Vec::with_capacity(512);
    value.push(MAGIC);
    value.extend_from_slice(&schema_id.to_be_bytes());
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_zero_byte_begins_the_wire_format() {
        for value in [&b""[..], b"{}", b"\x01\0\0\0\x07abc", b" \0\0\0\0\x07"] {
            assert_eq!(split(value), Ok(None), "{value:?}");
        }
    }

    #[test]
    fn a_header_that_is_cut_off_is_rejected() {
        for length in 1..HEADER_BYTES {
            let rejection = split(&[0; HEADER_BYTES][..length]).unwrap_err();
            assert_eq!(rejection.reason, Reason::InvalidWireFormat, "{length}");
        }
    }

    #[test]
    fn the_id_is_read_from_the_big_end_and_the_payload_may_be_empty() {
        let framed = |schema_id, payload| Ok(Some(Framed { schema_id, payload }));
        assert_eq!(split(b"\0\0\x01\x02\x03ab"), framed(0x0001_0203, b"ab"));
        assert_eq!(split(b"\0\0\0\0\x01"), framed(1, b""));
        assert_eq!(split(b"\0\x7f\xff\xff\xff"), framed(MAX_ID, b""));
    }

    #[test]
    fn an_id_that_no_registry_gives_is_unknown_without_asking() {
        for (value, id) in [
            (b"\0\0\0\0\0", 0),
            (b"\0\x80\0\0\0", 0x8000_0000),
            (b"\0\xff\xff\xff\xff", u32::MAX),
        ] {
            let expected = Rejection::of(Reason::UnknownSchema).schema_id(id);
            assert_eq!(split(value), Err(expected));
        }
    }

    #[test]
    fn what_was_framed_is_split_again() {
        let mut value = header(4711);
        value.push(9);
        assert_eq!(value.len(), HEADER_BYTES + 1);
        let expected = Framed {
            schema_id: 4711,
            payload: &[9],
        };
        assert_eq!(split(&value), Ok(Some(expected)));
    }
}
