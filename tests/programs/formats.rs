//! The formats of a record's value: the schemas of the repository, the way there and back, and what happens to payloads that do not fit.

use std::borrow::Cow;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use streamflow::rejection::{Reason, Rejection};
use streamflow::user::event::{MAX_EVENT_BYTES, UserCreated};
use streamflow::user::format::{Encoder, SchemaFormat, Unusable, WriterSchema, wire};
use uuid::Uuid;

use crate::user_inputs::{good_event, texts};

pub const SCHEMA_ID: u32 = 7;

pub fn encoders() -> [Encoder; 4] {
    let registered = |format| Encoder::Registered {
        format,
        schema_id: SCHEMA_ID,
    };
    [
        Encoder::Json,
        registered(SchemaFormat::Avro),
        registered(SchemaFormat::JsonSchema),
        registered(SchemaFormat::Protobuf),
    ]
}

pub fn compiled(format: SchemaFormat) -> WriterSchema {
    WriterSchema::compile(format.schema_type(), format.schema(), false).unwrap()
}

/// Any event: each field absent or of any text.
pub fn events() -> impl Strategy<Value = UserCreated<'static>> {
    let texts = prop::collection::vec(prop::option::of(texts()), 15);
    let id = prop::option::of(any::<u128>());
    (id, any::<Option<i64>>(), texts).prop_map(|(id, street_number, texts)| {
        let text = |place: usize| texts[place].clone().map(Cow::Owned);
        UserCreated {
            id: id.map(|id| Uuid::from_u128(id).to_string().into()),
            first_name: text(0),
            last_name: text(1),
            gender: text(2),
            street_number,
            street_name: text(3),
            city: text(4),
            state: text(5),
            country: text(6),
            post_code: text(7),
            email: text(8),
            username: text(9),
            dob: text(10),
            registered_date: text(11),
            phone: text(12),
            picture: text(13),
            nationality: text(14),
        }
    })
}

fn event() -> UserCreated<'static> {
    let event = good_event().to_string().into_bytes();
    UserCreated::decode(Box::leak(event.into_boxed_slice())).unwrap()
}

/// Name and type of the fields of the struct, by its own serialization.
fn fields() -> Map<String, Value> {
    let value = serde_json::to_value(event()).unwrap();
    let fields = value.as_object().unwrap().clone();
    assert!(fields.values().all(|value| !value.is_null()));
    fields
}

fn sorted(mut names: Vec<(String, &'static str)>) -> Vec<(String, &'static str)> {
    names.sort();
    names
}

fn expected() -> Vec<(String, &'static str)> {
    let kind = |value: &Value| if value.is_i64() { "number" } else { "text" };
    let fields = fields();
    sorted(
        fields
            .iter()
            .map(|(name, value)| (name.clone(), kind(value)))
            .collect(),
    )
}

#[test]
fn the_avro_schema_names_exactly_the_fields_of_the_event() {
    let schema: Value = serde_json::from_str(SchemaFormat::Avro.schema()).unwrap();
    let field = |field: &Value| {
        assert!(field["doc"].is_string(), "{field}");
        assert_eq!(field.get("default"), Some(&Value::Null), "{field}");
        let kind = match field["type"].to_string().as_str() {
            r#"["null","string"]"# => "text",
            r#"["null","long"]"# => "number",
            other => panic!("{other}"),
        };
        (field["name"].as_str().unwrap().to_owned(), kind)
    };
    let named = schema["fields"].as_array().unwrap().iter().map(field);
    assert_eq!(sorted(named.collect()), expected());
}

#[test]
fn the_json_schema_names_exactly_the_fields_of_the_event() {
    let schema: Value = serde_json::from_str(SchemaFormat::JsonSchema.schema()).unwrap();
    assert_eq!(
        schema.get("required"),
        None,
        "a field can be left out later"
    );
    assert_eq!(schema["additionalProperties"], Value::Bool(false));
    let property = |(name, property): (&String, &Value)| {
        assert!(property["description"].is_string(), "{property}");
        let kind = match property["type"].to_string().as_str() {
            r#"["string","null"]"# => "text",
            r#"["integer","null"]"# => "number",
            other => panic!("{other}"),
        };
        (name.clone(), kind)
    };
    let named = schema["properties"]
        .as_object()
        .unwrap()
        .iter()
        .map(property);
    assert_eq!(sorted(named.collect()), expected());
}

#[test]
fn the_protobuf_schema_names_exactly_the_fields_of_the_event_under_numbers_of_their_own() {
    let schema = SchemaFormat::Protobuf.schema();
    let mut numbers = Vec::new();
    let mut named = Vec::new();
    for line in schema.lines().map(str::trim) {
        let Some(field) = line.strip_prefix("optional ") else {
            continue;
        };
        let words: Vec<&str> = field.trim_end_matches(';').split(' ').collect();
        let [kind, name, "=", number] = words[..] else {
            panic!("{line}");
        };
        let kind = match kind {
            "string" => "text",
            "int64" => "number",
            other => panic!("{other}"),
        };
        named.push((name.to_owned(), kind));
        numbers.push(number.parse::<usize>().unwrap());
    }
    assert_eq!(numbers, (1..=named.len()).collect::<Vec<_>>());
    // The code writes each under the number that the file says.
    for ((name, _), number) in named.iter().zip(numbers) {
        let only = json!({ name: fields()[name] }).to_string();
        let event = UserCreated::decode(only.as_bytes()).unwrap();
        let value = encoders()[3].encode(&event).unwrap();
        // After the header and the message index; the key is a varint, whose low three bits are the type.
        let mut key = &value[wire::HEADER_BYTES + 1..];
        let key = prost::encoding::decode_varint(&mut key).unwrap();
        assert_eq!(key >> 3, number as u64, "{name}");
    }
    assert_eq!(sorted(named), expected());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_event_is_the_same_after_encoding_and_decoding_in_every_format(event in events()) {
        let plain = Encoder::Json.encode(&event).unwrap();
        prop_assert_eq!(&plain, &serde_json::to_vec(&event).unwrap(), "byte for byte");
        prop_assert_eq!(wire::split(&plain), Ok(None));
        for encoder in encoders() {
            let Encoder::Registered { format, schema_id } = encoder else { continue };
            let value = encoder.encode(&event).unwrap();
            let framed = wire::split(&value).unwrap().unwrap();
            prop_assert_eq!(framed.schema_id, schema_id);
            prop_assert_eq!(compiled(format).decode(framed.payload), Ok(UserCreated::decode(&plain).unwrap()));
        }
    }

    #[test]
    fn any_payload_is_an_event_or_a_rejection(payload in prop::collection::vec(any::<u8>(), 0..200)) {
        for format in SchemaFormat::ALL {
            let _ = compiled(format).decode(&payload);
        }
        let _ = wire::split(&payload);
    }

    #[test]
    fn a_payload_that_is_cut_off_is_no_event_in_avro(event in events(), at in any::<prop::sample::Index>()) {
        let value = encoders()[1].encode(&event).unwrap();
        let payload = &value[wire::HEADER_BYTES..];
        let cut = &payload[..at.index(payload.len())];
        let mismatch = Rejection::of(Reason::SchemaMismatch);
        prop_assert_eq!(compiled(SchemaFormat::Avro).decode(cut), Err(mismatch.clone()));
        let longer = [payload, &[0]].concat();
        prop_assert_eq!(compiled(SchemaFormat::Avro).decode(&longer), Err(mismatch));
    }

    #[test]
    fn any_text_is_a_schema_or_is_not(text in "[\\[\\]{}\":,a-z ]{0,60}") {
        for format in SchemaFormat::ALL {
            let _ = WriterSchema::compile(format.schema_type(), &text, false);
        }
    }
}

#[test]
fn json_behind_a_header_is_read_like_plain_json() {
    let schema = compiled(SchemaFormat::JsonSchema);
    let rejected = |payload: &[u8]| schema.decode(payload).unwrap_err().to_string();
    assert_eq!(rejected(b""), "empty_value");
    assert_eq!(rejected(b"{"), "invalid_json");
    assert_eq!(rejected(b"[]"), "wrong_shape");
    assert_eq!(rejected(br#"{"city":7}"#), "wrong_type (city)");
    // Of an older and of a newer writer.
    let event = schema
        .decode(br#"{"id":"1","cell":"2","city":"Town"}"#)
        .unwrap();
    assert_eq!(event.city.as_deref(), Some("Town"));
    assert_eq!(event.country, None);
}

#[test]
fn a_schema_of_another_kind_cannot_be_used() {
    let compile = |kind: &str, text: &str, references| {
        WriterSchema::compile(kind, text, references).map(drop)
    };
    assert_eq!(compile("XML", "<a/>", false), Err(Unusable::UnknownType));
    assert_eq!(
        compile("avro", "\"string\"", false),
        Err(Unusable::UnknownType)
    );
    assert_eq!(
        compile("AVRO", "\"string\"", false),
        Err(Unusable::NoRecord)
    );
    assert_eq!(compile("AVRO", "string", false), Err(Unusable::Unreadable));
    let of_a_reference = r#"{"type":"record","name":"U","fields":[{"name":"a","type":"other.A"}]}"#;
    assert_eq!(
        compile("AVRO", of_a_reference, true),
        Err(Unusable::References)
    );
    assert_eq!(
        compile("AVRO", of_a_reference, false),
        Err(Unusable::Unreadable)
    );
    assert_eq!(compile("JSON", "{}", true), Ok(()));
}

/// Apicurio tells the type of a subject's first version for all of them.
#[test]
fn a_schema_of_ours_is_known_by_its_text_whatever_type_is_told() {
    let event = event();
    for format in SchemaFormat::ALL {
        let encoder = Encoder::Registered {
            format,
            schema_id: SCHEMA_ID,
        };
        let value = encoder.encode(&event).unwrap();
        for told in SchemaFormat::ALL {
            let schema = WriterSchema::compile(told.schema_type(), format.schema(), false).unwrap();
            let payload = &value[wire::HEADER_BYTES..];
            assert_eq!(
                schema.decode(payload).as_ref(),
                Ok(&event),
                "{format:?} told as {told:?}"
            );
        }
    }
}

#[test]
fn an_event_beyond_all_use_is_too_large_in_every_format() {
    let mut event = event();
    event.city = Some("x".repeat(MAX_EVENT_BYTES + 1).into());
    for encoder in encoders() {
        let rejection = encoder.encode(&event).unwrap_err();
        assert_eq!(rejection.reason, Reason::TooLarge, "{encoder:?}");
    }
}
