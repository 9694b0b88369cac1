//! The jobs are ended from outside, at any time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rand::RngExt;
use rand::rngs::StdRng;

use crate::ground::Ground;
use crate::job::{CONSUMING, Job, Run};
use crate::process::LIMIT;

/// A member that was killed comes back under its own name, and need not wait until Kafka has missed it.
const STATIC_MEMBER: [&str; 2] = ["--kafka-option", "group.instance.id=only"];
/// The shortest that a broker allows.
pub const SHORT_SESSION: [&str; 2] = ["--kafka-option", "session.timeout.ms=6000"];
const USERS: u32 = 5_000;

pub fn at_random_times(ground: &mut Ground) {
    let kills = ground.choose(4, 70);
    let mut pipeline = ground.pipeline();
    // Something to read from the beginning.
    pipeline.fill(USERS);
    let mut generators = [ground.fork(), ground.fork(), ground.fork()];
    let seeds: Vec<String> = (0..kills).map(|_| pipeline.next_seed(USERS)).collect();
    let all_fetched = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let [fetching, storing, counting] = &mut generators;
        let (pipeline, all_fetched) = (&pipeline, &all_fetched);
        scope.spawn(move || {
            for seed in &seeds {
                kill_at_work(fetching, || pipeline.fetch_again(seed, USERS));
            }
            all_fetched.store(true, Ordering::Relaxed);
        });
        for (job, rng) in [(Job::TransformStore, storing), (Job::Aggregate, counting)] {
            scope.spawn(move || {
                let mut killed = 0;
                while killed < kills && !all_fetched.load(Ordering::Relaxed) {
                    let arguments = [&STATIC_MEMBER[..], &SHORT_SESSION].concat();
                    killed += u32::from(kill_soon(rng, pipeline.start(job, &arguments)));
                }
            });
        }
    });
    ground.round();
    pipeline.settle_and_check();
}

/// Once, in the middle of a run: one that ends before is left as it is.
fn kill_at_work(rng: &mut StdRng, start: impl Fn() -> Run) {
    for _ in 0..3 {
        if kill_soon(rng, start()) {
            return;
        }
    }
}

/// Says whether the run was still at work.
fn kill_soon(rng: &mut StdRng, mut run: Run) -> bool {
    let time = Duration::from_millis(rng.random_range(20..1_500));
    let begun = Instant::now();
    while begun.elapsed() < time && !run.has_ended() {
        std::thread::sleep(Duration::from_millis(5));
    }
    match run.has_ended() {
        true => {
            run.finish_within(LIMIT).exits(0);
            false
        }
        false => run.kill(),
    }
}

pub fn of_members(ground: &mut Ground) {
    let mut pipeline = ground.pipeline().with_options(&SHORT_SESSION);
    for _ in ground.rounds(1, 12) {
        pipeline.fill(ground.choose(10_000, 20_000));
        for job in CONSUMING {
            let staying = pipeline.start(job, &[]);
            let leaving = pipeline.start(job, &[]);
            // While it joins, or a little later.
            ground.pause(20, 2_500);
            leaving.kill();
            staying.finish_within(LIMIT).exits(0);
            assert_eq!(pipeline.backlog(job), 0, "{}", job.program());
        }
    }
    pipeline.settle_and_check();
}

/// SIGTERM: what is in flight is finished and committed.
pub fn in_order(ground: &mut Ground) {
    let mut pipeline = ground.pipeline();
    for _ in ground.rounds(1, 8) {
        let seed = pipeline.next_seed(20_000);
        end_in_order(ground, pipeline.fetch_again(&seed, 20_000));
        pipeline.complete(|| pipeline.fetch_again(&seed, 20_000));
        // Nothing was published twice.
        assert_eq!(pipeline.world.record_count(), pipeline.landed());
        for job in CONSUMING {
            let before = pipeline.backlog(job);
            let first = end_in_order(ground, pipeline.start(job, &[]));
            let rest = pipeline.complete(|| pipeline.start(job, &[]));
            assert_eq!(first + rest.number("consumed"), before, "{}", job.program());
        }
    }
    pipeline.settle_and_check();
}

/// Says how many records it consumed.
fn end_in_order(ground: &mut Ground, run: Run) -> u64 {
    ground.pause(100, 1_200);
    let asked = Instant::now();
    run.terminate();
    let done = run.finish_within(LIMIT).exits(0);
    assert!(asked.elapsed() < Duration::from_secs(10));
    let consumed = done.summary["consumed"].as_u64().unwrap_or(0);
    consumed - done.summary["unsettled"].as_u64().unwrap_or(0)
}
