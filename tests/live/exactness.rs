//! Once in effect: repetitions, replays and old records change nothing.

use std::collections::BTreeSet;

use serde_json::json;
use streamflow::pipeline::sequence::Sequence;
use uuid::Uuid;

use crate::api::Api;
use crate::event::{NEW_YEAR_MS, event, numbered, record, records};
use crate::process::LIMIT;
use crate::servers::until;
use crate::topic::{Found, Given};
use crate::world::World;

const COUNTS: [&str; 3] = ["consumed", "counted", "already_counted"];

#[test]
fn a_record_published_twice_counts_once_and_is_one_row() {
    let Some(world) = World::shared() else { return };
    let (ids, mut records) = records(60);
    numbered(&mut records, Uuid::new_v4(), 1);
    world.produce(&records[..40]);
    // A publisher that died before it could mark these sends them again, in their order, and goes on.
    world.produce(&records[25..]);

    let done = world.run("aggregate", &[]).exits(0);
    assert_eq!(done.numbers(COUNTS), [75, 60, 15]);
    assert_eq!(world.counted(), 60);
    let done = world.run("transform-store", &[]).exits(0);
    assert_eq!(done.numbers(["consumed", "stored"]), [75, 75]);
    let users = world.users();
    assert!(ids.iter().all(|id| users.contains_key(id)));

    // Also when the repetition comes to a later run.
    world.produce(&records[50..]);
    let done = world.run("aggregate", &[]).exits(0);
    assert_eq!(done.numbers(COUNTS), [10, 0, 10]);
    assert_eq!(world.counted(), 60);
}

#[test]
fn numbers_of_a_new_landing_database_are_no_repetitions() {
    let Some(world) = World::shared() else { return };
    for _ in 0..2 {
        let (_, mut records) = records(30);
        numbered(&mut records, Uuid::new_v4(), 1);
        world.produce(&records);
        let done = world.run("aggregate", &[]).exits(0);
        assert_eq!(done.numbers(COUNTS), [30, 30, 0]);
    }
    assert_eq!(world.counted(), 60);
}

#[test]
fn a_replay_from_the_beginning_changes_nothing() {
    let Some(world) = World::own() else { return };
    let (_, mut records) = records(200);
    records[7].value = Some(b"no JSON".to_vec());
    world.produce(&records);
    let names = ["consumed", "stored", "dead_lettered"];
    for round in 0..2 {
        let done = world.run("transform-store", &[]).exits(0);
        assert_eq!(done.numbers(names), [200, 199, 1], "round {round}");
        let users = world.users();
        assert_eq!(users.len(), 199);
        world.run("aggregate", &[]).exits(0);
        let totals = world.totals();
        assert_eq!(world.counted(), 199);

        world.forget_group("transform-store");
        world.forget_group("aggregate");
        let done = world.run("aggregate", &[]).exits(0);
        assert_eq!(done.number("consumed"), 0, "the summary knows its offsets");
        assert_eq!(world.totals(), totals);
        assert_eq!(world.users(), users);
    }
}

#[test]
fn an_old_record_never_overwrites_a_newer_one() {
    let Some(world) = World::shared() else { return };
    let id = Uuid::new_v4();
    let version = |name: &str, at_ms: i64| {
        let mut event = event(id, 1);
        event["first_name"] = json!(name);
        event["phone"] = json!(name);
        Given {
            timestamp_ms: Some(at_ms),
            ..record(&event)
        }
    };
    let name = || world.user(id).expect("stored").first_name;
    let newer = version("Newer", NEW_YEAR_MS + 60_000);
    let older = version("Older", NEW_YEAR_MS);
    world.produce(&[newer, older.clone()]);
    world.run("transform-store", &[]).exits(0);
    assert_eq!(name(), "Newer");
    world.produce(&[older]);
    world.run("transform-store", &[]).exits(0);
    assert_eq!(name(), "Newer");
    world.produce(&[version("Newest", NEW_YEAR_MS + 120_000)]);
    world.run("transform-store", &[]).exits(0);
    assert_eq!(name(), "Newest");
    assert_eq!(
        world.user(id).expect("stored").phone.as_deref(),
        Some("Newest")
    );
}

#[test]
fn what_was_published_and_not_marked_is_published_again_and_counts_once() {
    let Some(world) = World::own() else { return };
    let api = Api::start();
    let arguments = ["--users", "600", "--seed", "mark", "--api-url", &api.url()];
    world.run("fetch-publish", &arguments).exits(0);
    // As a crash leaves them between the acknowledgement and the mark.
    world.sql(
        "DELETE FROM published_users WHERE sequence > (SELECT max(sequence) - 100 FROM landed_users)",
    );
    let none = ["--users", "0", "--seed", "mark", "--api-url", &api.url()];
    let done = world.run("fetch-publish", &none).exits(0);
    assert_eq!(done.numbers(["fetched", "published"]), [0, 100]);
    assert_eq!(world.records().len(), 700);
    let done = world.run("aggregate", &[]).exits(0);
    assert_eq!(done.numbers(COUNTS), [700, 600, 100]);
    assert_eq!(world.counted(), 600);
    world.run("transform-store", &[]).exits(0);
    assert_eq!(world.user_count(), 600);
}

#[test]
fn two_that_fetch_and_publish_at_once_do_not_disturb_each_other() {
    let Some(world) = World::own() else { return };
    let api = Api::start();
    let start = |seed: &str| {
        let arguments = [
            "--users",
            "1500",
            "--seed",
            seed,
            "--page-size",
            "100",
            "--api-url",
            &api.url(),
        ];
        world.spawn("fetch-publish", &arguments)
    };
    let (one, two) = (start("one"), start("two"));
    let done = [one.finish().exits(0), two.finish().exits(0)];
    for done in &done {
        let names = [
            "fetched",
            "landed",
            "already_landed",
            "conflicting",
            "rejected",
        ];
        assert_eq!(done.numbers(names), [1500, 1500, 0, 0, 0]);
    }
    let published: u64 = done.iter().map(|done| done.number("published")).sum();
    assert_eq!(published, 3000);
    let landed = world.landed();
    assert!(landed.iter().all(|user| user.published.is_some()));
    let records = world.records();
    assert_eq!(records.len(), 3000);
    let keys: BTreeSet<&str> = records.iter().map(|it| it.key_text()).collect();
    assert_eq!(keys.len(), 3000);
    are_in_the_order_of_landing(&records);

    let done = world.run("aggregate", &[]).exits(0);
    assert_eq!(done.numbers(COUNTS), [3000, 3000, 0]);
    assert_eq!(world.counted(), 3000);
}

/// On each partition.
fn are_in_the_order_of_landing(records: &[Found]) {
    let mut places: Vec<(i32, i64, i64)> = records
        .iter()
        .map(|record| {
            let sequence = record.header("sequence").expect("a sequence");
            let sequence = Sequence::parse(sequence.as_bytes()).expect("a sequence");
            (record.partition, record.offset, sequence.number)
        })
        .collect();
    places.sort_unstable();
    for pair in places.windows(2) {
        assert!(pair[0].0 != pair[1].0 || pair[0].2 < pair[1].2, "{pair:?}");
    }
}

#[test]
fn who_is_removed_from_the_published_is_published_again() {
    let Some(world) = World::own() else { return };
    let api = Api::start();
    let url = api.url();
    let fetch = |users: &str, seed: &str| {
        let arguments = ["--users", users, "--seed", seed, "--api-url", &url];
        let arguments = [&arguments[..], &["--page-size", "100"]].concat();
        let done = world.run("fetch-publish", &arguments).exits(0);
        done.number("published")
    };
    assert_eq!(fetch("500", "one"), 500);
    let published = world.landed();
    world.sql("DELETE FROM published_users WHERE sequence IN (7, 300, 301)");
    let doctor = world.run("streamflow", &["doctor"]);
    doctor.says(&["3 of them not yet published"]);
    // Together with those that are new, and before them.
    assert_eq!(fetch("200", "two"), 203);
    assert_eq!(fetch("0", "two"), 0);
    let landed = world.landed();
    let again = published.iter().zip(&landed);
    let again = again.filter(|(before, now)| before.published != now.published);
    let again: Vec<i64> = again.map(|(before, _)| before.sequence).collect();
    assert_eq!(again, [7, 300, 301]);

    world.sql("TRUNCATE published_users");
    assert_eq!(fetch("0", "two"), 700);
    assert!(world.landed().iter().all(|user| user.published.is_some()));
    let times: BTreeSet<(String, i64)> = landed
        .iter()
        .map(|user| (user.id.to_string(), user.landed_at_ms))
        .collect();
    let records = world.records();
    assert_eq!(records.len(), 500 + 203 + 700);
    let told: BTreeSet<(String, i64)> = records
        .iter()
        .map(|record| (record.key_text().to_owned(), record.timestamp_ms))
        .collect();
    assert_eq!(
        told, times,
        "the same time from memory and from the database"
    );
    let done = world.run("aggregate", &[]).exits(0);
    assert_eq!(done.numbers(COUNTS), [1403, 700, 703]);
}

#[test]
fn a_second_publisher_waits_for_the_first() {
    let Some(world) = World::own() else { return };
    let api = Api::start();
    let first = world.spawn(
        "fetch-publish",
        &[
            "--duration",
            "5s",
            "--rate",
            "200",
            "--page-size",
            "50",
            "--seed",
            "first",
            "--api-url",
            &api.url(),
        ],
    );
    until("the first publishes", LIMIT, || {
        (!world.records().is_empty()).then_some(())
    });
    let arguments = [
        "--users",
        "100",
        "--seed",
        "second",
        "--api-url",
        &api.url(),
    ];
    let second = world.run("fetch-publish", &arguments).exits(0);
    second.says(&["another run is publishing"]);
    first.finish().exits(0);
    let landed = world.landed();
    assert!(landed.iter().all(|user| user.published.is_some()));
    assert_eq!(world.records().len(), landed.len());
}
