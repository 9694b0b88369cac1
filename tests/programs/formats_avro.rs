//! Avro beside `apache-avro`, another implementation: what we write it reads, what it writes by other schemas we read.

use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;
use proptest::prelude::*;
use serde_json::json;
use streamflow::rejection::{Reason, Rejection};
use streamflow::user::event::UserCreated;
use streamflow::user::format::{SchemaFormat, WriterSchema, wire};

use crate::formats::{compiled, encoders, events};
use crate::user_inputs::texts;

fn write(schema: &str, value: Value) -> Vec<u8> {
    let schema = Schema::parse_str(schema).unwrap();
    let writer = GenericDatumWriter::builder(&schema).build().unwrap();
    writer.write_value_to_vec(value).unwrap()
}

fn schema_of(fields: &[serde_json::Value]) -> String {
    json!({"type": "record", "name": "User", "namespace": "a.b", "fields": fields}).to_string()
}

fn decode<'a>(schema: &str, payload: &'a [u8]) -> Result<UserCreated<'a>, Rejection> {
    WriterSchema::compile("AVRO", schema, false)
        .unwrap()
        .decode(payload)
}

/// A record of one field besides the city, which comes after it.
fn with_field(
    kind: serde_json::Value,
    name: &str,
    value: Value,
) -> Result<UserCreated<'static>, Rejection> {
    let schema = schema_of(&[
        json!({"name": name, "type": kind}),
        json!({"name": "city", "type": "string"}),
    ]);
    let record = vec![
        (name.to_owned(), value),
        ("city".to_owned(), Value::String("Town".to_owned())),
    ];
    let payload = write(&schema, Value::Record(record));
    decode(&schema, Box::leak(payload.into_boxed_slice()))
}

fn nullable(value: Option<Value>) -> Value {
    match value {
        None => Value::Union(0, Box::new(Value::Null)),
        Some(value) => Value::Union(1, Box::new(value)),
    }
}

/// A field that this program does not know: its type and a value of it.
fn unknown_field() -> impl Strategy<Value = (serde_json::Value, Value)> {
    let text = texts().prop_map(|text| (json!("string"), Value::String(text)));
    let long = any::<i64>().prop_map(|it| (json!("long"), Value::Long(it)));
    let double = any::<f32>().prop_map(|it| (json!("double"), Value::Double(it.into())));
    let float = any::<f32>().prop_map(|it| (json!("float"), Value::Float(it)));
    let boolean = any::<bool>().prop_map(|it| (json!("boolean"), Value::Boolean(it)));
    let bytes =
        prop::collection::vec(any::<u8>(), 0..9).prop_map(|it| (json!("bytes"), Value::Bytes(it)));
    let leaf = prop_oneof![
        text,
        long,
        double,
        float,
        boolean,
        bytes,
        Just((json!("null"), Value::Null))
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            (inner.clone(), 0usize..4).prop_map(|((kind, value), length)| (
                json!({"type": "array", "items": kind}),
                Value::Array(vec![value; length])
            )),
            (inner.clone(), "[a-z]{1,5}").prop_map(|((kind, value), key)| (
                json!({"type": "map", "values": kind}),
                Value::Map([(key, value)].into())
            )),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn another_implementation_reads_what_we_write(event in events()) {
        let schema = Schema::parse_str(SchemaFormat::Avro.schema()).unwrap();
        let reader = GenericDatumReader::builder(&schema).build().unwrap();
        let value = encoders()[1].encode(&event).unwrap();
        let mut payload = &value[wire::HEADER_BYTES..];
        let Value::Record(read) = reader.read_value(&mut payload).unwrap() else { panic!("a record") };
        prop_assert!(payload.is_empty());
        let json = serde_json::to_value(&event).unwrap();
        prop_assert_eq!(read.len(), json.as_object().unwrap().len());
        for (name, value) in read {
            let expected = match &json[&name] {
                serde_json::Value::Null => nullable(None),
                serde_json::Value::String(text) => nullable(Some(Value::String(text.clone()))),
                number => nullable(number.as_i64().map(Value::Long)),
            };
            prop_assert_eq!(value, expected, "{}", name);
        }
    }

    /// Older writers lack fields, newer ones have more, of any type and at any place; some have them without null, and in another order.
    #[test]
    fn we_read_what_another_implementation_writes_by_another_schema(
        event in events(),
        places in prop::collection::vec((any::<u16>(), 0u8..4), 17),
        unknown in prop::collection::vec((any::<u16>(), unknown_field()), 0..5),
    ) {
        let mut expected = serde_json::to_value(&event).unwrap();
        let names: Vec<String> = expected.as_object().unwrap().keys().cloned().collect();
        let mut fields = Vec::new();
        for (name, (place, shape)) in names.into_iter().zip(places) {
            let (kind, value) = match expected[&name].clone() {
                serde_json::Value::Number(number) => ("long", Some(Value::Long(number.as_i64().unwrap()))),
                serde_json::Value::String(text) => ("string", Some(Value::String(text))),
                _ if name == "street_number" => ("long", None),
                _ => ("string", None),
            };
            let (kind, value) = match (shape, value) {
                (0, _) => { expected[&name] = serde_json::Value::Null; continue }
                (1, Some(value)) => (json!(kind), value),
                (2, Some(value)) => (json!([kind, "null"]), Value::Union(0, Box::new(value))),
                (_, value) => (json!(["null", kind]), nullable(value)),
            };
            fields.push((place, name.clone(), kind, value));
        }
        for (number, (place, (kind, value))) in unknown.into_iter().enumerate() {
            fields.push((place, format!("unknown_{number}"), kind, value));
        }
        fields.sort_by_key(|field| field.0);
        let schema: Vec<_> = fields.iter().map(|it| json!({"name": it.1, "type": it.2})).collect();
        let schema = schema_of(&schema);
        let record = fields.into_iter().map(|it| (it.1, it.3)).collect();
        let payload = write(&schema, Value::Record(record));
        let expected = expected.to_string();
        prop_assert_eq!(decode(&schema, &payload), Ok(UserCreated::decode(expected.as_bytes()).unwrap()));
    }
}

#[test]
fn types_are_promoted_as_the_specification_allows() {
    let event = with_field(json!("int"), "street_number", Value::Int(-7)).unwrap();
    assert_eq!(event.street_number, Some(-7));
    let event = with_field(json!("bytes"), "state", Value::Bytes("Å".into())).unwrap();
    assert_eq!(event.state.as_deref(), Some("Å"));
    let event = with_field(
        json!({"type": "string", "logicalType": "uuid"}),
        "id",
        Value::Uuid(uuid::Uuid::nil()),
    );
    assert_eq!(
        event.unwrap().id.as_deref(),
        Some("00000000-0000-0000-0000-000000000000")
    );
    // Not by the specification: as plain JSON has it, too.
    let event = with_field(json!("long"), "post_code", Value::Long(12345)).unwrap();
    assert_eq!(event.post_code.as_deref(), Some("12345"));
}

#[test]
fn a_field_of_a_type_that_is_not_its_own_is_named() {
    let wrong = [
        (
            "dob",
            json!({"type": "long", "logicalType": "timestamp-millis"}),
            Value::TimestampMillis(1),
        ),
        (
            "gender",
            json!({"type": "enum", "name": "Gender", "symbols": ["female", "male"]}),
            Value::Enum(1, "male".into()),
        ),
        ("street_number", json!("string"), Value::String("7".into())),
        ("street_number", json!("double"), Value::Double(7.0)),
        ("post_code", json!("boolean"), Value::Boolean(true)),
        (
            "email",
            json!({"type": "array", "items": "string"}),
            Value::Array(vec![Value::String("a".into())]),
        ),
    ];
    for (name, kind, value) in wrong {
        let rejection = with_field(kind, name, value).unwrap_err();
        assert_eq!(rejection, Rejection::field(Reason::WrongType, name));
    }
    // Only the records are rejected that hold it.
    let kind = json!(["null", "long"]);
    let event = with_field(kind.clone(), "city_code", nullable(Some(Value::Long(1)))).unwrap();
    assert_eq!(event.city.as_deref(), Some("Town"));
    assert!(with_field(kind.clone(), "dob", nullable(None)).is_ok());
    assert!(with_field(kind, "dob", nullable(Some(Value::Long(1)))).is_err());
}

#[test]
fn named_types_are_found_by_their_namespaces() {
    let schema = json!({"type": "record", "name": "User", "namespace": "a.b", "fields": [
        {"name": "first", "type": {"type": "fixed", "name": "Two", "size": 2}},
        {"name": "second", "type": "Two"},
        {"name": "third", "type": ["null", "a.b.Two"]},
        {"name": "inner", "type": {"type": "record", "name": "c.d.Inner", "fields": [
            {"name": "own", "type": {"type": "enum", "name": "E", "symbols": ["x", "y"]}},
            {"name": "again", "type": "E"},
            {"name": "outer", "type": "a.b.Two"},
        ]}},
        {"name": "fourth", "type": "c.d.E"},
        {"name": "city", "type": "string"},
    ]});
    // Two and Two, the third as a Two, x and y and a Two, y, and the city.
    let payload = b"abcd\x02ef\x00\x02gh\x02\x08Town";
    let event = decode(&schema.to_string(), payload).unwrap();
    assert_eq!(event.city.as_deref(), Some("Town"));
}

#[test]
fn blocks_with_their_size_are_skipped_at_once() {
    let schema = schema_of(&[
        json!({"name": "numbers", "type": {"type": "array", "items": "long"}}),
        json!({"name": "city", "type": "string"}),
    ]);
    // One block of minus two items in two bytes, one of one item, the end; then the city.
    let payload = b"\x03\x04\x7f\x7f\x02\x7f\x00\x08Town";
    assert_eq!(
        decode(&schema, payload).unwrap().city.as_deref(),
        Some("Town")
    );
}

/// None of these may run long, use memory without end, or overflow the stack.
#[test]
fn payloads_made_to_do_harm_are_rejected() {
    let nulls = schema_of(&[json!({"name": "nulls", "type": {"type": "array", "items": "null"}})]);
    let many = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0];
    let list = schema_of(&[json!({"name": "next", "type": ["null", "User"]})]);
    let deep = vec![2; 1_000_000];
    let mut doubling = json!("null");
    for level in 0..35 {
        let name = format!("R{level}");
        let fields = json!([{"name": "a", "type": doubling}, {"name": "b", "type": if level == 0 { json!("null") } else { json!(format!("R{}", level - 1)) }}]);
        doubling = json!({"type": "record", "name": name, "fields": fields});
    }
    let wide = schema_of(&[json!({"name": "wide", "type": doubling})]);
    for (schema, payload) in [(&nulls, &many[..]), (&list, &deep), (&wide, b"")] {
        let rejection = decode(schema, payload).unwrap_err();
        assert_eq!(rejection.reason, Reason::SchemaMismatch);
    }
    // A schema of more levels than can be: no registry takes it, and it is not followed.
    let nested = format!("{}\"null\"{}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(WriterSchema::compile("AVRO", &nested, false).is_err());
    assert!(compiled(SchemaFormat::Avro).decode(&many).is_err());
}
