//! Tells whether two raw records are the same person: a digest of all they hold, whatever the order of keys and the white space, except
//! the two ages, which follow the API's clock.

mod canonical;
mod plain;

use sha2::{Digest as _, Sha256};

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

/// Whether a record has a fingerprint, without making it. `raw` is JSON that has been read, at least over what is of no interest.
pub fn check(raw: &str) -> Result<(), Rejection> {
    if plain::is_plain(raw) {
        return Ok(());
    }
    canonical::bytes_of(raw.as_bytes())
        .map(drop)
        .map_err(|_| Rejection::of(Reason::InvalidJson))
}

/// Whether two records have the same fingerprint.
pub fn are_same(one: &str, other: &str) -> bool {
    one == other || canonical_or_raw(one) == canonical_or_raw(other)
}

fn canonical_or_raw(raw: &str) -> Vec<u8> {
    canonical::bytes_of(raw.as_bytes()).unwrap_or_else(|_| raw.as_bytes().to_vec())
}

fn of_bytes(raw: &[u8]) -> Fingerprint {
    Sha256::digest(raw).into()
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
    fn the_same_records_are_those_with_the_same_fingerprint() {
        let records = [
            r#"{"a":1,"dob":{"date":"x","age":30}}"#,
            r#"{ "dob": {"age": 31, "date": "x"}, "a": 1 }"#,
            r#"{"a":2,"dob":{"date":"x","age":30}}"#,
            "no JSON",
            "no JSON either",
        ];
        for one in records {
            for other in records {
                let same = of_anything(one.as_bytes()) == of_anything(other.as_bytes());
                assert_eq!(are_same(one, other), same, "{one} {other}");
            }
        }
    }

    #[test]
    fn a_record_nested_too_deep_is_not_read() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(of_record(deep.as_bytes()).is_err());
    }
}
