//! How many records a group has still to settle, by partition. No I/O and no clock.

use std::collections::{BTreeMap, BTreeSet};

/// What Kafka tells of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offsets {
    /// The group's next record, or the partition's first one where the group has committed nothing.
    pub next: i64,
    /// After the last record.
    pub latest: i64,
}

/// How the loop stood when Kafka was asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    pub(super) consumed: u64,
    /// Nothing is in flight, and the partitions are not paused.
    pub(super) is_idle: bool,
    /// The partitions that are ours.
    pub(super) assigned: BTreeSet<i32>,
    /// Those of which the end was told.
    pub(super) ended: BTreeSet<i32>,
}

impl Standing {
    pub fn assigned(&self) -> impl Iterator<Item = i32> {
        self.assigned.iter().copied()
    }
}

#[derive(Debug, Default)]
pub(super) struct Lag {
    last: Option<(Standing, BTreeMap<i32, Offsets>)>,
    /// Offsets below which no record is left, whatever is committed.
    floors: BTreeMap<i32, i64>,
}

impl Lag {
    /// The last offsets of a partition may belong to no record (those of transactions, or removed by compaction), and then nobody commits
    /// them. So where the loop was idle from one look to the next, and had been told the end of the partition, what lay there at the
    /// first look is handed over or no record.
    pub(super) fn look(
        &mut self,
        standing: Standing,
        offsets: BTreeMap<i32, Offsets>,
    ) -> BTreeMap<i32, i64> {
        self.floors.retain(|it, _| standing.assigned.contains(it));
        if let Some((before, then)) = &self.last
            && *before == standing
            && standing.is_idle
        {
            for (&partition, offsets) in then {
                if standing.ended.contains(&partition) {
                    self.floors.insert(partition, offsets.latest);
                }
            }
        }
        let lag = |(&partition, offsets): (&i32, &Offsets)| {
            let floor = self.floors.get(&partition).copied().unwrap_or(i64::MIN);
            let lag = offsets.latest - offsets.next.max(floor);
            (partition, lag.max(0))
        };
        let lags = offsets.iter().map(lag).collect();
        self.last = Some((standing, offsets));
        lags
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn idle(consumed: u64) -> Standing {
        Standing {
            consumed,
            is_idle: true,
            assigned: BTreeSet::from([0]),
            ended: BTreeSet::from([0]),
        }
    }

    fn offsets(next: i64, latest: i64) -> BTreeMap<i32, Offsets> {
        BTreeMap::from([(0, Offsets { next, latest })])
    }

    #[test]
    fn is_what_lies_between_the_next_record_and_the_end() {
        let mut lag = Lag::default();
        assert_eq!(lag.look(idle(0), offsets(3, 10)), [(0, 7)].into());
        // The commit is younger than the end.
        assert_eq!(lag.look(idle(7), offsets(11, 10)), [(0, 0)].into());
    }

    #[test]
    fn offsets_without_a_record_do_not_count_once_the_loop_was_idle() {
        let mut lag = Lag::default();
        assert_eq!(lag.look(idle(7), offsets(10, 11)), [(0, 1)].into());
        assert_eq!(lag.look(idle(7), offsets(10, 11)), [(0, 0)].into());
        assert_eq!(lag.look(idle(7), offsets(10, 15)), [(0, 4)].into());
        assert_eq!(lag.look(idle(10), offsets(14, 15)), [(0, 1)].into());
    }

    #[test]
    fn records_that_are_held_up_count() {
        let busy = Standing {
            is_idle: false,
            ..idle(7)
        };
        let not_at_the_end = Standing {
            ended: BTreeSet::new(),
            ..idle(7)
        };
        for standing in [busy, not_at_the_end] {
            let mut lag = Lag::default();
            for _ in 0..3 {
                assert_eq!(
                    lag.look(standing.clone(), offsets(10, 300)),
                    [(0, 290)].into()
                );
            }
        }
    }

    #[test]
    fn a_partition_that_comes_back_begins_anew() {
        let mut lag = Lag::default();
        for _ in 0..2 {
            lag.look(idle(7), offsets(10, 11));
        }
        lag.look(Standing::default(), BTreeMap::new());
        assert_eq!(lag.look(idle(7), offsets(10, 11)), [(0, 1)].into());
    }
}
