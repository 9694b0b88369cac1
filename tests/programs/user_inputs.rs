//! Inputs for the properties: texts and JSON of all sorts, and a user and an event that are good, to be spoilt.

use proptest::prelude::*;
use serde_json::{Map, Number, Value, json};

/// Texts of all scripts, with white space at the ends, combining marks, and some too long.
pub fn texts() -> impl Strategy<Value = String> {
    let letters = prop::collection::vec(any::<char>(), 0..30);
    let marks =
        "[ \u{a0}\t]{0,2}[a-zA-ZİßΐŉÅ\u{300}-\u{330}\u{1100}-\u{1175} ]{0,20}[ \u{2003}\n]{0,2}";
    let long = (
        990usize..1_010,
        prop::sample::select(vec!['x', 'İ', 'é', '\u{344}', 'ß']),
    );
    prop_oneof![
        4 => letters.prop_map(String::from_iter),
        4 => marks,
        1 => long.prop_map(|(length, letter)| letter.to_string().repeat(length)),
    ]
}

/// JSON of any shape, four levels deep.
pub fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|number| Value::Number(number.into())),
        any::<f64>().prop_map(|number| Number::from_f64(number).map_or(Value::Null, Value::Number)),
        texts().prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let names = prop::sample::select(FIELDS.to_vec());
        let fields = prop::collection::vec((names, inner.clone()), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(Value::Array),
            fields.prop_map(|fields| object(
                fields.into_iter().map(|(name, it)| (name.to_owned(), it))
            )),
        ]
    })
}

fn object(fields: impl IntoIterator<Item = (String, Value)>) -> Value {
    Value::Object(fields.into_iter().collect::<Map<_, _>>())
}

/// Names that the readers look for, and one that they do not.
pub const FIELDS: [&str; 26] = [
    "id",
    "first_name",
    "last_name",
    "gender",
    "street_number",
    "street_name",
    "city",
    "state",
    "country",
    "post_code",
    "email",
    "username",
    "dob",
    "registered_date",
    "phone",
    "picture",
    "nationality",
    "name",
    "location",
    "login",
    "uuid",
    "registered",
    "street",
    "postcode",
    "nat",
    "other",
];

/// The fields of the event that are texts.
pub const TEXTS: [&str; 14] = [
    "first_name",
    "last_name",
    "gender",
    "street_name",
    "city",
    "state",
    "country",
    "post_code",
    "email",
    "username",
    "phone",
    "picture",
    "nationality",
    "other",
];

/// An event that can be used.
pub fn good_event() -> Value {
    json!({
        "id": "00000000-0000-4000-8000-000000000001", "first_name": "Ada", "last_name": "Example", "gender": "female",
        "street_number": 7, "street_name": "Example Street", "city": "Town", "state": "State", "country": "Country",
        "post_code": "123", "email": "ada@example.com", "username": "ada", "dob": "1980-02-29T01:02:03.456Z",
        "registered_date": "2010-11-12T13:14:15.016Z", "phone": "1", "picture": "https://x/1.jpg", "nationality": "GB",
    })
}

pub fn good_user() -> Value {
    json!({
        "gender": "female", "name": {"first": "Ada", "last": "Example"}, "email": "ada@example.com",
        "location": {"street": {"number": 7, "name": "Street"}, "city": "T", "state": "S", "country": "C", "postcode": 123},
        "login": {"uuid": "00000000-0000-4000-8000-000000000001", "username": "ada"},
        "dob": {"date": "1980-02-29T01:02:03.456Z", "age": 44}, "registered": {"date": "2010-11-12T13:14:15.016Z", "age": 13},
        "phone": "1", "picture": {"medium": "x"}, "nat": "GB",
    })
}
