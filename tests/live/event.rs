//! Events of made-up users, written by hand so that a test does not lean on the code it tests.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::topic::Given;

/// 2026-01-01T00:00:00Z
pub const NEW_YEAR_MS: i64 = 1_767_225_600_000;

/// A good event that is different for each number.
pub fn event(id: Uuid, number: usize) -> Value {
    json!({
        "id": id,
        "first_name": format!("First{number}"),
        "last_name": format!("Last{number}"),
        "gender": if number.is_multiple_of(3) { "male" } else { "female" },
        "street_number": number,
        "street_name": "Long Street",
        "city": "Exampleton",
        "state": "Exampleshire",
        "country": "United Kingdom",
        "post_code": "EX1 1AA",
        "email": format!("user{number}@example.com"),
        "username": format!("user{number}"),
        "dob": format!("{}-06-15T12:00:00.000Z", 1945 + number % 70),
        "registered_date": format!("{}-03-01T01:02:03.004Z", 2002 + number % 20),
        "phone": "017684 12345",
        "picture": "https://example.com/portraits/med/men/1.jpg",
        "nationality": (if number.is_multiple_of(4) { "GB" } else { "FR" }),
    })
}

/// The record of an event, keyed by its id, at a fixed time.
pub fn record(event: &Value) -> Given {
    Given {
        key: event["id"].as_str().map(|id| id.as_bytes().to_vec()),
        value: Some(event.to_string().into_bytes()),
        timestamp_ms: Some(NEW_YEAR_MS),
        ..Given::default()
    }
}

/// Good records with new ids.
pub fn records(count: usize) -> (Vec<Uuid>, Vec<Given>) {
    let ids: Vec<Uuid> = (0..count).map(|_| Uuid::new_v4()).collect();
    let records = ids
        .iter()
        .enumerate()
        .map(|(number, &id)| record(&event(id, number)))
        .collect();
    (ids, records)
}

/// Records as the publisher would send them: numbered in the order of landing.
pub fn numbered(records: &mut [Given], landing: Uuid, first: usize) {
    for (place, record) in records.iter_mut().enumerate() {
        record.sequence = Some(format!("{landing}/{}", first + place));
    }
}

/// Users of many countries, so that the summary is written often: its steps are bounded in size.
pub fn of_many_countries(count: usize) -> (Vec<Uuid>, Vec<Given>) {
    let user = |number: usize| {
        let id = Uuid::new_v4();
        let mut event = event(id, number);
        event["country"] = json!(format!("Country {}", number % 5_000));
        (id, record(&event))
    };
    let (ids, mut records): (Vec<_>, Vec<_>) = (0..count).map(user).unzip();
    numbered(&mut records, Uuid::new_v4(), 1);
    (ids, records)
}
