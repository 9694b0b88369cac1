//! What can be wrong with a record of the topic, one test each: it becomes one dead letter, as it came, and the run goes on.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::event::{NEW_YEAR_MS, event, record};
use crate::process::Finished;
use crate::topic::{Found, Given};
use crate::world::World;

/// Stands in the values of bad records, and must stand in no log.
const CANARY: &str = "canary-4711";
const KEY: &[u8] = b"the key \xff of the bad record";

/// `name: value => reason, field`
macro_rules! becomes_a_dead_letter {
    ($($name:ident: $value:expr => $reason:literal, $field:expr;)*) => {$(
        #[test]
        fn $name() {
            becomes_a_dead_letter($value, $reason, $field);
        }
    )*};
}

becomes_a_dead_letter! {
    not_json: bytes(format!("{{\"id\": {CANARY}")) => "invalid_json", None;
    json_and_something_behind_it: bytes(format!("{} {CANARY}", good())) => "invalid_json", None;
    an_array: bytes(format!("[\"{CANARY}\"]")) => "wrong_shape", None;
    an_event_in_an_array: bytes(json!([good()])) => "wrong_shape", None;
    a_number: bytes("42") => "wrong_shape", None;
    a_text: bytes(json!(CANARY)) => "wrong_shape", None;
    the_json_word_null: bytes("null") => "wrong_shape", None;
    an_object_without_known_fields: bytes(json!({CANARY: 1})) => "missing_field", Some("id");
    a_missing_id: bytes(without("id")) => "missing_field", Some("id");
    a_null_id: bytes(with("id", Value::Null)) => "missing_field", Some("id");
    a_malformed_id: bytes(with("id", json!(CANARY))) => "malformed_id", Some("id");
    a_missing_name: bytes(without("last_name")) => "missing_field", Some("last_name");
    invalid_utf8: Some(format!("{good}", good = with("city", json!(CANARY))).replace("Long", "\u{1}").into_bytes()
        .into_iter().map(|byte| if byte == 1 { 0xff } else { byte }).collect()) => "invalid_utf8", None;
    an_empty_value: Some(Vec::new()) => "empty_value", None;
    a_null_value: None => "null_value", None;
    a_number_for_a_text: bytes(with("first_name", json!(4711))) => "wrong_type", Some("first_name");
    an_object_for_a_text: bytes(with("email", json!({CANARY: [CANARY]}))) => "wrong_type", Some("email");
    a_text_for_a_number: bytes(with("street_number", json!(CANARY))) => "wrong_type", Some("street_number");
    a_fraction_for_a_whole_number: bytes(with("street_number", json!(1.5))) => "wrong_type", Some("street_number");
    an_impossible_date: bytes(with("dob", json!("1990-02-30T00:00:00.000Z"))) => "impossible_date", Some("dob");
    no_date_at_all: bytes(with("registered_date", json!(CANARY))) => "impossible_date", Some("registered_date");
    a_value_of_900_kilobytes: bytes(with("city", json!(CANARY.repeat(900 * 1024 / CANARY.len())))) => "too_long", Some("city");
    nesting_10_000_deep: bytes("[".repeat(10_000) + &"]".repeat(10_000)) => "wrong_shape", None;
    objects_nested_10_000_deep: bytes("{\"id\":".repeat(10_000) + "1" + &"}".repeat(10_000)) => "wrong_type", Some("id");
}

/// Kafka takes any bytes for the name of a header.
#[test]
fn a_header_with_a_name_that_is_no_text_changes_nothing() {
    let Some(world) = World::own() else { return };
    let landing = Uuid::new_v4();
    let ids = [(); 2].map(|()| Uuid::new_v4());
    let given = |number: i64, value: Option<Vec<u8>>| Given {
        key: Some(KEY.to_vec()),
        value,
        partition: Some(3),
        timestamp_ms: Some(NEW_YEAR_MS),
        sequence: Some(format!("{landing}/{number}")),
        foreign_header: Some(b"trace-\xff\xfe".to_vec()),
    };
    let user = |id, number| record(&event(id, number)).value;
    world.produce(&[
        given(1, user(ids[0], 1)),
        given(2, bytes("no user")),
        given(3, user(ids[1], 3)),
        given(3, user(ids[1], 3)),
    ]);
    let done = run(&world, "transform-store");
    assert_eq!(
        done.numbers(["consumed", "stored", "dead_lettered"]),
        [4, 3, 1]
    );
    assert!(ids.iter().all(|&id| world.user(id).is_some()));
    let done = run(&world, "aggregate");
    let names = ["consumed", "counted", "already_counted", "dead_lettered"];
    assert_eq!(done.numbers(names), [4, 2, 1, 1]);
    let sequence = format!("{landing}/2");
    for letter in world.dead_letters() {
        assert_eq!(letter.header("sequence"), Some(&*sequence));
    }
    // No landing database of ours has landed them.
    let reconciled = world.run("streamflow", &["reconcile"]).exits(65);
    reconciled.says(&["4 other_landing"]);
}

fn good() -> Value {
    event(Uuid::new_v4(), 1)
}

fn with(field: &str, value: Value) -> Value {
    let mut event = good();
    event["state"] = json!(CANARY);
    event[field] = value;
    event
}

fn without(field: &str) -> Value {
    let mut event = with("state", json!(CANARY));
    event.as_object_mut().expect("an object").remove(field);
    event
}

fn bytes(text: impl ToString) -> Option<Vec<u8>> {
    Some(text.to_string().into_bytes())
}

fn becomes_a_dead_letter(value: Option<Vec<u8>>, reason: &str, field: Option<&str>) {
    let Some(world) = World::shared() else { return };
    let (before, after) = (Uuid::new_v4(), Uuid::new_v4());
    let on_partition = |given: Given| Given {
        partition: Some(3),
        ..given
    };
    let bad = Given {
        key: Some(KEY.to_vec()),
        value: value.clone(),
        timestamp_ms: Some(NEW_YEAR_MS + 5),
        ..Given::default()
    };
    world.produce(&[record(&event(before, 1)), bad, record(&event(after, 2))].map(on_partition));

    let done = run(&world, "transform-store");
    assert_eq!(
        done.numbers(["consumed", "stored", "filtered", "dead_lettered"]),
        [3, 2, 0, 1]
    );
    let letters = world.dead_letters();
    assert_eq!(letters.len(), 1);
    assert_letter(
        &letters[0],
        &world,
        "transform-store",
        &value,
        reason,
        field,
    );
    assert_eq!(world.user(before).expect("stored").first_name, "First1");
    assert_eq!(world.user(after).expect("stored").first_name, "First2");

    let done = run(&world, "aggregate");
    let names = [
        "consumed",
        "counted",
        "already_counted",
        "filtered",
        "dead_lettered",
    ];
    assert_eq!(done.numbers(names), [3, 2, 0, 0, 1]);
    assert_eq!(world.counted(), 2);
    let letters = world.dead_letters();
    assert_eq!(letters.len(), 2, "one of each job");
    assert_letter(&letters[1], &world, "aggregate", &value, reason, field);

    for program in ["transform-store", "aggregate"] {
        assert_eq!(world.committed(program).get(&3), Some(&3), "{program}");
    }
}

/// Logs as much as a curious operator would, and looks for the content in it.
fn run(world: &World, program: &str) -> Finished {
    let done = world
        .run_with(program, &[], &[("RUST_LOG", "debug")])
        .exits(0);
    let texts = done.texts();
    for content in [CANARY, "4711", "1990-02-30", "First1", "Exampleton"] {
        let line = texts.lines().find(|line| line.contains(content));
        assert_eq!(line, None, "{program} tells the content of a record");
    }
    done
}

#[track_caller]
fn assert_letter(
    letter: &Found,
    world: &World,
    job: &str,
    value: &Option<Vec<u8>>,
    reason: &str,
    field: Option<&str>,
) {
    assert!(letter.value == *value, "the value is as it came");
    assert_eq!(letter.key.as_deref(), Some(KEY), "the key is as it came");
    assert_eq!(letter.header("reason"), Some(reason));
    assert_eq!(letter.header("field"), field);
    assert_eq!(letter.header("job"), Some(job));
    assert_eq!(letter.header("origin-topic"), Some(world.topic.as_str()));
    assert_eq!(letter.header("origin-partition"), Some("3"));
    assert_eq!(letter.header("origin-offset"), Some("1"));
    let time = (NEW_YEAR_MS + 5).to_string();
    assert_eq!(letter.header("origin-timestamp"), Some(time.as_str()));
}

#[test]
fn an_unknown_extra_field_does_no_harm() {
    let deep = "[".repeat(10_000) + &"]".repeat(10_000);
    for extra in ["1", "{\"a\":[null,true,\"b\"]}", &deep] {
        let Some(world) = World::shared() else { return };
        let id = Uuid::new_v4();
        let value = event(id, 8)
            .to_string()
            .replacen('{', &format!("{{\"surprise\":{extra},"), 1);
        world.produce(&[Given {
            value: bytes(value),
            ..Given::default()
        }]);
        let done = world.run("transform-store", &[]).exits(0);
        assert_eq!(
            done.numbers(["consumed", "stored", "dead_lettered"]),
            [1, 1, 0]
        );
        assert_eq!(world.user(id).expect("stored").first_name, "First8");
    }
}
