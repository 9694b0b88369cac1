//! A clock that is wrong: `clock.c` stands between the program and the system's time.

use std::path::PathBuf;
use std::process::Command;

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use crate::ground::Ground;
use crate::job::CONSUMING;
use crate::process::LIMIT;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

pub fn an_hour_off(ground: &mut Ground) {
    let folder = TempDir::new().expect("a folder");
    let library = compiled(&folder);
    let mut pipeline = ground.pipeline();
    for offset in [HOUR, -HOUR] {
        ground.round();
        let seconds = offset.as_secs().to_string();
        let clock = [
            ("LD_PRELOAD", library.to_str().expect("UTF-8")),
            ("CLOCK_OFFSET_S", &seconds),
        ];
        let run = pipeline.start_fetching_with(3_000, &clock);
        let done = run.finish_within(LIMIT).exits(0);
        let off = first_time(&done.stderr).duration_since(Timestamp::now() + offset);
        assert!(off.abs() < SignedDuration::from_mins(10), "{}", done.stderr);
        for job in CONSUMING {
            pipeline.complete(|| pipeline.start_with(job, &[], &clock));
        }
    }
    pipeline.settle_and_check();
}

fn compiled(folder: &TempDir) -> PathBuf {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults/fault/clock.c");
    let library = folder.path().join("clock.so");
    let done = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .args([source, "-ldl"])
        .status();
    assert!(done.expect("a C compiler").success(), "clock.c compiles");
    library
}

/// The time of the first line of a log: `[2026-11-21T12:00:00Z INFO …`
fn first_time(log: &str) -> Timestamp {
    let text = log.strip_prefix('[').and_then(|it| it.split(' ').next());
    text.and_then(|it| it.parse().ok()).expect("a time")
}
