//! Work that writes each record on its own: many requests in flight, offsets settled when the server has acknowledged.

mod requests;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::batch::{Batch, Limits};
use super::dead_letter::DeadLetters;
use super::outcome::Outcome;
use super::record::Record;
use super::source::Start;
use super::tally::Tally;
use super::watermark::Watermark;
use super::work::{Account, Room, Work};
use crate::error::Result;
use requests::Requests;

/// A server that keeps rows. Writing the same row again must change nothing.
pub trait Store<T>: Send + Sync + 'static {
    /// Returns when all rows are durable by the consistency asked for; retries what can be retried.
    fn store(&self, rows: Vec<T>) -> impl Future<Output = Result<()>> + Send;
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub consumed: u64,
    pub stored: u64,
    pub filtered: u64,
    pub dead_lettered: u64,
}

impl Counts {
    /// Records that were read and have no end yet: a stop came first. They are read again by the next run.
    pub fn unsettled(&self) -> u64 {
        self.consumed - self.stored - self.filtered - self.dead_lettered
    }
}

/// With fewer requests in flight the server has little to do, and what is gathered is sent at once; else with what comes until it has
/// answered (as Nagle's algorithm does, RFC 896). A row for each request would cost it many times the work.
const PARTIAL_BATCHES_IN_FLIGHT: usize = 2;

/// How much may be in flight: with [`Limits`] this bounds the memory of a run.
#[derive(Debug, Clone, Copy)]
pub struct Flow {
    pub batch: Limits,
    pub batches_in_flight: usize,
    /// With so many full ones waiting for a request to be answered there is no room.
    pub batches_waiting: usize,
    pub dead_letters_in_flight: usize,
}

pub struct StoreEach<T, R, S, D> {
    runtime: tokio::runtime::Handle,
    /// From the record to a row and its size in bytes. An error ends the run, with the record open.
    read: R,
    store: Arc<S>,
    dead_letters: D,
    flow: Flow,
    batch: Batch<T>,
    requests: Arc<Requests<T>>,
    watermarks: BTreeMap<i32, Watermark>,
    counts: Counts,
    tally: Tally,
}

impl<T, R, S, D> StoreEach<T, R, S, D>
where
    T: Send + 'static,
    R: FnMut(&Record<'_>) -> Result<Outcome<(T, usize)>> + Send + 'static,
    S: Store<T>,
    D: DeadLetters,
{
    pub fn new(
        runtime: tokio::runtime::Handle,
        read: R,
        store: S,
        dead_letters: D,
        flow: Flow,
    ) -> Self {
        let requests = Requests::new(flow.batches_in_flight, flow.batches_waiting);
        Self {
            runtime,
            read,
            store: Arc::new(store),
            dead_letters,
            flow,
            batch: Batch::new(flow.batch),
            requests: Arc::new(requests),
            watermarks: BTreeMap::new(),
            counts: Counts::default(),
            tally: Tally::default(),
        }
    }

    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Sends what waits, as many at once as may be in flight; each request goes on with the next batch when it is answered.
    fn send(&self) {
        while let Some(mut full) = self.requests.begin() {
            let (store, requests) = (self.store.clone(), self.requests.clone());
            self.runtime.spawn(async move {
                loop {
                    let stored = store.store(full.rows).await;
                    match requests.answered(stored.map(|()| full.origins)) {
                        Some(next) => full = next,
                        None => return,
                    }
                }
            });
        }
    }

    fn settle(&mut self, origins: &[(i32, i64)]) {
        for run in origins.chunk_by(|one, next| one.0 == next.0) {
            let Some(watermark) = self.watermarks.get_mut(&run[0].0) else {
                continue;
            };
            run.iter().for_each(|&(_, offset)| watermark.settle(offset));
        }
    }

    /// Takes in what has completed; with a time, waits that long at most ([`Requests::answers`]).
    fn complete_all(&mut self, wait: Option<Duration>) -> Result<()> {
        let wait = wait.unwrap_or_default();
        let mut failed = Ok(());
        for answer in self.requests.answers(wait) {
            match answer {
                Ok(origins) => {
                    self.counts.stored += origins.len() as u64;
                    self.settle(&origins);
                }
                Err(error) => failed = failed.and(Err(error)),
            }
        }
        failed?;
        let wait = if self.requests.in_flight() == 0 {
            wait
        } else {
            Duration::ZERO
        };
        let letters = self.dead_letters.acknowledged(wait)?;
        self.counts.dead_lettered += letters.len() as u64;
        self.settle(&letters);
        Ok(())
    }

    /// Sends what is not full yet.
    fn send_gathered(&mut self) {
        if self.requests.is_halted() {
            return;
        }
        if let Some(gathered) = self.batch.take() {
            self.requests.wait_for_its_turn(gathered);
            self.send();
        }
    }

    fn is_pending(&self) -> bool {
        self.requests.is_pending() || self.dead_letters.in_flight() > 0
    }
}

impl<T, R, S, D> Work for StoreEach<T, R, S, D>
where
    T: Send + 'static,
    R: FnMut(&Record<'_>) -> Result<Outcome<(T, usize)>> + Send + 'static,
    S: Store<T>,
    D: DeadLetters,
{
    fn assigned(&mut self, partitions: &[i32]) -> Result<Vec<(i32, Start)>> {
        Ok(partitions
            .iter()
            .map(|&partition| (partition, Start::Committed))
            .collect())
    }

    fn record(&mut self, record: &Record<'_>) -> Result<()> {
        let watermark = self
            .watermarks
            .entry(record.partition)
            .or_insert_with(|| Watermark::starting_at(record.offset));
        if !watermark.begin(record.offset) {
            // Delivered again after a pause: it is in flight or settled already.
            return Ok(());
        }
        self.counts.consumed += 1;
        self.tally.consumed();
        match (self.read)(record)? {
            Outcome::Keep((row, bytes)) => {
                let full = self
                    .batch
                    .add(row, bytes, (record.partition, record.offset));
                if let Some(full) = full {
                    self.requests.wait_for_its_turn(full);
                    self.send();
                }
            }
            Outcome::Filter => {
                self.counts.filtered += 1;
                watermark.settle(record.offset);
            }
            Outcome::Reject(rejection) => {
                self.dead_letters.send(record, &rejection)?;
                self.tally.rejected(record, &rejection);
            }
            Outcome::Unread => {}
        }
        Ok(())
    }

    fn end_of_partition(&mut self, partition: i32, offset: i64) {
        self.watermarks
            .entry(partition)
            .or_insert_with(|| Watermark::starting_at(offset))
            .end(offset);
    }

    fn room(&self) -> Room {
        let full = self.requests.is_full()
            || self.dead_letters.in_flight() >= self.flow.dead_letters_in_flight;
        if full { Room::Full } else { Room::Free }
    }

    fn turn(&mut self, idle: bool, wait: bool) -> Result<Room> {
        self.complete_all(wait.then_some(Duration::from_millis(20)))?;
        if idle && self.requests.in_flight() < PARTIAL_BATCHES_IN_FLIGHT {
            self.send_gathered();
        }
        Ok(self.room())
    }

    fn finish(&mut self, give_up: &dyn Fn() -> bool) -> Result<()> {
        // No record comes that it could wait for.
        self.send_gathered();
        let mut outcome = Ok(());
        loop {
            if !self.is_pending() || give_up() {
                return outcome;
            }
            let completed = self.complete_all(Some(Duration::from_millis(5)));
            outcome = outcome.and(completed);
        }
    }

    fn positions(&self) -> Vec<(i32, i64)> {
        self.watermarks
            .iter()
            .map(|(&partition, watermark)| (partition, watermark.position()))
            .collect()
    }

    fn kept(&self, _partitions: &[i32]) -> Result<Option<Vec<(i32, i64)>>> {
        Ok(None)
    }

    fn revoked(&mut self, partitions: &[i32]) {
        for partition in partitions {
            self.watermarks.remove(partition);
        }
    }

    fn tally(&self) -> &Tally {
        &self.tally
    }

    fn progress(&self) -> String {
        let Counts {
            consumed,
            stored,
            filtered,
            dead_lettered,
        } = self.counts;
        format!(
            "consumed {consumed}, stored {stored}, filtered {filtered}, dead-lettered {dead_lettered}"
        )
    }

    fn account(&self) -> Account {
        let Counts {
            consumed,
            stored,
            filtered,
            dead_lettered,
        } = self.counts;
        Account {
            consumed,
            outcomes: vec![
                ("stored", stored),
                ("filtered", filtered),
                ("dead_lettered", dead_lettered),
            ],
            in_flight: self.counts.unsettled(),
            dead_letters_in_flight: self.dead_letters.in_flight(),
        }
    }
}
