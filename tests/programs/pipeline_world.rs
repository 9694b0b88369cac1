//! The servers that a run meets, in memory: a topic, the offsets and ledgers kept of it, and which records are safe; and a die.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use streamflow::pipeline::fold::Ledger;
use streamflow::pipeline::record::Record;
use streamflow::pipeline::sequence::Sequence;

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
    pub ours: BTreeSet<i32>,
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
