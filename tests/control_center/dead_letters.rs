//! `/dead-letters`, one letter, and the replay.

use rdkafka::admin::{AlterConfig, ResourceSpecifier};
use serde_json::json;
use uuid::Uuid;

use crate::center::Center;
use crate::event::{NEW_YEAR_MS, event, record};
use crate::letters::{Letter, replay, state, write};
use crate::servers::{Servers, wait};
use crate::topic::Given;
use crate::world::World;

/// Stands in personal fields, and must stand on no page.
const CANARY: &str = "canary4711";

/// A world whose jobs have met three bad records, two of one kind.
fn with_letters() -> Option<World> {
    let world = World::shared()?;
    let mut bad = event(Uuid::new_v4(), 1);
    bad["id"] = json!("not an id");
    bad["first_name"] = json!(CANARY);
    let broken = format!("{{\"email\": \"{CANARY}@example.com\"");
    let broken = Given {
        value: Some(broken.into_bytes()),
        ..Given::default()
    };
    world.produce(&[record(&bad), broken, record(&bad)]);
    for job in ["transform-store", "aggregate"] {
        world.run(job, &[]).exits(0);
    }
    Some(world)
}

#[test]
fn letters_are_counted_by_reason_and_field_and_filtered() {
    let Some(world) = with_letters() else { return };
    let center = Center::of(&world, &[]);
    let all = center.json("/dead-letters");
    let sums = all["found"]["sums"].as_array().expect("sums");
    let sum = |reason: &str, job: &str| {
        let is = |it: &&serde_json::Value| it["reason"] == reason && it["job"] == job;
        sums.iter()
            .find(is)
            .map(|it| (it["field"].clone(), it["letters"].clone()))
    };
    for job in ["transform-store", "aggregate"] {
        assert_eq!(
            sum("malformed_id", job),
            Some((json!("id"), json!(2))),
            "{all}"
        );
        assert_eq!(
            sum("invalid_json", job),
            Some((json!(null), json!(1))),
            "{all}"
        );
    }
    assert_eq!(
        (&all["found"]["looked_at"], &all["found"]["all"]),
        (&json!(6), &json!(6))
    );
    let offsets = |path: &str| -> Vec<i64> {
        let letters = center.json(path)["found"]["letters"].clone();
        let letters = letters.as_array().expect("letters").clone();
        letters
            .iter()
            .filter_map(|it| it["letter"]["offset"].as_i64())
            .collect()
    };
    assert_eq!(offsets("/dead-letters").len(), 6);
    assert!(
        offsets("/dead-letters").is_sorted_by(|a, b| a > b),
        "newest first"
    );
    assert_eq!(
        offsets("/dead-letters?reason=malformed_id&job=aggregate").len(),
        2
    );
    assert_eq!(offsets("/dead-letters?field=-").len(), 2);
    assert_eq!(offsets("/dead-letters?before=0:2"), [1, 0]);
    center
        .get("/dead-letters?reason=nothing")
        .is(200)
        .says(&["None of those"]);
    center
        .get("/dead-letters?before=x")
        .is(400)
        .says(&["place in the address"]);
}

#[test]
fn nothing_personal_of_a_letter_is_shown() {
    let Some(world) = with_letters() else { return };
    let center = Center::of(&world, &[]);
    let mut paths = vec![
        "/dead-letters".to_owned(),
        "/dead-letters/replay".to_owned(),
    ];
    paths.extend((0..6).map(|offset| format!("/dead-letters/0/{offset}")));
    for path in &paths {
        for accept in ["text/html", "application/json"] {
            let answer = center.get_with(path, &[("accept", accept)]).is(200);
            assert!(!answer.text.contains(CANARY), "{path}: {}", answer.text);
        }
    }
    center
        .get("/dead-letters?reveal=true")
        .is(403)
        .says(&["admin"]);
    center.get("/dead-letters/0/0?reveal=true").is(403);
}

#[test]
fn one_letter_shows_its_record_its_origin_and_what_today_says_of_it() {
    let Some(world) = with_letters() else { return };
    let center = Center::of(&world, &[]);
    let letter = center.json("/dead-letters/0/0");
    let fails = letter["fails"].as_str().expect("a reason");
    let error = letter["error"].as_str().expect("an error");
    assert_eq!(fails, error, "the same code rejected it");
    let origin = &letter["letter"]["origin"];
    let page = center.page("/dead-letters/0/0");
    let link = format!(
        "/clusters/controlcenter.cluster/topics/{}/messages/{}/{}",
        world.topic, origin["partition"], origin["offset"]
    );
    assert!(page.contains(&link), "{link}: {page}");
    assert_eq!(letter["state"]["state"], "new");
    center
        .get("/dead-letters/0/77")
        .is(404)
        .says(&["no dead letter", "retention"]);
}

#[test]
fn a_preview_passes_exactly_what_is_readable_now_and_a_replay_produces_each_once() {
    let Some(world) = World::shared() else { return };
    let user = Uuid::new_v4();
    let (landing, good) = (Uuid::new_v4(), event(user, 7));
    let mut by_store = Letter::of(&good, (2, 0));
    by_store.sequence = Some(format!("{landing}/5"));
    let by_aggregate = Letter {
        job: "aggregate".to_owned(),
        ..by_store.clone()
    };
    let bad = Letter::of("{\"id\": 1}", (2, 1));
    write(&world, &[by_store.clone(), by_aggregate, bad]);
    let center = Center::of(&world, &[]);

    let preview = center.json("/dead-letters/replay");
    let fates: Vec<&str> = preview["plan"]["entries"]
        .as_array()
        .expect("entries")
        .iter()
        .filter_map(|it| it["fate"].as_str())
        .collect();
    assert_eq!(fates, ["passes", "left", "fails"], "{preview}");
    assert_eq!(preview["plan"]["entries"][0]["detail"], user.to_string());
    assert_eq!(world.record_count(), 0, "a preview produces nothing");
    center
        .get("/dead-letters/replay")
        .is(200)
        .says(&["Replay 1 letters", "already_counted"]);

    let run = replay(&center, &[("limit", "10")]);
    assert_eq!(
        (&run["replayed"], &run["letters"]),
        (&json!(1), &json!(1)),
        "{run}"
    );
    let records = world.records();
    assert_eq!(records.len(), 1);
    let again = &records[0];
    assert_eq!(again.key, Some(by_store.key.clone()), "the key as it was");
    assert_eq!(
        again.value,
        Some(by_store.value.clone()),
        "the value as it was"
    );
    assert_eq!((again.partition, again.timestamp_ms), (2, NEW_YEAR_MS));
    assert_eq!(again.header("sequence"), by_store.sequence.as_deref());
    assert_eq!(again.header("replayed"), Some("1 0:0"));

    assert_eq!(state(&center, 0)["state"], "replayed");
    assert_eq!(state(&center, 0)["offset"], 0);
    assert_eq!(
        state(&center, 1)["by"],
        "0:0",
        "its record is on the topic again, too"
    );
    assert_eq!(state(&center, 2)["state"], "new");
    center
        .post("/dead-letters/replay", &[])
        .is(409)
        .says(&["none of these letters passes"]);
    assert_eq!(world.record_count(), 1);
    let written = world.sql_number(&format!(
        "SELECT count(*) FROM control_center_audit WHERE action = 'replay dead letters' AND target = '{}'",
        world.topic
    ));
    assert_eq!(written, 1);
    world.run("transform-store", &[]).exits(0);
    assert_eq!(world.user(user).expect("stored").first_name, "First7");
}

#[test]
fn a_replay_has_a_limit_and_one_letter_can_be_chosen() {
    let Some(world) = World::shared() else { return };
    let good = |place| Letter::of(event(Uuid::new_v4(), 1), (1, place));
    write(&world, &(0..5).map(good).collect::<Vec<_>>());
    let center = Center::of(&world, &[]);
    let preview = center.json("/dead-letters/replay?limit=2");
    assert_eq!(preview["plan"]["passes"], 2);
    assert_eq!(preview["plan"]["more_from"], "0:2");
    replay(&center, &[("limit", "2")]);
    assert_eq!(
        (world.record_count(), &state(&center, 2)["state"]),
        (2, &json!("new"))
    );
    replay(&center, &[("letter", "0:4")]);
    assert_eq!(world.record_count(), 3);
    assert_eq!(state(&center, 4)["state"], "replayed");
    // What came after the preview is not in it.
    let until = center.json("/dead-letters/replay")["plan"]["until"].clone();
    write(&world, &[good(9)]);
    replay(&center, &[("until", until.as_str().expect("a place"))]);
    assert_eq!(
        (world.record_count(), &state(&center, 5)["state"]),
        (5, &json!("new"))
    );
    for path in ["?limit=0", "?limit=x", "?letter=7", "?from=x"] {
        center.get(&format!("/dead-letters/replay{path}")).is(400);
    }
}

#[test]
fn a_record_that_is_rejected_again_and_again_is_given_up() {
    let Some(world) = World::shared() else { return };
    is_given_up_after_three(&world);
}

#[test]
fn also_where_the_topic_gives_each_record_the_time_of_its_writing() {
    let Some(world) = World::shared() else { return };
    let admin = world.base.servers.kafka_admin();
    let topic = ResourceSpecifier::Topic(&world.topic);
    let times = AlterConfig::new(topic)
        .set("message.timestamp.type", "LogAppendTime")
        .set("retention.ms", "-1");
    let altered = wait(admin.alter_configs([&times], &Servers::admin_options()));
    altered.expect("an answer")[0].as_ref().expect("altered");
    is_given_up_after_three(&world);
}

/// Each time as a job would reject it where it has come to lie.
fn is_given_up_after_three(world: &World) {
    let center = Center::of(world, &[]);
    let mut letter = Letter::of(event(Uuid::new_v4(), 1), (4, 100));
    for times in 1..=3 {
        let written = write(world, std::slice::from_ref(&letter))[0];
        assert_eq!(state(&center, written)["state"], "new");
        replay(&center, &[]);
        let replayed = state(&center, written);
        assert_eq!(
            (&replayed["state"], &replayed["times"]),
            (&json!("replayed"), &json!(times))
        );
        let again = world.records().pop().expect("a record");
        assert_eq!(
            again.header("replayed"),
            Some(&*format!("{times} 0:{written}"))
        );
        letter.origin = (again.partition, again.offset);
        letter.origin_ms = again.timestamp_ms;
    }
    let written = write(world, &[letter])[0];
    assert_eq!(
        state(&center, written),
        json!({"state": "given_up", "times": 3})
    );
    center.post("/dead-letters/replay", &[]).is(409);
    assert_eq!(world.record_count(), 3);
}

#[test]
fn a_replay_that_broke_off_is_shown_as_unknown_and_settled_by_the_topic() {
    let Some(world) = World::shared() else { return };
    let center = Center::of(&world, &[]);
    let good = |place| Letter::of(event(Uuid::new_v4(), 1), (1, place));
    write(&world, &[good(0), good(1)]);
    replay(&center, &[]);
    // As if the program had ended before it could write down where the first one lies, and before it had sent the second one.
    let topic = world.dead_letter_topic();
    world.sql(&format!(
        "UPDATE replayed_letters SET new_partition = NULL, new_offset = NULL, replayed_at = NULL, \
         begun_at = now() - interval '2 minutes', times = times + 7 * kafka_offset WHERE topic = '{topic}'"
    ));
    assert_eq!(state(&center, 0)["state"], "unknown");
    center
        .get("/dead-letters")
        .is(200)
        .says(&["it is not known", "settle"]);
    center.post("/dead-letters/settle", &[]).is(303);
    assert_eq!(
        state(&center, 0)["state"],
        "replayed",
        "its header was found"
    );
    assert_eq!(state(&center, 1)["state"], "new", "it was never sent");
}

#[test]
fn read_only_previews_and_replays_nothing() {
    let Some(world) = World::shared() else { return };
    write(&world, &[Letter::of(event(Uuid::new_v4(), 1), (0, 0))]);
    let center = Center::of(&world, &["--read-only"]);
    let page = center.page("/dead-letters/replay");
    assert!(
        page.contains("Pass with today") && !page.contains("method=\"post\""),
        "{page}"
    );
    center.post("/dead-letters/replay", &[]).is(403);
    center.post("/dead-letters/settle", &[]).is(403);
    assert_eq!(world.record_count(), 0);
}

#[test]
fn foreign_bytes_in_a_letter_do_no_harm() {
    let Some(world) = World::shared() else { return };
    let script = "<script>alert('x')</script>";
    let foreign = Letter {
        key: script.as_bytes().to_vec(),
        reason: script.to_owned(),
        field: "\u{202e}dleif".to_owned(),
        job: "a\" onload=\"x".to_owned(),
        ..Letter::of(format!("{script} \u{202e}\u{0}"), (0, 0))
    };
    let bytes = Letter {
        value: b"\xff\xfe\x00".to_vec(),
        ..Letter::of("", (0, 1))
    };
    write(&world, &[foreign, bytes]);
    let center = Center::of(&world, &[]);
    for path in [
        "/dead-letters",
        "/dead-letters/0/0",
        "/dead-letters/0/1",
        "/dead-letters/replay",
    ] {
        let page = center.page(path);
        for hostile in ["<script>alert", "<script>xxxxx", "\u{202e}", "onload=\"x"] {
            assert!(!page.contains(hostile), "{path} has {hostile:?}:\n{page}");
        }
    }
}

#[test]
fn without_postgresql_letters_are_shown_and_nothing_is_replayed() {
    let Some(world) = World::shared() else { return };
    write(&world, &[Letter::of(event(Uuid::new_v4(), 1), (0, 0))]);
    let nowhere = [(
        "DATABASE_URL",
        "postgres://streamflow@127.0.0.1:1/streamflow",
    )];
    let center = Center::with(&world, &[], &nowhere);
    center
        .get("/dead-letters")
        .is(200)
        .says(&["malformed_id", "not known", "What to do"]);
    center.get("/dead-letters/0/0").is(200).says(&["not known"]);
    center.post("/dead-letters/replay", &[]).is(502);
    assert_eq!(world.record_count(), 0);
}

#[test]
fn a_record_that_kafka_could_remove_at_once_is_not_replayed() {
    let Some(world) = World::shared() else { return };
    write(&world, &[Letter::of(event(Uuid::new_v4(), 1), (0, 0))]);
    let admin = world.base.servers.kafka_admin();
    let topic = ResourceSpecifier::Topic(&world.topic);
    let short = AlterConfig::new(topic).set("retention.ms", "86400000");
    let altered = wait(admin.alter_configs([&short], &Servers::admin_options()));
    altered.expect("an answer")[0].as_ref().expect("altered");
    let center = Center::of(&world, &[]);
    let plan = center.json("/dead-letters/replay")["plan"].clone();
    assert_eq!(
        (&plan["passes"], &plan["fails"]),
        (&json!(0), &json!(1)),
        "{plan}"
    );
    let why = plan["entries"][0]["detail"].as_str().expect("a reason");
    assert!(why.contains("keeps records for 24 h"), "{why}");
    center.post("/dead-letters/replay", &[]).is(409);
    assert_eq!(world.record_count(), 0);
}
