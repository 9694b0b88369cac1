//! Compares what each step of the journey has with what the step before it gave: the sets, not their sizes.
//!
//! **The order of reading** makes running jobs no difference:
//!
//! 1. what the groups have committed, then the kept summaries with their offsets,
//! 2. the rows of `created_users`, then the dead letters,
//! 3. the topic, up to its end at that time,
//! 4. the API, when it is asked, then PostgreSQL in one snapshot, then the ends of the topic once more.
//!
//! A record moves from PostgreSQL to the topic, from there to a row, a letter or a number, and only then an offset is committed. Whatever is
//! read against that direction was there before: below an offset that was read first, each row must have been stored already; a row or a
//! letter that was read must have a record on a topic that is read later; and a record must have been landed before the snapshot was made.
//! What came in between is on the far side of one of these offsets: it is open, and no difference. A place on the topic that PostgreSQL
//! knows must be below the end that is asked for last.
//!
//! **Memory** does not grow with the data: each reading becomes small entries in files, shared out by a digest of their keys
//! ([`buckets`]), and one file after the other is compared. The deciding parts ([`compare`], [`recount`], [`offsets`]) are functions from
//! values to [`findings`].

mod buckets;
mod compare;
mod digest;
mod entry;
pub mod findings;
mod given;
mod offsets;
mod progress;
mod recount;
mod spans;
mod topic;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use scylla::client::session::Session;
use tokio::task::JoinError;
use tokio_postgres::Client;

use crate::broker::{Broker, committed_offsets};
use crate::config::KafkaArguments;
use crate::error::{Error, Result};
use crate::pipeline::fold::Ledger;
use crate::pipeline::outcome::Outcome;
use crate::pipeline::record::Record;
use crate::shutdown::Shutdown;
use crate::sink::cassandra::{StoredUsers, UserSummaries};
use crate::sink::postgres::{LandedSnapshot, landing_id};
use crate::source::kafka::{Records, Span, SpanReader};
use crate::user::filter::Filter;
use crate::user::row::CreatedUser;
use buckets::Buckets;
use entry::{LandingEntry, LetterEntry, UserEntry};
use findings::Findings;
pub use given::Given;
use offsets::Committed;
use progress::Progress;
use recount::Recount;
pub use spans::Position;
use spans::Spans;

/// The servers, reached already, and the reading of a record that the jobs have.
pub struct Sources<R> {
    pub kafka: KafkaArguments,
    pub broker: Broker,
    pub session: Arc<Session>,
    pub database: Client,
    /// The users of the API that must be landed; nothing when it is not asked.
    pub given: Option<Given>,
    /// From a record to its user, as the consuming jobs do it, without their filters. May block.
    pub read: R,
}

#[derive(Debug, Clone)]
pub struct Options {
    pub keyspace: String,
    pub transform_store_group_id: String,
    pub aggregate_group_id: String,
    /// The rule of both jobs.
    pub filter: Filter,
    /// How many examples of each kind of difference are kept.
    pub show: usize,
    /// Where the entries are written.
    pub work_folder: PathBuf,
    /// How long to try again when a server stops answering.
    pub retry_timeout: Duration,
}

/// Reads everything once and compares it. Changes nothing.
pub async fn reconcile<R>(
    sources: Sources<R>,
    options: &Options,
    shutdown: &Shutdown,
) -> Result<Findings>
where
    R: FnMut(&Record<'_>) -> Result<Outcome<CreatedUser>> + Send + 'static,
{
    let reading = async {
        let seen = read(sources, options, shutdown).await?;
        let go_on = shutdown.clone();
        tokio::task::spawn_blocking(move || seen.compare(&|| !go_on.is_requested()))
            .await
            .map_err(broke_off)?
    };
    tokio::select! {
        findings = reading => findings,
        () = shutdown.requested() => Err(stopped()),
    }
}

/// All that was read.
struct Seen {
    committed: Committed,
    recount: Recount,
    spans: Spans,
    letters_removed: bool,
    users: Buckets<UserEntry>,
    landing: Buckets<LandingEntry>,
    letters: Buckets<LetterEntry>,
    findings: Findings,
}

/// Reads in the order that the module tells.
async fn read<R>(sources: Sources<R>, options: &Options, shutdown: &Shutdown) -> Result<Seen>
where
    R: FnMut(&Record<'_>) -> Result<Outcome<CreatedUser>> + Send + 'static,
{
    let Sources {
        kafka,
        broker,
        session,
        mut database,
        given,
        read,
    } = sources;
    let folder = options.work_folder.as_path();
    let patience = options.retry_timeout;
    let (mut users, landing) = (Buckets::new(folder)?, Buckets::new(folder)?);
    let letters = Buckets::new(folder)?;
    let landing_id = landing_id(&database).await?;
    let partitions = broker.existing_partitions(&kafka.topic)?;
    let letter_topic = kafka.dead_letter_topic();
    let letter_partitions = broker.existing_partitions(&letter_topic)?;

    let committed_by = |group_id| committed_offsets(&kafka, group_id, &kafka.topic, &partitions);
    let committed = Committed {
        transform_store: committed_by(&options.transform_store_group_id)?,
        aggregate: committed_by(&options.aggregate_group_id)?,
    };
    let kept = kept_summaries(&session, &kafka.topic, options, &partitions).await?;

    stored_rows(session, options, &mut users).await?;
    let reader = SpanReader::open(&kafka, &letter_topic, Records::Committed)?;
    let letter_span = reader.span(&letter_partitions)?;
    let reading = topic::Letters {
        origin_topic: kafka.topic.clone(),
        letters,
        findings: Findings::new(options.show, given.is_some()),
        progress: Progress::of("dead letters"),
    };
    let reading = topic::read(reader, letter_span.clone(), patience, shutdown, reading).await?;
    reading.progress.end();

    let reader = SpanReader::open(&kafka, &kafka.topic, Records::Committed)?;
    let span = reader.span(&partitions)?;
    let reading = topic::Users {
        read,
        filter: options.filter.clone(),
        landing_id,
        committed: committed.transform_store.clone(),
        recount: Recount::new(kept, &span),
        users,
        landing,
        letters: reading.letters,
        findings: reading.findings,
        progress: Progress::of("records of the topic"),
    };
    let reading = topic::read(reader, span.clone(), patience, shutdown, reading).await?;
    reading.progress.end();
    let topic::Users {
        recount,
        mut users,
        mut landing,
        letters,
        findings,
        ..
    } = reading;

    if let Some(given) = &given {
        given_users(given, shutdown, &mut users).await?;
    }
    landed_users(&mut database, given.is_some(), &mut landing, &mut users).await?;
    let last = SpanReader::open(&kafka, &kafka.topic, Records::Acknowledged)?;
    let last = last.span(&partitions)?;
    Ok(Seen {
        committed,
        recount,
        spans: Spans::new(&span, &last),
        letters_removed: begins_late(&letter_span),
        users,
        landing,
        letters,
        findings,
    })
}

/// The numbers of each partition with the offset that they cover; also of partitions that the topic has not.
async fn kept_summaries(
    session: &Arc<Session>,
    topic: &str,
    options: &Options,
    partitions: &[i32],
) -> Result<BTreeMap<i32, Ledger>> {
    let summaries = UserSummaries::prepare(
        session.clone(),
        &options.keyspace,
        &options.aggregate_group_id,
        topic,
        options.retry_timeout,
    )
    .await?;
    let mut all = summaries.kept_partitions().await?;
    all.extend(partitions);
    let mut kept = BTreeMap::new();
    for partition in all {
        kept.insert(partition, summaries.load_at_once(partition).await?);
    }
    Ok(kept)
}

async fn stored_rows(
    session: Arc<Session>,
    options: &Options,
    users: &mut Buckets<UserEntry>,
) -> Result<()> {
    let rows = StoredUsers::prepare(session, &options.keyspace, options.retry_timeout).await?;
    let mut progress = Progress::of("rows of created_users");
    rows.each(|row| {
        progress.one();
        let digest = row.user.as_ref().map(digest::of_user);
        let written_us = row.written_us;
        users.add(row.id, UserEntry::Stored { digest, written_us })
    })
    .await?;
    progress.end();
    Ok(())
}

async fn given_users(
    given: &Given,
    shutdown: &Shutdown,
    users: &mut Buckets<UserEntry>,
) -> Result<()> {
    let mut progress = Progress::of("users of the API");
    let on_record = |id, fingerprint| {
        progress.one();
        users.add(id, UserEntry::Given { fingerprint })
    };
    given.each(shutdown, on_record).await?;
    progress.end();
    Ok(())
}

async fn landed_users(
    database: &mut Client,
    with_kept_apart: bool,
    landing: &mut Buckets<LandingEntry>,
    users: &mut Buckets<UserEntry>,
) -> Result<()> {
    let mut progress = Progress::of("landed users");
    let snapshot = LandedSnapshot::open(database).await?;
    snapshot
        .landed(|user| {
            progress.one();
            let id = user.id;
            let published = user
                .published
                .map(|(partition, offset)| Position { partition, offset });
            landing.add(user.sequence, LandingEntry::Landed { id, published })?;
            let fingerprint = digest::first_half(&user.fingerprint);
            let entry = UserEntry::Landed {
                fingerprint,
                published,
            };
            users.add(id, entry)
        })
        .await?;
    progress.end();
    if !with_kept_apart {
        return Ok(());
    }
    let mut progress = Progress::of("records kept apart");
    snapshot
        .kept_apart(|record| {
            progress.one();
            let fingerprint = digest::first_half(&record.fingerprint);
            let id = record.id.unwrap_or_else(|| given::stand_in(fingerprint));
            users.add(id, UserEntry::KeptApart { fingerprint })
        })
        .await?;
    progress.end();
    Ok(())
}

fn begins_late(span: &Span) -> bool {
    span.values().any(|&(begin, _)| begin > 0)
}

impl Seen {
    fn compare(self, go_on: &dyn Fn() -> bool) -> Result<Findings> {
        let Self {
            committed,
            recount,
            spans,
            letters_removed,
            users,
            landing,
            letters,
            mut findings,
        } = self;
        let mut progress = Progress::of("keys compared");
        offsets::compare(&committed, &recount.kept_offsets(), &spans, &mut findings);
        recount.compare(&spans, &mut findings);
        landing.each_key(go_on, &mut |&sequence, entries| {
            progress.one();
            compare::landing(sequence, entries, &spans, &mut findings);
        })?;
        users.each_key(go_on, &mut |&id, entries| {
            progress.one();
            compare::user(id, entries, &spans, &mut findings);
        })?;
        letters.each_key(go_on, &mut |&origin, entries| {
            progress.one();
            compare::letters(origin, entries, letters_removed, &spans, &mut findings);
        })?;
        progress.end();
        match go_on() {
            true => Ok(findings),
            false => Err(stopped()),
        }
    }
}

/// What was compared so far says nothing.
fn stopped() -> Error {
    Error::unavailable("the reconciliation was stopped before its end, and has found nothing out")
        .hint("run it again")
}

fn broke_off(cause: JoinError) -> Error {
    Error::bug("a thread of the reconciliation broke off").cause(cause)
}
