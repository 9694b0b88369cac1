//! Which offsets a run has settled, or has published to: exact, and bounded however long the run is.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::source::Start;

/// Spans of all partitions together. A partition has one, unless it was with another member meanwhile.
const MAX_SPANS: usize = 1_000;

/// Offsets by partition, in spans without gaps: the first one, and the one after the last.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct OffsetSpans {
    by_partition: BTreeMap<i32, Vec<(i64, i64)>>,
    count: usize,
    left_out: bool,
}

impl OffsetSpans {
    pub fn add(&mut self, partition: i32, first: i64, end: i64) {
        if first >= end {
            return;
        }
        let spans = self.by_partition.entry(partition).or_default();
        self.count -= spans.len();
        spans.push((first, end));
        spans.sort_unstable();
        spans.dedup_by(|next, before| {
            let touches = next.0 <= before.1;
            if touches {
                before.1 = before.1.max(next.1);
            }
            touches
        });
        self.count += spans.len();
        if self.count > MAX_SPANS {
            self.left_out = true;
            self.count -= 1;
            spans.retain(|it| *it != (first, end));
            if spans.is_empty() {
                self.by_partition.remove(&partition);
            }
        }
    }

    /// Places of records, in any order.
    pub fn add_each(&mut self, places: impl IntoIterator<Item = (i32, i64)>) {
        let mut places: Vec<(i32, i64)> = places.into_iter().collect();
        places.sort_unstable();
        let follows = |a: &(i32, i64), b: &(i32, i64)| a.0 == b.0 && a.1 + 1 >= b.1;
        for span in places.chunk_by(follows) {
            if let [(partition, first), ..] = *span {
                self.add(partition, first, span[span.len() - 1].1 + 1);
            }
        }
    }

    /// The fields of a summary: `{"0":[0,1200]}`, with two more numbers for each further span.
    pub fn told(&self) -> Vec<(&'static str, Value)> {
        let partition = |(partition, spans): (&i32, &Vec<(i64, i64)>)| {
            let bounds: Vec<i64> = spans.iter().flat_map(|it| [it.0, it.1]).collect();
            (partition.to_string(), Value::from(bounds))
        };
        let offsets: Map<String, Value> = self.by_partition.iter().map(partition).collect();
        let mut told = vec![("offsets", Value::Object(offsets))];
        if self.left_out {
            told.push(("offsets_left_out", true.into()));
        }
        told
    }
}

/// What a member has settled of the partitions that are, or were, its own.
#[derive(Debug, Default)]
pub struct SettledOffsets {
    /// The first record of each partition of ours, since it is ours.
    first: BTreeMap<i32, i64>,
    /// The partition of the record before: many come in a row.
    last: Option<i32>,
    spans: OffsetSpans,
}

impl SettledOffsets {
    pub fn assigned(&mut self, starts: &[(i32, Start)]) {
        for (partition, _) in starts {
            self.first.remove(partition);
        }
        self.last = None;
    }

    pub fn record(&mut self, partition: i32, offset: i64) {
        if self.last != Some(partition) {
            self.last = Some(partition);
            self.first.entry(partition).or_insert(offset);
        }
    }

    /// These partitions are ours no longer; up to their positions all has settled.
    pub fn ended(&mut self, partitions: &[i32], positions: &[(i32, i64)]) {
        for partition in partitions {
            let position = positions.iter().find(|it| it.0 == *partition);
            if let (Some(first), Some(&(_, end))) = (self.first.remove(partition), position) {
                self.spans.add(*partition, first, end);
            }
        }
        self.last = None;
    }

    pub fn spans(mut self, positions: &[(i32, i64)]) -> OffsetSpans {
        let partitions: Vec<i32> = self.first.keys().copied().collect();
        self.ended(&partitions, positions);
        self.spans
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn told(spans: &OffsetSpans) -> String {
        let fields: Map<String, Value> = spans
            .told()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        Value::Object(fields).to_string()
    }

    #[test]
    fn a_partition_that_stays_is_one_span_and_one_that_comes_back_is_two() {
        let mut settled = SettledOffsets::default();
        settled.assigned(&[(0, Start::Committed), (1, Start::Committed)]);
        for (partition, offset) in [(0, 5), (0, 6), (1, 0), (0, 7), (1, 1)] {
            settled.record(partition, offset);
        }
        // The last record of partition 0 has not settled.
        settled.ended(&[0], &[(0, 7), (1, 2)]);
        settled.assigned(&[(0, Start::Committed)]);
        for offset in [20, 21] {
            settled.record(0, offset);
        }
        let spans = settled.spans(&[(0, 22), (1, 2)]);
        assert_eq!(told(&spans), r#"{"offsets":{"0":[5,7,20,22],"1":[0,2]}}"#);
    }

    #[test]
    fn nothing_settled_is_nothing_told() {
        let mut settled = SettledOffsets::default();
        settled.assigned(&[(0, Start::Committed), (1, Start::Committed)]);
        settled.record(0, 9);
        // Partition 1 ends at 4, without a record of this run.
        let spans = settled.spans(&[(0, 9), (1, 4)]);
        assert_eq!(told(&spans), r#"{"offsets":{}}"#);
    }

    #[test]
    fn gaps_without_end_do_not_fill_the_memory_and_are_told() {
        let mut spans = OffsetSpans::default();
        spans.add_each((0..5_000).map(|it| (it % 7, i64::from(it) * 2)));
        let kept: usize = spans.by_partition.values().map(Vec::len).sum();
        assert_eq!((kept, spans.count), (MAX_SPANS, MAX_SPANS));
        assert!(told(&spans).ends_with(r#","offsets_left_out":true}"#));
        // What is known still grows.
        let (first, end) = spans.by_partition[&0][0];
        spans.add(0, end, end + 1);
        assert_eq!(spans.by_partition[&0][0], (first, end + 1));
    }

    proptest! {
        /// Against the definition itself: the set of the offsets.
        #[test]
        fn holds_each_offset_and_no_other(added in prop::collection::vec((0i32..3, 0i64..60, 0i64..9), 0..60)) {
            let mut spans = OffsetSpans::default();
            let mut expected = BTreeSet::new();
            for &(partition, first, length) in &added {
                spans.add(partition, first, first + length);
                expected.extend((first..first + length).map(|offset| (partition, offset)));
            }
            let mut each = OffsetSpans::default();
            each.add_each(expected.iter().copied());
            let held: Vec<(i32, i64)> = spans.by_partition.iter()
                .flat_map(|(&partition, spans)| spans.iter().flat_map(move |it| (it.0..it.1).map(move |offset| (partition, offset))))
                .collect();
            prop_assert_eq!(held, expected.into_iter().collect::<Vec<_>>());
            prop_assert_eq!(told(&spans), told(&each));
        }
    }
}
