//! When a run ends by itself.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::event::records;
use crate::world::World;

const PROGRAMS: [&str; 2] = ["transform-store", "aggregate"];

#[test]
fn a_number_of_records_is_exact_and_the_next_run_goes_on_from_there() {
    let Some(world) = World::shared() else { return };
    let (ids, records) = records(500);
    world.produce(&records);
    for program in PROGRAMS {
        let done = world.run(program, &["--max-records", "123"]).exits(0);
        assert_eq!(done.number("consumed"), 123, "{program}");
        assert_eq!(world.committed_records(program), 123, "{program}");
        let done = world.run(program, &[]).exits(0);
        assert_eq!(done.number("consumed"), 377, "{program}");
        assert_eq!(world.committed_records(program), 500, "{program}");
    }
    let users = world.users();
    assert!(ids.iter().all(|id| users.contains_key(id)));
    assert_eq!(world.counted(), 500);
}

/// The last offset of a transaction is that of its marker, and an aborted one has no record at all.
#[test]
fn a_partition_whose_last_offsets_belong_to_no_record_ends_a_run() {
    let Some(world) = World::shared() else { return };
    let (ids, records) = records(300);
    world.produce_in_a_transaction(&records, true);
    world.produce_in_a_transaction(&records[..200], false);
    for program in PROGRAMS {
        // Two members: each waits until the group has settled the other's part, up to the last offset.
        let members = [(); 2].map(|()| world.spawn(program, &[]));
        let consumed = members.map(|member| member.finish().exits(0).number("consumed"));
        assert_eq!(consumed.iter().sum::<u64>(), 300, "{program}");
        let ends = world.record_count();
        assert!(ends > 500, "{ends} offsets");
        assert_eq!(world.committed_records(program), ends, "{program}");
        let again = world.run(program, &["--skip-if-empty"]);
        again.exits(99);
    }
    let users = world.users();
    assert!(ids.iter().all(|id| users.contains_key(id)));
    assert_eq!(world.counted(), 300);
}

#[test]
fn a_duration_ends_a_run_that_follows() {
    let Some(world) = World::shared() else { return };
    world.produce(&records(20).1);
    for program in PROGRAMS {
        let done = world.run(program, &["--follow", "--duration", "6s"]);
        let done = done.exits(0);
        assert_eq!(done.number("consumed"), 20, "{program}");
        assert!(done.took >= Duration::from_secs(6), "{:?}", done.took);
    }
}

#[test]
fn an_empty_topic_is_nothing_to_do() {
    let Some(world) = World::shared() else { return };
    for program in PROGRAMS {
        let done = world.run(program, &[]).exits(0);
        assert_eq!(done.number("consumed"), 0);
        let done = world.run(program, &["--skip-if-empty"]).exits(99);
        assert_eq!(done.number("consumed"), 0, "the last line is still there");
    }
    world.produce(&records(1).1);
    for program in PROGRAMS {
        let done = world.run(program, &["--skip-if-empty"]).exits(0);
        assert_eq!(done.number("consumed"), 1);
        world.run(program, &["--skip-if-empty"]).exits(99);
    }
}

/// A run that begins while others publish leaves to the next run what came after its start.
#[test]
fn what_comes_after_the_start_is_left_to_the_next_run() {
    let Some(world) = World::shared() else { return };
    world.produce(&records(50).1);
    for program in PROGRAMS {
        let before = world.record_count();
        let over = AtomicBool::new(false);
        let (done, at_start, produced) = std::thread::scope(|scope| {
            let producing = scope.spawn(|| {
                let mut produced = 0;
                while !over.load(Ordering::Relaxed) {
                    produced += world.produce(&records(20).1).len() as u64;
                }
                produced
            });
            let mut running = world.spawn(program, &[]);
            // Told when the latest offsets are known.
            running.wait_for_log("from topic");
            let at_start = world.record_count();
            let done = running.finish();
            over.store(true, Ordering::Relaxed);
            (done, at_start, producing.join().expect("no panic"))
        });
        let done = done.exits(0);
        let consumed = done.number("consumed");
        let committed = world.committed_records(program);
        let all = before + produced;
        assert_eq!(consumed, committed, "{program}");
        assert!(
            (before..=at_start).contains(&consumed) && at_start < all,
            "{program}: {consumed} of {before} before and {at_start} at the start, {all} at the end"
        );
        let done = world.run(program, &[]).exits(0);
        assert_eq!(done.number("consumed"), all - consumed, "{program}");
    }
}
