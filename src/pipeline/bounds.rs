//! When a run ends by itself: at the offsets that were the latest when it began, after a number of records, or after a time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::max_dead_letters::MaxDeadLetters;

/// What was asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    pub follow: bool,
    pub max_records: Option<u64>,
    pub duration: Option<Duration>,
    /// With more than these the run ends with an error.
    pub max_dead_letters: Option<MaxDeadLetters>,
}

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Latest,
    MaxRecords,
    Duration,
    Stopped,
}

impl End {
    pub fn as_str(self) -> &'static str {
        match self {
            End::Latest => "the latest offsets of the start are reached",
            End::MaxRecords => "--max-records is reached",
            End::Duration => "--duration is over",
            End::Stopped => "a signal asked to stop",
        }
    }
}

/// How far a run has come.
#[derive(Debug)]
pub struct Bounds {
    limits: Limits,
    begun: Instant,
    /// Offset after the last record to read, by partition, as it was at the start.
    targets: BTreeMap<i32, i64>,
    /// Offset of the next record, by partition that is ours now; nothing known yet before the first record or end of partition.
    positions: BTreeMap<i32, Option<i64>>,
    /// How far the group has settled a partition, as it was last told.
    settled: BTreeMap<i32, i64>,
    /// The group has given us our part, which may be none.
    joined: bool,
    pub consumed: u64,
}

impl Bounds {
    pub fn new(limits: Limits, targets: BTreeMap<i32, i64>, now: Instant) -> Self {
        Self {
            limits,
            begun: now,
            targets,
            positions: BTreeMap::new(),
            settled: BTreeMap::new(),
            joined: false,
            consumed: 0,
        }
    }

    pub fn assigned(&mut self, partitions: impl IntoIterator<Item = i32>) {
        self.joined = true;
        for partition in partitions {
            self.positions.insert(partition, None);
        }
    }

    pub fn revoked(&mut self, partitions: impl IntoIterator<Item = i32>) {
        for partition in partitions {
            self.positions.remove(&partition);
        }
    }

    pub fn max_dead_letters(&self) -> Option<MaxDeadLetters> {
        self.limits.max_dead_letters
    }

    pub fn follows(&self) -> bool {
        self.limits.follow
    }

    /// Whether a record still belongs to this run.
    pub fn admits(&self, partition: i32, offset: i64) -> bool {
        self.limits.follow || offset < self.target(partition)
    }

    pub fn consumed(&mut self, partition: i32, offset: i64) {
        self.consumed += 1;
        self.reached(partition, offset + 1);
    }

    /// The end only moves on, so it is not below where it was at the start. (The last offsets may belong to no record: those of
    /// transactions, or removed by compaction.)
    pub fn end_of_partition(&mut self, partition: i32) {
        self.reached(partition, self.target(partition));
    }

    fn reached(&mut self, partition: i32, position: i64) {
        if let Some(known) = self.positions.get_mut(&partition) {
            *known = Some(known.unwrap_or(position).max(position));
        }
    }

    /// What any member of the group has settled.
    pub fn settled(&mut self, offsets: impl IntoIterator<Item = (i32, i64)>) {
        self.settled.extend(offsets);
    }

    /// Whether everything of the partition that belongs to this run was handed over here.
    pub fn is_read(&self, partition: i32) -> bool {
        self.positions
            .get(&partition)
            .is_some_and(|position| position.is_some_and(|it| it >= self.target(partition)))
    }

    /// Whether our own part is done: what is left of the run is [`Bounds::awaited`] from other members.
    pub fn is_own_part_read(&self) -> bool {
        !self.limits.follow && self.joined && self.positions.keys().all(|&it| self.is_done(it))
    }

    /// Partitions of the run that neither are read here nor known to be settled by the group. A member that died, or never came to life,
    /// may hold them: then the group gives them to us after a while.
    pub fn awaited(&self) -> Vec<i32> {
        let open = |&partition: &i32| !self.is_done(partition);
        self.targets.keys().copied().filter(open).collect()
    }

    fn is_done(&self, partition: i32) -> bool {
        let settled = self.settled.get(&partition).copied().unwrap_or(0);
        settled >= self.target(partition) || self.is_read(partition)
    }

    /// Records that this run has still to read, as far as its partitions are known.
    pub fn remaining(&self) -> i64 {
        self.positions
            .iter()
            .map(|(&partition, position)| match position {
                Some(position) => (self.target(partition) - position).max(0),
                None => 0,
            })
            .sum()
    }

    /// As many records as were asked for have been consumed.
    pub fn is_enough(&self) -> bool {
        self.limits
            .max_records
            .is_some_and(|max| self.consumed >= max)
    }

    pub fn end(&self, now: Instant) -> Option<End> {
        if self.is_enough() {
            return Some(End::MaxRecords);
        }
        if self
            .limits
            .duration
            .is_some_and(|duration| now.saturating_duration_since(self.begun) >= duration)
        {
            return Some(End::Duration);
        }
        let all_done = || self.targets.keys().all(|&it| self.is_done(it));
        (!self.limits.follow && self.joined && all_done()).then_some(End::Latest)
    }

    /// A partition that did not exist at the start has nothing to read in this run.
    pub fn target(&self, partition: i32) -> i64 {
        self.targets.get(&partition).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(limits: Limits) -> Bounds {
        let targets = BTreeMap::from([(0, 5), (1, 7), (2, 0)]);
        Bounds::new(limits, targets, Instant::now())
    }

    #[test]
    fn ends_when_each_partition_has_reached_its_target() {
        let mut bounds = bounds(Limits::default());
        assert_eq!(bounds.end(Instant::now()), None, "not before an assignment");
        bounds.assigned([0, 1, 2]);
        bounds.end_of_partition(1);
        assert_eq!(bounds.end(Instant::now()), None);
        assert!(bounds.admits(0, 4) && !bounds.admits(0, 5));
        bounds.consumed(0, 4);
        assert_eq!(bounds.end(Instant::now()), Some(End::Latest));
    }

    #[test]
    fn what_other_members_hold_is_awaited_when_our_own_part_is_read() {
        let mut bounds = bounds(Limits::default());
        bounds.settled([(0, 5)]);
        assert!(!bounds.is_own_part_read(), "not before an assignment");
        bounds.assigned([0, 2]);
        assert!(bounds.is_own_part_read(), "the group has settled it before");
        assert_eq!(bounds.end(Instant::now()), None);
        assert_eq!(bounds.awaited(), [1]);
        bounds.settled([(1, 6)]);
        assert_eq!(bounds.awaited(), [1]);
        bounds.settled([(1, 9)]);
        assert_eq!(bounds.end(Instant::now()), Some(End::Latest));
    }

    #[test]
    fn a_member_without_partitions_waits_for_the_others() {
        let mut bounds = bounds(Limits::default());
        bounds.assigned([]);
        assert_eq!(bounds.end(Instant::now()), None);
        assert_eq!(bounds.awaited(), [0, 1]);
        bounds.settled([(0, 5), (1, 7)]);
        assert_eq!(bounds.end(Instant::now()), Some(End::Latest));
    }

    #[test]
    fn a_partition_that_was_read_and_taken_away_counts_when_the_group_has_settled_it() {
        let mut bounds = bounds(Limits::default());
        bounds.assigned([0, 1]);
        bounds.end_of_partition(0);
        bounds.revoked([0, 1]);
        assert_eq!(
            bounds.end(Instant::now()),
            None,
            "the group shares them out anew"
        );
        assert_eq!(bounds.awaited(), [0, 1]);
        bounds.assigned([0, 1]);
        assert!(!bounds.is_own_part_read());
        bounds.end_of_partition(1);
        bounds.settled([(0, 5)]);
        assert_eq!(bounds.end(Instant::now()), Some(End::Latest));
    }

    #[test]
    fn following_ends_by_number_or_time_only() {
        let mut bounds = bounds(Limits {
            follow: true,
            max_records: Some(1),
            duration: Some(Duration::from_secs(60)),
            max_dead_letters: None,
        });
        bounds.assigned([0, 1]);
        bounds.end_of_partition(0);
        bounds.end_of_partition(1);
        assert!(!bounds.is_own_part_read());
        let now = Instant::now();
        assert_eq!(bounds.end(now), None);
        assert_eq!(
            bounds.end(now + Duration::from_secs(61)),
            Some(End::Duration)
        );
        bounds.consumed(0, 9);
        assert_eq!(bounds.end(now), Some(End::MaxRecords));
    }
}
