//! SIGKILL in the middle of the work, again and again: the run after it ends with exact numbers.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use uuid::Uuid;

use crate::api::Api;
use crate::event::{NEW_YEAR_MS, event, numbered, record};
use crate::process::{LIMIT, Running};
use crate::servers::until;
use crate::tables::{Totals, summary_of};
use crate::topic::Given;
use crate::world::World;

/// The broker takes a killed member for living until its session is over: as short as a broker allows.
const SHORT_SESSION: [&str; 4] = [
    "--kafka-option",
    "session.timeout.ms=6000",
    "--kafka-option",
    "heartbeat.interval.ms=1000",
];

/// Users of many countries, so that the summary is written often: its steps are bounded in size.
fn users_of_many_countries(count: usize) -> (Vec<Uuid>, Vec<Given>) {
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

/// Kills a run as soon as it has come further than before; says how far it came, or nothing when it was at its end before.
fn kill_underway(mut running: Running, so_far: u64, progress: impl Fn() -> u64) -> Option<u64> {
    let met = until("progress", LIMIT, || {
        let now = progress();
        (now > so_far || running.has_ended()).then_some(now)
    });
    // A moment more, never the same one.
    let jitter = Uuid::new_v4().as_u128() % 40;
    std::thread::sleep(Duration::from_millis(jitter as u64));
    let ended = running.has_ended();
    running.kill();
    (!ended).then_some(met)
}

#[test]
fn a_summary_is_exact_after_every_crash() {
    const USERS: u64 = 20_000;
    let Some(world) = World::shared() else { return };
    world.produce(&users_of_many_countries(USERS as usize).1);
    let mut so_far = 0;
    let mut crashes = 0;
    for _ in 0..5 {
        let running = world.spawn("aggregate", &SHORT_SESSION);
        let Some(_) = kill_underway(running, so_far, || world.counted() as u64) else {
            break;
        };
        crashes += 1;
        // What is written is whole: the dimensions agree (which `counted` looks at), and it has not gone back.
        let written = world.counted() as u64;
        assert!(
            (so_far..=USERS).contains(&written),
            "{written} after {so_far}"
        );
        so_far = written;
    }
    assert!(crashes >= 1, "no run was killed in the middle");
    let done = world.run("aggregate", &SHORT_SESSION).exits(0);
    assert_eq!(
        done.number("counted"),
        USERS - so_far,
        "it goes on from what is written"
    );
    assert_eq!(done.number("already_counted"), 0);
    assert_eq!(world.counted() as u64, USERS);
    let expected: Totals = (0..5_000)
        .map(|number| (("country".to_owned(), format!("Country {number}")), 4))
        .collect();
    let mut totals = world.totals();
    totals.retain(|(dimension, _), _| dimension == "country");
    assert_eq!(totals, expected);
    assert_eq!(world.committed_records("aggregate"), USERS);
}

#[test]
fn every_row_is_there_after_every_crash() {
    const USERS: u64 = 20_000;
    let Some(world) = World::own() else { return };
    let (ids, records) = users_of_many_countries(USERS as usize);
    world.produce(&records);
    let mut crashes = 0;
    for _ in 0..3 {
        let so_far = world.user_count() as u64;
        let running = world.spawn("transform-store", &SHORT_SESSION);
        if kill_underway(running, so_far, || world.user_count() as u64).is_none() {
            break;
        }
        crashes += 1;
        let committed = world.committed_records("transform-store");
        let stored = world.user_count() as u64;
        assert!(
            committed <= stored,
            "{committed} committed, {stored} stored"
        );
    }
    assert!(crashes >= 1, "no run was killed in the middle");
    world.run("transform-store", &SHORT_SESSION).exits(0);
    let users = world.users();
    assert_eq!(users.len() as u64, USERS);
    assert!(ids.iter().all(|id| users.contains_key(id)));
    assert_eq!(world.committed_records("transform-store"), USERS);
    let summary = summary_of(users.values().map(|user| (user, NEW_YEAR_MS)));
    assert_eq!(summary[&("country".to_owned(), "Country 7".to_owned())], 4);
}

#[test]
fn every_landed_user_is_published_after_every_crash_and_counts_once() {
    let Some(world) = World::own() else { return };
    let api = Api::start();
    let arguments = [
        "--users",
        "6000",
        "--seed",
        "crash",
        "--page-size",
        "100",
        "--api-url",
        &api.url(),
    ];
    let number = |query| world.sql_number(query).unsigned_abs();
    let landed = || number("SELECT count(*) FROM landed_users");
    let published = || number("SELECT count(*) FROM landed_users WHERE published_at IS NOT NULL");
    let on_topic = || world.records().len() as u64;
    let moments: [(&str, &dyn Fn() -> u64); 5] = [
        ("landing", &landed),
        ("publishing", &on_topic),
        ("marking", &published),
        ("publishing again", &on_topic),
        ("landing again", &landed),
    ];
    let mut crashes = 0;
    for (_, progress) in moments {
        let before = progress();
        let running = world.spawn("fetch-publish", &arguments);
        crashes += u32::from(kill_underway(running, before, progress).is_some());
        let (landed, published) = (landed(), published());
        assert!(published <= landed && published <= on_topic());
    }
    assert!(crashes >= 2, "the runs were killed in the middle");
    let done = world.run("fetch-publish", &arguments).exits(0);
    assert_eq!(done.number("fetched"), 6000);
    assert_eq!(done.number("landed") + done.number("already_landed"), 6000);
    assert_eq!((landed(), published()), (6000, 6000));

    let ids: BTreeSet<String> = world
        .landed()
        .iter()
        .map(|user| user.id.to_string())
        .collect();
    let records = world.records();
    let keys: BTreeSet<String> = records.iter().map(|it| it.key_text().to_owned()).collect();
    assert_eq!(keys, ids);
    let done = world.run("aggregate", &[]).exits(0);
    let [consumed, counted, already_counted] =
        done.numbers(["consumed", "counted", "already_counted"]);
    assert_eq!(consumed, records.len() as u64);
    assert_eq!((counted, already_counted), (6000, consumed - 6000));
    assert_eq!(world.counted(), 6000);
}
