//! From bytes to a typed record, with the reason and the field when that fails.
//!
//! The fast path is one check of the whole as UTF-8, which is quicker than one for each text in it, and one pass of `serde_json`; only a
//! record that fails is read again, to find out which field is to blame.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde_json::error::Category;

use crate::rejection::{Reason, Rejection};

pub(super) fn text_of(bytes: &[u8]) -> Result<&str, Rejection> {
    simdutf8::basic::from_utf8(bytes).map_err(|_| Rejection::of(Reason::InvalidUtf8))
}

pub(super) fn decode<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Rejection> {
    // serde would also read an array as a struct, field by field.
    let object = text.bytes().find(|byte| !byte.is_ascii_whitespace()) == Some(b'{');
    match serde_json::from_str(text) {
        Ok(record) if object => Ok(record),
        _ => Err(explain::<T>(text)),
    }
}

fn explain<'a, T: Deserialize<'a>>(text: &'a str) -> Rejection {
    if text.is_empty() {
        return Rejection::of(Reason::EmptyValue);
    }
    if let Err(error) = serde_json::from_str::<de::IgnoredAny>(text) {
        debug_assert_ne!(error.classify(), Category::Io);
        return Rejection::of(Reason::InvalidJson);
    }
    if !text.trim_start().starts_with('{') {
        return Rejection::of(Reason::WrongShape);
    }
    let mut json = serde_json::Deserializer::from_str(text);
    match serde_path_to_error::deserialize::<_, T>(&mut json) {
        Err(error) => match path(error.path()) {
            Some(field) => Rejection::field(Reason::WrongType, field),
            None => Rejection::of(Reason::WrongShape),
        },
        Ok(_) => Rejection::of(Reason::InvalidJson),
    }
}

/// The dotted path, or nothing when it has no step, or holds a name that came from the record itself.
fn path(path: &serde_path_to_error::Path) -> Option<String> {
    let text = path.to_string();
    let ours = text
        .chars()
        .all(|c| c.is_ascii_lowercase() || matches!(c, '_' | '.'));
    (ours && text != ".").then_some(text)
}

/// A text, or a whole number that is meant as one: post codes are numbers for some countries and texts for others.
pub(super) fn text_or_number<'de, D>(deserializer: D) -> Result<Option<Cow<'de, str>>, D::Error>
where
    D: Deserializer<'de>,
{
    struct TextOrNumber;

    impl<'de> Visitor<'de> for TextOrNumber {
        type Value = Option<Cow<'de, str>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text or a whole number")
        }

        fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
            Ok(Some(Cow::Borrowed(text)))
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
            Ok(Some(Cow::Owned(text.to_owned())))
        }

        fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
            Ok(Some(Cow::Owned(number.to_string())))
        }

        fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
            Ok(Some(Cow::Owned(number.to_string())))
        }

        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
    }

    deserializer.deserialize_any(TextOrNumber)
}

/// An optional text, borrowed from the input where it has no escapes. (`Option<Cow<str>>` alone always copies.)
pub(super) fn text<'de, D>(deserializer: D) -> Result<Option<Cow<'de, str>>, D::Error>
where
    D: Deserializer<'de>,
{
    #[derive(serde::Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

    Ok(Option::<Text<'de>>::deserialize(deserializer)?.map(|text| text.0))
}
