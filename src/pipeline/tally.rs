//! What a run has consumed, how much of it became dead letters, and why: enough to say when there are too many.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::max_dead_letters::MaxDeadLetters;
use super::record::Record;
use crate::error::{Error, Result};
use crate::rejection::{Reason, Rejection};

/// Beyond so many reasons with fields only the reasons are told apart: these are a closed list, fields are named by the formats.
const MAX_CAUSES: usize = 64;
/// The most frequent ones, as an error tells them.
const CAUSES_TOLD: usize = 5;

type Cause = (Reason, Option<Cow<'static, str>>);

#[derive(Debug, Default)]
pub struct Tally {
    consumed: u64,
    dead_letters: u64,
    causes: BTreeMap<Cause, u64>,
    first: Option<Place>,
}

#[derive(Debug)]
struct Place {
    topic: String,
    partition: i32,
    offset: i64,
}

impl Tally {
    pub fn consumed(&mut self) {
        self.consumed += 1;
    }

    /// A consumed record has become a dead letter.
    pub fn rejected(&mut self, record: &Record<'_>, rejection: &Rejection) {
        self.dead_letters += 1;
        self.first.get_or_insert_with(|| Place {
            topic: record.topic.to_owned(),
            partition: record.partition,
            offset: record.offset,
        });
        let mut cause = (rejection.reason, rejection.field.clone());
        if self.causes.len() >= MAX_CAUSES && !self.causes.contains_key(&cause) {
            cause.1 = None;
        }
        *self.causes.entry(cause).or_default() += 1;
    }

    /// An error when these are too many; at the end of the run a share is judged on whatever was consumed.
    pub fn check(&self, max: Option<MaxDeadLetters>, at_the_end: bool) -> Result<()> {
        match max {
            Some(max) if max.is_exceeded(self.dead_letters, self.consumed, at_the_end) => {
                Err(self.too_many(max))
            }
            _ => Ok(()),
        }
    }

    fn too_many(&self, max: MaxDeadLetters) -> Error {
        let Self {
            consumed,
            dead_letters,
            ..
        } = self;
        let first = self.first.as_ref().map_or(String::new(), |it| {
            format!(
                "; the first was at offset {} of partition {} of the topic {}",
                it.offset, it.partition, it.topic
            )
        });
        Error::data(format!(
            "{dead_letters} of the {consumed} records that this run has consumed became dead letters, more than --max-dead-letters {max}: \
             {}{first}",
            self.most_frequent()
        ))
        .hint(
            "look at the dead letters, then mend what produces the records, or raise --max-dead-letters (STREAMFLOW_MAX_DEAD_LETTERS); \
             what is settled is committed, and the next run goes on after it",
        )
    }

    fn most_frequent(&self) -> String {
        let mut causes: Vec<_> = self.causes.iter().collect();
        causes.sort_by_key(|&(_, &letters)| std::cmp::Reverse(letters));
        let others: u64 = causes.iter().skip(CAUSES_TOLD).map(|it| it.1).sum();
        let mut told: Vec<String> = causes
            .iter()
            .take(CAUSES_TOLD)
            .map(|((reason, field), letters)| match field {
                Some(field) => format!("{reason} ({field}) {letters}"),
                None => format!("{reason} {letters}"),
            })
            .collect();
        if others > 0 {
            told.push(format!("others {others}"));
        }
        told.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(partition: i32, offset: i64) -> Record<'static> {
        Record {
            topic: "user_created",
            partition,
            offset,
            timestamp_ms: 0,
            key: None,
            value: None,
            read_sequence: &|| None,
        }
    }

    fn tally(rejections: &[(Rejection, usize)], good: u64) -> Tally {
        let mut tally = Tally::default();
        let all = rejections
            .iter()
            .flat_map(|(rejection, times)| std::iter::repeat_n(rejection, *times));
        for (offset, rejection) in (17..).zip(all) {
            tally.consumed();
            tally.rejected(&record(2, offset), rejection);
        }
        for _ in 0..good {
            tally.consumed();
        }
        tally
    }

    #[test]
    fn tells_how_many_of_how_many_and_why_and_where_it_began() {
        let rejections = [
            (Rejection::of(Reason::InvalidJson), 2),
            (Rejection::field(Reason::MalformedId, "id"), 40),
            (Rejection::field(Reason::MissingField, "last_name"), 3),
        ];
        let tally = tally(&rejections, 1_955);
        let error = tally.check("2%".parse().ok(), false).unwrap_err();
        assert_eq!(error.kind().exit_code(), 65);
        let text = error.to_string();
        assert!(
            text.starts_with(
                "45 of the 2000 records that this run has consumed became dead letters, more than --max-dead-letters 2%: malformed_id (id) \
                 40, missing_field (last_name) 3, invalid_json 2; the first was at offset 17 of partition 2 of the topic user_created\n"
            ),
            "{text}"
        );
        assert!(text.contains("STREAMFLOW_MAX_DEAD_LETTERS"), "{text}");
        assert!(tally.check("2.25%".parse().ok(), true).is_ok());
        assert!(tally.check(None, true).is_ok());
    }

    #[test]
    fn the_rare_reasons_are_told_together() {
        let reasons = [
            Reason::NullValue,
            Reason::EmptyValue,
            Reason::InvalidUtf8,
            Reason::InvalidJson,
            Reason::WrongShape,
            Reason::TooLong,
            Reason::TooLarge,
        ];
        let rejections: Vec<_> = reasons
            .iter()
            .zip(1..)
            .map(|(&reason, times)| (Rejection::of(reason), times))
            .collect();
        let error = tally(&rejections, 0).check("0".parse().ok(), false);
        let text = error.unwrap_err().to_string();
        assert!(
            text.contains(
                "too_large 7, too_long 6, wrong_shape 5, invalid_json 4, invalid_utf8 3, others 3;"
            ),
            "{text}"
        );
    }

    #[test]
    fn fields_without_end_do_not_fill_the_memory() {
        let field = |number: u32| Rejection::field(Reason::WrongType, format!("field{number}"));
        let rejections: Vec<_> = (0..5_000).map(|number| (field(number), 1)).collect();
        let tally = tally(&rejections, 0);
        assert!(tally.causes.len() <= MAX_CAUSES + 1);
        assert_eq!(tally.causes.values().sum::<u64>(), 5_000);
    }
}
