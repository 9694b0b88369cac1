//! Twins in memory of what the loop holds in its hands: the member of a consumer group, and dead letters. A die decides what happens next.
//!
//! The twin of the member checks on every commit that nothing below the committed offset is still unsafe.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::ControlFlow;
use std::time::Duration;

use streamflow::error::{Error, Result};
use streamflow::pipeline::dead_letter::DeadLetters;
use streamflow::pipeline::record::Record;
use streamflow::pipeline::source::{Event, Source, Start};
use streamflow::rejection::Rejection;

use crate::pipeline_world::{Die, Kept, World};

/// How often things happen, as one in so many; 0 for never.
#[derive(Debug, Clone, Copy, Default)]
pub struct Weather {
    pub rebalance_one_in: u64,
    pub nothing_one_in: u64,
    pub failure_one_in: u64,
    /// The source fails behind the records that it has handed over with the same call.
    pub break_off_one_in: u64,
    /// The process dies after so many calls of `next`.
    pub crash_after: Option<u64>,
}

/// A member of the consumer group.
pub struct TwinSource {
    world: World,
    die: Die,
    weather: Weather,
    positions: BTreeMap<i32, i64>,
    starts: BTreeMap<i32, i64>,
    ends_told: BTreeSet<i32>,
    away: VecDeque<i32>,
    begun: bool,
    paused: bool,
    calls: u64,
}

impl TwinSource {
    pub fn new(world: &World, die: Die, weather: Weather) -> Self {
        world.lock().ours.clear();
        Self {
            world: world.clone(),
            die,
            weather,
            positions: BTreeMap::new(),
            starts: BTreeMap::new(),
            ends_told: BTreeSet::new(),
            away: VecDeque::new(),
            begun: false,
            paused: false,
            calls: 0,
        }
    }

    fn rebalance(&mut self) -> Option<Event> {
        if !self.begun {
            self.begun = true;
            let partitions: Vec<i32> = self.world.lock().topic.keys().copied().collect();
            return Some(Event::Assigned(partitions));
        }
        if let Some(partition) = self.away.pop_front() {
            return Some(Event::Assigned(vec![partition]));
        }
        let held: Vec<i32> = self.positions.keys().copied().collect();
        if held.is_empty() || !self.die.one_in(self.weather.rebalance_one_in) {
            return None;
        }
        let leaving = |partition: &i32| (partition + self.calls as i32) % 2 == 0 || held.len() == 1;
        let partitions: Vec<i32> = held.iter().copied().filter(leaving).collect();
        let lost = self.die.one_in(3);
        if lost {
            let mut servers = self.world.lock();
            servers.ours.retain(|it| !partitions.contains(it));
        }
        Some(Event::Revoked { partitions, lost })
    }

    /// Behind what it has handed over.
    pub fn position(&self, partition: i32) -> i64 {
        self.positions[&partition]
    }

    /// The next record of one of the partitions, if it has any left.
    fn next_of_any(&mut self) -> (i32, Option<Kept>) {
        let place = self.die.roll(self.positions.len() as u64) as usize;
        let (&partition, &position) = self.positions.iter().nth(place).unwrap();
        let servers = self.world.lock();
        let mut records = servers.topic[&partition].iter();
        let next = records.find(|kept| kept.offset >= position);
        (partition, next.cloned())
    }
}

impl Source for TwinSource {
    fn next(
        &mut self,
        _timeout: Duration,
        on_record: &mut dyn FnMut(&Record<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<Event> {
        self.calls += 1;
        if self
            .weather
            .crash_after
            .is_some_and(|calls| self.calls > calls)
        {
            self.world.lock().crashed = true;
            return Err(Error::unavailable("the process is dead"));
        }
        if let Some(event) = self.rebalance() {
            return Ok(event);
        }
        if self.paused || self.positions.is_empty() || self.die.one_in(self.weather.nothing_one_in)
        {
            return Ok(Event::Nothing);
        }
        let at_hand = match self.die.one_in(2) {
            true => 1,
            false => 1 + self.die.roll(400),
        };
        for number in 0..at_hand {
            let (partition, kept) = self.next_of_any();
            let Some(kept) = kept else {
                return Ok(match (number, self.ends_told.insert(partition)) {
                    (_, true) => Event::EndOfPartition(partition),
                    (0, false) => Event::Nothing,
                    (_, false) => Event::Records,
                });
            };
            self.positions.insert(partition, kept.offset + 1);
            let go_on = on_record(&Record {
                topic: "user_created",
                partition,
                offset: kept.offset,
                timestamp_ms: 1_700_000_000_000,
                key: None,
                value: Some(kept.value()),
                read_sequence: &|| kept.sequence,
            })?;
            if go_on.is_break() {
                break;
            }
        }
        if self.die.one_in(self.weather.break_off_one_in) {
            return Err(Error::unavailable("the broker is away"));
        }
        Ok(Event::Records)
    }

    fn take(&mut self, partitions: &[(i32, Start)]) -> Result<()> {
        let mut servers = self.world.lock();
        for &(partition, start) in partitions {
            let committed = servers.committed.get(&partition).copied().unwrap_or(0);
            let position = match start {
                Start::Committed => committed,
                Start::Beginning => 0,
                Start::At(offset) => offset,
            };
            servers.ours.insert(partition);
            self.positions.insert(partition, position);
            self.starts.insert(partition, position);
            self.ends_told.remove(&partition);
        }
        Ok(())
    }

    fn release(&mut self, partitions: &[i32]) -> Result<()> {
        let mut servers = self.world.lock();
        for partition in partitions {
            self.positions.remove(partition);
            servers.ours.remove(partition);
            self.away.push_back(*partition);
        }
        Ok(())
    }

    fn commit(&mut self, positions: &[(i32, i64)], _wait: bool) -> Result<()> {
        for &(partition, offset) in positions {
            let left_behind = self.world.unsafe_below(partition, offset);
            let mut servers = self.world.lock();
            if servers.crashed {
                return Err(Error::unavailable("the process is dead"));
            }
            if !servers.ours.contains(&partition) {
                let what = format!("{partition} is committed by a member that does not have it");
                servers.broken_promises.push(what);
            }
            let before = servers.committed.get(&partition).copied();
            if before.is_some_and(|before| offset < before) {
                let what = format!("{partition} is committed at {offset} after {before:?}");
                servers.broken_promises.push(what);
            }
            if !left_behind.is_empty() {
                let what = format!("{partition} is committed at {offset} over {left_behind:?}");
                servers.broken_promises.push(what);
            }
            servers.committed.insert(partition, offset);
        }
        Ok(())
    }

    fn committed(&mut self, partitions: &[i32]) -> Result<Vec<(i32, i64)>> {
        let servers = self.world.lock();
        let told = partitions
            .iter()
            .filter_map(|it| Some((*it, *servers.committed.get(it)?)));
        Ok(told.collect())
    }

    fn tell_end_again(&mut self, partition: i32) -> Result<()> {
        self.ends_told.remove(&partition);
        Ok(())
    }

    fn latest(&mut self, partition: i32) -> Result<i64> {
        Ok(self.world.latest()[&partition])
    }

    fn pause(&mut self, paused: bool) -> Result<()> {
        self.paused = paused;
        // A consumer that reads on after a pause may deliver again what it had fetched ahead.
        if !paused {
            for (partition, position) in &mut self.positions {
                *position = (*position - self.die.roll(3) as i64).max(self.starts[partition]);
            }
        }
        Ok(())
    }
}

/// Dead letters that are acknowledged some time after they were sent.
pub struct TwinDeadLetters {
    world: World,
    die: Die,
    failure_one_in: u64,
    waiting: Vec<(i32, i64)>,
}

impl TwinDeadLetters {
    pub fn new(world: &World, die: Die, failure_one_in: u64) -> Self {
        Self {
            world: world.clone(),
            die,
            failure_one_in,
            waiting: Vec::new(),
        }
    }
}

impl DeadLetters for TwinDeadLetters {
    fn send(&mut self, record: &Record<'_>, _rejection: &Rejection) -> Result<()> {
        if self.die.one_in(self.failure_one_in) {
            return Err(Error::unavailable("the dead letter is not taken"));
        }
        self.waiting.push((record.partition, record.offset));
        Ok(())
    }

    fn acknowledged(&mut self, wait: Duration) -> Result<Vec<(i32, i64)>> {
        if !self.waiting.is_empty() && self.die.one_in(self.failure_one_in) {
            let place = self.die.roll(self.waiting.len() as u64) as usize;
            self.waiting.swap_remove(place);
            return Err(Error::unavailable("a dead letter is not delivered"));
        }
        let at_least = usize::from(!wait.is_zero()).min(self.waiting.len());
        let number = at_least.max(self.die.roll(self.waiting.len() as u64 + 1) as usize);
        let origins: Vec<(i32, i64)> = self.waiting.drain(..number).collect();
        origins
            .iter()
            .for_each(|&origin| self.world.make_safe(origin));
        Ok(origins)
    }

    fn in_flight(&self) -> usize {
        self.waiting.len()
    }
}

/// The other tests prove nothing if the twin overlooks a broken promise.
#[test]
fn a_commit_over_a_record_that_is_not_safe_is_noticed() {
    let world = World::with_topic(&mut Die(1), 2, 60);
    let latest: Vec<(i32, i64)> = world.latest().into_iter().collect();
    let mut source = TwinSource::new(&world, Die(1), Weather::default());
    let starts = [(0, Start::Committed), (1, Start::Committed)];
    source.take(&starts).unwrap();
    source.commit(&[(0, 1)], true).unwrap();
    assert_eq!(world.lock().broken_promises.len(), 0);
    source.commit(&latest, true).unwrap();
    assert_eq!(world.lock().broken_promises.len(), 2);
    source.release(&[0]).unwrap();
    source.commit(&[(0, 1)], true).unwrap();
    // It goes back, and the partition is not ours any more.
    assert_eq!(world.lock().broken_promises.len(), 4);
}
