//! Members of a group that come and go, and one that is slow.

use std::time::{Duration, Instant};

use rand::RngExt;

use crate::fault::kills::SHORT_SESSION;
use crate::ground::Ground;
use crate::job::{CONSUMING, Job, Run};
use crate::process::LIMIT;
use crate::proxy::Proxy;

const COME_AND_GO_FOR: Duration = Duration::from_secs(60);
const CHANGE_EVERY: Duration = Duration::from_secs(2);

pub fn classic(ground: &mut Ground) {
    come_and_go(ground, &SHORT_SESSION);
}

pub fn cooperative(ground: &mut Ground) {
    come_and_go(
        ground,
        &[
            "--kafka-option",
            "session.timeout.ms=6000,partition.assignment.strategy=cooperative-sticky",
        ],
    );
}

pub fn consumer(ground: &mut Ground) {
    come_and_go(ground, &["--kafka-option", "group.protocol=consumer"]);
}

/// 3 to 5 members of each job, one of which leaves or comes every 2 s.
fn come_and_go(ground: &mut Ground, options: &[&str]) {
    let mut pipeline = ground.pipeline().with_options(options);
    pipeline.fill(5_000);
    let mut members: Vec<Run> = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < COME_AND_GO_FOR {
        ground.round();
        pipeline.fill(1_000);
        for job in CONSUMING {
            let count = members.iter().filter(|run| run.job == job).count();
            let leaves = count >= 5 || (count >= 3 && ground.rng.random_bool(0.5));
            if !leaves {
                members.push(pipeline.start(job, &["--follow"]));
                continue;
            }
            let of_job: Vec<usize> = (0..members.len())
                .filter(|&at| members[at].job == job)
                .collect();
            let member = members.swap_remove(of_job[ground.rng.random_range(0..of_job.len())]);
            if ground.rng.random_bool(0.4) {
                member.kill();
            } else {
                leave(member);
            }
        }
        std::thread::sleep(CHANGE_EVERY);
    }
    for member in members {
        leave(member);
    }
    pipeline.settle_and_check();
}

fn leave(member: Run) {
    let asked = Instant::now();
    member.terminate();
    let done = member.finish_within(LIMIT);
    assert_eq!(done.code, 0, "{}", done.texts());
    assert!(
        asked.elapsed() < Duration::from_secs(10),
        "{}",
        done.texts()
    );
}

/// The member stays in its group, since the loop goes on while it waits.
pub fn slower_than_the_poll_interval(ground: &mut Ground) {
    let options = [
        "--kafka-option",
        "session.timeout.ms=6000,max.poll.interval.ms=6000",
    ];
    let mut pipeline = ground.pipeline().with_options(&options);
    for _ in ground.rounds(1, 2) {
        pipeline.fill(20_000);
        let proxy = Proxy::to(&pipeline.world.base.servers.cassandra);
        let mut run = pipeline.start(Job::TransformStore, &["--contact-points", &proxy.address]);
        run.wait_for_log("takes over partitions");
        proxy.hold();
        std::thread::sleep(Duration::from_secs(15));
        proxy.release();
        let done = run.finish_within(LIMIT).exits(0);
        assert!(
            !done.stderr.contains("hands on partitions"),
            "{}",
            done.stderr
        );
        assert_eq!(done.stderr.matches("takes over partitions").count(), 1);
    }
    pipeline.settle_and_check();
}
