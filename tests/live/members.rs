//! Two members of one group at once: they share the partitions, lose nothing, and count nothing twice.

use std::time::Duration;

use crate::event::{numbered, records};
use crate::process::LIMIT;
use crate::servers::until;
use crate::tables::summary_of;
use crate::world::World;
use uuid::Uuid;

const USERS: usize = 12_000;

#[test]
fn two_of_each_program_share_the_work() {
    let Some(world) = World::own() else { return };
    let (ids, mut records) = records(USERS);
    numbered(&mut records, Uuid::new_v4(), 1);
    world.produce(&records);
    let members: Vec<_> = [
        "aggregate",
        "transform-store",
        "aggregate",
        "transform-store",
    ]
    .map(|program| (program, world.spawn(program, &[])))
    .into();
    let mut counted = 0;
    for (program, member) in members {
        let done = member.finish().exits(0);
        if program == "aggregate" {
            counted += done.number("counted");
            assert_eq!(done.number("already_counted"), 0);
        }
    }
    assert_eq!(counted as usize, USERS, "each is counted by one member");
    let users = world.users();
    assert_eq!(users.len(), USERS);
    assert!(ids.iter().all(|id| users.contains_key(id)));
    let at = crate::event::NEW_YEAR_MS;
    let expected = summary_of(users.values().map(|user| (user, at)));
    assert_eq!(world.totals(), expected);
    for program in ["aggregate", "transform-store"] {
        assert_eq!(world.committed_records(program) as usize, USERS);
    }
}

/// Killed at any moment of its joining: Kafka may give it partitions all the same, which nobody reads until its session is over.
#[test]
fn what_a_member_that_died_while_it_joined_was_given_is_read_by_the_other() {
    let Some(world) = World::own() else { return };
    let (_, mut records) = records(USERS);
    numbered(&mut records, Uuid::new_v4(), 1);
    world.produce(&records);
    let members = ["aggregate", "transform-store"].map(|program| {
        let other = world.spawn(program, &[]);
        let mut joining = world.spawn(program, &[]);
        joining.wait_for_log("from topic");
        // About as long as the joining takes.
        std::thread::sleep(Duration::from_millis(200));
        joining.kill();
        (program, other)
    });
    for (program, other) in members {
        other.finish().exits(0);
        assert_eq!(
            world.committed_records(program) as usize,
            USERS,
            "{program} ends when all is settled"
        );
    }
    assert_eq!(world.users().len(), USERS);
    assert_eq!(world.counted() as usize, USERS);
}

/// A service that runs is joined by a second one, which takes over some of its partitions, and ends before it.
#[test]
fn a_member_that_comes_and_goes_changes_no_number() {
    let Some(world) = World::shared() else { return };
    let programs = ["aggregate", "transform-store"];
    let mut services = programs.map(|program| world.spawn(program, &["--follow"]));
    for service in &mut services {
        service.wait_for_log("takes over partitions");
    }
    let (mut ids, first) = records(3_000);
    world.produce(&first);
    let mut guests = programs.map(|program| world.spawn(program, &["--follow"]));
    for guest in &mut guests {
        guest.wait_for_log("takes over partitions");
    }
    let (more, second) = records(3_000);
    ids.extend(more);
    world.produce(&second);
    for guest in guests {
        guest.terminate();
        guest.finish().exits(0);
    }
    let (more, third) = records(1_000);
    ids.extend(more);
    world.produce(&third);
    for (program, service) in programs.into_iter().zip(services) {
        until("all is committed", LIMIT, || {
            (world.committed_records(program) == 7_000).then_some(())
        });
        service.terminate();
        service.finish().exits(0);
    }
    assert_eq!(world.counted(), 7_000);
    let users = world.users();
    assert!(ids.iter().all(|id| users.contains_key(id)));
}
