//! A server's disk is full. `local/test-faults` gives Kafka and Cassandra small disks of their own, where it may, and says so.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use crate::ground::Ground;
use crate::job::{CONSUMING, Job};
use crate::process::LIMIT;
use crate::stack::{Server, Signal};

const SHORT_PATIENCE: [(&str, &str); 2] = [
    ("STREAMFLOW_RETRY_TIMEOUT", "20s"),
    ("STREAMFLOW_CONNECT_TIMEOUT", "10s"),
];

/// Takes up what is free on a disk, and gives it back.
struct Filler(PathBuf);

impl Filler {
    fn fill(disk: &str) -> Self {
        let path = PathBuf::from(disk).join("filler");
        let mut file = File::create(&path).expect("a file");
        let block = vec![0; 1 << 16];
        while file.write_all(&block).is_ok() {}
        Self(path)
    }
}

impl Drop for Filler {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).expect("the filler is removed");
    }
}

fn small_disk(ground: &mut Ground, variable: &str) -> Option<String> {
    let disk = std::env::var(variable).ok();
    if disk.is_none() {
        ground.skip("no small disk could be made (it takes root)");
    }
    disk
}

/// The broker ends when it cannot write, and is started again in vain until there is room.
pub fn of_kafka(ground: &mut Ground) {
    let Some(disk) = small_disk(ground, "STREAMFLOW_KAFKA_DISK") else {
        return;
    };
    ground.disturbs_servers();
    let mut pipeline = ground.pipeline();
    ground.round();
    pipeline.fill(2_000);
    let full = Filler::fill(&disk);
    let run = pipeline.start_fetching_with(50_000, &SHORT_PATIENCE);
    let done = run.finish_within(LIMIT);
    let done = done.exits(69);
    done.says(&["Kafka"]);
    drop(full);
    Server::Kafka.start();
    pipeline.settle_and_check();
}

/// Those that Cassandra has made without room for their first bytes: it does not start with them, and nothing can be in them.
fn remove_unreadable_segments(disk: &str) {
    let folder = PathBuf::from(disk).join("commitlog");
    for entry in std::fs::read_dir(folder).expect("the commit log") {
        let path = entry.expect("a segment").path();
        let segment = std::fs::read(&path).expect("a segment");
        if segment.iter().take(8).all(|&byte| byte == 0) {
            println!("removed {}", path.display());
            std::fs::remove_file(path).expect("it is removed");
        }
    }
}

/// Cassandra takes no writes when it cannot write its log, until it is started again.
pub fn of_cassandra(ground: &mut Ground) {
    let Some(disk) = small_disk(ground, "STREAMFLOW_CASSANDRA_DISK") else {
        return;
    };
    ground.disturbs_servers();
    let mut pipeline = ground.pipeline();
    ground.round();
    pipeline.fill(60_000);
    let full = Filler::fill(&disk);
    // What fits into its last segment of the log is stored all the same.
    let begun = Instant::now();
    while begun.elapsed() < LIMIT {
        let run = pipeline.start_with(Job::TransformStore, &[], &SHORT_PATIENCE);
        let done = run.finish_within(LIMIT);
        if done.code != 0 {
            done.exits(69).says(&["Cassandra"]);
            break;
        }
        pipeline.fill(20_000);
    }
    drop(full);
    Server::Cassandra.signal(Signal::Kill);
    remove_unreadable_segments(&disk);
    Server::Cassandra.start();
    for job in CONSUMING {
        pipeline.complete(|| pipeline.start(job, &[]));
    }
    pipeline.settle_and_check();
}
