//! Two members of one group at once: they share the partitions, lose nothing, and count nothing twice.

use std::time::{Duration, Instant};

use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::topic_partition_list::Offset;

use crate::event::{numbered, records};
use crate::process::{LIMIT, Running};
use crate::proxy::Proxy;
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

/// It is killed after its numbers are written and before their offsets are committed. Here a stranger stands for it, that has its partitions
/// and puts the offsets back.
#[test]
fn what_a_member_has_counted_before_it_died_is_committed_by_the_other() {
    let Some(world) = World::shared() else { return };
    const USERS: u64 = 1_200;
    world.produce(&records(USERS as usize).1);
    world.run("aggregate", &[]).exits(0);
    let dying = world.join("aggregate");
    let poll = |how_long| drop(dying.poll(how_long));
    until("it has all partitions", LIMIT, || {
        poll(Duration::from_millis(50));
        let has = dying.assignment().expect("an assignment").count();
        (has == 6).then_some(())
    });
    let mut behind = dying.assignment().expect("an assignment");
    behind.set_all_offsets(Offset::Offset(1)).expect("offsets");
    dying.commit(&behind, CommitMode::Sync).expect("committed");

    let mut other = world.spawn("aggregate", &[]);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(5) && !other.has_ended() {
        poll(Duration::from_millis(50));
    }
    assert!(!other.has_ended(), "it waits");
    dying.unsubscribe();
    until("the other ends", LIMIT, || {
        poll(Duration::from_millis(50));
        other.has_ended().then_some(())
    });
    other.finish().exits(0);
    assert_eq!(world.committed_records("aggregate"), USERS);
    assert_eq!(world.counted() as u64, USERS);
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

const COOPERATIVE: &str = "partition.assignment.strategy=cooperative-sticky";
/// KIP-848: the broker shares the partitions out.
const BY_THE_BROKER: &str = "group.protocol=consumer";

#[test]
fn members_come_and_go_by_the_cooperative_protocol() {
    come_and_go(COOPERATIVE, true);
}

/// A member that is killed is missed by the broker after 45 s only: here all leave in order.
#[test]
fn members_come_and_go_by_the_protocol_of_the_broker() {
    come_and_go(BY_THE_BROKER, false);
}

/// Every two seconds a member comes and one goes, in the middle of the work.
fn come_and_go(option: &str, with_kill: bool) {
    let Some(world) = World::own() else { return };
    let (mut ids, mut produced) = (Vec::new(), 0);
    let landing = Uuid::new_v4();
    let start = |program| {
        let mut member = world.spawn(program, &["--follow", "--kafka-option", option]);
        member.wait_for_log("from topic");
        member
    };
    let programs = ["aggregate", "transform-store"];
    let mut members = programs.map(|program| vec![start(program), start(program)]);
    for round in 0..8 {
        let (more, mut given) = records(500);
        numbered(&mut given, landing, produced + 1);
        produced += given.len();
        world.produce(&given);
        ids.extend(more);
        for (program, members) in programs.iter().zip(&mut members) {
            members.push(start(program));
            let oldest = members.remove(0);
            match with_kill && round == 3 {
                true => drop(oldest.kill()),
                false => leave(oldest),
            }
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    members.into_iter().flatten().for_each(leave);
    for program in programs {
        world.run(program, &["--kafka-option", option]).exits(0);
        assert_eq!(world.committed_records(program) as usize, produced);
    }
    let users = world.users();
    assert_eq!(users.len(), produced);
    assert!(ids.iter().all(|id| users.contains_key(id)));
    let at = crate::event::NEW_YEAR_MS;
    let expected = summary_of(users.values().map(|user| (user, at)));
    assert_eq!(world.totals(), expected);
}

#[track_caller]
fn leave(member: Running) {
    member.terminate();
    member.finish_within(Duration::from_secs(10)).exits(0);
}

/// One member's sink stalls, so that it pauses, while the other one leaves and comes back: no partition stays silent.
#[test]
fn a_pause_does_not_outlive_a_rebalance() {
    for option in [
        "partition.assignment.strategy=range,roundrobin",
        COOPERATIVE,
    ] {
        let Some(world) = World::shared() else { return };
        let program = "transform-store";
        let proxy = Proxy::to(&world.base.servers.cassandra);
        let others = ["--follow", "--kafka-option", option];
        let slow = [&others[..], &["--contact-points", &proxy.address]].concat();
        let debug = [("RUST_LOG", "info,streamflow=debug")];
        let mut slow = world.spawn_with(program, &slow, &debug);
        slow.wait_for_log("takes over partitions");
        let mut other = world.spawn(program, &others);
        other.wait_for_log("takes over partitions");

        proxy.hold();
        let mut all = world.produce(&records(6_000).1).len() as u64;
        slow.wait_for_log("the sink is slower than the topic: pausing");
        leave(other);
        slow.wait_for_log("takes over partitions [0, 1, 2, 3, 4, 5]");
        let mut back = world.spawn(program, &others);
        back.wait_for_log("takes over partitions");
        proxy.release();
        all += world.produce(&records(600).1).len() as u64;
        until("all is committed", LIMIT, || {
            (world.committed_records(program) == all).then_some(())
        });
        // Each partition of each member is read on.
        all += world.produce(&records(600).1).len() as u64;
        until("all is committed", LIMIT, || {
            (world.committed_records(program) == all).then_some(())
        });
        leave(slow);
        leave(back);
    }
}

/// The membership lives on while the sink is slower than `max.poll.interval.ms` allows.
#[test]
fn a_sink_that_stalls_for_longer_than_the_poll_interval_costs_no_membership() {
    let Some(world) = World::shared() else { return };
    let program = "transform-store";
    let proxy = Proxy::to(&world.base.servers.cassandra);
    let options = "max.poll.interval.ms=6000,session.timeout.ms=6000";
    let arguments = [
        "--follow",
        "--contact-points",
        &proxy.address,
        "--kafka-option",
        options,
    ];
    let debug = [("RUST_LOG", "info,streamflow=debug")];
    let mut service = world.spawn_with(program, &arguments, &debug);
    service.wait_for_log("takes over partitions");
    proxy.hold();
    let (ids, given) = records(6_000);
    world.produce(&given);
    service.wait_for_log("the sink is slower than the topic: pausing");
    let held = Instant::now();
    while held.elapsed() < Duration::from_secs(15) {
        assert!(!service.has_ended(), "{}", service.log());
        std::thread::sleep(Duration::from_millis(100));
    }
    proxy.release();
    until("all is committed", LIMIT, || {
        (world.committed_records(program) == 6_000).then_some(())
    });
    let log = service.log();
    assert_eq!(log.matches("takes over partitions").count(), 1, "{log}");
    assert!(!log.contains("hands on partitions"), "{log}");
    service.terminate();
    let done = service.finish().exits(0);
    assert_eq!(done.number("consumed"), 6_000);
    let users = world.users();
    assert!(ids.iter().all(|id| users.contains_key(id)));
}
