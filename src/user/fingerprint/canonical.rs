//! The bytes of which the digest is made: a tag for the kind of each value, then its length where it has one, so that no two values give the
//! same bytes; the names of an object in order, and of a name that comes twice the last value.
//!
//! They are written while the record is read. Only where names come out of order are the entries of an object copied into their order
//! afterwards.

use std::fmt;
use std::io::Write;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

pub(super) fn bytes_of(raw: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
    let text = std::str::from_utf8(raw).map_err(serde_json::Error::custom)?;
    let mut json = serde_json::Deserializer::from_str(text);
    let mut canonical = Canonical {
        bytes: Vec::with_capacity(raw.len() * 2),
        entries: Vec::with_capacity(32),
    };
    let record = Value {
        canonical: &mut canonical,
        place: Place::Record,
    };
    record.deserialize(&mut json)?;
    json.end()?;
    Ok(canonical.bytes)
}

struct Canonical {
    bytes: Vec<u8>,
    /// Of the objects that are being read, the innermost last.
    entries: Vec<Entry>,
}

/// Where the name and the value of an entry stand, each with its tag.
struct Entry {
    name: Range<usize>,
    end: usize,
}

/// What of an object is left out depends on where it stands.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Record,
    /// `dob` or `registered` of the record.
    Moment,
    Elsewhere,
}

struct Value<'a> {
    canonical: &'a mut Canonical,
    place: Place,
}

const TAG_BYTES: usize = 1 + size_of::<u64>();

impl Canonical {
    fn add_text(&mut self, tag: u8, text: &str) {
        self.add_length(tag, text.len());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn add_length(&mut self, tag: u8, length: usize) {
        self.bytes.push(tag);
        self.bytes.extend_from_slice(&(length as u64).to_be_bytes());
    }

    /// Of what has been added since under a length not known before.
    fn set_length(&mut self, tag_at: usize, length: usize) {
        self.bytes[tag_at + 1..tag_at + TAG_BYTES].copy_from_slice(&(length as u64).to_be_bytes());
    }

    fn add_number(&mut self, number: &Number) {
        let at = self.bytes.len();
        self.add_length(b'#', 0);
        let _ = write!(self.bytes, "{number}");
        self.set_length(at, self.bytes.len() - at - TAG_BYTES);
    }

    fn name(&self, entry: &Entry) -> &[u8] {
        &self.bytes[entry.name.start + TAG_BYTES..entry.name.end]
    }

    /// Puts the entries of the object at `tag_at` in order: those since the `first`.
    fn end_object(&mut self, tag_at: usize, first: usize) {
        let mut entries = std::mem::take(&mut self.entries);
        let own = &mut entries[first..];
        let mut length = own.len();
        let in_order = |pair: &[Entry]| self.name(&pair[0]) < self.name(&pair[1]);
        if !own.windows(2).all(in_order) {
            own.sort_unstable_by(|one, other| {
                let names = self.name(one).cmp(self.name(other));
                names.then(one.end.cmp(&other.end))
            });
            let unordered = tag_at + TAG_BYTES..self.bytes.len();
            for (place, entry) in own.iter().enumerate() {
                let next = own.get(place + 1);
                if next.is_some_and(|next| self.name(next) == self.name(entry)) {
                    length -= 1;
                    continue;
                }
                self.bytes.extend_from_within(entry.name.start..entry.end);
            }
            self.bytes.drain(unordered);
        }
        self.set_length(tag_at, length);
        entries.truncate(first);
        self.entries = entries;
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.canonical.bytes.push(b'n');
        Ok(())
    }

    fn visit_bool<E>(self, bool: bool) -> Result<(), E> {
        self.canonical.bytes.push(if bool { b't' } else { b'f' });
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.canonical.add_number(&number.into());
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.canonical.add_number(&number.into());
        Ok(())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        match Number::from_f64(number) {
            Some(number) => self.canonical.add_number(&number),
            None => self.canonical.bytes.push(b'n'),
        }
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.canonical.add_text(b's', text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let canonical = self.canonical;
        let at = canonical.bytes.len();
        canonical.add_length(b'a', 0);
        let mut length = 0;
        let place = Place::Elsewhere;
        while items
            .next_element_seed(Value { canonical, place })?
            .is_some()
        {
            length += 1;
        }
        canonical.set_length(at, length);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let Value { canonical, place } = self;
        let (at, first) = (canonical.bytes.len(), canonical.entries.len());
        canonical.add_length(b'o', 0);
        loop {
            let begin = canonical.bytes.len();
            if fields.next_key_seed(Name(canonical))?.is_none() {
                break;
            }
            let name = begin..canonical.bytes.len();
            let known = &canonical.bytes[name.start + TAG_BYTES..];
            let left_out = place == Place::Moment && known == b"age";
            let inner = match known {
                b"dob" | b"registered" if place == Place::Record => Place::Moment,
                _ => Place::Elsewhere,
            };
            let value = Value {
                canonical,
                place: inner,
            };
            fields.next_value_seed(value)?;
            if left_out {
                canonical.bytes.truncate(begin);
            } else {
                let end = canonical.bytes.len();
                canonical.entries.push(Entry { name, end });
            }
        }
        canonical.end_object(at, first);
        Ok(())
    }
}

struct Name<'a>(&'a mut Canonical);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<(), E> {
        self.0.add_text(b'k', name);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value as Json;

    /// By a tree in memory: the same, told in a simpler way.
    fn of_tree(raw: &[u8]) -> Option<Vec<u8>> {
        let mut value: Json = serde_json::from_slice(raw).ok()?;
        for moment in ["dob", "registered"] {
            if let Some(moment) = value.get_mut(moment).and_then(Json::as_object_mut) {
                moment.remove("age");
            }
        }
        let mut bytes = Vec::new();
        add(&value, &mut bytes);
        Some(bytes)
    }

    fn add(value: &Json, bytes: &mut Vec<u8>) {
        match value {
            Json::Null => bytes.push(b'n'),
            Json::Bool(bool) => bytes.push(if *bool { b't' } else { b'f' }),
            Json::Number(number) => add_text(b'#', &number.to_string(), bytes),
            Json::String(text) => add_text(b's', text, bytes),
            Json::Array(items) => {
                add_length(b'a', items.len(), bytes);
                items.iter().for_each(|item| add(item, bytes));
            }
            Json::Object(fields) => {
                add_length(b'o', fields.len(), bytes);
                let mut fields: Vec<_> = fields.iter().collect();
                fields.sort_unstable_by_key(|(name, _)| name.as_str());
                for (name, item) in fields {
                    add_text(b'k', name, bytes);
                    add(item, bytes);
                }
            }
        }
    }

    fn add_text(tag: u8, text: &str, bytes: &mut Vec<u8>) {
        add_length(tag, text.len(), bytes);
        bytes.extend_from_slice(text.as_bytes());
    }

    fn add_length(tag: u8, length: usize, bytes: &mut Vec<u8>) {
        bytes.push(tag);
        bytes.extend_from_slice(&(length as u64).to_be_bytes());
    }

    /// JSON as a text, with names that come twice, and names that matter.
    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            any::<bool>().prop_map(|it| it.to_string()),
            any::<i64>().prop_map(|it| it.to_string()),
            any::<u64>().prop_map(|it| it.to_string()),
            any::<f64>().prop_map(|it| Json::from(it).to_string()),
            "-?[0-9]{1,2}(\\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?",
            "[0-9]{18,25}",
            any::<String>().prop_map(|it| Json::from(it).to_string()),
            "\"(\\\\u[0-9a-f]{4}|[a-z]){0,4}\"",
        ];
        leaf.prop_recursive(5, 48, 6, |inner| {
            let name = prop_oneof![
                prop::sample::select(vec!["age", "dob", "registered", "d\\u006fb", "a", "ab", ""])
                    .prop_map(|it| format!("\"{it}\"")),
                any::<String>().prop_map(|it| Json::from(it).to_string()),
            ];
            let field = (name, inner.clone()).prop_map(|(name, value)| format!("{name} :{value}"));
            prop_oneof![
                prop::collection::vec(inner, 0..6).prop_map(|it| format!("[{}]", it.join(" , "))),
                prop::collection::vec(field, 0..8).prop_map(|it| format!("{{{}}}", it.join(","))),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_048, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_bytes_are_those_of_the_tree(raw in json()) {
            prop_assert_eq!(bytes_of(raw.as_bytes()).ok(), of_tree(raw.as_bytes()));
        }

        #[test]
        fn plain_json_has_bytes(raw in json()) {
            let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&raw).is_ok();
            let is_plain = is_json && super::super::plain::is_plain(&raw);
            prop_assert!(!is_plain || bytes_of(raw.as_bytes()).is_ok());
        }

        #[test]
        fn whatever_is_no_json_is_read_by_neither(bytes in prop::collection::vec(any::<u8>(), 0..40), raw in json()) {
            prop_assert_eq!(bytes_of(&bytes).ok(), of_tree(&bytes));
            let mixed = [raw.as_bytes(), &bytes[..]].concat();
            prop_assert_eq!(bytes_of(&mixed).ok(), of_tree(&mixed));
        }
    }

    #[test]
    fn of_a_name_that_comes_twice_the_last_value_stays() {
        for raw in [
            r#"{"b":1,"a":2,"b":{"x":[]},"a":null,"b":3}"#,
            r#"{"a":1,"a":2}"#,
            r#"{"dob":{"age":1,"b":2,"a":3,"age":4},"dob":5}"#,
            r#"{"dob":5,"dob":{"age":1,"b":2,"a":3,"age":4},"x":{"dob":{"age":1}}}"#,
            r#"[{"dob":{"age":1}}]"#,
        ] {
            assert_eq!(
                bytes_of(raw.as_bytes()).ok(),
                of_tree(raw.as_bytes()),
                "{raw}"
            );
        }
    }

    #[test]
    fn the_limits_are_those_of_the_tree() {
        for depth in [126, 127, 128, 129] {
            for (open, close) in [("[", "]"), (r#"{"dob":"#, "}")] {
                let raw = format!("{}1{}", open.repeat(depth), close.repeat(depth));
                assert_eq!(
                    bytes_of(raw.as_bytes()).ok(),
                    of_tree(raw.as_bytes()),
                    "{depth}"
                );
            }
        }
        for raw in [
            "1e400",
            "-0",
            "-0.0",
            "1e2",
            r#""\ud800""#,
            r#"{"dob":{"age":"\ud800"}}"#,
            "1 2",
            "",
        ] {
            assert_eq!(
                bytes_of(raw.as_bytes()).ok(),
                of_tree(raw.as_bytes()),
                "{raw}"
            );
        }
    }
}
