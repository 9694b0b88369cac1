//! API → landed and topic → `created_users`, for one id.

use uuid::Uuid;

use crate::reconcile::digest::Digest;
use crate::reconcile::entry::{Reading, UserEntry};
use crate::reconcile::findings::{Difference, Example, Findings, Hop};
use crate::reconcile::spans::{Position, Spans, Whereabouts};

pub(in crate::reconcile) fn user(
    id: Uuid,
    entries: &[UserEntry],
    spans: &Spans,
    findings: &mut Findings,
) {
    let mut user = User::default();
    for entry in entries {
        match *entry {
            UserEntry::Given { fingerprint } => user.given.push(fingerprint),
            UserEntry::Landed {
                fingerprint,
                published,
            } => {
                user.known.extend(fingerprint);
                user.was_removed |=
                    published.is_some_and(|place| spans.whereabouts(place) == Whereabouts::Removed);
            }
            UserEntry::KeptApart { fingerprint } => user.known.push(fingerprint),
            UserEntry::OnTopic {
                reading: Reading::Filtered,
                ..
            } => user.is_filtered = true,
            UserEntry::OnTopic {
                position,
                timestamp_ms,
                reading: Reading::Kept(digest),
                settled,
            } => user.kept.push(Kept {
                position,
                // As `created_users` is written.
                written_us: timestamp_ms.saturating_mul(1_000),
                digest,
                settled,
            }),
            UserEntry::Stored { digest, written_us } => user.row = Some((digest, written_us)),
        }
    }
    user.compare_given(id, findings);
    user.compare_row(id, spans, findings);
}

/// What was found of one id.
#[derive(Default)]
struct User {
    given: Vec<Digest>,
    /// Landed or kept apart.
    known: Vec<Digest>,
    /// It was published at a place that retention has removed.
    was_removed: bool,
    kept: Vec<Kept>,
    is_filtered: bool,
    row: Option<(Option<Digest>, Option<i64>)>,
}

/// A record of which a row is made.
#[derive(Clone, Copy)]
struct Kept {
    position: Position,
    written_us: i64,
    digest: Digest,
    settled: bool,
}

/// What a row is, beside the records of its user.
enum Match {
    Same,
    /// Several records of the same time have other contents: Cassandra chooses column by column.
    Mixed,
    Differs(Difference),
}

impl User {
    fn compare_given(&mut self, id: Uuid, findings: &mut Findings) {
        if self.given.is_empty() {
            return;
        }
        let all = self.given.len();
        self.given.sort_unstable();
        self.given.dedup();
        findings.line(Hop::ApiLanded).repeated += (all - self.given.len()) as u64;
        for fingerprint in &self.given {
            let line = findings.line(Hop::ApiLanded);
            line.expected += 1;
            if self.known.contains(fingerprint) {
                line.found += 1;
                continue;
            }
            let difference = match self.known.is_empty() {
                true => Difference::NotLanded,
                false => Difference::OtherPerson,
            };
            findings.differs(difference, || of(id, None));
        }
    }

    fn compare_row(&self, id: Uuid, spans: &Spans, findings: &mut Findings) {
        let newest_settled = self.kept.iter().filter(|it| it.settled);
        let newest_settled = newest_settled.max_by_key(|it| it.written_us);
        let line = findings.line(Hop::TopicTable);
        line.repeated += (self.kept.len() as u64).saturating_sub(1);
        match (newest_settled, self.row) {
            (None, None) => line.open += u64::from(!self.kept.is_empty()),
            (None, Some(_)) if self.kept.is_empty() => self.row_of_nothing(id, findings),
            // It may be there already.
            (None, Some(row)) => match self.compare(row, i64::MIN) {
                Match::Same | Match::Mixed => line.open += 1,
                // An earlier record of this user can have made it.
                Match::Differs(_) if spans.removed_any() => line.unknown += 1,
                Match::Differs(difference) => {
                    findings.differs(difference, || of(id, Some(self.kept[0].position)));
                }
            },
            (Some(newest), None) => {
                line.expected += 1;
                findings.differs(Difference::NotStored, || of(id, Some(newest.position)));
            }
            (Some(newest), Some(row)) => match self.compare(row, newest.written_us) {
                Match::Same => {
                    line.expected += 1;
                    line.found += 1;
                }
                Match::Mixed => line.unknown += 1,
                Match::Differs(difference) => {
                    line.expected += 1;
                    findings.differs(difference, || of(id, Some(newest.position)));
                }
            },
        }
    }

    /// A row, and no record that would be stored.
    fn row_of_nothing(&self, id: Uuid, findings: &mut Findings) {
        if self.was_removed {
            findings.line(Hop::TopicTable).unknown += 1;
        } else if self.is_filtered {
            findings.differs(Difference::StoredThoughLeftOut, || of(id, None));
        } else {
            findings.differs(Difference::NeverPublished, || of(id, None));
        }
    }

    /// The record that has won is of the row's write time, and of no earlier time than a record that is stored already.
    fn compare(
        &self,
        (digest, written_us): (Option<Digest>, Option<i64>),
        not_before: i64,
    ) -> Match {
        let mut winners: Vec<Digest> = self
            .kept
            .iter()
            .filter(|it| it.written_us >= not_before && Some(it.written_us) == written_us)
            .map(|it| it.digest)
            .collect();
        winners.sort_unstable();
        winners.dedup();
        if digest.is_some_and(|digest| winners.contains(&digest)) {
            return Match::Same;
        }
        let is_of_a_record = self.kept.iter().any(|it| Some(it.digest) == digest);
        match winners.len() {
            0 if is_of_a_record => Match::Differs(Difference::OtherWriteTime),
            0 | 1 => Match::Differs(Difference::OtherColumns),
            _ => Match::Mixed,
        }
    }
}

fn of(id: Uuid, position: Option<Position>) -> Example {
    Example {
        id: Some(id),
        position,
        ..Example::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::findings::Line;
    use crate::source::kafka::Span;

    const ID: Uuid = Uuid::from_u128(1);

    fn record(timestamp_ms: i64, content: u8, settled: bool) -> UserEntry {
        UserEntry::OnTopic {
            position: Position {
                partition: 0,
                offset: 7,
            },
            timestamp_ms,
            reading: Reading::Kept([content; 16]),
            settled,
        }
    }

    fn row(written_ms: i64, content: u8) -> UserEntry {
        UserEntry::Stored {
            digest: Some([content; 16]),
            written_us: Some(written_ms * 1_000),
        }
    }

    fn compared(entries: &[UserEntry], begin: i64) -> (Line, Line, Vec<Difference>) {
        let span = Span::from([(0, (begin, 10))]);
        let mut findings = Findings::new(1, true);
        user(ID, entries, &Spans::new(&span, &span), &mut findings);
        let differences = findings.differences().map(|(it, _)| it).collect();
        let lines = (
            *findings.line(Hop::TopicTable),
            *findings.line(Hop::ApiLanded),
        );
        (lines.0, lines.1, differences)
    }

    /// Expected, found, open and unknown.
    fn table(entries: &[UserEntry]) -> ([u64; 4], Vec<Difference>) {
        let (line, _, differences) = compared(entries, 0);
        (
            [line.expected, line.found, line.open, line.unknown],
            differences,
        )
    }

    #[test]
    fn a_row_is_that_of_the_latest_record() {
        let two = [record(2, 1, true), record(1, 2, true)];
        let with = |row| [two[0], two[1], row];
        assert_eq!(table(&with(row(2, 1))), ([1, 1, 0, 0], vec![]));
        let older = table(&with(row(1, 2)));
        assert_eq!(older, ([1, 0, 0, 0], vec![Difference::OtherWriteTime]));
        let other = table(&with(row(2, 3)));
        assert_eq!(other, ([1, 0, 0, 0], vec![Difference::OtherColumns]));
        assert_eq!(table(&two), ([1, 0, 0, 0], vec![Difference::NotStored]));
        let null = UserEntry::Stored {
            digest: None,
            written_us: None,
        };
        assert_eq!(
            table(&with(null)),
            ([1, 0, 0, 0], vec![Difference::OtherColumns])
        );
    }

    #[test]
    fn a_record_that_is_open_may_be_stored_already() {
        let open = record(2, 2, false);
        assert_eq!(table(&[open]), ([0, 0, 1, 0], vec![]));
        assert_eq!(table(&[open, row(2, 2)]), ([0, 0, 1, 0], vec![]));
        let both = [open, record(1, 1, true)];
        assert_eq!(
            table(&[both[0], both[1], row(2, 2)]),
            ([1, 1, 0, 0], vec![])
        );
        assert_eq!(
            table(&[both[0], both[1], row(1, 1)]),
            ([1, 1, 0, 0], vec![])
        );
        assert_eq!(table(&[open, row(2, 3)]).1, [Difference::OtherColumns]);
    }

    #[test]
    fn of_records_of_one_time_any_may_have_won_also_column_by_column() {
        let tied = [record(1, 1, true), record(1, 2, true)];
        for content in [1, 2] {
            assert_eq!(
                table(&[tied[0], tied[1], row(1, content)]),
                ([1, 1, 0, 0], vec![])
            );
        }
        assert_eq!(
            table(&[tied[0], tied[1], row(1, 3)]),
            ([0, 0, 0, 1], vec![])
        );
    }

    #[test]
    fn a_row_without_a_record_is_judged_by_what_may_have_been_there() {
        assert_eq!(table(&[row(1, 1)]).1, [Difference::NeverPublished]);
        let filtered = UserEntry::OnTopic {
            position: Position {
                partition: 0,
                offset: 7,
            },
            timestamp_ms: 1,
            reading: Reading::Filtered,
            settled: true,
        };
        assert_eq!(table(&[filtered]), ([0; 4], vec![]));
        assert_eq!(
            table(&[filtered, row(1, 1)]).1,
            [Difference::StoredThoughLeftOut]
        );
        let landed = |offset| UserEntry::Landed {
            fingerprint: None,
            published: Some(Position {
                partition: 0,
                offset,
            }),
        };
        let (line, _, differences) = compared(&[landed(3), row(1, 1)], 5);
        assert_eq!((line.unknown, differences), (1, vec![]));
        let (_, _, differences) = compared(&[landed(6), row(1, 1)], 5);
        assert_eq!(differences, [Difference::NeverPublished]);
    }

    #[test]
    fn whom_the_api_gives_is_landed_or_kept_apart() {
        let given = |content| UserEntry::Given {
            fingerprint: [content; 16],
        };
        let landed = UserEntry::Landed {
            fingerprint: Some([1; 16]),
            published: None,
        };
        let apart = UserEntry::KeptApart {
            fingerprint: [2; 16],
        };
        let api = |entries: &[UserEntry]| {
            let (_, line, differences) = compared(entries, 0);
            ([line.expected, line.found, line.repeated], differences)
        };
        assert_eq!(api(&[given(1), landed]), ([1, 1, 0], vec![]));
        assert_eq!(api(&[given(1), given(1), landed]), ([1, 1, 1], vec![]));
        assert_eq!(
            api(&[given(1), given(2), landed, apart]),
            ([2, 2, 0], vec![])
        );
        assert_eq!(api(&[given(1)]), ([1, 0, 0], vec![Difference::NotLanded]));
        let another = api(&[given(2), landed]);
        assert_eq!(another, ([1, 0, 0], vec![Difference::OtherPerson]));
        assert_eq!(api(&[landed]), ([0, 0, 0], vec![]));
    }
}
