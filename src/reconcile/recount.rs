//! Topic → `user_summaries`: the numbers once more, by the rules of `aggregate`, from the records that its kept offsets cover. Pure.

use std::collections::BTreeMap;

use super::entry::Due;
use super::findings::{Difference, Example, Findings, Hop};
use super::spans::Spans;
use crate::pipeline::fold::{Key, Ledger};
use crate::pipeline::record::Record;
use crate::pipeline::sequence::HighWater;
use crate::source::kafka::Span;
use crate::user::row::CreatedUser;
use crate::user::summary::each_value;

/// A value is a text of a user, of up to 1,000 characters.
const SHOWN_CHARACTERS: usize = 60;

/// What a record is to `aggregate`.
pub(super) enum Counting<'a> {
    Keep(&'a CreatedUser<'a>),
    Filter,
    Reject,
}

pub(super) struct Recount {
    tallies: BTreeMap<i32, Tally>,
}

#[derive(Default)]
struct Tally {
    kept: Ledger,
    /// Records were removed before they could be read here.
    begins_late: bool,
    high_water: HighWater,
    counts: BTreeMap<Key, i64>,
    already_counted: u64,
    open: u64,
}

impl Recount {
    pub(super) fn new(kept: BTreeMap<i32, Ledger>, span: &Span) -> Self {
        let tally = |(partition, kept): (i32, Ledger)| {
            let begin = span.get(&partition).map_or(0, |&(begin, _)| begin);
            let tally = Tally {
                kept,
                begins_late: begin > 0,
                ..Tally::default()
            };
            (partition, tally)
        };
        Self {
            tallies: kept.into_iter().map(tally).collect(),
        }
    }

    /// Where each partition's numbers end, for those that have any.
    pub(super) fn kept_offsets(&self) -> BTreeMap<i32, i64> {
        let kept = |(&partition, tally): (&i32, &Tally)| Some((partition, tally.kept.next_offset?));
        self.tallies.iter().filter_map(kept).collect()
    }

    /// Counts the record when `aggregate` has done so. Says whether it must have written a letter if it was rejected.
    pub(super) fn record(&mut self, record: &Record<'_>, counting: Counting<'_>) -> Due {
        let tally = self.tallies.entry(record.partition).or_default();
        if record.offset >= tally.kept.next_offset.unwrap_or(0) {
            tally.open += 1;
            return Due::NotYet;
        }
        let sequence = record.sequence();
        if !tally.high_water.admit(sequence) {
            tally.already_counted += 1;
            return Due::No;
        }
        match counting {
            Counting::Keep(user) => {
                each_value(user, record.timestamp_ms, |dimension, value| {
                    let key = (dimension.as_str(), value.to_owned());
                    *tally.counts.entry(key).or_default() += 1;
                });
                Due::Yes
            }
            Counting::Filter => Due::Yes,
            // A record that retention has removed may have had the same number.
            Counting::Reject if tally.begins_late && sequence.is_some() => Due::Unknown,
            Counting::Reject => Due::Yes,
        }
    }

    pub(super) fn compare(&self, spans: &Spans, findings: &mut Findings) {
        for (&partition, tally) in &self.tallies {
            let line = findings.line(Hop::TopicSummaries);
            line.open += tally.open;
            line.repeated += tally.already_counted;
            let is_counted = tally.kept.next_offset.is_some();
            if is_counted && (tally.begins_late || spans.beginning(partition) > 0) {
                line.unknown += tally.kept.counts.len() as u64;
                continue;
            }
            tally.compare(partition, findings);
        }
    }
}

impl Tally {
    fn compare(&self, partition: i32, findings: &mut Findings) {
        for (key, &expected) in &self.counts {
            let line = findings.line(Hop::TopicSummaries);
            line.expected += 1;
            let kept = self.kept.counts.get(key).copied().unwrap_or(0);
            if kept == expected {
                line.found += 1;
                continue;
            }
            let difference = match kept {
                0 => Difference::NotCounted,
                _ => Difference::OtherNumber,
            };
            findings.differs(difference, || number(partition, key, kept, expected));
        }
        for (key, &kept) in &self.kept.counts {
            // 0 is the same as no number.
            if kept != 0 && !self.counts.contains_key(key) {
                findings.differs(Difference::CountedWithoutRecord, || {
                    number(partition, key, kept, 0)
                });
            }
        }
        if self.kept.high_water != self.high_water {
            findings.differs(Difference::OtherHighWater, || Example {
                detail: Some(format!("partition {partition}")),
                ..Example::default()
            });
        }
    }
}

/// What `aggregate` prints of a number, too.
fn number(partition: i32, (dimension, value): &Key, kept: i64, expected: i64) -> Example {
    let mut shown: String = value.chars().take(SHOWN_CHARACTERS).collect();
    if shown.len() < value.len() {
        shown.push('…');
    }
    Example {
        detail: Some(format!(
            "partition {partition}, {dimension} {shown:?}: {kept} instead of {expected}"
        )),
        ..Example::default()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::pipeline::sequence::Sequence;
    use crate::reconcile::findings::{Column, Line};

    fn user() -> CreatedUser<'static> {
        CreatedUser {
            id: Uuid::nil(),
            first_name: "A".into(),
            last_name: "B".into(),
            gender: Some("female".into()),
            address: None,
            post_code: None,
            email: None,
            username: None,
            dob_ms: None,
            registered_date_ms: None,
            phone: None,
            picture: None,
            nationality: None,
            country: None,
        }
    }

    fn record(offset: i64, number: i64) -> Record<'static> {
        let landing = Uuid::nil();
        let sequence = Box::leak(Box::new(move || Some(Sequence { landing, number })));
        Record {
            topic: "t",
            partition: 0,
            offset,
            timestamp_ms: 0,
            key: None,
            value: None,
            read_sequence: sequence,
        }
    }

    /// Five records, the second of which is a repetition; the fourth is rejected, the fifth not counted yet.
    fn recounted(
        change: impl FnOnce(&mut Ledger),
        begin: i64,
    ) -> (Vec<Due>, Line, Vec<Difference>) {
        let numbers = [
            "gender",
            "country",
            "nationality",
            "age_band",
            "registration_year",
        ];
        let values = ["female", "unknown", "unknown", "unknown", "unknown"];
        let counts = numbers.into_iter().zip(values);
        let mut kept = Ledger {
            next_offset: Some(4),
            high_water: HighWater(BTreeMap::from([(Uuid::nil(), 3)])),
            counts: counts
                .map(|(name, value)| ((name, value.to_owned()), 2))
                .collect(),
        };
        change(&mut kept);
        let span = Span::from([(0, (begin, 5))]);
        let mut recount = Recount::new(BTreeMap::from([(0, kept)]), &span);
        let user = user();
        let dues = vec![
            recount.record(&record(0, 1), Counting::Keep(&user)),
            recount.record(&record(1, 1), Counting::Keep(&user)),
            recount.record(&record(2, 2), Counting::Keep(&user)),
            recount.record(&record(3, 3), Counting::Reject),
            recount.record(&record(4, 4), Counting::Reject),
        ];
        let mut findings = Findings::new(1, false);
        recount.compare(&Spans::new(&span, &span), &mut findings);
        let differences = findings.differences().map(|(it, _)| it).collect();
        (dues, *findings.line(Hop::TopicSummaries), differences)
    }

    #[test]
    fn counts_as_aggregate_does() {
        let (dues, line, differences) = recounted(|_| {}, 0);
        assert_eq!(dues, [Due::Yes, Due::No, Due::Yes, Due::Yes, Due::NotYet]);
        assert_eq!(differences, []);
        assert_eq!((line.expected, line.found), (5, 5));
        assert_eq!((line.repeated, line.open, line.unknown), (1, 1, 0));
    }

    #[test]
    fn each_wrong_number_is_told() {
        let key = ("gender", "female".to_owned());
        let (_, _, differences) = recounted(|kept| _ = kept.counts.insert(key.clone(), 3), 0);
        assert_eq!(differences, [Difference::OtherNumber]);
        let (_, _, differences) = recounted(|kept| _ = kept.counts.remove(&key), 0);
        assert_eq!(differences, [Difference::NotCounted]);
        let other = ("gender", "male".to_owned());
        let (_, _, differences) = recounted(|kept| _ = kept.counts.insert(other.clone(), 3), 0);
        assert_eq!(differences, [Difference::CountedWithoutRecord]);
        let (_, _, differences) = recounted(|kept| _ = kept.counts.insert(other, 0), 0);
        assert_eq!(differences, [], "0 is no number");
        let (_, _, differences) = recounted(|kept| kept.high_water = HighWater::default(), 0);
        assert_eq!(differences, [Difference::OtherHighWater]);
    }

    #[test]
    fn without_the_first_records_nothing_is_known() {
        let (dues, line, differences) = recounted(|kept| kept.counts.clear(), 1);
        assert_eq!(dues[3], Due::Unknown);
        assert_eq!((line.expected, differences), (0, vec![]));
        let (_, line, _) = recounted(|_| {}, 1);
        assert_eq!(line.unknown, 5);
    }

    #[test]
    fn numbers_of_a_partition_that_the_topic_has_not_are_unexpected() {
        let kept = Ledger {
            next_offset: Some(1),
            counts: BTreeMap::from([(("gender", "male".to_owned()), 1)]),
            ..Ledger::default()
        };
        let recount = Recount::new(BTreeMap::from([(9, kept)]), &Span::new());
        let mut findings = Findings::new(1, false);
        recount.compare(&Spans::default(), &mut findings);
        assert_eq!(findings.count(Hop::TopicSummaries, Column::Unexpected), 1);
    }
}
