//! All readings, one after the other.

use std::collections::BTreeMap;
use std::sync::Arc;

use scylla::client::session::Session;
use tokio_postgres::Client;

use super::buckets::Buckets;
use super::entry::{LandingEntry, UserEntry};
use super::findings::Findings;
use super::given::{self, Given};
use super::offsets::Committed;
use super::recount::Recount;
use super::spans::{Position, Spans};
use super::{Options, Seen, Sources, Standing, digest, topic};
use crate::broker::committed_offsets;
use crate::error::Result;
use crate::pipeline::fold::Ledger;
use crate::pipeline::outcome::Outcome;
use crate::pipeline::record::Record;
use crate::shutdown::Shutdown;
use crate::sink::cassandra::{StoredUsers, UserSummaries};
use crate::sink::postgres::{LandedSnapshot, landing_id};
use crate::source::kafka::{Records, Span, SpanReader};
use crate::user::fingerprint;
use crate::user::row::CreatedUser;

/// Reads in the order that the module above tells.
pub(super) async fn read<R>(
    sources: Sources<R>,
    options: &Options,
    shutdown: &Shutdown,
) -> Result<Seen>
where
    R: FnMut(&Record<'_>) -> Result<Outcome<CreatedUser<'static>>> + Send + 'static,
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
        transform_store: committed_by(&options.groups.transform_store)?,
        aggregate: committed_by(&options.groups.aggregate)?,
    };
    let kept = kept_summaries(&session, &kafka.topic, options, &partitions).await?;

    stored_rows(session, options, &mut users).await?;
    let reader = SpanReader::open(&kafka, &letter_topic, Records::Committed)?;
    let letter_span = reader.span(&letter_partitions)?;
    let reading = topic::Letters {
        origin_topic: kafka.topic.clone(),
        letters,
        findings: Findings::new(options.show, given.is_some()),
        progress: options.standing.of("dead letters"),
    };
    let reading = topic::read(reader, letter_span, patience, shutdown, reading).await?;
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
        progress: options.standing.of("records of the topic"),
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
        given_users(given, shutdown, &options.standing, &mut users).await?;
    }
    landed_users(
        &mut database,
        given.is_some(),
        &options.standing,
        &mut landing,
        &mut users,
    )
    .await?;
    let last_look = |topic: &str, partitions: &[i32]| {
        SpanReader::open(&kafka, topic, Records::Acknowledged)?.span(partitions)
    };
    let last = last_look(&kafka.topic, &partitions)?;
    let last_of_letters = last_look(&letter_topic, &letter_partitions)?;
    Ok(Seen {
        committed,
        recount,
        spans: Spans::new(&span, &last),
        letters_removed: begins_late(&last_of_letters),
        users,
        landing,
        letters,
        findings,
        standing: options.standing.clone(),
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
        &options.groups.aggregate,
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
    let mut progress = options.standing.of("rows of created_users");
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
    standing: &Standing,
    users: &mut Buckets<UserEntry>,
) -> Result<()> {
    let mut progress = standing.of("users of the API");
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
    beside_given: bool,
    standing: &Standing,
    landing: &mut Buckets<LandingEntry>,
    users: &mut Buckets<UserEntry>,
) -> Result<()> {
    let mut progress = standing.of("landed users");
    let snapshot = LandedSnapshot::open(database).await?;
    snapshot
        .landed(beside_given, |user| {
            progress.one();
            let id = user.id;
            let published = user
                .published
                .map(|(partition, offset)| Position { partition, offset });
            landing.add(user.sequence, LandingEntry::Landed { id, published })?;
            let fingerprint = user
                .raw
                .map(|raw| digest::first_half(&fingerprint::of_anything(raw.as_bytes())));
            let entry = UserEntry::Landed {
                fingerprint,
                published,
            };
            users.add(id, entry)
        })
        .await?;
    progress.end();
    if !beside_given {
        return Ok(());
    }
    let mut progress = standing.of("records kept apart");
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
