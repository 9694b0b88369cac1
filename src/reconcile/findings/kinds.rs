//! The steps that are compared, and the kinds of difference of each.

use std::fmt;

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

#[cfg(test)]
mod tests {
    use super::*;

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
