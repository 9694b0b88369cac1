//! What a user becomes on its way, shown whole: the event on the topic, the row, the headers of a dead letter, the table of the summary.
//! The users are written by hand, one of each shape that the API has had.

use std::collections::BTreeMap;

use streamflow::job::summary_table;
use streamflow::pipeline::dead_letter::headers;
use streamflow::pipeline::record::Record;
use streamflow::pipeline::sequence::Sequence;
use streamflow::rejection::{Reason, Rejection};
use streamflow::user::api::RandomUser;
use streamflow::user::clean::clean;
use streamflow::user::event::UserCreated;
use streamflow::user::summary::Dimension;
use uuid::Uuid;

/// Versions 1.3 and 1.4: a street in two parts, a post code that is a number, a null id, spaces at the ends, capitals in the e-mail.
const NEWER: &str = r#"{
    "gender": "female",
    "name": {"title": "Ms", "first": "Zoé ", "last": "O'Example-Smith"},
    "location": {
        "street": {"number": 7, "name": "Rue de l'Exemple "},
        "city": "Ra\u030akva\u030agen", "state": "Vaud", "country": "Switzerland", "postcode": 1234,
        "coordinates": {"latitude": "12.3456", "longitude": "-7.8900"},
        "timezone": {"offset": "+1:00", "description": "Somewhere, & elsewhere"}
    },
    "email": "Zoe.OExample@Example.com",
    "login": {
        "uuid": "00000000-0000-4000-8000-000000000001", "username": "tinytest001", "password": "hidden",
        "salt": "hidden", "md5": "hidden", "sha1": "hidden", "sha256": "hidden"
    },
    "dob": {"date": "1980-02-29T01:02:03.456Z", "age": 44},
    "registered": {"date": "2010-11-12T13:14:15.016Z", "age": 13},
    "phone": "071 000 00 00", "cell": "072 000 00 00",
    "id": {"name": "", "value": null},
    "picture": {"large": "https://pictures.example/1.jpg", "medium": "https://pictures.example/med/1.jpg", "thumbnail": "x"},
    "nat": "CH"
}"#;

/// Another script than Latin, and a post code that is a text.
const PERSIAN: &str = r#"{
    "gender": "male",
    "name": {"title": "Mr", "first": "نمونه", "last": "آزمایشی"},
    "location": {
        "street": {"number": 12, "name": "خیابان نمونه"}, "city": "شهر", "state": "استان", "country": "Iran", "postcode": "12345"
    },
    "email": "nmwnh@example.com",
    "login": {"uuid": "00000000-0000-4000-8000-000000000002", "username": "tinytest002"},
    "dob": {"date": "1950-01-01T00:00:00.000Z", "age": 70},
    "registered": {"date": "2015-06-07T08:09:10.011Z", "age": 9},
    "phone": "000-00000000", "nat": "IR"
}"#;

/// Version 1.2: all lower case, the street one text, no country, times without milliseconds.
const OLDER: &str = r#"{
    "gender": "male",
    "name": {"title": "mr", "first": "åge", "last": "eksempel"},
    "location": {"street": "prøveveien 12", "city": "testby", "state": "oslo", "postcode": "0123"},
    "email": "åge.eksempel@example.com",
    "login": {"uuid": "00000000-0000-4000-8000-000000000003", "username": "oldtest003"},
    "dob": {"date": "1969-12-31T23:59:59Z", "age": 54},
    "registered": {"date": "2004-05-06T07:08:09Z", "age": 20},
    "phone": "00000000",
    "picture": {"medium": "https://pictures.example/med/3.jpg"},
    "nat": "NO"
}"#;

/// As little as can be used: an id and two names. What is blank is as good as absent.
const LEAST: &str = r#"{
    "name": {"first": "Ada", "last": "Least"}, "email": "  ", "gender": null, "location": {"street": {"number": 5}},
    "login": {"uuid": "00000000-0000-4000-8000-000000000004"}
}"#;

fn event(raw: &str) -> String {
    let (id, user) = RandomUser::decode(raw.as_bytes()).unwrap();
    String::from_utf8(UserCreated::of(id, user).encode().unwrap()).unwrap()
}

fn row(raw: &str) -> String {
    let event = event(raw);
    let row = clean(UserCreated::decode(event.as_bytes()).unwrap()).unwrap();
    format!("{row:#?}")
}

#[test]
fn events() {
    insta::assert_snapshot!("event_of_1_4", event(NEWER));
    insta::assert_snapshot!("event_in_persian", event(PERSIAN));
    insta::assert_snapshot!("event_of_1_2", event(OLDER));
    insta::assert_snapshot!("event_with_least", event(LEAST));
}

#[test]
fn rows() {
    insta::assert_snapshot!("row_of_1_4", row(NEWER));
    insta::assert_snapshot!("row_in_persian", row(PERSIAN));
    insta::assert_snapshot!("row_of_1_2", row(OLDER));
    insta::assert_snapshot!("row_with_least", row(LEAST));
}

#[test]
fn headers_of_dead_letters() {
    let lines = |sequence: Option<Sequence>, rejection: &Rejection| {
        let record = Record {
            topic: "user_created",
            partition: 3,
            offset: 4_711,
            timestamp_ms: 1_700_000_000_123,
            key: None,
            value: Some(b"hidden"),
            read_sequence: &|| sequence,
        };
        let headers = headers("transform-store", &record, rejection);
        let lines = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\n"));
        lines.collect::<String>()
    };
    let sequence = Sequence {
        landing: Uuid::from_u128(7),
        number: 42,
    };
    let whole = Rejection::of(Reason::InvalidJson);
    let field = Rejection::field(Reason::ImpossibleDate, "dob");
    insta::assert_snapshot!("dead_letter_of_a_record", lines(None, &whole));
    insta::assert_snapshot!("dead_letter_of_a_field", lines(Some(sequence), &field));
}

#[test]
fn the_table_of_the_summary() {
    let values = |values: &[(&str, i64)]| {
        let pairs = values
            .iter()
            .map(|&(value, users)| (value.to_owned(), users));
        pairs.collect::<BTreeMap<String, i64>>()
    };
    let countries: Vec<String> = (1..=13)
        .map(|number| format!("Country {number:02}"))
        .collect();
    let countries: Vec<(&str, i64)> = countries.iter().map(String::as_str).zip(1..).collect();
    let totals = BTreeMap::from([
        (
            Dimension::Gender,
            values(&[("female", 1_234), ("male", 1_200), ("unknown", 1)]),
        ),
        (Dimension::Country, values(&countries)),
        (
            Dimension::Nationality,
            values(&[("CH", 10), ("中国", 5), ("ایران", 0)]),
        ),
        (
            Dimension::AgeBand,
            values(&[("18-29", 7), ("30-39", 9), ("80+", 1)]),
        ),
        (
            Dimension::RegistrationYear,
            values(&[("2004", 1), ("2010", 3)]),
        ),
    ]);
    insta::assert_snapshot!("summary_table", summary_table::render(&totals));
    insta::assert_snapshot!(
        "summary_table_of_nothing",
        summary_table::render(&BTreeMap::new())
    );
}
