//! Where records come from: what the loop asks of a consumer. The Kafka one is in `source/kafka`.

use std::ops::ControlFlow;
use std::time::Duration;

use super::record::Record;
use crate::error::Result;

/// What a call of [`Source::next`] met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Nothing arrived within the time given.
    Nothing,
    /// Records were handed over, and nothing else was met.
    Records,
    /// The partition is read up to its end, for now.
    EndOfPartition(i32),
    /// These partitions are to be taken over: answer with [`Source::take`].
    Assigned(Vec<i32>),
    /// These partitions are to be handed on: answer with [`Source::release`]. When they are lost already, nothing of them may be
    /// committed any more.
    Revoked { partitions: Vec<i32>, lost: bool },
}

/// From where a partition is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Where the group has committed, or else at the beginning.
    Committed,
    Beginning,
    /// Here, and nowhere else: an error when the partition does not reach as far.
    At(i64),
}

pub trait Source: Send + 'static {
    /// Waits up to `timeout` for something. Records that are at hand go to `on_record`, up to about a thousand, until it says that it is enough
    /// (the next one comes with the next call) or fails (its error comes back), or something else than a record is met.
    fn next(
        &mut self,
        timeout: Duration,
        on_record: &mut dyn FnMut(&Record<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<Event>;

    fn take(&mut self, partitions: &[(i32, Start)]) -> Result<()>;

    fn release(&mut self, partitions: &[i32]) -> Result<()>;

    /// Commits offsets of next records. Without `wait`, an error is only logged: the next commit covers it.
    fn commit(&mut self, positions: &[(i32, i64)], wait: bool) -> Result<()>;

    /// What the group has committed; partitions of which it has committed nothing are left out.
    fn committed(&mut self, partitions: &[i32]) -> Result<Vec<(i32, i64)>>;

    /// The offset after the last record of a partition, as it is now.
    fn latest(&mut self, partition: i32) -> Result<i64>;

    /// Lets [`Event::EndOfPartition`] come once more, after whatever is there to read.
    fn tell_end_again(&mut self, partition: i32) -> Result<()>;

    /// Stops or restarts the flow of records while the membership of the group lives on, of the partitions that are taken later, too.
    fn pause(&mut self, paused: bool) -> Result<()>;
}
