//! What a job does with the records: what the loop asks of it.

use std::ops::ControlFlow;

use super::record::Record;
use super::source::Start;
use super::tally::Tally;
use crate::error::Result;

/// Whether more records may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    Free,
    Full,
}

/// The numbers of a run so far, for who watches it. Those of the outcomes never become smaller.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    pub consumed: u64,
    /// What became of the records, in the words of the job.
    pub outcomes: Vec<(&'static str, u64)>,
    /// Records that have no outcome yet.
    pub in_flight: u64,
    pub dead_letters_in_flight: usize,
}

/// Whether a record may follow, after what was consumed so far: an error ends the run.
pub type GoOn<'a> = dyn Fn(&Tally) -> Result<ControlFlow<()>> + 'a;

pub trait Work: Send + 'static {
    /// Partitions become ours; says from where each is read.
    fn assigned(&mut self, partitions: &[i32]) -> Result<Vec<(i32, Start)>>;

    /// Takes one record, or only gathers it until [`Work::settle`]. Waits for no sink; only for what is needed to read the record at all,
    /// seldom and for a bounded time.
    fn record(&mut self, record: &Record<'_>) -> Result<()>;

    /// Called after the records that were at hand, and before whatever was met behind them. Takes those that were only gathered, in their
    /// order, and asks after each whether the next one may be taken. Says whether all of them were: what was not is read by the next run, and
    /// nothing may follow it.
    fn settle(&mut self, _go_on: &GoOn<'_>) -> Result<ControlFlow<()>> {
        Ok(ControlFlow::Continue(()))
    }

    /// No record is left to come below this offset, and the last ones there may belong to no record (those of transactions, or removed by
    /// compaction or age): what is kept may go up to it when all below has settled.
    fn end_of_partition(&mut self, partition: i32, offset: i64);

    /// Whether the next record may come, as far as that is known without a turn.
    fn room(&self) -> Room;

    /// Called between records, and with `idle` when none is at hand. Takes completions in, sends what is due; with `wait`, may block
    /// shortly for a completion.
    fn turn(&mut self, idle: bool, wait: bool) -> Result<Room>;

    /// Finishes what is in flight, unless it is told to give up before: then the rest stays unsettled. A server that is away ends it with
    /// an error after the patience of the sink.
    fn finish(&mut self, give_up: &dyn Fn() -> bool) -> Result<()>;

    /// The offsets that may be committed now, of all partitions of ours.
    fn positions(&self) -> Vec<(i32, i64)>;

    /// How far any member has settled these partitions, where that is kept elsewhere than in the offsets that the group commits.
    fn kept(&self, partitions: &[i32]) -> Result<Option<Vec<(i32, i64)>>>;

    /// These partitions are ours no longer.
    fn revoked(&mut self, partitions: &[i32]);

    /// What was consumed, and what of it was rejected.
    fn tally(&self) -> &Tally;

    /// One line of numbers for the log while the run goes on.
    fn progress(&self) -> String;

    fn account(&self) -> Account;
}
