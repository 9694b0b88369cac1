//! Stands around the source and the work of the loop, and tells what goes through it.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::Watch;
use crate::error::Result;
use crate::pipeline::offsets::{OffsetSpans, SettledOffsets};
use crate::pipeline::record::Record;
use crate::pipeline::source::{Event, Source, Start};
use crate::pipeline::tally::Tally;
use crate::pipeline::work::{Account, GoOn, Room, Work};

/// Ten times a second is as good as always for who looks every few seconds, and costs nothing.
const TELL_INTERVAL: Duration = Duration::from_millis(100);

pub struct Watched<T> {
    watch: Watch,
    inner: T,
    told: Option<Instant>,
    settled: SettledOffsets,
}

impl<T> Watched<T> {
    pub fn around(inner: T, watch: &Watch) -> Self {
        Self {
            watch: watch.clone(),
            inner,
            told: None,
            settled: SettledOffsets::default(),
        }
    }
}

impl<W: Work> Watched<W> {
    /// The work itself, with its last numbers told, and the offsets that it has settled.
    pub fn finished(self) -> (W, OffsetSpans) {
        self.watch.account(self.inner.account());
        let offsets = self.settled.spans(&self.inner.positions());
        (self.inner, offsets)
    }
}

impl<S: Source> Source for Watched<S> {
    fn next(
        &mut self,
        timeout: Duration,
        on_record: &mut dyn FnMut(&Record<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<Event> {
        let event = self.inner.next(timeout, on_record)?;
        match &event {
            Event::EndOfPartition(partition) => self.watch.end_of_partition(*partition),
            Event::Assigned(_) => self.watch.rebalanced(),
            Event::Nothing | Event::Records | Event::Revoked { .. } => {}
        }
        Ok(event)
    }

    fn take(&mut self, partitions: &[(i32, Start)]) -> Result<()> {
        self.inner.take(partitions)?;
        self.watch.assigned(partitions.iter().map(|it| it.0));
        Ok(())
    }

    fn release(&mut self, partitions: &[i32]) -> Result<()> {
        self.watch.released(partitions);
        self.inner.release(partitions)
    }

    fn commit(&mut self, positions: &[(i32, i64)], wait: bool) -> Result<()> {
        self.inner.commit(positions, wait)
    }

    fn committed(&mut self, partitions: &[i32]) -> Result<Vec<(i32, i64)>> {
        self.inner.committed(partitions)
    }

    fn latest(&mut self, partition: i32) -> Result<i64> {
        self.inner.latest(partition)
    }

    fn tell_end_again(&mut self, partition: i32) -> Result<()> {
        self.inner.tell_end_again(partition)
    }

    fn pause(&mut self, paused: bool) -> Result<()> {
        self.inner.pause(paused)?;
        self.watch.paused(paused);
        Ok(())
    }
}

impl<W: Work> Work for Watched<W> {
    fn assigned(&mut self, partitions: &[i32]) -> Result<Vec<(i32, Start)>> {
        let starts = self.inner.assigned(partitions)?;
        self.settled.assigned(&starts);
        Ok(starts)
    }

    fn record(&mut self, record: &Record<'_>) -> Result<()> {
        self.settled.record(record.partition, record.offset);
        self.inner.record(record)
    }

    fn settle(&mut self, go_on: &GoOn<'_>) -> Result<ControlFlow<()>> {
        self.inner.settle(go_on)
    }

    fn end_of_partition(&mut self, partition: i32, offset: i64) {
        self.inner.end_of_partition(partition, offset);
    }

    fn room(&self) -> Room {
        self.inner.room()
    }

    fn turn(&mut self, idle: bool, wait: bool) -> Result<Room> {
        let room = self.inner.turn(idle, wait)?;
        if self.watch.is_on() {
            let now = Instant::now();
            if self.told.is_none_or(|told| now - told >= TELL_INTERVAL) {
                self.watch.turned();
                self.watch.account(self.inner.account());
                self.told = Some(now);
            }
        }
        Ok(room)
    }

    /// The loop does not turn meanwhile; it asks whether to give up instead.
    fn finish(&mut self, give_up: &dyn Fn() -> bool) -> Result<()> {
        let Self { watch, inner, .. } = self;
        inner.finish(&|| {
            watch.turned();
            give_up()
        })
    }

    fn positions(&self) -> Vec<(i32, i64)> {
        self.inner.positions()
    }

    fn kept(&self, partitions: &[i32]) -> Result<Option<Vec<(i32, i64)>>> {
        self.inner.kept(partitions)
    }

    fn revoked(&mut self, partitions: &[i32]) {
        self.settled.ended(partitions, &self.inner.positions());
        self.inner.revoked(partitions);
    }

    fn progress(&self) -> String {
        self.inner.progress()
    }

    fn tally(&self) -> &Tally {
        self.inner.tally()
    }

    fn account(&self) -> Account {
        self.inner.account()
    }
}
