//! JSON for reading: every number as it was written, whatever its size, and every field in its place, also one that is there twice.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::value::RawValue;

/// Deeper values are shown as they are written.
const DEPTH: usize = 24;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Object(Vec<(String, Json)>),
    Array(Vec<Json>),
    Text(String),
    /// A number, true, false or null, as it was written.
    Plain(String),
}

impl Json {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let raw: &RawValue = serde_json::from_str(text).ok()?;
        Self::of(raw, DEPTH)
    }

    fn of(raw: &RawValue, depth: usize) -> Option<Self> {
        let text = raw.get();
        if depth == 0 {
            return Some(Json::Text(text.to_owned()));
        }
        match text.as_bytes().first()? {
            b'{' => {
                let Fields(fields) = serde_json::from_str(text).ok()?;
                let field =
                    |(name, raw): (String, &RawValue)| Some((name, Self::of(raw, depth - 1)?));
                fields
                    .into_iter()
                    .map(field)
                    .collect::<Option<_>>()
                    .map(Json::Object)
            }
            b'[' => {
                let Elements(elements) = serde_json::from_str(text).ok()?;
                let element = |raw: &RawValue| Self::of(raw, depth - 1);
                elements
                    .into_iter()
                    .map(element)
                    .collect::<Option<_>>()
                    .map(Json::Array)
            }
            b'"' => serde_json::from_str(text).ok().map(Json::Text),
            _ => Some(Json::Plain(text.to_owned())),
        }
    }

    /// On several lines.
    pub(super) fn pretty(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// On one line.
    pub(super) fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The field of an object.
    pub(super) fn field(&self, name: &str) -> Option<&Json> {
        match self {
            Json::Object(fields) => fields
                .iter()
                .find(|(it, _)| it == name)
                .map(|(_, value)| value),
            _ => None,
        }
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
            Json::Array(elements) => {
                let mut sequence = serializer.serialize_seq(Some(elements.len()))?;
                for element in elements {
                    sequence.serialize_element(element)?;
                }
                sequence.end()
            }
            Json::Text(text) => serializer.serialize_str(text),
            Json::Plain(text) => match serde_json::from_str::<&RawValue>(text) {
                Ok(raw) => raw.serialize(serializer),
                Err(_) => serializer.serialize_str(text),
            },
        }
    }
}

struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

struct Elements<'a>(Vec<&'a RawValue>);

impl<'de> Deserialize<'de> for Elements<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Elements<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(
                self,
                mut sequence: A,
            ) -> Result<Self::Value, A::Error> {
                let mut elements = Vec::new();
                while let Some(element) = sequence.next_element()? {
                    elements.push(element);
                }
                Ok(Elements(elements))
            }
        }
        deserializer.deserialize_seq(Each)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_fields_and_their_order_stay_as_they_are() {
        for text in [
            r#"{"b":9223372036854775808,"a":1.10,"b":-0,"c":[1e400,null,true,"ü\n"],"d":{}}"#,
            r#"123456789012345678901234567890"#,
            r#""text""#,
            "[]",
        ] {
            assert_eq!(Json::parse(text).unwrap().line(), text);
        }
    }

    #[test]
    fn what_is_no_json_is_none() {
        for text in ["", "{", "{} {}", "nul", "\"\u{1}\""] {
            assert_eq!(Json::parse(text), None, "{text}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
        assert!(Json::parse(&deep).unwrap().line().contains(r#""[[["#));
    }
}
