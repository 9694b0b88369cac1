//! A source whose events a test writes in their order, and a store that waits for the test's permission.

use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use streamflow::error::{Error, Result};
use streamflow::pipeline::batch::Limits;
use streamflow::pipeline::bounds::{self, Bounds, End};
use streamflow::pipeline::consume::consume;
use streamflow::pipeline::dead_letter::DeadLetters;
use streamflow::pipeline::outcome::Outcome;
use streamflow::pipeline::record::Record;
use streamflow::pipeline::source::{Event, Source, Start};
use streamflow::pipeline::store::{Flow, Store, StoreEach};
use streamflow::rejection::Rejection;
use streamflow::shutdown::{self, Shutdown};
use tokio::sync::Semaphore;

use crate::pipeline_store::runtime;

/// What the source gives next.
pub enum Step {
    Tell(Event),
    Record(i64),
    /// Records without end, from this offset on.
    Records(i64),
}

/// What the source was told.
#[derive(Debug, PartialEq, Eq)]
pub enum Told {
    Pause(bool),
    /// It is asked while it is paused: the membership in the group lives on.
    AskedWhilePaused,
    /// What has the group committed of these partitions?
    WhatIsCommitted(Vec<i32>),
}

/// Offsets after the last records, by partition.
pub type Latest = BTreeMap<i32, i64>;

/// Records of partition 0 of a topic, given out as written.
struct Script {
    steps: VecDeque<Step>,
    paused: bool,
    told: Sender<Told>,
    committed: Arc<Mutex<Vec<(i32, i64)>>>,
    latest: Latest,
    by_others: Arc<Mutex<Latest>>,
}

impl Source for Script {
    fn next(
        &mut self,
        timeout: Duration,
        on_record: &mut dyn FnMut(&Record<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<Event> {
        if self.paused {
            let _ = self.told.send(Told::AskedWhilePaused);
            std::thread::sleep(timeout);
            return Ok(Event::Nothing);
        }
        let offset = match self.steps.pop_front() {
            None => {
                std::thread::sleep(timeout);
                return Ok(Event::Nothing);
            }
            Some(Step::Tell(event)) => return Ok(event),
            Some(Step::Record(offset)) => offset,
            Some(Step::Records(offset)) => {
                self.steps.push_front(Step::Records(offset + 1));
                offset
            }
        };
        let _ = on_record(&Record {
            topic: "user_created",
            partition: 0,
            offset,
            timestamp_ms: 0,
            key: None,
            value: None,
            read_sequence: &|| None,
        })?;
        Ok(Event::Records)
    }

    fn take(&mut self, _partitions: &[(i32, Start)]) -> Result<()> {
        Ok(())
    }

    fn release(&mut self, _partitions: &[i32]) -> Result<()> {
        Ok(())
    }

    fn commit(&mut self, positions: &[(i32, i64)], _wait: bool) -> Result<()> {
        self.committed.lock().unwrap().extend(positions);
        Ok(())
    }

    fn committed(&mut self, partitions: &[i32]) -> Result<Vec<(i32, i64)>> {
        let _ = self.told.send(Told::WhatIsCommitted(partitions.to_vec()));
        let by_others = self.by_others.lock().unwrap();
        let told = partitions
            .iter()
            .filter_map(|it| Some((*it, *by_others.get(it)?)));
        Ok(told.collect())
    }

    fn tell_end_again(&mut self, partition: i32) -> Result<()> {
        // After what is written to come from there.
        let ours = |step: &Step| !matches!(step, Step::Record(_));
        let place = self.steps.iter().position(ours);
        let place = place.unwrap_or(self.steps.len());
        let end = Step::Tell(Event::EndOfPartition(partition));
        self.steps.insert(place, end);
        Ok(())
    }

    fn latest(&mut self, partition: i32) -> Result<i64> {
        Ok(self.latest[&partition])
    }

    fn pause(&mut self, paused: bool) -> Result<()> {
        self.paused = paused;
        let _ = self.told.send(Told::Pause(paused));
        Ok(())
    }
}

struct NoDeadLetters;

impl DeadLetters for NoDeadLetters {
    fn send(&mut self, _record: &Record<'_>, rejection: &Rejection) -> Result<()> {
        panic!("nothing is rejected here, but {rejection}");
    }

    fn acknowledged(&mut self, wait: Duration) -> Result<Vec<(i32, i64)>> {
        std::thread::sleep(wait);
        Ok(Vec::new())
    }

    fn in_flight(&self) -> usize {
        0
    }
}

/// Needs a permit for each batch, and refuses the one that holds `refused`.
struct Gate {
    permits: Arc<Semaphore>,
    refused: Option<i64>,
    stored: Arc<Mutex<Vec<i64>>>,
}

impl Store<i64> for Gate {
    async fn store(&self, rows: Vec<i64>) -> Result<()> {
        self.permits.acquire().await.unwrap().forget();
        if self.refused.is_some_and(|refused| rows.contains(&refused)) {
            return Err(Error::denied("the store refuses a row"));
        }
        self.stored.lock().unwrap().extend(rows);
        Ok(())
    }
}

const FLOW: Flow = Flow {
    batch: Limits {
        rows: 3,
        bytes: 1_000,
    },
    batches_in_flight: 2,
    batches_waiting: 2,
    dead_letters_in_flight: 2,
};

/// A run, and what can be seen of it from outside.
pub struct Bench {
    pub permits: Arc<Semaphore>,
    pub stored: Arc<Mutex<Vec<i64>>>,
    /// What other members have committed.
    pub by_others: Arc<Mutex<Latest>>,
    committed: Arc<Mutex<Vec<(i32, i64)>>>,
    told: Receiver<Told>,
    run: std::thread::JoinHandle<Result<End>>,
}

pub fn begin(
    steps: impl IntoIterator<Item = Step>,
    (limits, latest): (bounds::Limits, Latest),
    gate: (usize, Option<i64>),
    shutdown: Shutdown,
) -> Bench {
    begin_on(latest.clone(), steps, (limits, latest), gate, shutdown)
}

/// The group has committed some offsets before the run begins.
pub fn begin_settled(
    steps: impl IntoIterator<Item = Step>,
    (limits, targets): (bounds::Limits, Latest),
    settled: Latest,
) -> Bench {
    let by_others = Arc::new(Mutex::new(settled.clone()));
    let given = (targets.clone(), by_others);
    let gate = (usize::MAX >> 4, None);
    begin_with(given, steps, (limits, targets), gate, shutdown::channel().1)
}

/// The same on a topic that is not as it was when the run was given its bounds.
pub fn begin_on(
    latest: Latest,
    steps: impl IntoIterator<Item = Step>,
    bounds: (bounds::Limits, Latest),
    gate: (usize, Option<i64>),
    shutdown: Shutdown,
) -> Bench {
    begin_with((latest, Arc::default()), steps, bounds, gate, shutdown)
}

fn begin_with(
    (latest, by_others): (Latest, Arc<Mutex<Latest>>),
    steps: impl IntoIterator<Item = Step>,
    (limits, targets): (bounds::Limits, Latest),
    (permits, refused): (usize, Option<i64>),
    shutdown: Shutdown,
) -> Bench {
    let permits = Arc::new(Semaphore::new(permits));
    let (stored, committed) = (Arc::default(), Arc::default());
    let (sender, told) = mpsc::channel();
    let mut source = Script {
        steps: steps.into_iter().collect(),
        paused: false,
        told: sender,
        committed: Arc::clone(&committed),
        latest,
        by_others: Arc::clone(&by_others),
    };
    let store = Gate {
        permits: permits.clone(),
        refused,
        stored: Arc::clone(&stored),
    };
    let read = |record: &Record<'_>| Ok(Outcome::Keep((record.offset, 10)));
    let mut work = StoreEach::new(runtime().handle().clone(), read, store, NoDeadLetters, FLOW);
    let run = std::thread::spawn(move || {
        let mut bounds = Bounds::new(limits, targets, Instant::now());
        consume(&mut source, &mut work, &mut bounds, &shutdown)
    });
    Bench {
        permits,
        stored,
        by_others,
        committed,
        told,
        run,
    }
}

impl Bench {
    pub fn wait_until_told(&self, what: Told) {
        let patience = Duration::from_secs(20);
        while self
            .told
            .recv_timeout(patience)
            .expect("the source is told more")
            != what
        {}
    }

    pub fn committed(&self) -> Vec<(i32, i64)> {
        let mut committed = self.committed.lock().unwrap().clone();
        committed.dedup();
        committed
    }

    /// How it ended, what was stored, and what was committed last.
    pub fn end(self) -> (Result<End>, Vec<i64>, Option<(i32, i64)>) {
        let end = self.run.join().unwrap();
        let mut stored = self.stored.lock().unwrap().clone();
        stored.sort_unstable();
        let committed = self.committed.lock().unwrap().last().copied();
        (end, stored, committed)
    }
}
