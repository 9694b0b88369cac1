//! Offsets that a topic does not have any more, or not yet: removed by its retention, or of another topic of the same name. A run tells
//! what is gone or fails, and never goes on elsewhere without a word.

use std::time::Duration;

use crate::event::records;
use crate::process::LIMIT;
use crate::proxy::Proxy;
use crate::servers::until;
use crate::topic::Given;
use crate::world::World;

const PROGRAMS: [&str; 2] = ["transform-store", "aggregate"];

fn on(partition: i32, records: Vec<Given>) -> Vec<Given> {
    let partition = Some(partition);
    let put = |record: Given| Given {
        partition,
        ..record
    };
    records.into_iter().map(put).collect()
}

#[test]
fn what_retention_has_removed_is_told_with_its_offsets() {
    for program in PROGRAMS {
        let Some(world) = World::shared() else { return };
        world.produce(&on(3, records(60).1));
        world.run(program, &["--max-records", "10"]).exits(0);
        world.remove_records_before(3, 40);
        let done = world.run(program, &[]).exits(0);
        done.says(&[
            "partition 3",
            "its retention has removed the records from offset 10 to 39 (30 offsets)",
        ]);
        assert_eq!(done.number("consumed"), 20, "{program}");
        assert_eq!(world.committed(program)[&3], 60, "{program}");
        // All of the rest, up to the end.
        world.produce(&on(3, records(5).1));
        world.remove_records_before(3, 65);
        let done = world.run(program, &[]).exits(0);
        done.says(&["from offset 60 to 64 (5 offsets)"]);
        assert_eq!(done.number("consumed"), 0, "{program}");
        let done = world.run(program, &[]).exits(0);
        assert!(!done.stderr.contains("retention"), "told once: {program}");
    }
}

#[test]
fn a_group_that_has_committed_more_than_there_is_is_of_another_topic() {
    let Some(world) = World::shared() else { return };
    let program = "transform-store";
    world.produce(&on(2, records(5).1));
    world.commit(&world.group(program), 2, 6);
    // The run fails in the middle of a rebalance, and must leave its group by whatever protocol.
    for option in [
        "group.protocol=classic",
        "partition.assignment.strategy=cooperative-sticky",
        "group.protocol=consumer",
    ] {
        let run = world.spawn(program, &["--kafka-option", option]);
        let done = run.finish_within(Duration::from_secs(30)).exits(78);
        done.says(&[
            "partition 2",
            &world.topic,
            "ends at offset 5",
            "has committed offset 6 already",
            "another topic of the same name",
            "--group-id",
            "--reset-offsets",
        ]);
        assert_eq!(world.committed(program)[&2], 6, "left as it is");
    }
    let group = format!("{}-again", world.group(program));
    let done = world.run(program, &["--group-id", &group]).exits(0);
    assert_eq!(done.number("consumed"), 5);
    world.forget(&group);
}

/// Retention overtakes a run that waits for its sink.
#[test]
fn what_retention_removes_before_a_run_comes_to_it_ends_the_run_and_is_told() {
    let Some(world) = World::shared() else { return };
    let program = "transform-store";
    let proxy = Proxy::to(&world.base.servers.cassandra);
    let arguments = ["--follow", "--contact-points", &proxy.address];
    let debug = [("RUST_LOG", "info,streamflow=debug")];
    let mut following = world.spawn_with(program, &arguments, &debug);
    following.wait_for_log("takes over partitions");
    proxy.hold();
    world.produce(&on(0, records(5_000).1));
    following.wait_for_log("the sink is slower than the topic: pausing");
    world.remove_records_before(0, 4_990);
    proxy.release();
    let done = following.finish().exits(69);
    done.says(&[
        "partition 0",
        "its retention has removed",
        "to 4989",
        "run the job again",
    ]);
    let before = done.number("consumed");
    assert!(before < 4_990, "{before}");
    let done = world.run(program, &[]).exits(0);
    done.says(&[&format!(
        "from offset {before} to 4989 ({} offsets)",
        4_990 - before
    )]);
    assert_eq!(done.number("consumed"), 10);
}

#[test]
fn a_topic_that_is_deleted_ends_a_service_with_an_error() {
    let Some(world) = World::shared() else { return };
    let services = PROGRAMS.map(|program| {
        let mut service = world.spawn(program, &["--follow"]);
        service.wait_for_log("takes over partitions");
        (program, service)
    });
    world.produce(&records(60).1);
    for (program, _) in &services {
        until("all is committed", LIMIT, || {
            (world.committed_records(program) == 60).then_some(())
        });
    }
    world.delete_topics(&[&world.topic]);
    for (_, service) in services {
        let done = service.finish_within(Duration::from_secs(60)).exits(78);
        done.says(&[&world.topic, "what to do"]);
    }
}

/// Made anew while a service runs, with fewer records than it has read.
#[test]
fn a_topic_that_is_made_anew_under_a_service_ends_it_with_an_error() {
    for program in PROGRAMS {
        let Some(world) = World::shared() else { return };
        let mut service = world.spawn(program, &["--follow"]);
        service.wait_for_log("takes over partitions");
        world.produce(&on(1, records(60).1));
        until("all is committed", LIMIT, || {
            (world.committed_records(program) == 60).then_some(())
        });
        world.delete_topics(&[&world.topic]);
        until("the topic is made again", LIMIT, || {
            let done = world.run("streamflow", &["init"]);
            (done.code == 0 && done.stdout.contains("made")).then_some(())
        });
        world.produce(&on(1, records(3).1));
        let done = service.finish_within(Duration::from_secs(60)).exits(78);
        done.says(&[&world.topic, "what to do"]);
    }
}
