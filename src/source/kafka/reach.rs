//! Whether a partition still reaches to the offset at which it is to be read on, and what to say where it does not. librdkafka would go on
//! elsewhere without a word.

use log::warn;

use crate::error::{Error, Result};

/// What a partition holds now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach {
    /// The offset of its first record.
    pub(super) first: i64,
    /// The offset after its last record.
    pub(super) end: i64,
}

#[derive(Debug, PartialEq, Eq)]
enum Place {
    There,
    /// This many offsets before the first record.
    Removed(i64),
    Beyond,
}

impl Reach {
    fn place(self, offset: i64) -> Place {
        match offset {
            _ if offset > self.end => Place::Beyond,
            _ if offset < self.first => Place::Removed(self.first - offset),
            _ => Place::There,
        }
    }
}

/// Who has kept the offset, and what helps when the partition is another one now.
#[derive(Debug, Clone, Copy)]
pub(super) enum KeptBy {
    Group,
    Summary,
}

impl KeptBy {
    fn says(self, offset: i64) -> String {
        match self {
            KeptBy::Group => format!("its group has committed offset {offset} already"),
            KeptBy::Summary => format!("its records are counted up to {offset} already"),
        }
    }

    fn hint(self) -> &'static str {
        match self {
            KeptBy::Group => {
                "read it under another --group-id, or reset the offsets of the group with Kafka's tools \
                 (kafka-consumer-groups.sh --reset-offsets --to-earliest)"
            }
            KeptBy::Summary => {
                "count it under another --group-id, or remove the old numbers from user_summaries"
            }
        }
    }
}

/// Where to begin a partition of which everything below `offset` is done.
pub(super) fn begin(
    topic: &str,
    partition: i32,
    offset: i64,
    reach: Reach,
    kept_by: KeptBy,
) -> Result<i64> {
    match reach.place(offset) {
        Place::There => Ok(offset),
        Place::Removed(count) => {
            warn!(
                "partition {partition} of the topic {topic}: its retention has removed the records from offset {offset} to {} ({count} \
                 offsets) before they were worked on",
                reach.first - 1
            );
            Ok(reach.first)
        }
        Place::Beyond => Err(Error::configuration(format!(
            "partition {partition} of the topic {topic} ends at offset {}, and {}: this is another topic of the same name, or its broker has \
             lost records",
            reach.end,
            kept_by.says(offset)
        ))
        .hint(kept_by.hint())),
    }
}

/// Why a partition cannot be read on at `offset` in the middle of a run; nothing where it can.
pub(super) fn broken_off(topic: &str, partition: i32, offset: i64, reach: Reach) -> Option<Error> {
    match reach.place(offset) {
        Place::There => None,
        Place::Removed(count) => Some(
            Error::unavailable(format!(
                "partition {partition} of the topic {topic}: its retention has removed the records from offset {offset} to {} ({count} \
                 offsets) while this run came to them",
                reach.first - 1
            ))
            .hint("run the job again: it tells what is gone, and goes on with the oldest that is there"),
        ),
        Place::Beyond => Some(
            Error::configuration(format!(
                "partition {partition} of the topic {topic} was read up to offset {offset} and ends at {} now: the topic was made anew, or \
                 its broker has lost records",
                reach.end
            ))
            .hint("compare what is stored with what is landed; where the topic was made anew, run the job again under another --group-id"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    const REACH: Reach = Reach { first: 10, end: 20 };

    #[test]
    fn an_offset_that_is_there_is_where_to_begin() {
        for offset in [10, 15, 20] {
            let begun = begin("users", 3, offset, REACH, KeptBy::Group);
            assert_eq!(begun.unwrap(), offset);
            assert!(broken_off("users", 3, offset, REACH).is_none());
        }
    }

    #[test]
    fn what_was_removed_is_passed_over_and_told() {
        assert_eq!(REACH.place(4), Place::Removed(6));
        let begun = begin("users", 3, 4, REACH, KeptBy::Summary);
        assert_eq!(begun.unwrap(), 10);
        let error = broken_off("users", 3, 4, REACH).unwrap();
        assert_eq!(error.kind(), Kind::Unavailable);
        let text = error.to_string();
        assert!(text.contains("from offset 4 to 9 (6 offsets)"), "{text}");
    }

    #[test]
    fn an_offset_beyond_the_end_is_of_another_topic() {
        for kept_by in [KeptBy::Group, KeptBy::Summary] {
            let error = begin("users", 3, 21, REACH, kept_by).unwrap_err();
            assert_eq!(error.kind(), Kind::Configuration);
            let text = error.to_string();
            assert!(text.contains("partition 3 of the topic users ends at offset 20"));
            assert!(
                text.contains("21 already") && text.contains("--group-id"),
                "{text}"
            );
        }
        let error = broken_off("users", 3, 21, REACH).unwrap();
        assert_eq!(error.kind(), Kind::Configuration);
    }
}
