//! Cassandra ends, stands still, is slow, or refuses.

use std::time::{Duration, Instant};

use serde_json::json;
use uuid::Uuid;

use crate::event::{event, record};
use crate::fault::servers;
use crate::ground::Ground;
use crate::job::{CONSUMING, Job};
use crate::pipeline::Pipeline;
use crate::process::LIMIT;
use crate::proxy::Proxy;
use crate::stack::{Server, Signal};

pub fn killed(ground: &mut Ground) {
    servers::ends(ground, Server::Cassandra, Signal::Kill, 3);
}

pub fn stands_still(ground: &mut Ground) {
    servers::stands_still(ground, Server::Cassandra);
}

pub fn slow(ground: &mut Ground) {
    let mut pipeline = ground.pipeline();
    let proxy = Proxy::to(&pipeline.world.base.servers.cassandra);
    for delay in [20, 100, 400] {
        ground.round();
        pipeline.fill(2_000);
        proxy.delay(Duration::from_millis(delay));
        for job in CONSUMING {
            pipeline.complete(|| pipeline.start(job, &["--contact-points", &proxy.address]));
        }
    }
    pipeline.settle_and_check();
}

/// The keyspace asks for three replicas, and there is one node: no quorum, until it asks for one again.
pub fn unavailable(ground: &mut Ground) {
    let mut pipeline = ground.pipeline();
    for _ in ground.rounds(1, 2) {
        pipeline.fill(5_000);
        let runs = pipeline.at_work(&["--follow"]);
        replicas(&pipeline, 3);
        // More than is in flight.
        pipeline.fill(10_000);
        std::thread::sleep(Duration::from_secs(8));
        assert!(pipeline.backlog(Job::TransformStore) > 0);
        replicas(&pipeline, 1);
        for job in CONSUMING {
            let begun = Instant::now();
            while pipeline.backlog(job) > 0 && begun.elapsed() < LIMIT {
                std::thread::sleep(Duration::from_millis(200));
            }
        }
        for run in runs {
            run.terminate();
            run.finish_within(LIMIT).exits(0);
        }
    }
    pipeline.settle_and_check();
}

fn replicas(pipeline: &Pipeline, number: u32) {
    pipeline.world.cql(&format!(
        "ALTER KEYSPACE {} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': {number}}}",
        pipeline.world.base.keyspace
    ));
}

/// Every text as long as it may be, in letters of four bytes.
pub fn large_rows(ground: &mut Ground) {
    let mut pipeline = ground.pipeline();
    pipeline.fill(500);
    for _ in ground.rounds(1, 3) {
        let large = |number: usize| {
            let mut event = event(Uuid::new_v4(), number);
            for field in [
                "first_name",
                "last_name",
                "street_name",
                "city",
                "state",
                "email",
                "username",
                "phone",
                "picture",
            ] {
                event[field] = json!("🦀".repeat(1_000));
            }
            record(&event)
        };
        let records: Vec<_> = (0..ground.choose(50, 400)).map(large).collect();
        pipeline.world.produce(&records);
    }
    pipeline.settle_and_check();
}

pub fn column_missing(ground: &mut Ground) {
    let mut pipeline = ground.pipeline();
    ground.round();
    pipeline
        .world
        .cql("ALTER TABLE KEYSPACE.created_users DROP phone");
    pipeline.fill(1_000);
    let done = pipeline
        .start(Job::TransformStore, &[])
        .finish_within(LIMIT);
    done.exits(78).says(&["phone", "streamflow init"]);
    assert_eq!(pipeline.backlog(Job::TransformStore), 1_000);
    pipeline
        .world
        .cql("ALTER TABLE KEYSPACE.created_users ADD phone text");
    pipeline.settle_and_check();
}

/// Both consuming jobs with more to do than fits anywhere, and a Cassandra that answers nothing.
pub fn backlog(ground: &mut Ground) {
    let mut pipeline = ground.pipeline();
    pipeline.fill(ground.choose(10_000, 1_000_000));
    let proxy = Proxy::to(&pipeline.world.base.servers.cassandra);
    ground.round();
    let runs = pipeline.at_work(&["--contact-points", &proxy.address]);
    std::thread::sleep(Duration::from_secs(2));
    proxy.hold();
    std::thread::sleep(Duration::from_secs(30));
    proxy.release();
    for run in runs {
        let done = run.finish_within(LIMIT * 10);
        assert!([0, 69].contains(&done.code), "{}", done.texts());
    }
    pipeline.settle_and_check();
}
