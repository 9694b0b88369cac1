//! Which part of the topic was read, and what a place outside of it means. Pure.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::source::kafka::Span;

/// A place on the topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    pub partition: i32,
    pub offset: i64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "partition {}, offset {}", self.partition, self.offset)
    }
}

/// Where a place stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whereabouts {
    /// Retention has removed it, or may have.
    Removed,
    /// What was read would have it.
    Read,
    /// It came after the reading.
    Later,
    /// The topic does not reach as far.
    Nowhere,
}

/// The offsets of one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    /// The first record, when everything was read.
    beginning: i64,
    /// The end up to which was read.
    end: i64,
    /// The end, when everything was read.
    latest: i64,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Spans(BTreeMap<i32, Seen>);

impl Spans {
    /// From what was read of the topic, and from its ends after all else was read.
    pub(super) fn new(read: &Span, last: &Span) -> Self {
        let seen = |(&partition, &(begin, end)): (&i32, &(i64, i64))| {
            let (beginning, latest) = last.get(&partition).copied().unwrap_or((begin, end));
            let seen = Seen {
                beginning: beginning.max(begin),
                end,
                latest,
            };
            (partition, seen)
        };
        Self(read.iter().map(seen).collect())
    }

    pub(super) fn whereabouts(&self, position: Position) -> Whereabouts {
        let Position { partition, offset } = position;
        match self.0.get(&partition) {
            Some(seen) if offset < seen.beginning => Whereabouts::Removed,
            Some(seen) if offset < seen.end => Whereabouts::Read,
            Some(seen) if offset < seen.latest => Whereabouts::Later,
            Some(_) | None => Whereabouts::Nowhere,
        }
    }

    /// The offset of the first record; 0 for a partition that the topic has not.
    pub(super) fn beginning(&self, partition: i32) -> i64 {
        self.0.get(&partition).map_or(0, |seen| seen.beginning)
    }

    /// The end up to which was read; 0 for a partition that the topic has not.
    pub(super) fn end(&self, partition: i32) -> i64 {
        self.0.get(&partition).map_or(0, |seen| seen.end)
    }

    pub(super) fn removed_any(&self) -> bool {
        self.0.values().any(|seen| seen.beginning > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_told_by_what_was_read_and_by_the_last_look() {
        let read = Span::from([(0, (5, 10)), (1, (0, 3))]);
        // Meanwhile retention has gone on, and records have come.
        let last = Span::from([(0, (7, 12)), (1, (0, 3))]);
        let spans = Spans::new(&read, &last);
        let of = |partition, offset| spans.whereabouts(Position { partition, offset });
        assert_eq!(of(0, 6), Whereabouts::Removed);
        assert_eq!(of(0, 7), Whereabouts::Read);
        assert_eq!(of(0, 9), Whereabouts::Read);
        assert_eq!(of(0, 10), Whereabouts::Later);
        assert_eq!(of(0, 11), Whereabouts::Later);
        assert_eq!(of(0, 12), Whereabouts::Nowhere);
        assert_eq!(of(1, 3), Whereabouts::Nowhere);
        assert_eq!(of(2, 0), Whereabouts::Nowhere);
        assert!(spans.removed_any());
    }
}
