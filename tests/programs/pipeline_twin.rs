//! Twins in memory of what the loop meets: a topic with a consumer group, dead letters, and a die that decides what happens next.
//!
//! The twin of the topic checks on every commit that nothing below the committed offset is still unsafe.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use streamflow::error::{Error, Result};
use streamflow::pipeline::dead_letter::DeadLetters;
use streamflow::pipeline::fold::Ledger;
use streamflow::pipeline::record::Record;
use streamflow::pipeline::sequence::Sequence;
use streamflow::pipeline::source::{Event, Source, Start};
use streamflow::rejection::Rejection;

/// Numbers that look random and are the same for the same seed.
#[derive(Clone)]
pub struct Die(pub u64);

impl Die {
    /// From 0 to below `sides` (splitmix64).
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    pub fn one_in(&mut self, sides: u64) -> bool {
        sides > 0 && self.roll(sides) == 0
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Keep,
    Filter,
    Reject,
}

#[derive(Debug, Clone)]
pub struct Kept {
    pub offset: i64,
    pub fate: Fate,
    pub sequence: Option<Sequence>,
}

impl Kept {
    pub fn value(&self) -> &'static [u8] {
        match self.fate {
            Fate::Keep => b"keep",
            Fate::Filter => b"filter",
            Fate::Reject => b"reject",
        }
    }
}

pub fn fate_of(record: &Record<'_>) -> Fate {
    match record.value {
        Some(b"keep") => Fate::Keep,
        Some(b"filter") => Fate::Filter,
        _ => Fate::Reject,
    }
}

/// What outlives a run: the servers.
#[derive(Default)]
pub struct Servers {
    pub topic: BTreeMap<i32, Vec<Kept>>,
    pub committed: BTreeMap<i32, i64>,
    /// Stored, filtered, or acknowledged as a dead letter.
    pub safe: BTreeSet<(i32, i64)>,
    pub ledgers: BTreeMap<i32, Ledger>,
    /// The process is dead: nothing that it still does reaches a server.
    pub crashed: bool,
    /// Partitions that the group gives to this member.
    ours: BTreeSet<i32>,
    pub broken_promises: Vec<String>,
}

#[derive(Clone, Default)]
pub struct World(Arc<Mutex<Servers>>);

impl World {
    pub fn lock(&self) -> MutexGuard<'_, Servers> {
        self.0.lock().unwrap()
    }

    pub fn make_safe(&self, origin: (i32, i64)) {
        let mut servers = self.lock();
        if !servers.crashed {
            servers.safe.insert(origin);
        }
    }

    /// Offsets after the last records.
    pub fn latest(&self) -> BTreeMap<i32, i64> {
        let servers = self.lock();
        let after = |records: &Vec<Kept>| records.last().map_or(0, |last| last.offset + 1);
        let partitions = servers.topic.iter();
        partitions
            .map(|(&partition, records)| (partition, after(records)))
            .collect()
    }

    pub fn unsafe_below(&self, partition: i32, offset: i64) -> Vec<i64> {
        let servers = self.lock();
        let records = servers.topic[&partition].iter().map(|kept| kept.offset);
        records
            .filter(|&it| it < offset && !servers.safe.contains(&(partition, it)))
            .collect()
    }

    pub fn all_safe(&self) -> bool {
        let latest = self.latest();
        latest
            .iter()
            .all(|(&partition, &end)| self.unsafe_below(partition, end).is_empty())
    }

    /// A topic of random partitions, gaps between offsets, fates and repeated sequences.
    pub fn with_topic(die: &mut Die, partitions: i32, most_records: u64) -> Self {
        let world = Self::default();
        for partition in 0..partitions {
            let (mut offset, mut number) = (0, 0);
            let mut records = Vec::new();
            for _ in 0..die.roll(most_records + 1) {
                offset += 1 + if die.one_in(8) { die.roll(4) as i64 } else { 0 };
                // One in six was published twice: its number is not above all that came before.
                number = if die.one_in(6) { number } else { number + 1 };
                let fate = match die.roll(10) {
                    0 => Fate::Filter,
                    1 | 2 => Fate::Reject,
                    _ => Fate::Keep,
                };
                let landing = uuid::Uuid::from_u128(7);
                let sequence = (!die.one_in(10)).then_some(Sequence { landing, number });
                records.push(Kept {
                    offset,
                    fate,
                    sequence,
                });
            }
            world.lock().topic.insert(partition, records);
        }
        world
    }
}

/// How often things happen, as one in so many; 0 for never.
#[derive(Debug, Clone, Copy, Default)]
pub struct Weather {
    pub rebalance_one_in: u64,
    pub nothing_one_in: u64,
    pub failure_one_in: u64,
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
            partitions
                .iter()
                .for_each(|it| drop(servers.ours.remove(it)));
        }
        Some(Event::Revoked { partitions, lost })
    }
}

impl Source for TwinSource {
    fn next(
        &mut self,
        _timeout: Duration,
        on_record: &mut dyn FnMut(&Record<'_>) -> Result<()>,
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
        let place = self.die.roll(self.positions.len() as u64) as usize;
        let (&partition, &position) = self.positions.iter().nth(place).unwrap();
        let next = {
            let servers = self.world.lock();
            let records = &servers.topic[&partition];
            records.iter().find(|kept| kept.offset >= position).cloned()
        };
        let Some(kept) = next else {
            return Ok(match self.ends_told.insert(partition) {
                true => Event::EndOfPartition(partition),
                false => Event::Nothing,
            });
        };
        self.positions.insert(partition, kept.offset + 1);
        on_record(&Record {
            topic: "user_created",
            partition,
            offset: kept.offset,
            timestamp_ms: 1_700_000_000_000,
            key: None,
            value: Some(kept.value()),
            sequence: kept.sequence,
        })?;
        Ok(Event::Record)
    }

    fn take(&mut self, partitions: &[(i32, Start)]) -> Result<()> {
        let mut servers = self.world.lock();
        for &(partition, start) in partitions {
            let committed = servers.committed.get(&partition).copied().unwrap_or(0);
            let position = match start {
                Start::Committed => committed,
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
            if !left_behind.is_empty() {
                let what = format!("{partition} is committed at {offset} over {left_behind:?}");
                servers.broken_promises.push(what);
            }
            servers.committed.insert(partition, offset);
        }
        Ok(())
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
