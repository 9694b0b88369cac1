//! Work that counts: each partition has its own numbers, kept together with the offset that they cover in one atomic write.
//!
//! Because numbers and offset change together, a run that dies leaves both as they were, and the next one goes on from there: every record
//! is counted exactly once. A write is conditional on the offset it started from, so that a member that has lost its partition, and
//! does not know it yet, cannot put old numbers over new ones.

mod chunk;
mod open;
mod reading;

use std::collections::BTreeMap;
use std::future::Future;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::consume::lost_task;
use super::dead_letter::DeadLetters;
use super::outcome::Outcome;
use super::record::Record;
use super::sequence::HighWater;
use super::source::Start;
use super::tally::Tally;
use super::work::{Account, GoOn, Room, Work};
use crate::error::{Error, Result};
use open::Open;
use reading::{Job, Reading};

/// How long numbers may be ahead of what is written.
const WRITE_INTERVAL: Duration = Duration::from_secs(1);
/// Changed numbers of a partition are written before they take up more than this: below Cassandra's 50 KiB for a batch.
const MAX_CHANGE_BYTES: usize = 24_000;

/// `(dimension, value)`
pub type Key = (&'static str, String);

/// What is kept of one partition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// The offset of the next record to count; nothing when the partition was never counted.
    pub next_offset: Option<i64>,
    pub high_water: HighWater,
    pub counts: BTreeMap<Key, i64>,
}

/// One atomic step of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advance {
    pub partition: i32,
    /// The step is taken only if this is still the kept offset.
    pub from: Option<i64>,
    pub to: i64,
    pub high_water: HighWater,
    /// The new numbers of what has changed.
    pub counts: Vec<(Key, i64)>,
    /// How many records it covers.
    pub records: u64,
}

/// Where ledgers are kept.
pub trait Ledgers: Send + Sync + 'static {
    fn load(&self, partition: i32) -> impl Future<Output = Result<Ledger>> + Send;

    /// [`Ledger::next_offset`] alone.
    fn next_offset(&self, partition: i32) -> impl Future<Output = Result<Option<i64>>> + Send;

    /// Takes the step and says whether it was taken: false when the kept offset is another one. After a time-out it finds out which of
    /// the two happened.
    fn advance(&self, step: &Advance) -> impl Future<Output = Result<bool>> + Send;
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub consumed: u64,
    pub counted: u64,
    pub already_counted: u64,
    pub filtered: u64,
    pub dead_lettered: u64,
}

impl Counts {
    fn add(&mut self, other: Counts) {
        let Counts {
            consumed,
            counted,
            already_counted,
            filtered,
            dead_lettered,
        } = other;
        self.consumed += consumed;
        self.counted += counted;
        self.already_counted += already_counted;
        self.filtered += filtered;
        self.dead_lettered += dead_lettered;
    }
}

/// From a record to what it counts towards.
pub trait Read: Send + 'static {
    type Values: Values;

    /// Reads what needs nothing but the record, on any thread.
    fn alone(&self) -> ReadAlone<Self::Values>;

    /// Reads any record. An error ends the run.
    fn read(&mut self, record: &Record<'_>) -> Result<Outcome<Self::Values>>;
}

/// Nothing comes back for a record that needs more to be read.
pub type ReadAlone<V> = Box<dyn Fn(&Record<'_>) -> Option<Outcome<V>> + Send>;

/// What a record counts towards.
pub trait Values: Send + 'static {
    /// Tells dimension and value of each.
    fn each(&self, count: &mut dyn FnMut(&'static str, &str));
}

pub struct FoldEach<R: Read, L, D> {
    runtime: tokio::runtime::Handle,
    read: R,
    reading: Reading<R::Values>,
    ledgers: L,
    dead_letters: D,
    max_dead_letters_in_flight: usize,
    open: BTreeMap<i32, Open>,
    last_write: Instant,
    /// A dead letter was not delivered: nothing more is written, so that its record is read again.
    failed: bool,
    counts: Counts,
    tally: Tally,
}

impl<R: Read, L: Ledgers, D: DeadLetters> FoldEach<R, L, D> {
    pub fn new(
        runtime: tokio::runtime::Handle,
        read: R,
        ledgers: L,
        dead_letters: D,
        max_dead_letters_in_flight: usize,
    ) -> Self {
        Self {
            runtime,
            reading: Reading::by(&read),
            read,
            ledgers,
            dead_letters,
            max_dead_letters_in_flight,
            open: BTreeMap::new(),
            last_write: Instant::now(),
            failed: false,
            counts: Counts::default(),
            tally: Tally::default(),
        }
    }

    /// Of the records whose numbers are written.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    pub fn ledgers(&self) -> &L {
        &self.ledgers
    }

    /// Waits for the dead letters, then writes what has changed.
    fn write(&mut self, give_up: &dyn Fn() -> bool) -> Result<()> {
        self.last_write = Instant::now();
        if self.failed {
            return Ok(());
        }
        while self.dead_letters.in_flight() > 0 {
            if give_up() {
                return Ok(());
            }
            self.take_acknowledged(Duration::from_millis(20))?;
        }
        for (&partition, open) in &mut self.open {
            let Some(step) = open.step(partition) else {
                continue;
            };
            let taken = self.runtime.block_on(self.ledgers.advance(&step))?;
            if !taken {
                return Err(taken_over(partition));
            }
            self.counts.add(open.written(step));
        }
        Ok(())
    }

    /// Counts a record that was read alone, or else reads it first. Nothing may follow one that cannot be read now.
    fn count(
        &mut self,
        record: &Record<'_>,
        read_alone: Option<Outcome<R::Values>>,
    ) -> Result<ControlFlow<()>> {
        let open = self.open.get_mut(&record.partition).ok_or_else(lost_task)?;
        if record.offset < open.next_offset {
            return Ok(ControlFlow::Continue(()));
        }
        let (offset, sequence) = (record.offset, record.sequence());
        if !open.ledger.high_water.is_new(sequence) {
            self.tally.consumed();
            open.begin(offset, sequence).already_counted += 1;
            return Ok(ControlFlow::Continue(()));
        }
        // Before anything is changed.
        let outcome = match read_alone {
            Some(outcome) => outcome,
            None => self.read.read(record)?,
        };
        match outcome {
            Outcome::Unread => return Ok(ControlFlow::Break(())),
            Outcome::Keep(values) => {
                values.each(&mut |dimension, value| open.count(dimension, value));
                open.begin(offset, sequence).counted += 1;
            }
            Outcome::Filter => open.begin(offset, sequence).filtered += 1,
            Outcome::Reject(rejection) => {
                open.begin(offset, sequence);
                let sent = self.dead_letters.send(record, &rejection);
                self.failed |= sent.is_err();
                sent?;
                self.tally.rejected(record, &rejection);
            }
        }
        self.tally.consumed();
        if open.change_bytes >= MAX_CHANGE_BYTES {
            // A dead letter that is not delivered fails by itself.
            self.write(&|| false)?;
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Says whether all of them were counted.
    fn count_all(&mut self, job: &mut Job<R::Values>, go_on: &GoOn<'_>) -> Result<ControlFlow<()>> {
        let mut outcomes = job.outcomes.drain(..);
        job.chunk.each(
            |record| match self.count(record, outcomes.next().flatten())? {
                ControlFlow::Continue(()) => go_on(&self.tally),
                unread => Ok(unread),
            },
        )
    }

    fn take_acknowledged(&mut self, wait: Duration) -> Result<()> {
        let acknowledged = self.dead_letters.acknowledged(wait);
        self.failed |= acknowledged.is_err();
        for (partition, _) in acknowledged? {
            if let Some(open) = self.open.get_mut(&partition) {
                open.unwritten.dead_lettered += 1;
            }
        }
        Ok(())
    }
}

fn taken_over(partition: i32) -> Error {
    Error::unavailable(format!(
        "another member of the group has counted partition {partition} meanwhile; nothing of this run's last interval was written"
    ))
    .hint("run the job again: it goes on from what is written")
}

impl<R: Read, L: Ledgers, D: DeadLetters> Work for FoldEach<R, L, D> {
    fn assigned(&mut self, partitions: &[i32]) -> Result<Vec<(i32, Start)>> {
        let mut starts = Vec::with_capacity(partitions.len());
        for &partition in partitions {
            let ledger = self.runtime.block_on(self.ledgers.load(partition))?;
            // Whatever the group has committed: the numbers are the truth.
            starts.push((
                partition,
                ledger.next_offset.map_or(Start::Beginning, Start::At),
            ));
            let next_offset = ledger.next_offset.unwrap_or(0);
            self.open.insert(partition, Open::new(ledger, next_offset));
        }
        Ok(starts)
    }

    fn record(&mut self, record: &Record<'_>) -> Result<()> {
        self.reading.gather(record)
    }

    fn settle(&mut self, go_on: &GoOn<'_>) -> Result<ControlFlow<()>> {
        while let Some(mut job) = self.reading.next()? {
            let counted = self.count_all(&mut job, go_on);
            self.reading.reuse(job);
            if !matches!(counted, Ok(ControlFlow::Continue(()))) {
                let forgotten = self.reading.forget();
                return counted.and_then(|flow| forgotten.map(|()| flow));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn end_of_partition(&mut self, partition: i32, offset: i64) {
        if let Some(open) = self.open.get_mut(&partition) {
            open.next_offset = open.next_offset.max(offset);
        }
    }

    fn room(&self) -> Room {
        let full = self.dead_letters.in_flight() >= self.max_dead_letters_in_flight;
        if full { Room::Full } else { Room::Free }
    }

    fn turn(&mut self, _idle: bool, wait: bool) -> Result<Room> {
        let full = self.room() == Room::Full;
        let wait = Duration::from_millis(if full && wait { 20 } else { 0 });
        self.take_acknowledged(wait)?;
        if self.last_write.elapsed() >= WRITE_INTERVAL && self.dead_letters.in_flight() == 0 {
            self.write(&|| true)?;
        }
        Ok(self.room())
    }

    fn finish(&mut self, give_up: &dyn Fn() -> bool) -> Result<()> {
        self.write(give_up)
    }

    fn positions(&self) -> Vec<(i32, i64)> {
        let written =
            |(&partition, open): (&i32, &Open)| Some((partition, open.ledger.next_offset?));
        self.open.iter().filter_map(written).collect()
    }

    /// The ledgers are the truth here, too.
    fn kept(&self, partitions: &[i32]) -> Result<Option<Vec<(i32, i64)>>> {
        let mut kept = Vec::with_capacity(partitions.len());
        for &partition in partitions {
            let offset = self.runtime.block_on(self.ledgers.next_offset(partition))?;
            kept.extend(offset.map(|offset| (partition, offset)));
        }
        Ok(Some(kept))
    }

    fn revoked(&mut self, partitions: &[i32]) {
        for partition in partitions {
            self.open.remove(partition);
        }
    }

    fn tally(&self) -> &Tally {
        &self.tally
    }

    fn progress(&self) -> String {
        let Counts {
            consumed,
            counted,
            already_counted,
            filtered,
            dead_lettered,
        } = self.open.values().fold(self.counts, |mut all, open| {
            all.add(open.unwritten);
            all
        });
        format!(
            "consumed {consumed}, counted {counted}, already counted {already_counted}, filtered {filtered}, dead-lettered {dead_lettered}"
        )
    }

    /// What is not written is in flight: it is counted again when it is not written in the end.
    fn account(&self) -> Account {
        let Counts {
            consumed,
            counted,
            already_counted,
            filtered,
            dead_lettered,
        } = self.counts;
        Account {
            consumed,
            outcomes: vec![
                ("counted", counted),
                ("already_counted", already_counted),
                ("filtered", filtered),
                ("dead_lettered", dead_lettered),
            ],
            in_flight: self.open.values().map(|it| it.unwritten.consumed).sum(),
            dead_letters_in_flight: self.dead_letters.in_flight(),
        }
    }
}
