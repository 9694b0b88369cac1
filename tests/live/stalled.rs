//! Cassandra stalls in the middle of the work: nothing is committed that is not stored, and the work goes on when it answers again.

use crate::event::records;
use crate::process::LIMIT;
use crate::proxy::Proxy;
use crate::servers::until;
use crate::topic::Given;
use crate::world::World;

const PROGRAM: &str = "transform-store";

fn on(partition: i32, records: Vec<Given>) -> Vec<Given> {
    let partition = Some(partition);
    let put = |record: Given| Given {
        partition,
        ..record
    };
    records.into_iter().map(put).collect()
}

/// A record that needs no Cassandra: it becomes a dead letter, and so its offset can be committed.
fn bad() -> Vec<Given> {
    vec![Given {
        value: Some(b"no JSON".to_vec()),
        ..Given::default()
    }]
}

#[test]
fn nothing_is_committed_that_is_not_stored() {
    let Some(world) = World::shared() else { return };
    let proxy = Proxy::to(&world.base.servers.cassandra);
    let contact_points = ["--follow", "--contact-points", &proxy.address];
    let committed_is = |partition: i32, offset: i64| {
        until("the offset is committed", LIMIT, || {
            (world.committed(PROGRAM).get(&partition) == Some(&offset)).then_some(())
        });
    };
    let mut following = world.spawn(PROGRAM, &contact_points);
    following.wait_for_log("takes over partitions");
    let (mut ids, first) = records(10);
    world.produce(&on(0, first));
    committed_is(0, 10);

    proxy.hold();
    let (more, second) = records(300);
    ids.extend(more);
    world.produce(&on(0, second));
    world.produce(&on(0, bad()));
    // Its letter tells that what came before it was consumed …
    until("the dead letter", LIMIT, || {
        (world.dead_letters().len() == 1).then_some(())
    });
    // … and this commit, that the offsets of all partitions were committed since.
    world.produce(&on(1, bad()));
    committed_is(1, 1);
    assert_eq!(world.committed(PROGRAM)[&0], 10, "the rest is not stored");

    proxy.release();
    committed_is(0, 311);
    let users = world.users();
    assert!(ids.iter().all(|id| users.contains_key(id)));
    following.terminate();
    let done = following.finish().exits(0);
    let names = ["consumed", "stored", "dead_lettered"];
    assert_eq!(done.numbers(names), [312, 310, 2]);
}

/// What was in flight when a run is killed is stored by the next one.
#[test]
fn a_run_that_is_killed_while_it_waits_leaves_its_records_to_the_next() {
    let Some(world) = World::shared() else { return };
    let proxy = Proxy::to(&world.base.servers.cassandra);
    let session = ["--kafka-option", "session.timeout.ms=6000"];
    let arguments = ["--follow", "--contact-points", &proxy.address];
    let mut following = world.spawn(PROGRAM, &[&arguments[..], &session].concat());
    following.wait_for_log("takes over partitions");
    proxy.hold();
    let (ids, good) = records(500);
    world.produce(&on(2, good));
    world.produce(&on(2, bad()));
    until("the dead letter", LIMIT, || {
        (world.dead_letters().len() == 1).then_some(())
    });
    world.produce(&on(1, bad()));
    until("the offset is committed", LIMIT, || {
        (world.committed(PROGRAM).get(&1) == Some(&1)).then_some(())
    });
    following.kill();
    let done = world.run(PROGRAM, &session).exits(0);
    assert_eq!(done.number("consumed"), 501);
    let users = world.users();
    assert!(ids.iter().all(|id| users.contains_key(id)));
}
