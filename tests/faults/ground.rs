//! What a fault works with: its random numbers, its figures, and how much it is to do.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::job::Job;
use crate::pipeline::Pipeline;
use crate::process::Finished;
use crate::servers::Servers;
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
    servers: &'static Servers,
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
    memory: Mutex<BTreeMap<Job, u64>>,
}

impl Ground {
    pub fn new(servers: &'static Servers, size: Size, seed: u64, fault: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        (seed, fault).hash(&mut hasher);
        Self {
            rng: StdRng::seed_from_u64(hasher.finish()),
            figures: Arc::default(),
            skipped: None,
            servers,
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

    pub fn rounds(&mut self, short: u32, full: u32) -> impl Iterator<Item = u32> + use<> {
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

    pub fn memory(&self, job: Job, kilobytes: u64) {
        let mut memory = self.memory.lock().expect("the figures");
        let peak = memory.entry(job).or_default();
        *peak = kilobytes.max(*peak);
    }

    /// The largest of all runs, in kilobytes.
    pub fn peak_memory(&self) -> u64 {
        let memory = self.memory.lock().expect("the figures");
        memory.values().copied().max().unwrap_or(0)
    }

    pub fn stalled(&self, time: Duration) {
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.stall_ms.fetch_max(ms, Ordering::Relaxed);
    }

    /// No secret is in what a run has said.
    pub fn said(&self, done: &Finished) {
        assert!(
            !done.texts().contains(CANARY),
            "a secret is in the log or the result"
        );
    }
}
