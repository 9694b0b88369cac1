//! The line of the offsets: nobody is further than the topic, and Kafka knows no more of `aggregate` than its summaries do. Pure.

use std::collections::BTreeMap;

use super::findings::{Difference, Example, Findings, Hop};
use super::spans::{Position, Spans};

/// What the groups have committed, by partition.
#[derive(Debug, Clone, Default)]
pub(super) struct Committed {
    pub(super) transform_store: BTreeMap<i32, i64>,
    pub(super) aggregate: BTreeMap<i32, i64>,
}

/// `kept` are the offsets of the summaries.
pub(super) fn compare(
    committed: &Committed,
    kept: &BTreeMap<i32, i64>,
    spans: &Spans,
    findings: &mut Findings,
) {
    let line = findings.line(Hop::Offsets);
    let all = [
        ("the group of transform-store", &committed.transform_store),
        ("the group of aggregate", &committed.aggregate),
        ("user_summaries", kept),
    ];
    let mut beyond = Vec::new();
    for (whose, offsets) in all {
        for (&partition, &offset) in offsets {
            line.expected += 1;
            if offset > spans.end(partition) {
                beyond.push((Difference::BeyondEnd, whose, partition, offset));
                continue;
            }
            line.found += 1;
            line.open += u64::from(offset < spans.end(partition));
            // Its next records were removed before it has read them.
            line.unknown += u64::from(offset < spans.beginning(partition));
        }
    }
    for (&partition, &offset) in &committed.aggregate {
        let kept = kept.get(&partition).copied().unwrap_or(0);
        if offset > kept {
            beyond.push((
                Difference::BeyondSummary,
                "the group of aggregate",
                partition,
                offset,
            ));
        }
    }
    for (difference, whose, partition, offset) in beyond {
        findings.differs(difference, || Example {
            position: Some(Position { partition, offset }),
            detail: Some(whose.to_owned()),
            ..Example::default()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::kafka::Span;

    #[test]
    fn nobody_is_beyond_the_end_and_kafka_not_beyond_the_summaries() {
        let span = Span::from([(0, (5, 10)), (1, (0, 10))]);
        let spans = Spans::new(&span, &span);
        let of = |one, two| BTreeMap::from([(0, one), (1, two)]);
        let compared = |transform_store, aggregate, kept| {
            let committed = Committed {
                transform_store,
                aggregate,
            };
            let mut findings = Findings::new(1, false);
            compare(&committed, &kept, &spans, &mut findings);
            let differences: Vec<_> = findings.differences().map(|(it, _)| it).collect();
            let line = *findings.line(Hop::Offsets);
            (
                [line.expected, line.found, line.open, line.unknown],
                differences,
            )
        };
        let well = compared(of(4, 10), of(9, 8), of(10, 10));
        assert_eq!(well, ([6, 6, 3, 1], vec![]));
        let beyond = compared(of(10, 11), of(10, 10), of(10, 10));
        assert_eq!(beyond, ([6, 5, 0, 0], vec![Difference::BeyondEnd]));
        let ahead = compared(of(10, 10), of(10, 10), of(9, 10));
        assert_eq!(ahead, ([6, 6, 1, 0], vec![Difference::BeyondSummary]));
        let (_, unkept) = compared(of(10, 10), of(1, 0), BTreeMap::new());
        assert_eq!(unkept, [Difference::BeyondSummary]);
    }
}
