//! A clock that is wrong, by libfaketime where it is installed.

use std::path::Path;

use crate::ground::Ground;
use crate::job::CONSUMING;

const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

pub fn an_hour_off(ground: &mut Ground) {
    if !Path::new(LIBRARY).exists() {
        ground.skip("libfaketime is not installed (Debian: apt-get install libfaketime)");
        return;
    }
    let mut pipeline = ground.pipeline();
    for offset in ["+1h", "-1h"] {
        ground.rounds(1, 1).for_each(drop);
        // The monotonic clock goes on as it is, as it does when somebody sets a machine's clock.
        let clock = [
            ("LD_PRELOAD", LIBRARY),
            ("FAKETIME", offset),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ];
        let run = pipeline.start_fetching_with(3_000, &clock);
        run.finish_within(crate::process::LIMIT).exits(0);
        for job in CONSUMING {
            pipeline.complete(|| pipeline.start_with(job, &[], &clock));
        }
    }
    pipeline.settle_and_check();
}
