//! The same on the command line: `streamflow dlq`, `streamflow tail` and `streamflow replay --from-landing`.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::Api;
use crate::event::{event, record, records};
use crate::letters::{Letter, write};
use crate::process::Finished;
use crate::topic::Given;
use crate::world::World;

/// The objects of the lines, without the last line.
fn lines(done: &Finished) -> Vec<Value> {
    let line = |line: &str| serde_json::from_str::<Value>(line).expect("JSON");
    let all: Vec<Value> = done.stdout.lines().map(line).collect();
    let is_letter = |it: &Value| it["job"].is_null();
    all.into_iter().filter(is_letter).collect()
}

fn audited(world: &World, action: &str) -> i64 {
    world.sql_number(&format!(
        "SELECT count(*) FROM control_center_audit WHERE action = '{action}'"
    ))
}

#[test]
fn letters_are_listed_and_shown_masked_unless_revealed() {
    let Some(world) = World::own() else { return };
    let mut bad = event(Uuid::new_v4(), 3);
    bad["id"] = json!("not an id");
    world.produce(&[record(&bad), record(&bad)]);
    world.run("transform-store", &[]).exits(0);
    let list = world.run("streamflow", &["dlq", "list"]).exits(0);
    list.says(&[
        "2 letters were looked at",
        "malformed_id (id)",
        "transform-store",
        "new",
    ]);
    assert_eq!(list.numbers(["letters", "looked_at", "listed"]), [2, 2, 2]);
    let listed = world
        .run("streamflow", &["dlq", "list", "--json", "--limit", "1"])
        .exits(0);
    assert_eq!(lines(&listed)[0]["letter"]["reason"], "malformed_id");
    let show = world.run("streamflow", &["dlq", "show", "0:0"]).exits(0);
    show.says(&["rejected for", "fails: malformed_id", "United Kingdom"]);
    for done in [&list, &listed, &show] {
        assert!(
            !done.texts().contains("user3@example.com"),
            "{}",
            done.texts()
        );
    }
    assert_eq!(audited(&world, "reveal"), 0);
    let revealed = world
        .run("streamflow", &["dlq", "show", "0:0", "--reveal"])
        .exits(0);
    revealed.says(&["user3@example.com"]);
    assert_eq!(audited(&world, "reveal"), 1);
    let other = world
        .run("streamflow", &["dlq", "list", "--reason", "invalid_json"])
        .exits(0);
    assert_eq!(other.number("listed"), 0);
    world.run("streamflow", &["dlq", "show", "0:99"]).exits(65);
    world
        .run("streamflow", &["dlq", "show", "elsewhere"])
        .exits(2);
}

#[test]
fn a_replay_is_tried_dry_and_done_once() {
    let Some(world) = World::own() else { return };
    let user = Uuid::new_v4();
    let good = Letter::of(event(user, 1), (2, 0));
    let bad = Letter::of("{\"id\": 1}", (2, 1));
    write(&world, &[good.clone(), bad, good]);
    let numbers = ["looked_at", "passes", "fails", "left"];
    let dry = world
        .run("streamflow", &["dlq", "replay", "--dry-run"])
        .exits(0);
    assert_eq!(dry.numbers(numbers), [3, 1, 1, 1]);
    dry.says(&["passes", "fails", "another letter of the same record"]);
    assert_eq!(
        (world.record_count(), audited(&world, "replay dead letters")),
        (0, 0)
    );
    let none = world
        .run("streamflow", &["dlq", "replay", "--reason", "invalid_json"])
        .exits(0);
    assert_eq!(none.number("replayed"), 0);
    let done = world
        .run("streamflow", &["dlq", "replay", "--json"])
        .exits(0);
    assert_eq!(done.number("replayed"), 1);
    let fates: Vec<Value> = lines(&done).iter().map(|it| it["fate"].clone()).collect();
    assert_eq!(fates, ["passes", "fails", "left"]);
    assert_eq!(
        (world.record_count(), audited(&world, "replay dead letters")),
        (1, 1)
    );
    let again = world.run("streamflow", &["dlq", "replay"]).exits(0);
    assert_eq!((again.number("replayed"), world.record_count()), (0, 1));
    world
        .run("streamflow", &["dlq", "list"])
        .exits(0)
        .says(&["replayed"]);
    world.run("transform-store", &[]).exits(0);
    assert!(world.user(user).is_some());
}

#[test]
fn a_topic_is_followed_masked_filtered_and_until_a_signal() {
    let Some(world) = World::shared() else { return };
    let (ids, given) = records(4);
    world.produce(&given);
    world.produce(&[Given {
        value: Some(b"\x1b[31mred\n\xff".to_vec()),
        ..Given::default()
    }]);
    let topic = world.topic.as_str();
    let tail = |more: &[&str]| {
        let mut arguments = vec!["tail", topic, "--from-beginning"];
        arguments.extend(more);
        world.run("streamflow", &arguments).exits(0)
    };
    let all = tail(&["--max-records", "5"]);
    assert_eq!(all.stdout.lines().count(), 5, "{}", all.stdout);
    assert!(
        !all.stdout.contains("example.com") && !all.stdout.contains('\u{1b}'),
        "{}",
        all.stdout
    );
    let one = tail(&[
        "--max-records",
        "1",
        "--json",
        "--filter",
        &ids[2].to_string(),
    ]);
    assert_eq!(lines(&one)[0]["key"], ids[2].to_string());
    // What is hidden cannot be searched for: of two records with the text, the one is found that has it in a field that is shown.
    let mut shown = event(Uuid::new_v4(), 1);
    shown["note"] = "Exampleshire".into();
    let in_order = [event(Uuid::new_v4(), 1), shown.clone()].map(|event| Given {
        partition: Some(1),
        ..record(&event)
    });
    world.produce(&in_order);
    let found = tail(&["--max-records", "1", "--json", "--filter", "Exampleshire"]);
    assert_eq!(lines(&found)[0]["key"], shown["id"], "{}", found.stdout);
    let mut running = world.spawn(
        "streamflow",
        &["tail", topic, "--from-beginning", "--filter", "nowhere"],
    );
    running.wait_for_log("until a signal");
    running.terminate();
    assert_eq!(running.finish().exits(0).stdout, "");
    world
        .run("streamflow", &["tail", "no_such_topic"])
        .exits(78);
    assert!(
        world.committed("transform-store").is_empty(),
        "nothing was committed"
    );
}

#[test]
fn landed_users_are_published_again_by_the_next_run() {
    let Some(world) = World::own() else { return };
    let api = Api::start();
    let url = api.url();
    let fetch = |users: &str| {
        world
            .run(
                "fetch-publish",
                &["--users", users, "--seed", "again", "--api-url", &url],
            )
            .exits(0)
    };
    assert_eq!(fetch("10").number("published"), 10);
    let replay = |more: &[&str]| {
        let mut arguments = vec!["replay", "--from-landing"];
        arguments.extend(more);
        world.run("streamflow", &arguments)
    };
    let dry = replay(&["--from-sequence", "3", "--to-sequence", "5", "--dry-run"]).exits(0);
    assert_eq!(
        (dry.number("users"), audited(&world, "publish again")),
        (3, 0)
    );
    assert_eq!(fetch("0").number("published"), 0);
    let some = replay(&["--from-sequence", "3", "--to-sequence", "5"]).exits(0);
    assert_eq!(
        (some.number("users"), audited(&world, "publish again")),
        (3, 1)
    );
    assert_eq!(fetch("0").number("published"), 3);
    let id = world.landed()[0].id.to_string();
    assert_eq!(replay(&["--user-id", &id]).exits(0).number("users"), 1);
    assert_eq!(fetch("0").number("published"), 1);
    let future = replay(&["--since", "2100-01-01T00:00:00Z"]).exits(0);
    assert_eq!(future.number("users"), 0);
    let since = replay(&["--since", "2020-01-01T00:00:00Z", "--dry-run"]).exits(0);
    assert_eq!(since.number("users"), 10);
    // All of them, by accident.
    replay(&[]).exits(2);
}
