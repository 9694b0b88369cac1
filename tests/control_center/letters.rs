//! Dead letters as the jobs of another version may have written them, and waiting for a replay.

use std::time::Duration;

use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};

use crate::center::Center;
use crate::event::NEW_YEAR_MS;
use crate::servers::{until, wait};
use crate::world::World;

#[derive(Clone)]
pub struct Letter {
    pub value: Vec<u8>,
    pub key: Vec<u8>,
    pub reason: String,
    pub field: String,
    pub job: String,
    pub origin: (i32, i64),
    /// The time of the record there.
    pub origin_ms: i64,
    pub sequence: Option<String>,
}

impl Letter {
    pub fn of(value: impl ToString, origin: (i32, i64)) -> Self {
        Self {
            value: value.to_string().into_bytes(),
            key: b"the key \xff".to_vec(),
            reason: "malformed_id".to_owned(),
            field: "id".to_owned(),
            job: "transform-store".to_owned(),
            origin,
            origin_ms: NEW_YEAR_MS,
            sequence: None,
        }
    }
}

/// Puts letters on the topic of the dead letters, and gives their offsets.
pub fn write(world: &World, letters: &[Letter]) -> Vec<i64> {
    let producer: FutureProducer = world
        .base
        .servers
        .kafka_client()
        .create()
        .expect("a producer");
    let topic = world.dead_letter_topic();
    let write = |letter: &Letter| {
        let mut headers: Vec<(&str, String)> = vec![
            ("streamflow-reason", letter.reason.clone()),
            ("streamflow-field", letter.field.clone()),
            ("streamflow-job", letter.job.clone()),
            ("streamflow-origin-topic", world.topic.clone()),
            ("streamflow-origin-partition", letter.origin.0.to_string()),
            ("streamflow-origin-offset", letter.origin.1.to_string()),
            ("streamflow-origin-timestamp", letter.origin_ms.to_string()),
        ];
        headers.extend(
            letter
                .sequence
                .clone()
                .map(|it| ("streamflow-sequence", it)),
        );
        let owned = headers
            .iter()
            .fold(OwnedHeaders::new(), |owned, (key, value)| {
                let value = Some(value);
                owned.insert(Header { key, value })
            });
        let record = FutureRecord::to(&topic)
            .key(&letter.key)
            .payload(&letter.value)
            .headers(owned);
        let delivery = producer.send_result(record).map_err(|(error, _)| error);
        let delivered = wait(delivery.expect("room")).expect("an answer");
        delivered
            .map_err(|(error, _)| error)
            .expect("acknowledged")
            .offset
    };
    letters.iter().map(write).collect()
}

/// Presses the button of a preview, and waits for the end of the replay.
pub fn replay(center: &Center, form: &[(&str, &str)]) -> serde_json::Value {
    let begun = center.post("/dead-letters/replay", form).is(303);
    let progress = begun.header("location").to_owned();
    until("the end of the replay", Duration::from_secs(60), || {
        let progress = center.json(&progress);
        (!progress["run"]["ended"].is_null()).then_some(progress["run"].clone())
    })
}

/// The state of a letter, as its page tells it, which learns of a new letter a moment later.
pub fn state(center: &Center, offset: i64) -> serde_json::Value {
    let path = format!("/dead-letters/0/{offset}");
    until("the letter", Duration::from_secs(10), || {
        (center.get(&path).status == 200).then_some(())
    });
    center.json(&path)["state"].clone()
}
