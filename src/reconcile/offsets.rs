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
