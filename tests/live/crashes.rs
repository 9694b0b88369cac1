//! SIGKILL in the middle of the work, again and again: the run after it ends with exact numbers.

use std::collections::BTreeSet;
use std::time::Duration;

use uuid::Uuid;

use crate::api::Api;
use crate::event::{NEW_YEAR_MS, of_many_countries};
use crate::process::{LIMIT, Running};
use crate::servers::until;
use crate::tables::{Totals, summary_of};
use crate::world::World;

/// The broker takes a killed member for living until its session is over: as short as a broker allows.
const SHORT_SESSION: [&str; 4] = [
    "--kafka-option",
    "session.timeout.ms=6000",
    "--kafka-option",
    "heartbeat.interval.ms=1000",
];

/// Kills a run when it has come so far, and a moment more; says whether it was still at work.
fn kill_at(mut running: Running, enough: u64, progress: impl Fn() -> u64) -> bool {
    until("progress", LIMIT, || {
        (progress() >= enough || running.has_ended()).then_some(())
    });
    let jitter = Uuid::new_v4().as_u128() % 40;
    std::thread::sleep(Duration::from_millis(jitter as u64));
    let at_work = !running.has_ended();
    running.kill();
    at_work
}

/// What is written when the last request of a killed run has come to Cassandra, too: it may be on its way when the run is dead.
fn counted_at_last(world: &World) -> u64 {
    let mut before = None;
    until("the last write", LIMIT, || {
        let now = world.counted() as u64;
        let is_last = before.replace(now) == Some(now);
        if !is_last {
            std::thread::sleep(Duration::from_secs(1));
        }
        is_last.then_some(now)
    })
}

#[test]
fn a_summary_is_exact_after_every_crash() {
    const USERS: u64 = 20_000;
    let Some(world) = World::shared() else { return };
    world.produce(&of_many_countries(USERS as usize).1);
    let mut so_far = 0;
    let mut crashes = 0;
    for crash in 1..=5 {
        let running = world.spawn("aggregate", &SHORT_SESSION);
        if !kill_at(running, crash * USERS / 7, || world.counted() as u64) {
            break;
        }
        crashes += 1;
        // What is written is whole: the dimensions agree (which `counted` looks at), and it has not gone back.
        let written = counted_at_last(&world);
        assert!(
            (so_far..=USERS).contains(&written),
            "{written} after {so_far}"
        );
        println!("killed when {written} of {USERS} were counted");
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
    // So many that a run lasts for several commits, of which there is one a second.
    const USERS: u64 = 60_000;
    let Some(world) = World::own() else { return };
    let (ids, records) = of_many_countries(USERS as usize);
    world.produce(&records);
    let mut crashes = 0;
    for crash in 1..=3 {
        let running = world.spawn("transform-store", &SHORT_SESSION);
        // What is committed, since to count rows takes as long as to store them.
        let progress = || world.committed_records("transform-store");
        if !kill_at(running, crash * USERS / 5, progress) {
            break;
        }
        crashes += 1;
        let committed = world.committed_records("transform-store");
        let stored = world.user_count() as u64;
        println!("killed when {stored} of {USERS} were stored, {committed} committed");
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
    let of_one = USERS as i64 / 5_000;
    assert_eq!(
        summary[&("country".to_owned(), "Country 7".to_owned())],
        of_one
    );
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
    let published = || number("SELECT count(*) FROM published_users");
    let on_topic = || world.record_count();
    let moments: [&dyn Fn() -> u64; 5] = [&landed, &on_topic, &published, &on_topic, &landed];
    let mut crashes = 0;
    for (crash, progress) in (1..).zip(moments) {
        let running = world.spawn("fetch-publish", &arguments);
        crashes += u32::from(kill_at(running, crash * 1000, progress));
        let (landed, published) = (landed(), published());
        println!("killed when {landed} were landed and {published} published");
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
