//! What a reconciliation finds: numbers for each hop, and examples of each kind of difference.

use std::collections::BTreeMap;
use std::fmt;

use uuid::Uuid;

use super::spans::Position;

/// A step of the journey, or what is said of the offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hop {
    ApiLanded,
    LandedTopic,
    TopicTable,
    RejectedLetters,
    TopicSummaries,
    Offsets,
}

impl Hop {
    pub const ALL: [Hop; 6] = [
        Hop::ApiLanded,
        Hop::LandedTopic,
        Hop::TopicTable,
        Hop::RejectedLetters,
        Hop::TopicSummaries,
        Hop::Offsets,
    ];

    /// For scripts.
    pub fn as_str(self) -> &'static str {
        match self {
            Hop::ApiLanded => "api_landed",
            Hop::LandedTopic => "landed_topic",
            Hop::TopicTable => "topic_table",
            Hop::RejectedLetters => "rejected_dead_letters",
            Hop::TopicSummaries => "topic_summaries",
            Hop::Offsets => "offsets",
        }
    }
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Hop::ApiLanded => "API → landed",
            Hop::LandedTopic => "landed → topic",
            Hop::TopicTable => "topic → created_users",
            Hop::RejectedLetters => "rejected → dead letters",
            Hop::TopicSummaries => "topic → user_summaries",
            Hop::Offsets => "offsets ≤ ends",
        })
    }
}

/// The column in which a difference counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    Missing,
    Unexpected,
    Different,
}

/// The kinds of difference. Closed: each has its hop, its column and its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    NotLanded,
    OtherPerson,
    NotOnTopic,
    NeverLanded,
    OtherLanding,
    OtherIdOnTopic,
    NotStored,
    NeverPublished,
    StoredThoughLeftOut,
    OtherColumns,
    OtherWriteTime,
    NoLetter,
    NoOrigin,
    OtherContent,
    NotCounted,
    CountedWithoutRecord,
    OtherNumber,
    OtherHighWater,
    BeyondEnd,
    BeyondSummary,
}

impl Difference {
    pub const ALL: [Difference; 20] = [
        Difference::NotLanded,
        Difference::OtherPerson,
        Difference::NotOnTopic,
        Difference::NeverLanded,
        Difference::OtherLanding,
        Difference::OtherIdOnTopic,
        Difference::NotStored,
        Difference::NeverPublished,
        Difference::StoredThoughLeftOut,
        Difference::OtherColumns,
        Difference::OtherWriteTime,
        Difference::NoLetter,
        Difference::NoOrigin,
        Difference::OtherContent,
        Difference::NotCounted,
        Difference::CountedWithoutRecord,
        Difference::OtherNumber,
        Difference::OtherHighWater,
        Difference::BeyondEnd,
        Difference::BeyondSummary,
    ];

    pub fn hop(self) -> Hop {
        match self {
            Difference::NotLanded | Difference::OtherPerson => Hop::ApiLanded,
            Difference::NotOnTopic
            | Difference::NeverLanded
            | Difference::OtherLanding
            | Difference::OtherIdOnTopic => Hop::LandedTopic,
            Difference::NotStored
            | Difference::NeverPublished
            | Difference::StoredThoughLeftOut
            | Difference::OtherColumns
            | Difference::OtherWriteTime => Hop::TopicTable,
            Difference::NoLetter | Difference::NoOrigin | Difference::OtherContent => {
                Hop::RejectedLetters
            }
            Difference::NotCounted
            | Difference::CountedWithoutRecord
            | Difference::OtherNumber
            | Difference::OtherHighWater => Hop::TopicSummaries,
            Difference::BeyondEnd | Difference::BeyondSummary => Hop::Offsets,
        }
    }

    pub fn column(self) -> Column {
        match self {
            Difference::NotLanded
            | Difference::NotOnTopic
            | Difference::NotStored
            | Difference::NoLetter
            | Difference::NotCounted => Column::Missing,
            Difference::NeverLanded
            | Difference::OtherLanding
            | Difference::NeverPublished
            | Difference::StoredThoughLeftOut
            | Difference::NoOrigin
            | Difference::CountedWithoutRecord => Column::Unexpected,
            Difference::OtherPerson
            | Difference::OtherIdOnTopic
            | Difference::OtherColumns
            | Difference::OtherWriteTime
            | Difference::OtherContent
            | Difference::OtherNumber
            | Difference::OtherHighWater
            | Difference::BeyondEnd
            | Difference::BeyondSummary => Column::Different,
        }
    }

    /// For scripts.
    pub fn as_str(self) -> &'static str {
        match self {
            Difference::NotLanded => "not_landed",
            Difference::OtherPerson => "other_person",
            Difference::NotOnTopic => "not_on_topic",
            Difference::NeverLanded => "never_landed",
            Difference::OtherLanding => "other_landing",
            Difference::OtherIdOnTopic => "other_id_on_topic",
            Difference::NotStored => "not_stored",
            Difference::NeverPublished => "never_published",
            Difference::StoredThoughLeftOut => "stored_though_left_out",
            Difference::OtherColumns => "other_columns",
            Difference::OtherWriteTime => "other_write_time",
            Difference::NoLetter => "no_letter",
            Difference::NoOrigin => "no_origin",
            Difference::OtherContent => "other_content",
            Difference::NotCounted => "not_counted",
            Difference::CountedWithoutRecord => "counted_without_record",
            Difference::OtherNumber => "other_number",
            Difference::OtherHighWater => "other_high_water",
            Difference::BeyondEnd => "beyond_end",
            Difference::BeyondSummary => "beyond_summary",
        }
    }

    /// One sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Difference::NotLanded => "The API gives it, and it is neither landed nor kept apart.",
            Difference::OtherPerson => {
                "The API gives another person under this id, who is neither landed nor kept apart."
            }
            Difference::NotOnTopic => {
                "It is marked as published at this place, and no such record is there."
            }
            Difference::NeverLanded => "A record has this number of landing, and nobody landed it.",
            Difference::OtherLanding => {
                "A record has a number of another landing database; in this one nobody landed it."
            }
            Difference::OtherIdOnTopic => {
                "The record with this number of landing is of another user than the landed one."
            }
            Difference::NotStored => {
                "transform-store has committed beyond its record, and it has no row."
            }
            Difference::NeverPublished => {
                "It has a row, and no record of the topic is of this user."
            }
            Difference::StoredThoughLeftOut => {
                "It has a row, and the filters given here leave its records out."
            }
            Difference::OtherColumns => "Its row has other columns than its record gives.",
            Difference::OtherWriteTime => {
                "Its row was not written with the time of its latest record."
            }
            Difference::NoLetter => {
                "The job has settled this rejected record, and there is no dead letter of it."
            }
            Difference::NoOrigin => {
                "A dead letter names this origin, and no rejected record is there."
            }
            Difference::OtherContent => {
                "Its dead letter has another key or other bytes than the rejected record."
            }
            Difference::NotCounted => "Its records were read, and user_summaries has no number.",
            Difference::CountedWithoutRecord => {
                "user_summaries has a number, and no record counts towards it."
            }
            Difference::OtherNumber => "user_summaries has another number than the records give.",
            Difference::OtherHighWater => {
                "user_summaries remembers other highest numbers of landing than the records have."
            }
            Difference::BeyondEnd => "The offset is beyond the end of the partition.",
            Difference::BeyondSummary => {
                "Kafka has a higher offset for the group of aggregate than its summaries cover."
            }
        }
    }
}

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

    #[test]
    fn the_kinds_stand_in_the_order_of_their_hops_under_names_of_their_own() {
        let hops: Vec<Hop> = Difference::ALL.iter().map(|it| it.hop()).collect();
        assert!(hops.is_sorted());
        let mut names: Vec<&str> = Difference::ALL.iter().map(|it| it.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Difference::ALL.len());
    }
}
