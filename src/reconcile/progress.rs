//! How far a reading is, as log lines.

use std::time::{Duration, Instant};

use log::info;

const LINE_INTERVAL: Duration = Duration::from_secs(10);
/// The clock is looked at once in so many.
const LOOK_EVERY: u64 = 1_000;

pub(super) struct Progress {
    what: &'static str,
    count: u64,
    begun: Instant,
    last_line: Instant,
}

impl Progress {
    pub(super) fn of(what: &'static str) -> Self {
        let now = Instant::now();
        Self {
            what,
            count: 0,
            begun: now,
            last_line: now,
        }
    }

    pub(super) fn one(&mut self) {
        self.count += 1;
        if self.count.is_multiple_of(LOOK_EVERY) && self.last_line.elapsed() >= LINE_INTERVAL {
            self.last_line = Instant::now();
            info!("{}: {} so far", self.what, self.count);
        }
    }

    pub(super) fn end(&self) {
        let seconds = self.begun.elapsed().as_secs_f64();
        info!("{}: {} in {seconds:.1} s", self.what, self.count);
    }
}
