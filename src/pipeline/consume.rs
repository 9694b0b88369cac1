//! The one loop of the consuming jobs: read, work, settle, commit.
//!
//! Runs on a thread of its own and does not wait for a sink, so that the membership in the consumer group lives on while a server is slow:
//! when there is no room for more, the partitions are paused and the polling goes on.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use log::{debug, info};

use super::bounds::{Bounds, End};
use super::record::Record;
use super::source::{Event, Source};
use super::work::{Room, Work};
use crate::error::{Error, Kind, Result};
use crate::shutdown::Shutdown;

const COMMIT_INTERVAL: Duration = Duration::from_secs(1);
const PROGRESS_INTERVAL: Duration = Duration::from_secs(10);
/// How long a full sink is waited for before the partitions are paused (which throws away what librdkafka has fetched ahead).
const PATIENCE: Duration = Duration::from_millis(500);
/// How long what is in flight may take when a signal ends the run or partitions move on. With the rest of an end it stays below 10 s.
const FINISH_WITHIN: Duration = Duration::from_secs(7);
const IDLE_POLL: Duration = Duration::from_millis(50);
/// How often a run whose own part is read asks what the other members of its group have settled.
const ASK_OTHERS_INTERVAL: Duration = Duration::from_millis(500);

pub fn consume<S: Source, W: Work>(
    source: &mut S,
    work: &mut W,
    bounds: &mut Bounds,
    shutdown: &Shutdown,
) -> Result<End> {
    let outcome = Loop {
        shutdown,
        source,
        work,
        bounds,
        full_since: None,
        paused: false,
        asked_others: None,
        ends_doubted: BTreeSet::new(),
    }
    .run();
    // Whatever ended the loop: what is in flight is finished, and what has settled is committed.
    let finished = finish(work, outcome.is_err(), shutdown);
    let committed = source.commit(&work.positions(), true);
    let end = outcome?;
    finished?;
    committed?;
    // A run that is stopped has not come to its end.
    if end != End::Stopped {
        work.tally().check(bounds.max_dead_letters(), true)?;
    }
    info!("ends: {}; {}", end.as_str(), work.progress());
    Ok(end)
}

/// An end of the run's own waits for everything; a stop, or a failure, for a short time only.
fn finish<W: Work>(work: &mut W, failed: bool, shutdown: &Shutdown) -> Result<()> {
    let short = Cell::new((failed || shutdown.is_requested()).then(Instant::now));
    work.finish(&|| {
        if short.get().is_none() && shutdown.is_requested() {
            short.set(Some(Instant::now()));
        }
        short
            .get()
            .is_some_and(|since| since.elapsed() >= FINISH_WITHIN)
    })
}

struct Loop<'a, S, W> {
    shutdown: &'a Shutdown,
    source: &'a mut S,
    work: &'a mut W,
    bounds: &'a mut Bounds,
    full_since: Option<Instant>,
    paused: bool,
    /// Since our own part is read.
    asked_others: Option<Instant>,
    ends_doubted: BTreeSet<i32>,
}

impl<S: Source, W: Work> Loop<'_, S, W> {
    fn run(mut self) -> Result<End> {
        let mut last_commit = Instant::now();
        let mut last_progress = Instant::now();
        loop {
            let now = Instant::now();
            if self.shutdown.is_requested() {
                return Ok(End::Stopped);
            }
            if let Some(end) = self.bounds.end(now) {
                return Ok(end);
            }
            self.ask_others()?;
            let idle = self.step()?;
            self.make_room(idle)?;
            if now.duration_since(last_commit) >= COMMIT_INTERVAL {
                self.source.commit(&self.work.positions(), false)?;
                last_commit = now;
            }
            if now.duration_since(last_progress) >= PROGRESS_INTERVAL {
                match self.asked_others {
                    None => info!(
                        "{}, {} to go",
                        self.work.progress(),
                        self.bounds.remaining()
                    ),
                    Some(_) => info!(
                        "{}, waits for partitions {:?} of other members of its group",
                        self.work.progress(),
                        self.bounds.awaited()
                    ),
                }
                last_progress = now;
            }
        }
    }

    /// Takes some of what is at hand, with records only when there is room. Says whether nothing (more) was at hand.
    fn step(&mut self) -> Result<bool> {
        let full = self.full_since.is_some();
        if full && !self.paused {
            return Ok(false);
        }
        let event = match self.next(Duration::ZERO)? {
            // Nothing at hand: send what is gathered before waiting for more.
            Event::Nothing => {
                self.work.turn(true, false)?;
                self.next(IDLE_POLL)?
            }
            event => event,
        };
        match event {
            Event::Nothing => return Ok(true),
            Event::Records => {}
            Event::EndOfPartition(partition) => self.end_of_partition(partition)?,
            Event::Assigned(partitions) => self.assigned(&partitions)?,
            Event::Revoked { partitions, lost } => self.revoked(&partitions, lost)?,
        }
        Ok(false)
    }

    fn next(&mut self, timeout: Duration) -> Result<Event> {
        let Self {
            source,
            work,
            bounds,
            shutdown,
            ..
        } = self;
        let max_dead_letters = bounds.max_dead_letters();
        let mut beyond = None;
        let met = source.next(timeout, &mut |record: &Record<'_>| {
            if bounds.admits(record.partition, record.offset) {
                work.record(record)?;
                bounds.consumed(record.partition, record.offset);
                work.tally().check(max_dead_letters, false)?;
            } else if !bounds.is_read(record.partition) {
                beyond = Some(record.partition);
            }
            // A stop is met between two records: one that could not be read because of it must be the last.
            let enough = beyond.is_some()
                || shutdown.is_requested()
                || bounds.is_enough()
                || work.room() == Room::Full;
            Ok(flow(!enough))
        });
        // Also when the source has failed: what it has handed over before may be gone when it is asked the next time.
        let settled = work.settle(&|tally| {
            tally.check(max_dead_letters, false)?;
            Ok(flow(!shutdown.is_requested()))
        });
        if settled?.is_break() {
            // There are records below whatever was met behind them.
            return Ok(Event::Records);
        }
        let event = met?;
        if let Some(partition) = beyond {
            self.beyond_the_run(partition)?;
        }
        Ok(event)
    }

    fn end_of_partition(&mut self, partition: i32) -> Result<()> {
        match self.is_end_of_the_run(partition) {
            Ok(false) => return Ok(()),
            Ok(true) => {}
            // A service has no end to be exact about, and lives through a broker that is away.
            Err(error) if self.bounds.follows() && error.kind() == Kind::Unavailable => {
                debug!("{error}; going on");
            }
            Err(error) => return Err(error),
        }
        self.bounds.end_of_partition(partition);
        Ok(())
    }

    /// The end is that of the log as the broker knew it that was asked: one that has just become the leader, or a follower, may be behind. So
    /// an end that leaves a gap below the target is believed when it comes again after the leader has told its own.
    fn is_end_of_the_run(&mut self, partition: i32) -> Result<bool> {
        let target = self.bounds.target(partition);
        if self.bounds.is_read(partition) || self.is_settled(partition, target)? {
            return Ok(true);
        }
        if self.ends_doubted.remove(&partition) {
            self.work.end_of_partition(partition, target);
            return Ok(true);
        }
        let latest = self.source.latest(partition)?;
        if latest < target {
            return Err(shorter(partition, target, latest));
        }
        self.ends_doubted.insert(partition);
        self.source.tell_end_again(partition)?;
        Ok(false)
    }

    /// A record that came after the start of the run: nothing that belongs to it is left to come from the partition.
    fn beyond_the_run(&mut self, partition: i32) -> Result<()> {
        let target = self.bounds.target(partition);
        if !self.is_settled(partition, target)? {
            self.work.end_of_partition(partition, target);
        }
        self.bounds.end_of_partition(partition);
        Ok(())
    }

    /// With nothing read, only the group knows how far it is: maybe beyond what was the end when this run began.
    fn is_settled(&mut self, partition: i32, target: i64) -> Result<bool> {
        if target == 0 {
            return Ok(true);
        }
        let by_the_group = match self.work.kept(&[partition])? {
            Some(kept) => kept,
            None => self.source.committed(&[partition])?,
        };
        Ok(by_the_group.iter().any(|&(_, offset)| offset >= target))
    }

    /// What is kept and committed: a member may have died between the two, and then its partition is still to come to us.
    fn settled_by_others(&mut self, partitions: &[i32]) -> Result<Vec<(i32, i64)>> {
        let committed = self.source.committed(partitions)?;
        let Some(kept) = self.work.kept(partitions)? else {
            return Ok(committed);
        };
        let kept: BTreeMap<i32, i64> = kept.into_iter().collect();
        let both =
            |(partition, offset): (i32, i64)| Some((partition, offset.min(*kept.get(&partition)?)));
        Ok(committed.into_iter().filter_map(both).collect())
    }

    /// A run is over when the group has settled everything up to its bounds, and not when our own part is read: the rest may be with a
    /// member that is dead, and that the group has not missed yet. It comes to us then.
    fn ask_others(&mut self) -> Result<()> {
        if !self.bounds.is_own_part_read() {
            self.asked_others = None;
            return Ok(());
        }
        match self.asked_others {
            Some(asked) if asked.elapsed() < ASK_OTHERS_INTERVAL => return Ok(()),
            Some(_) => {}
            None => {
                // What the others wait for is told soon, and not with the next commit in turn.
                let deadline = Instant::now() + FINISH_WITHIN;
                let shutdown = self.shutdown;
                self.work
                    .finish(&|| shutdown.is_requested() || Instant::now() >= deadline)?;
                self.source.commit(&self.work.positions(), false)?;
                debug!("its own part is read");
            }
        }
        let awaited = self.bounds.awaited();
        match self.settled_by_others(&awaited) {
            Ok(settled) => self.bounds.settled(settled),
            Err(error) if error.kind() == Kind::Unavailable => {
                debug!("{error}; asking again");
            }
            Err(error) => return Err(error),
        }
        self.asked_others = Some(Instant::now());
        Ok(())
    }

    /// Lets the work send and settle; pauses and resumes the source by the room it has.
    fn make_room(&mut self, idle: bool) -> Result<()> {
        let wait = self.full_since.is_some();
        match (self.work.turn(idle, wait)?, self.full_since) {
            (Room::Free, None) => {}
            (Room::Free, Some(_)) => {
                self.full_since = None;
                if std::mem::take(&mut self.paused) {
                    debug!("there is room again: reading on");
                    self.source.pause(false)?;
                }
            }
            (Room::Full, None) => self.full_since = Some(Instant::now()),
            (Room::Full, Some(since)) => {
                if !self.paused && since.elapsed() >= PATIENCE {
                    debug!("the sink is slower than the topic: pausing");
                    self.source.pause(true)?;
                    self.paused = true;
                }
            }
        }
        Ok(())
    }

    fn assigned(&mut self, partitions: &[i32]) -> Result<()> {
        info!("takes over partitions {partitions:?}");
        let starts = self.work.assigned(partitions)?;
        self.source.take(&starts)?;
        self.bounds.assigned(partitions.iter().copied());
        Ok(())
    }

    fn revoked(&mut self, partitions: &[i32], lost: bool) -> Result<()> {
        info!(
            "hands on partitions {partitions:?}{}",
            if lost { ", which are lost already" } else { "" }
        );
        if !lost {
            let deadline = Instant::now() + FINISH_WITHIN;
            self.work.finish(&|| Instant::now() >= deadline)?;
            self.source.commit(&self.work.positions(), true)?;
        }
        for partition in partitions {
            self.ends_doubted.remove(partition);
        }
        self.work.revoked(partitions);
        self.bounds.revoked(partitions.iter().copied());
        self.source.release(partitions)
    }
}

fn flow(goes_on: bool) -> ControlFlow<()> {
    match goes_on {
        true => ControlFlow::Continue(()),
        false => ControlFlow::Break(()),
    }
}

fn shorter(partition: i32, target: i64, latest: i64) -> Error {
    Error::configuration(format!(
        "partition {partition} ended at offset {target} when the run began and ends at {latest} now: the topic was made anew, or its broker \
         has lost records"
    ))
    .hint("compare what is stored with what is landed; where the topic was made anew, run the job again under another --group-id")
}

/// The error of a task that did not come back.
pub(super) fn lost_task() -> Error {
    Error::bug("a task ended without telling its result")
}
