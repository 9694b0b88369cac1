//! How far a reading is, as log lines and for whoever watches.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use log::info;

const LINE_INTERVAL: Duration = Duration::from_secs(10);
/// The clock is looked at once in so many.
const LOOK_EVERY: u64 = 1_000;

/// What a reconciliation is at. Cloned freely; all clones tell the same.
#[derive(Debug, Clone, Default)]
pub struct Standing(Arc<Now>);

#[derive(Debug, Default)]
struct Now {
    what: Mutex<&'static str>,
    count: AtomicU64,
}

impl Standing {
    /// What is read or compared now, and how many of it; nothing before the first reading.
    pub fn now(&self) -> Option<(&'static str, u64)> {
        let what = *self.0.what.lock().unwrap_or_else(PoisonError::into_inner);
        (!what.is_empty()).then(|| (what, self.0.count.load(Ordering::Relaxed)))
    }

    /// Begins a reading.
    pub(super) fn of(&self, what: &'static str) -> Progress {
        *self.0.what.lock().unwrap_or_else(PoisonError::into_inner) = what;
        self.0.count.store(0, Ordering::Relaxed);
        let now = Instant::now();
        Progress {
            what,
            count: 0,
            begun: now,
            last_line: now,
            standing: self.clone(),
        }
    }
}

pub(super) struct Progress {
    what: &'static str,
    count: u64,
    begun: Instant,
    last_line: Instant,
    standing: Standing,
}

impl Progress {
    pub(super) fn one(&mut self) {
        self.count += 1;
        if !self.count.is_multiple_of(LOOK_EVERY) {
            return;
        }
        self.standing.0.count.store(self.count, Ordering::Relaxed);
        if self.last_line.elapsed() >= LINE_INTERVAL {
            self.last_line = Instant::now();
            info!("{}: {} so far", self.what, self.count);
        }
    }

    pub(super) fn end(&self) {
        self.standing.0.count.store(self.count, Ordering::Relaxed);
        let seconds = self.begun.elapsed().as_secs_f64();
        info!("{}: {} in {seconds:.1} s", self.what, self.count);
    }
}
