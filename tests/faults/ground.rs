//! What a fault works with: its random numbers, its figures, and how much it is to do.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::pipeline::Pipeline;
use crate::stack;

/// Stands in every secret's place.
pub const CANARY: &str = "canary-password-8f3a";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    Short,
    Full,
}

pub struct Ground {
    pub rng: StdRng,
    pub figures: Arc<Figures>,
    pub skipped: Option<String>,
    size: Size,
    seed: u64,
    pipelines: u32,
    disturbed: bool,
}

/// What happened, added up from all threads of a fault.
#[derive(Default)]
pub struct Figures {
    pub rounds: AtomicU64,
    pub kills: AtomicU64,
    pub records: AtomicU64,
    pub lost: AtomicU64,
    pub phantom: AtomicU64,
    pub wrong_numbers: AtomicU64,
    /// Records that were published more than once, which changes nothing.
    pub repeated: AtomicU64,
    pub stall_ms: AtomicU64,
    /// Where a secret was seen.
    pub leak: OnceLock<String>,
    /// The largest of all runs, in kilobytes.
    pub memory_kb: AtomicU64,
}

impl Ground {
    pub fn new(size: Size, seed: u64, fault: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        (seed, fault).hash(&mut hasher);
        Self {
            rng: StdRng::seed_from_u64(hasher.finish()),
            figures: Arc::default(),
            skipped: None,
            size,
            seed,
            pipelines: 0,
            disturbed: false,
        }
    }

    pub fn pipeline(&mut self) -> Pipeline {
        self.pipelines += 1;
        let name = format!("faults-{}-{}", self.seed, self.pipelines);
        Pipeline::new(self.figures.clone(), name)
    }

    /// One of two sizes: for `make test`, and for `make test-faults`.
    pub fn choose<T>(&self, short: T, full: T) -> T {
        match self.size {
            Size::Short => short,
            Size::Full => full,
        }
    }

    /// To be said at the beginning of each round.
    pub fn round(&self) {
        self.figures.rounds.fetch_add(1, Ordering::Relaxed);
    }

    pub fn rounds(&self, short: u32, full: u32) -> impl Iterator<Item = u32> + use<> {
        let figures = self.figures.clone();
        (0..self.choose(short, full)).inspect(move |_| {
            figures.rounds.fetch_add(1, Ordering::Relaxed);
        })
    }

    pub fn pause(&mut self, from_ms: u64, to_ms: u64) {
        let time = self.rng.random_range(from_ms..=to_ms);
        std::thread::sleep(Duration::from_millis(time));
    }

    /// Another source of random numbers, for a thread.
    pub fn fork(&mut self) -> StdRng {
        StdRng::seed_from_u64(self.rng.random())
    }

    /// To be said before a server is broken.
    pub fn disturbs_servers(&mut self) {
        self.disturbed = true;
    }

    pub fn mend(&mut self) {
        if self.disturbed {
            stack::mend();
        }
    }

    pub fn skip(&mut self, why: &str) {
        println!("skipped: {why}");
        self.skipped = Some(why.to_owned());
    }
}

impl Figures {
    pub fn killed(&self) {
        self.kills.fetch_add(1, Ordering::Relaxed);
    }

    pub fn took_memory(&self, kilobytes: u64) {
        self.memory_kb.fetch_max(kilobytes, Ordering::Relaxed);
    }

    pub fn stalled(&self, time: Duration) {
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.stall_ms.fetch_max(ms, Ordering::Relaxed);
    }

    /// What somebody can read holds no secret. The first time is kept: it may be another thread that sees it.
    pub fn is_shown(&self, place: &str, text: &[u8]) {
        let secret = CANARY.as_bytes();
        if text.windows(secret.len()).any(|part| part == secret) {
            let _ = self.leak.set(place.to_owned());
        }
    }
}
