//! Records whose schema cannot be had, and a registry that is away: bounded, told, and nothing lost.

use std::time::Duration;

use serde_json::json;
use streamflow::user::format::SchemaFormat;
use uuid::Uuid;

use crate::event::{event, record};
use crate::formats::{framed, subject};
use crate::process::{Finished, LIMIT};
use crate::proxy::Proxy;
use crate::registry::{Registry, answering_garbage, registry};
use crate::servers::until;
use crate::topic::Given;
use crate::world::World;

const PROGRAMS: [&str; 2] = ["transform-store", "aggregate"];
const NAMED: [&str; 3] = [
    "the Schema Registry at http://127.0.0.1:",
    "--schema-registry-url",
    "SCHEMA_REGISTRY_URL",
];
/// No server listens there.
const NOWHERE: &str = "http://127.0.0.1:1";

fn avro_id(world: &World, registry: &Registry) -> u32 {
    let format = SchemaFormat::Avro;
    registry.register(&subject(world), format.schema_type(), format.schema())
}

/// A good record of a new user behind the header, on partition 2.
fn good(schema_id: u32) -> (Uuid, Given) {
    let id = Uuid::new_v4();
    let given = framed(&event(id, 1), SchemaFormat::Avro, schema_id);
    (id, on_partition_2(given))
}

fn on_partition_2(given: Given) -> Given {
    Given {
        partition: Some(2),
        ..given
    }
}

fn run(world: &World, program: &str, url: &str) -> Finished {
    let arguments = ["--connect-timeout", "2s", "--retry-timeout", "2s"];
    world.run_with(program, &arguments, &[("SCHEMA_REGISTRY_URL", url)])
}

fn finishes(world: &World, registry: &Registry, program: &str, consumed: u64) {
    let done = run(world, program, &registry.url).exits(0);
    assert_eq!(
        done.numbers(["consumed", "dead_lettered"]),
        [consumed, 0],
        "{program}"
    );
}

#[test]
fn what_cannot_be_read_by_its_schema_is_a_dead_letter_with_the_schemas_number() {
    let (Some(registry), Some(world)) = (registry(), World::shared()) else {
        return;
    };
    let id = avro_id(&world, registry);
    let of = |format: SchemaFormat| {
        let name = format!("{}-{format:?}", world.topic);
        registry.register(&name, format.schema_type(), format.schema())
    };
    let protobuf = of(SchemaFormat::Protobuf);
    let text = registry.register(&format!("{}-text", world.topic), "AVRO", "\"string\"");
    let behind = |schema_id: u32, payload: &[u8]| {
        let value = [&[0], &schema_id.to_be_bytes()[..], payload].concat();
        on_partition_2(Given {
            value: Some(value),
            ..Given::default()
        })
    };
    let nobody = i32::MAX as u32;
    let without_names = framed(&json!({"id": Uuid::new_v4()}), SchemaFormat::Avro, id);
    let bad = [
        (behind(nobody, b"\x00"), "unknown_schema", Some(nobody)),
        (behind(u32::MAX, b"\x00"), "unknown_schema", Some(u32::MAX)),
        (behind(text, b"\x02a"), "unsupported_schema", Some(text)),
        (behind(id, b"\x02\x48abc"), "schema_mismatch", Some(id)),
        (
            behind(protobuf, b"\x02\x02"),
            "other_message",
            Some(protobuf),
        ),
        (on_partition_2(without_names), "missing_field", Some(id)),
        (
            on_partition_2(Given {
                value: Some(vec![0, 0, 0, 0]),
                ..Given::default()
            }),
            "invalid_wire_format",
            None,
        ),
    ];
    let (user, last) = good(id);
    let mut records: Vec<Given> = bad.iter().map(|it| it.0.clone()).collect();
    records.push(last);
    world.produce(&records);
    for (number, program) in PROGRAMS.into_iter().enumerate() {
        let done = run(&world, program, &registry.url).exits(0);
        assert_eq!(
            done.numbers(["consumed", "dead_lettered"]),
            [8, 7],
            "{program}"
        );
        let letters = world.dead_letters().split_off(number * bad.len());
        assert_eq!(letters.len(), bad.len());
        for (letter, (record, reason, schema_id)) in letters.iter().zip(&bad) {
            assert_eq!(letter.value, record.value, "as it came");
            assert_eq!(letter.header("reason"), Some(*reason));
            let schema_id = schema_id.map(|id| id.to_string());
            assert_eq!(letter.header("schema-id"), schema_id.as_deref(), "{reason}");
        }
    }
    assert!(world.user(user).is_some());
}

/// A plain record, and after it one that needs the registry: each program fails at the second one with the first one done, and the next run, with
/// the registry, reads the second.
fn a_run_fails_at_the_record_and_the_next_one_reads_it(fails: impl Fn(&World, &str)) {
    let (Some(registry), Some(world)) = (registry(), World::shared()) else {
        return;
    };
    let plain = Uuid::new_v4();
    let (user, record_of_user) = good(avro_id(&world, registry));
    world.produce(&[on_partition_2(record(&event(plain, 1))), record_of_user]);
    for program in PROGRAMS {
        fails(&world, program);
        assert_eq!(
            world.committed(program).get(&2),
            Some(&1),
            "{program}: what came before it is done"
        );
        finishes(&world, registry, program, 1);
    }
    assert!(world.user(plain).is_some() && world.user(user).is_some());
    assert_eq!((world.counted(), world.dead_letters().len()), (2, 0));
}

#[test]
fn a_record_that_needs_a_registry_ends_a_run_without_one_and_is_read_by_the_next() {
    a_run_fails_at_the_record_and_the_next_one_reads_it(|world, program| {
        let done = run(world, program, "").exits(78);
        done.says(&[
            "offset 1 of partition 2",
            "what to do: ",
            "--schema-registry-url",
            "SCHEMA_REGISTRY_URL",
        ]);
    });
}

#[test]
fn a_registry_that_is_not_there_at_the_start_is_named_and_the_next_run_does_the_work() {
    let (Some(registry), Some(world)) = (registry(), World::shared()) else {
        return;
    };
    let (user, record) = good(avro_id(&world, registry));
    world.produce(&[record]);
    for url in [
        NOWHERE.to_owned(),
        answering_garbage("hidden").replace("http://", "http://x:canary4711@") + "/no/",
    ] {
        for program in PROGRAMS {
            let done = run(&world, program, &url).exits(69);
            done.says(&NAMED);
            assert!(!done.texts().contains("canary4711") && !done.texts().contains("hidden"));
            assert!(
                done.took > Duration::from_millis(1_900) && done.took < Duration::from_secs(15),
                "{:?}",
                done.took
            );
        }
    }
    let variables = [
        ("SCHEMA_REGISTRY_URL", NOWHERE),
        ("STREAMFLOW_VALUE_FORMAT", "avro"),
    ];
    for command in ["init", "doctor"] {
        let done = world.run_with(
            "streamflow",
            &[command, "--connect-timeout", "2s"],
            &variables,
        );
        done.exits(69).says(&NAMED);
    }
    let done = world.run_with(
        "fetch-publish",
        &["--users", "1", "--connect-timeout", "2s"],
        &variables,
    );
    done.exits(69).says(&NAMED);
    for program in PROGRAMS {
        finishes(&world, registry, program, 1);
    }
    assert!(world.user(user).is_some());
    assert_eq!(world.counted(), 1);
}

#[test]
fn a_registry_that_answers_garbage_ends_the_run_and_nothing_is_lost() {
    a_run_fails_at_the_record_and_the_next_one_reads_it(|world, program| {
        let done = run(world, program, &answering_garbage("<html>hidden</html>")).exits(69);
        done.says(&NAMED);
        done.says(&[
            "gave no answer that can be used within 2 s",
            "--retry-timeout",
        ]);
        assert!(!done.texts().contains("hidden"));
    });
}

#[test]
fn a_registry_that_goes_away_later_is_asked_only_for_what_is_new() {
    let (Some(registry), Some(world)) = (registry(), World::shared()) else {
        return;
    };
    let known = avro_id(&world, registry);
    let format = SchemaFormat::Protobuf;
    let new = registry.register(
        &format!("{}-new", world.topic),
        format.schema_type(),
        format.schema(),
    );
    for program in PROGRAMS {
        let begin = world.record_count();
        let mut url = registry.url();
        let proxy = Proxy::before(&mut url);
        let variables = [("SCHEMA_REGISTRY_URL", url.as_str())];
        let mut following =
            world.spawn_with(program, &["--follow", "--retry-timeout", "2s"], &variables);
        following.wait_for_log("takes over partitions");
        world.produce(&[good(known).1]);
        let committed_is = |offset: u64| {
            until("the offset is committed", LIMIT, || {
                (world.committed_records(program) == offset).then_some(())
            });
        };
        committed_is(begin + 1);
        proxy.hold();
        // What is known needs no registry; what is new waits for it, for so long and no longer.
        world.produce(&[good(known).1]);
        committed_is(begin + 2);
        let id = Uuid::new_v4();
        world.produce(&[
            on_partition_2(framed(&event(id, 2), format, new)),
            good(known).1,
        ]);
        let done = following.finish().exits(69);
        done.says(&NAMED);
        assert_eq!(world.committed_records(program), begin + 2, "{program}");
        finishes(&world, registry, program, 2);
        assert_eq!(world.committed_records(program), begin + 4, "{program}");
        proxy.release();
        // The other program begins with all that this one has left.
        if program == PROGRAMS[0] {
            finishes(&world, registry, PROGRAMS[1], begin + 4);
        }
    }
    assert_eq!((world.counted(), world.dead_letters().len()), (8, 0));
}

#[test]
fn a_stop_does_not_wait_for_the_registry() {
    let (Some(registry), Some(world)) = (registry(), World::shared()) else {
        return;
    };
    let (user, record) = good(avro_id(&world, registry));
    for program in PROGRAMS {
        let mut url = registry.url();
        let proxy = Proxy::before(&mut url);
        let variables = [("SCHEMA_REGISTRY_URL", url.as_str()), ("RUST_LOG", "debug")];
        let mut running = world.spawn_with(program, &["--follow"], &variables);
        running.wait_for_log("takes over partitions");
        proxy.hold();
        if program == PROGRAMS[0] {
            world.produce(std::slice::from_ref(&record));
        }
        // The question is on its way and the answer is not.
        until("the question", LIMIT, || proxy.is_waiting().then_some(()));
        running.terminate();
        let done = running.finish_within(Duration::from_secs(8)).exits(0);
        assert_eq!(world.committed_records(program), 0, "{program}");
        if program == PROGRAMS[0] {
            assert_eq!(done.numbers(["consumed", "unsettled"]), [1, 1]);
        }
        finishes(&world, registry, program, 1);
    }
    assert!(world.user(user).is_some());
    assert_eq!(world.counted(), 1);
}
