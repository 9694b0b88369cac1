//! When a run ends by itself: at the offsets that were the latest when it began, after a number of records, or after a time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// What was asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    pub follow: bool,
    pub max_records: Option<u64>,
    pub duration: Option<Duration>,
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
    /// False at first, and while the group shares its partitions out anew: what comes then may have records to read.
    assigned: bool,
    pub consumed: u64,
}

impl Bounds {
    pub fn new(limits: Limits, targets: BTreeMap<i32, i64>, now: Instant) -> Self {
        Self {
            limits,
            begun: now,
            targets,
            positions: BTreeMap::new(),
            assigned: false,
            consumed: 0,
        }
    }

    pub fn assigned(&mut self, partitions: impl IntoIterator<Item = i32>) {
        self.assigned = true;
        for partition in partitions {
            self.positions.insert(partition, None);
        }
    }

    pub fn revoked(&mut self, partitions: impl IntoIterator<Item = i32>) {
        for partition in partitions {
            self.positions.remove(&partition);
        }
        self.assigned = !self.positions.is_empty();
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

    pub fn end(&self, now: Instant) -> Option<End> {
        if self
            .limits
            .max_records
            .is_some_and(|max| self.consumed >= max)
        {
            return Some(End::MaxRecords);
        }
        if self
            .limits
            .duration
            .is_some_and(|duration| now.saturating_duration_since(self.begun) >= duration)
        {
            return Some(End::Duration);
        }
        let all_read = self.positions.iter().all(|(&partition, position)| {
            position.is_some_and(|position| position >= self.target(partition))
        });
        (!self.limits.follow && self.assigned && all_read).then_some(End::Latest)
    }

    /// A partition that did not exist at the start has nothing to read in this run.
    fn target(&self, partition: i32) -> i64 {
        self.targets.get(&partition).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(limits: Limits) -> Bounds {
        Bounds::new(limits, BTreeMap::from([(0, 5), (1, 0)]), Instant::now())
    }

    #[test]
    fn ends_when_each_partition_of_ours_has_reached_its_target() {
        let mut bounds = bounds(Limits::default());
        assert_eq!(bounds.end(Instant::now()), None, "not before an assignment");
        bounds.assigned([0, 1]);
        bounds.end_of_partition(1);
        assert_eq!(bounds.end(Instant::now()), None);
        assert!(bounds.admits(0, 4) && !bounds.admits(0, 5));
        bounds.consumed(0, 4);
        assert_eq!(bounds.end(Instant::now()), Some(End::Latest));
    }

    #[test]
    fn a_member_without_partitions_has_nothing_to_wait_for() {
        let mut bounds = bounds(Limits::default());
        bounds.assigned([]);
        assert_eq!(bounds.end(Instant::now()), Some(End::Latest));
    }

    #[test]
    fn a_member_whose_partitions_are_taken_waits_for_the_next_ones() {
        let mut bounds = bounds(Limits::default());
        bounds.assigned([0]);
        bounds.revoked([0]);
        assert_eq!(
            bounds.end(Instant::now()),
            None,
            "another member left, and its partitions are about to come here"
        );
        bounds.assigned([0, 1]);
        bounds.end_of_partition(1);
        assert_eq!(bounds.end(Instant::now()), None);
        bounds.end_of_partition(0);
        assert_eq!(bounds.end(Instant::now()), Some(End::Latest));
    }

    #[test]
    fn following_ends_by_number_or_time_only() {
        let mut bounds = bounds(Limits {
            follow: true,
            max_records: Some(1),
            duration: Some(Duration::from_secs(60)),
        });
        bounds.assigned([0, 1]);
        bounds.end_of_partition(0);
        bounds.end_of_partition(1);
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
