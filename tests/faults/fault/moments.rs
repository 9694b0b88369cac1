//! SIGKILL at a named moment. A server that stands still, or whose answers are held back, keeps the job at it.

use reqwest::Url;

use crate::fault::records::bad_records;
use crate::ground::Ground;
use crate::job::{Job, Run};
use crate::pipeline::Pipeline;
use crate::process::LIMIT;
use crate::proxy::Proxy;
use crate::servers::until;
use crate::stack::{Server, Signal};

const USERS: u32 = 3_000;
/// A member that comes back under its own name.
const MEMBER: [&str; 2] = ["--kafka-option", "group.instance.id=only"];

fn wait_for(what: &str, mut ask: impl FnMut() -> bool) {
    until(what, LIMIT, || ask().then_some(()));
}

/// A run for which Kafka stands still before it has a user, and whose users then arrive: what it lands it cannot publish.
fn start_with_kafka_standing_still(pipeline: &mut Pipeline, variables: &[(&str, &str)]) -> Run {
    let mut api_url = Url::parse(&pipeline.api_url()).expect("a URL");
    let api = Proxy::before(&mut api_url);
    api.hold();
    let seed = pipeline.next_seed(USERS);
    let run = pipeline.fetch_with(api_url.as_str(), &seed, USERS, variables);
    wait_for("an answer of the API that is held back", || {
        api.is_waiting()
    });
    let before = pipeline.landed();
    Server::Kafka.signal(Signal::Stop);
    api.release();
    wait_for("a landed page", || pipeline.landed() > before);
    run
}

pub fn landed_and_not_published(ground: &mut Ground) {
    ground.disturbs_servers();
    let mut pipeline = ground.pipeline();
    for _ in ground.rounds(1, 8) {
        let run = start_with_kafka_standing_still(&mut pipeline, &[]);
        ground.pause(0, 300);
        run.kill_at_work();
        Server::Kafka.signal(Signal::Continue);
    }
    Server::Kafka.is_back();
    pipeline.settle_and_check();
}

pub fn published_and_not_marked(ground: &mut Ground) {
    ground.disturbs_servers();
    let mut pipeline = ground.pipeline();
    let mut url = pipeline.database_url();
    let postgres = Proxy::before(&mut url);
    for _ in ground.rounds(1, 8) {
        let before = pipeline.world.record_count();
        let variables = [("DATABASE_URL", url.as_str())];
        let run = start_with_kafka_standing_still(&mut pipeline, &variables);
        postgres.hold_requests();
        Server::Kafka.signal(Signal::Continue);
        Server::Kafka.is_back();
        wait_for("records on the topic", || {
            pipeline.world.record_count() > before
        });
        wait_for("a mark", || postgres.is_asked());
        // What is on its way to Kafka arrives.
        ground.pause(50, 300);
        run.kill_at_work();
        postgres.release();
        println!(
            "killed with {} published and {} marked",
            pipeline.world.record_count(),
            pipeline.published()
        );
    }
    pipeline.settle_and_check();
}

pub fn stored_and_not_known(ground: &mut Ground) {
    answers_of_cassandra_are_lost(ground, Job::TransformStore);
}

pub fn summary_and_not_known(ground: &mut Ground) {
    answers_of_cassandra_are_lost(ground, Job::Aggregate);
}

/// What is asked is done, and the job never learns of it.
fn answers_of_cassandra_are_lost(ground: &mut Ground, job: Job) {
    let mut pipeline = ground.pipeline();
    for _ in ground.rounds(1, 10) {
        pipeline.fill(USERS);
        let proxy = Proxy::to(&pipeline.world.base.servers.cassandra);
        let held = ["--follow", "--contact-points", &proxy.address];
        let mut run = pipeline.start(job, &[&MEMBER[..], &held].concat());
        run.wait_for_log("takes over partitions");
        ground.pause(0, 250);
        proxy.hold();
        // Where it was done with the others already.
        pipeline.fill(500);
        wait_for("an answer that is held back", || proxy.is_waiting());
        // So long that a commit falls into it, of which there is one a second.
        ground.pause(1_100, 1_600);
        run.kill_at_work();
        proxy.release();
        pipeline.complete(|| pipeline.start(job, &MEMBER));
    }
    pipeline.settle_and_check();
}

pub fn stored_and_not_committed(ground: &mut Ground) {
    commits_are_lost(ground, Job::TransformStore);
}

pub fn summary_and_not_committed(ground: &mut Ground) {
    commits_are_lost(ground, Job::Aggregate);
}

/// Kafka stands still before the first commit, which is a second after the start: what is written until then cannot be committed.
fn commits_are_lost(ground: &mut Ground, job: Job) {
    ground.disturbs_servers();
    let mut pipeline = ground.pipeline();
    for _ in ground.rounds(1, 8) {
        pipeline.fill(20_000);
        let mut run = pipeline.start(job, &[&MEMBER[..], &["--follow"]].concat());
        run.wait_for_log("takes over partitions");
        ground.pause(30, 500);
        Server::Kafka.signal(Signal::Stop);
        ground.pause(0, 1_500);
        run.kill_at_work();
        Server::Kafka.signal(Signal::Continue);
        Server::Kafka.is_back();
        println!("killed with {} records to commit", pipeline.backlog(job));
        pipeline.complete(|| pipeline.start(job, &MEMBER));
    }
    pipeline.settle_and_check();
}

pub fn dead_letter_and_not_committed(ground: &mut Ground) {
    let mut pipeline = ground.pipeline();
    for _ in ground.rounds(1, 8) {
        // So few that there is room for the bad ones while Cassandra holds them up.
        pipeline.fill(200);
        let proxy = Proxy::to(&pipeline.world.base.servers.cassandra);
        let held = ["--follow", "--contact-points", &proxy.address];
        let mut run = pipeline.start(Job::TransformStore, &[&MEMBER[..], &held].concat());
        run.wait_for_log("takes over partitions");
        proxy.hold();
        let letters = pipeline.world.dead_letters().len();
        pipeline.world.produce(&bad_records(50));
        wait_for("a dead letter", || {
            pipeline.world.dead_letters().len() > letters
        });
        run.kill_at_work();
        proxy.release();
        pipeline.complete(|| pipeline.start(Job::TransformStore, &MEMBER));
    }
    pipeline.settle_and_check();
}
