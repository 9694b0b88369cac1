//! Up to where a partition may be committed, when records settle in any order.

use std::collections::VecDeque;

/// The records of one partition that were begun and not yet committed.
///
/// Invariant: `position` is the greatest offset such that every begun record below it has settled.
#[derive(Debug)]
pub struct Watermark {
    /// Offset after the last begun record.
    next: i64,
    /// Offset and whether it has settled, in the order of offsets, which may have gaps.
    open: VecDeque<(i64, bool)>,
}

impl Watermark {
    pub fn starting_at(offset: i64) -> Self {
        Self {
            next: offset,
            open: VecDeque::new(),
        }
    }

    /// A record is taken from the log. Offsets come in growing order; one that was begun before is refused.
    pub fn begin(&mut self, offset: i64) -> bool {
        if offset < self.next {
            return false;
        }
        self.next = offset + 1;
        self.open.push_back((offset, false));
        true
    }

    /// No record is left to come below this offset.
    pub fn end(&mut self, offset: i64) {
        self.next = self.next.max(offset);
    }

    /// A record is stored, filtered, or acknowledged as a dead letter. An offset that is not open changes nothing.
    pub fn settle(&mut self, offset: i64) {
        let Some(place) = self.place(offset) else {
            return;
        };
        self.open[place].1 = true;
        while let Some((_, true)) = self.open.front() {
            self.open.pop_front();
        }
    }

    fn place(&self, offset: i64) -> Option<usize> {
        // Without gaps it is as far from the first as its offset.
        let (first, _) = self.open.front()?;
        let place = usize::try_from(offset.checked_sub(*first)?).ok()?;
        if self.open.get(place).is_some_and(|it| it.0 == offset) {
            return Some(place);
        }
        self.open.binary_search_by_key(&offset, |it| it.0).ok()
    }

    /// The offset to commit: that of the next record to be read after a restart.
    pub fn position(&self) -> i64 {
        self.open.front().map_or(self.next, |&(offset, _)| offset)
    }

    /// Whether every begun record has settled.
    pub fn is_settled(&self) -> bool {
        self.open.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn waits_for_the_lowest_open_record() {
        let mut mark = Watermark::starting_at(10);
        assert_eq!(mark.position(), 10);
        for offset in [10, 12, 13] {
            assert!(mark.begin(offset));
        }
        mark.settle(13);
        mark.settle(12);
        assert_eq!(mark.position(), 10);
        mark.settle(10);
        assert_eq!(mark.position(), 14);
        assert!(!mark.begin(13));
    }

    #[test]
    fn an_end_without_records_waits_for_the_records_below_it() {
        let mut mark = Watermark::starting_at(10);
        assert!(mark.begin(10));
        mark.end(15);
        assert_eq!(mark.position(), 10);
        mark.settle(10);
        assert_eq!(mark.position(), 15);
        mark.end(12);
        assert_eq!(mark.position(), 15);
    }

    proptest! {
        /// Against the definition itself: the least begun offset that has not settled.
        #[test]
        fn agrees_with_the_definition(gaps in prop::collection::vec(1i64..4, 1..60), order in any::<prop::sample::Index>(), seed in any::<u64>()) {
            let offsets: Vec<i64> = gaps.iter().scan(0, |at, gap| { *at += gap; Some(*at) }).collect();
            let mut mark = Watermark::starting_at(0);
            for &offset in &offsets {
                prop_assert!(mark.begin(offset));
            }
            let mut open: BTreeSet<i64> = offsets.iter().copied().collect();
            let mut left = offsets.clone();
            let mut step = seed | 1;
            let first = order.index(left.len());
            left.rotate_left(first);
            while !left.is_empty() {
                step = step.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let offset = left.swap_remove(step as usize % left.len());
                mark.settle(offset);
                open.remove(&offset);
                let expected = open.first().copied().unwrap_or(offsets[offsets.len() - 1] + 1);
                prop_assert_eq!(mark.position(), expected);
            }
            prop_assert!(mark.is_settled());
        }
    }
}
