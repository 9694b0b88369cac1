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
                user.known.push(fingerprint);
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
#[derive(PartialEq, Eq)]
enum Match {
    Same,
    /// Several records of the same time have other contents: Cassandra chooses column by column.
    Mixed,
    OtherColumns,
    OtherWriteTime,
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
                _ if spans.removed_any() => line.unknown += 1,
                other => self.differs(other, id, &self.kept[0], findings),
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
                other => {
                    line.expected += 1;
                    self.differs(other, id, newest, findings);
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
            0 if is_of_a_record => Match::OtherWriteTime,
            0 | 1 => Match::OtherColumns,
            _ => Match::Mixed,
        }
    }

    fn differs(&self, found: Match, id: Uuid, record: &Kept, findings: &mut Findings) {
        let difference = match found {
            Match::OtherWriteTime => Difference::OtherWriteTime,
            Match::OtherColumns | Match::Same | Match::Mixed => Difference::OtherColumns,
        };
        findings.differs(difference, || of(id, Some(record.position)));
    }
}

fn of(id: Uuid, position: Option<Position>) -> Example {
    Example {
        id: Some(id),
        position,
        ..Example::default()
    }
}
