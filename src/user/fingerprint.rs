//! Tells whether two raw records are the same person: a digest of all they hold, whatever the order of keys and the white space, except
//! the two ages, which follow the API's clock.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::rejection::{Reason, Rejection};

pub type Fingerprint = [u8; 32];

/// `raw` is one element of `results`. A record nested deeper than serde_json's limit (128) is not read.
pub fn of_record(raw: &[u8]) -> Result<Fingerprint, Rejection> {
    let mut value: Value =
        serde_json::from_slice(raw).map_err(|_| Rejection::of(Reason::InvalidJson))?;
    for moment in ["dob", "registered"] {
        if let Some(moment) = value.get_mut(moment).and_then(Value::as_object_mut) {
            moment.remove("age");
        }
    }
    let mut bytes = Vec::with_capacity(raw.len() * 2);
    add(&value, &mut bytes);
    Ok(of_bytes(&bytes))
}

/// The digest of bytes that are not read as JSON.
pub fn of_bytes(raw: &[u8]) -> Fingerprint {
    Sha256::digest(raw).into()
}

/// Adds one value: a tag for its kind, then its length where it has one, so that no two values give the same bytes.
fn add(value: &Value, bytes: &mut Vec<u8>) {
    match value {
        Value::Null => bytes.push(b'n'),
        Value::Bool(bool) => bytes.push(if *bool { b't' } else { b'f' }),
        Value::Number(number) => add_text(b"#", &number.to_string(), bytes),
        Value::String(text) => add_text(b"s", text, bytes),
        Value::Array(items) => {
            add_length(b"a", items.len(), bytes);
            items.iter().for_each(|item| add(item, bytes));
        }
        Value::Object(fields) => {
            add_length(b"o", fields.len(), bytes);
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| name.as_str());
            for (name, item) in fields {
                add_text(b"k", name, bytes);
                add(item, bytes);
            }
        }
    }
}

fn add_text(tag: &[u8], text: &str, bytes: &mut Vec<u8>) {
    add_length(tag, text.len(), bytes);
    bytes.extend_from_slice(text.as_bytes());
}

fn add_length(tag: &[u8], length: usize, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(tag);
    bytes.extend_from_slice(&(length as u64).to_be_bytes());
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
