//! Too many records that cannot be used: the run fails and says why, and nothing is lost or skipped by that.

use std::collections::BTreeMap;

use serde_json::json;
use uuid::Uuid;

use crate::event::{event, records};
use crate::process::{Finished, LIMIT};
use crate::servers::until;
use crate::topic::Given;
use crate::world::World;

const PROGRAMS: [&str; 2] = ["transform-store", "aggregate"];

/// In all that is bad, and must stand in no log.
const CANARY: &str = "canary-4711";

/// Bad records of every kind that needs no Schema Registry, by turns, with the reason and field of each.
fn bad(count: usize) -> Vec<(Given, &'static str, Option<&'static str>)> {
    let kind = |number: usize| {
        let with = |field: &str, value| {
            let mut event = event(Uuid::new_v4(), number);
            event["city"] = json!(CANARY);
            event[field] = value;
            Some(event.to_string().into_bytes())
        };
        let text = |text: &str| Some(text.as_bytes().to_vec());
        match number % 12 {
            0 => (None, "null_value", None),
            1 => (Some(Vec::new()), "empty_value", None),
            2 => (Some(vec![b'"', 0xff, b'"']), "invalid_utf8", None),
            3 => (text("{\"id\": canary-4711"), "invalid_json", None),
            4 => (text("[\"canary-4711\"]"), "wrong_shape", None),
            5 => (with("email", json!({})), "wrong_type", Some("email")),
            6 => (with("id", json!(null)), "missing_field", Some("id")),
            7 => (
                with("last_name", json!(" ")),
                "missing_field",
                Some("last_name"),
            ),
            8 => (with("id", json!(CANARY)), "malformed_id", Some("id")),
            9 => (with("dob", json!(CANARY)), "impossible_date", Some("dob")),
            10 => (
                with("city", json!(CANARY.repeat(100))),
                "too_long",
                Some("city"),
            ),
            _ => (Some(vec![0, 1]), "invalid_wire_format", None),
        }
    };
    let given = |number| {
        let (value, reason, field) = kind(number);
        let given = Given {
            key: Some(number.to_string().into_bytes()),
            value,
            ..Given::default()
        };
        (given, reason, field)
    };
    (0..count).map(given).collect()
}

/// Bad records among good ones, spread evenly and with the good ones first. The ids of the good ones come back.
fn mixed(bad_records: usize, all: usize) -> (Vec<Uuid>, Vec<Given>) {
    let (ids, good) = records(all - bad_records);
    let mut good = good.into_iter();
    let mut bad = bad(bad_records).into_iter();
    let mut mixed = Vec::with_capacity(all);
    for number in 0..all {
        let is_bad = (number + 1) * bad_records / all > number * bad_records / all;
        mixed.push(match is_bad {
            true => bad.next().expect("a bad one").0,
            false => good.next().expect("a good one"),
        });
    }
    (ids, mixed)
}

/// Where everything lies in one order, the place at which a run ends is known.
fn on_one_partition(records: Vec<Given>) -> Vec<Given> {
    let put = |given: Given| Given {
        partition: Some(4),
        ..given
    };
    records.into_iter().map(put).collect()
}

/// The run's numbers add up, and it has committed and written letters for as much as it has consumed.
#[track_caller]
fn settled(world: &World, program: &str, done: &Finished, letters_before: usize) -> (u64, u64) {
    let good = match program {
        "aggregate" => "counted",
        _ => "stored",
    };
    let [consumed, good, dead] = done.numbers(["consumed", good, "dead_lettered"]);
    assert_eq!(consumed, good + dead, "{program}");
    let letters = world.dead_letters().len() - letters_before;
    assert_eq!(letters as u64, dead, "{program}");
    assert!(!done.texts().contains(CANARY), "the content of a record");
    (consumed, dead)
}

#[test]
fn a_number_ends_a_run_with_the_reasons_and_the_next_goes_on() {
    let Some(world) = World::shared() else { return };
    let (ids, records) = mixed(1_200, 6_000);
    world.produce(&on_one_partition(records));
    for program in PROGRAMS {
        let before = world.dead_letters().len();
        let done = world.run(program, &["--max-dead-letters", "36"]).exits(65);
        let (consumed, dead) = settled(&world, program, &done, before);
        assert_eq!((consumed, dead), (185, 37), "{program}");
        assert_eq!(world.committed_records(program), 185, "{program}");
        done.says(&[
            "37 of the 185 records that this run has consumed became dead letters, more than --max-dead-letters 36: ",
            "null_value 4, ",
            "the first was at offset 4 of partition 4 of the topic live_",
            "what to do: look at the dead letters",
        ]);
        let done = world.run(program, &["--max-dead-letters", "1163"]);
        let (consumed, dead) = settled(&world, program, &done.exits(0), before + 37);
        assert_eq!((consumed, dead), (5_815, 1_163), "{program}");
        assert_eq!(world.committed_records(program), 6_000, "{program}");
    }
    let users = world.users();
    assert!(ids.iter().all(|id| users.contains_key(id)));
    assert_eq!(world.counted(), 4_800);
}

#[test]
fn a_share_just_below_the_limit_ends_well_and_one_just_above_does_not() {
    for (share, code) in [("20%", 0), ("19.99%", 65)] {
        let Some(world) = World::shared() else { return };
        // Every fifth one is bad.
        world.produce(&on_one_partition(mixed(1_000, 5_000).1));
        for program in PROGRAMS {
            let before = world.dead_letters().len();
            let done = world.run(program, &["--max-dead-letters", share]);
            let (consumed, dead) = settled(&world, program, &done.exits(code), before);
            let expected = if code == 0 { (5_000, 1_000) } else { (100, 20) };
            assert_eq!((consumed, dead), expected, "{program}");
        }
    }
}

/// Only the last record is the one too many.
#[test]
fn a_share_that_is_exceeded_at_the_very_end_fails_the_run_with_all_settled() {
    let Some(world) = World::shared() else { return };
    let (_, mut all) = records(1_900);
    all.extend(bad(100).into_iter().map(|it| it.0));
    world.produce(&on_one_partition(all));
    for program in PROGRAMS {
        let before = world.dead_letters().len();
        let done = world.run(program, &["--max-dead-letters", "4.99%"]);
        let judged = settled(&world, program, &done.exits(65), before);
        assert_eq!(judged, (2_000, 100), "{program}");
        assert_eq!(world.committed_records(program), 2_000, "{program}");
    }
}

#[test]
fn nothing_but_poison_of_every_kind_is_told_by_its_reasons() {
    let Some(world) = World::shared() else { return };
    let bad = bad(3_000);
    let given: Vec<Given> = bad.iter().map(|it| it.0.clone()).collect();
    world.produce(&on_one_partition(given));
    for program in PROGRAMS {
        let before = world.dead_letters().len();
        let done = world.run(program, &["--max-dead-letters", "50%"]).exits(65);
        let judged = settled(&world, program, &done, before);
        assert_eq!(judged, (100, 100), "{program}: judged from 100 records on");
        done.says(&["100 of the 100 records", "null_value 9", "others "]);
        let done = world.run(program, &[]).exits(0);
        let rest = settled(&world, program, &done, before + 100);
        assert_eq!(rest, (2_900, 2_900), "{program}");
    }
    let mut expected: BTreeMap<(&str, Option<&str>), usize> = BTreeMap::new();
    for (_, reason, field) in &bad {
        *expected.entry((reason, *field)).or_default() += PROGRAMS.len();
    }
    let letters = world.dead_letters();
    let mut found: BTreeMap<(&str, Option<&str>), usize> = BTreeMap::new();
    for letter in &letters {
        let reason = letter.header("reason").expect("a reason");
        *found.entry((reason, letter.header("field"))).or_default() += 1;
    }
    assert_eq!(found, expected);
}

#[test]
fn a_share_is_judged_at_the_end_however_little_there_was() {
    let bad = |count| bad(count).into_iter().map(|it| it.0).collect::<Vec<_>>();
    let share = [("STREAMFLOW_MAX_DEAD_LETTERS", "5%")];
    for program in PROGRAMS {
        let Some(world) = World::shared() else { return };
        world.produce(&bad(3));
        let done = world.run_with(program, &[], &share).exits(65);
        done.says(&["3 of the 3 records", "--max-dead-letters 5%"]);
        assert_eq!(done.number("dead_lettered"), 3, "{program}");
        assert_eq!(world.committed_records(program), 3, "{program}");
        // Nothing is left, and nothing is too much.
        let done = world.run_with(program, &[], &share).exits(0);
        assert_eq!(done.number("consumed"), 0, "{program}");
        // The flag wins over the variable.
        world.produce(&bad(1));
        let arguments = ["--max-dead-letters", "1"];
        world.run_with(program, &arguments, &share).exits(0);
    }
}

/// A service ends, too. What it was given before is stored, and a signal is no end at which a share is judged.
#[test]
fn a_service_ends_with_the_number_and_not_by_a_signal() {
    for program in PROGRAMS {
        let Some(world) = World::shared() else { return };
        let mut service = world.spawn(program, &["--follow", "--max-dead-letters", "10"]);
        service.wait_for_log("takes over partitions");
        world.produce(&mixed(40, 80).1);
        let done = service.finish().exits(65);
        let (_, dead) = settled(&world, program, &done, 0);
        assert_eq!(dead, 11, "{program}");
        done.says(&["more than --max-dead-letters 10"]);

        let mut service = world.spawn(program, &["--follow", "--max-dead-letters", "5%"]);
        service.wait_for_log("takes over partitions");
        let all = world.record_count();
        until("all is committed", LIMIT, || {
            (world.committed_records(program) == all).then_some(())
        });
        service.terminate();
        service.finish().exits(0);
    }
}
