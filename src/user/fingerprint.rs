//! Tells whether two raw records are the same person: a digest of all they hold, whatever the order of keys and the white space, except
//! the two ages, which follow the API's clock.

mod canonical;

use ring::digest::{SHA256, digest};

use crate::rejection::{Reason, Rejection};

pub type Fingerprint = [u8; 32];

/// `raw` is one element of `results`. A record nested deeper than serde_json's limit (128) is not read.
pub fn of_record(raw: &[u8]) -> Result<Fingerprint, Rejection> {
    let bytes = canonical::bytes_of(raw).map_err(|_| Rejection::of(Reason::InvalidJson))?;
    Ok(of_bytes(&bytes))
}

/// Of a record that may be no JSON: then of its bytes as they are.
pub fn of_anything(raw: &[u8]) -> Fingerprint {
    of_record(raw).unwrap_or_else(|_| of_bytes(raw))
}

fn of_bytes(raw: &[u8]) -> Fingerprint {
    let mut fingerprint = Fingerprint::default();
    fingerprint.copy_from_slice(digest(&SHA256, raw).as_ref());
    fingerprint
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_white_space_and_ages_make_no_difference() {
        let one = of_record(br#"{"a":1,"dob":{"date":"x","age":30}}"#).unwrap();
        let two = of_record(br#"{ "dob": {"age": 31, "date": "x"}, "a": 1 }"#).unwrap();
        assert_eq!(one, two);
    }

    #[test]
    fn any_other_change_does() {
        let one = of_record(br#"{"a":"bc","d":["e","f"]}"#).unwrap();
        for other in [
            &br#"{"a":"bd","d":["e","f"]}"#[..],
            br#"{"a":"bc","d":["ef"]}"#,
            br#"{"a":"bc","d":["e","f"],"g":null}"#,
        ] {
            assert_ne!(one, of_record(other).unwrap());
        }
    }

    #[test]
    fn a_record_nested_too_deep_is_not_read() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(of_record(deep.as_bytes()).is_err());
    }
}
