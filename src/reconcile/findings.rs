//! What a reconciliation finds: numbers for each hop, and examples of each kind of difference.

mod kinds;

pub use kinds::{Column, Difference, Hop};

use std::collections::BTreeMap;
use std::fmt;

use uuid::Uuid;

use super::spans::Position;

/// Where a difference is, as far as that is known. Nothing of what a record holds but its id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Example {
    pub id: Option<Uuid>,
    /// Its number of landing.
    pub sequence: Option<i64>,
    pub position: Option<Position>,
    pub detail: Option<String>,
}

impl fmt::Display for Example {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.id.map(|id| id.to_string()),
            self.sequence.map(|number| format!("landed as {number}")),
            self.position.map(|position| position.to_string()),
            self.detail.clone(),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        f.write_str(&parts.join(", "))
    }
}

/// The numbers of a hop that are no differences.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Line {
    /// What must be there.
    pub expected: u64,
    /// What is there, and as it must be.
    pub found: u64,
    /// More of the same, as a crash leaves it.
    pub repeated: u64,
    /// On its way.
    pub open: u64,
    /// What would tell has been removed by retention.
    pub unknown: u64,
}

/// How often a kind of difference was met, and the first examples.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Met {
    pub count: u64,
    pub examples: Vec<Example>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    lines: BTreeMap<Hop, Line>,
    differences: BTreeMap<Difference, Met>,
    show: usize,
    /// Records of the topic without a number of landing.
    pub records_of_others: u64,
    /// Records of the dead letters that no job of ours has written.
    pub letters_of_others: u64,
}

impl Findings {
    /// Without the line of the API where that is not asked.
    pub(super) fn new(show: usize, with_api: bool) -> Self {
        let asked = |hop: &Hop| with_api || *hop != Hop::ApiLanded;
        let lines = Hop::ALL.into_iter().filter(asked);
        Self {
            lines: lines.map(|hop| (hop, Line::default())).collect(),
            show,
            ..Self::default()
        }
    }

    pub(super) fn line(&mut self, hop: Hop) -> &mut Line {
        self.lines.entry(hop).or_default()
    }

    pub(super) fn differs(&mut self, difference: Difference, example: impl FnOnce() -> Example) {
        let show = self.show;
        let met = self.differences.entry(difference).or_default();
        met.count += 1;
        if met.examples.len() < show {
            met.examples.push(example());
        }
    }

    /// The hops that were examined, in their order.
    pub fn lines(&self) -> impl Iterator<Item = (Hop, Line)> {
        self.lines.iter().map(|(&hop, &line)| (hop, line))
    }

    /// The kinds that were met, in the order of their hops.
    pub fn differences(&self) -> impl Iterator<Item = (Difference, &Met)> {
        self.differences.iter().map(|(&kind, met)| (kind, met))
    }

    /// The differences of a hop in one column.
    pub fn count(&self, hop: Hop, column: Column) -> u64 {
        self.differences()
            .filter(|(difference, _)| difference.hop() == hop && difference.column() == column)
            .map(|(_, met)| met.count)
            .sum()
    }

    pub fn difference_count(&self) -> u64 {
        self.differences.values().map(|met| met.count).sum()
    }

    pub fn agrees(&self) -> bool {
        self.difference_count() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_all_and_keeps_the_first() {
        let mut findings = Findings::new(2, false);
        for number in 0..5 {
            findings.differs(Difference::NotStored, || Example {
                sequence: Some(number),
                ..Example::default()
            });
        }
        findings.differs(Difference::NoLetter, Example::default);
        assert_eq!(findings.count(Hop::TopicTable, Column::Missing), 5);
        assert_eq!(findings.count(Hop::TopicTable, Column::Different), 0);
        assert_eq!(findings.difference_count(), 6);
        assert!(!findings.agrees());
        let (_, met) = findings.differences().next().unwrap();
        let shown: Vec<String> = met.examples.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["landed as 0", "landed as 1"]);
        assert!(findings.lines().all(|(hop, _)| hop != Hop::ApiLanded));
    }
}
