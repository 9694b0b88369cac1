//! The readings of the two topics: from each record to its entries.

use std::collections::BTreeMap;
use std::time::Duration;

use uuid::Uuid;

use super::buckets::Buckets;
use super::digest;
use super::entry::{Due, LandingEntry, LetterEntry, LetterJob, Reading, UserEntry};
use super::findings::{Difference, Example, Findings};
use super::progress::Progress;
use super::recount::{Counting, Recount};
use super::spans::Position;
use super::{broke_off, stopped};
use crate::error::Result;
use crate::pipeline::dead_letter::header;
use crate::pipeline::outcome::Outcome;
use crate::pipeline::record::Record;
use crate::shutdown::Shutdown;
use crate::source::kafka::{RecordHeaders, Span, SpanReader};
use crate::user::filter::Filter;
use crate::user::row::CreatedUser;

/// What takes the records of a topic.
pub(super) trait TopicReading: Send + 'static {
    fn record(&mut self, record: &Record<'_>, headers: &RecordHeaders<'_>) -> Result<()>;
}

/// Reads the span on a thread of its own; what took it in comes back.
pub(super) async fn read<T: TopicReading>(
    reader: SpanReader,
    span: Span,
    patience: Duration,
    shutdown: &Shutdown,
    mut reading: T,
) -> Result<T> {
    let shutdown = shutdown.clone();
    let reading = tokio::task::spawn_blocking(move || {
        let go_on = || !shutdown.is_requested();
        reader.read(&span, patience, &go_on, &mut |record, headers| {
            reading.record(record, &headers)
        })?;
        match go_on() {
            true => Ok(reading),
            false => Err(stopped()),
        }
    });
    reading.await.map_err(broke_off)?
}

/// The topic of the users.
pub(super) struct Users<R> {
    pub(super) read: R,
    pub(super) filter: Filter,
    pub(super) landing_id: Uuid,
    /// What the group of `transform-store` has committed.
    pub(super) committed: BTreeMap<i32, i64>,
    pub(super) recount: Recount,
    pub(super) users: Buckets<UserEntry>,
    pub(super) landing: Buckets<LandingEntry>,
    pub(super) letters: Buckets<LetterEntry>,
    pub(super) findings: Findings,
    pub(super) progress: Progress,
}

impl<R> TopicReading for Users<R>
where
    R: FnMut(&Record<'_>) -> Result<Outcome<CreatedUser<'static>>> + Send + 'static,
{
    fn record(&mut self, record: &Record<'_>, _headers: &RecordHeaders<'_>) -> Result<()> {
        self.progress.one();
        let position = position(record);
        let settled = self
            .committed
            .get(&record.partition)
            .is_some_and(|&committed| record.offset < committed);
        let user = match (self.read)(record)? {
            Outcome::Keep(user) => Some(user),
            Outcome::Reject(_) => None,
            // The reading has no filter, and leaves a record unread only when a stop is asked for.
            Outcome::Filter | Outcome::Unread => return Err(stopped()),
        };
        match &user {
            Some(user) => {
                let keeps = self.filter.keeps(user, record.timestamp_ms);
                let (reading, counting) = match keeps {
                    true => (Reading::Kept(digest::of_user(user)), Counting::Keep(user)),
                    false => (Reading::Filtered, Counting::Filter),
                };
                self.recount.record(record, counting);
                let entry = UserEntry::OnTopic {
                    position,
                    timestamp_ms: record.timestamp_ms,
                    reading,
                    settled,
                };
                self.users.add(user.id, entry)?;
            }
            None => {
                let aggregate = self.recount.record(record, Counting::Reject);
                let entry = LetterEntry::Rejected {
                    digest: digest::of_record(record.key, record.value),
                    transform_store: if settled { Due::Yes } else { Due::NotYet },
                    aggregate,
                };
                self.letters.add(position, entry)?;
            }
        }
        let id = user.map(|user| user.id).or_else(|| id_of_key(record.key));
        match record.sequence() {
            None => self.findings.records_of_others += 1,
            Some(sequence) if sequence.landing == self.landing_id => {
                let entry = LandingEntry::OnTopic { id, position };
                self.landing.add(sequence.number, entry)?;
            }
            Some(sequence) => {
                self.findings.differs(Difference::OtherLanding, || Example {
                    id,
                    sequence: Some(sequence.number),
                    position: Some(position),
                    detail: Some(format!("landing database {}", sequence.landing)),
                });
            }
        }
        Ok(())
    }
}

/// The topic of the dead letters.
pub(super) struct Letters {
    /// The topic of the users.
    pub(super) origin_topic: String,
    pub(super) letters: Buckets<LetterEntry>,
    pub(super) findings: Findings,
    pub(super) progress: Progress,
}

impl TopicReading for Letters {
    fn record(&mut self, record: &Record<'_>, headers: &RecordHeaders<'_>) -> Result<()> {
        self.progress.one();
        let Some((job, origin)) = self.origin(headers) else {
            self.findings.letters_of_others += 1;
            return Ok(());
        };
        let digest = digest::of_record(record.key, record.value);
        self.letters
            .add(origin, LetterEntry::Letter { job, digest })
    }
}

impl Letters {
    /// Nothing for what no job of ours has written.
    fn origin(&self, headers: &RecordHeaders<'_>) -> Option<(LetterJob, Position)> {
        let job = LetterJob::parse(headers.text(header::JOB)?)?;
        let is_ours = headers.text(header::ORIGIN_TOPIC)? == self.origin_topic;
        let origin = Position {
            partition: headers.text(header::ORIGIN_PARTITION)?.parse().ok()?,
            offset: headers.text(header::ORIGIN_OFFSET)?.parse().ok()?,
        };
        is_ours.then_some((job, origin))
    }
}

fn position(record: &Record<'_>) -> Position {
    Position {
        partition: record.partition,
        offset: record.offset,
    }
}

/// The publisher's keys are ids.
fn id_of_key(key: Option<&[u8]>) -> Option<Uuid> {
    Uuid::try_parse_ascii(key?).ok()
}
