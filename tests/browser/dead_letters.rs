//! A dead letter is looked at, its replay previewed, and done.

use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use uuid::Uuid;

use crate::browser::Browser;
use crate::center::Center;
use crate::event::{NEW_YEAR_MS, event, record};
use crate::servers::wait;
use crate::topic::Given;
use crate::world::World;

/// A letter of an older version's job, whose record is good for today's code.
fn write_letter(world: &World, value: &str, origin: (i32, i64)) {
    let producer: FutureProducer = world
        .base
        .servers
        .kafka_client()
        .create()
        .expect("a producer");
    let (partition, offset) = (origin.0.to_string(), origin.1.to_string());
    let headers = [
        ("streamflow-reason", "malformed_id"),
        ("streamflow-field", "id"),
        ("streamflow-job", "transform-store"),
        ("streamflow-origin-topic", &world.topic),
        ("streamflow-origin-partition", &partition),
        ("streamflow-origin-offset", &offset),
        ("streamflow-origin-timestamp", &NEW_YEAR_MS.to_string()),
    ]
    .iter()
    .fold(OwnedHeaders::new(), |headers, (key, value)| {
        let value = Some(*value);
        headers.insert(Header { key, value })
    });
    let topic = world.dead_letter_topic();
    let letter = FutureRecord::<[u8], str>::to(&topic)
        .payload(value)
        .headers(headers);
    let delivery = producer.send_result(letter).map_err(|(error, _)| error);
    wait(delivery.expect("room"))
        .expect("an answer")
        .expect("acknowledged");
}

#[test]
fn a_letter_is_read_and_replayed_after_a_preview() {
    let Some(browser) = Browser::take() else {
        return;
    };
    let Some(world) = World::shared() else { return };
    let id = Uuid::new_v4();
    let user = event(id, 1);
    let bad = Given {
        value: Some(b"<b>no JSON</b>".to_vec()),
        ..Given::default()
    };
    let origin = world.produce(&[record(&user), bad])[0];
    world.run("transform-store", &["--until-latest"]).exits(0);
    write_letter(&world, &user.to_string(), origin);
    let before = world.record_count();
    let center = Center::of(&world, &[]);

    browser.open(&format!("{}/dead-letters", center.url));
    browser.until_it_shows("malformed_id");
    browser.until_it_shows("invalid_json");
    browser.follow("malformed_id");
    browser.follow("0:1");
    browser.until_it_shows("passes");
    assert!(!browser.source().contains("user1@example.com"), "masked");
    browser.follow("Preview a replay …");
    browser.until_it_shows("Nothing is produced yet");
    assert_eq!(world.record_count(), before, "a preview produces nothing");
    browser.press("Replay 1 letters");
    browser.until_it_shows("1 of 1");
    browser.until_it_shows("acknowledged");
    assert_eq!(world.record_count(), before + 1);
    world.run("transform-store", &["--until-latest"]).exits(0);

    browser.open(&format!("{}/explain", center.url));
    browser.fill("user_id", &id.to_string());
    browser.press("Explain");
    browser.until_it_shows("stored in created_users");
    assert_eq!(browser.errors(), Vec::<String>::new());
}
