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
mod read;
mod recount;
mod spans;
mod topic;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use scylla::client::session::Session;
use tokio::task::JoinError;
use tokio_postgres::Client;

use crate::broker::Broker;
use crate::config::{GroupArguments, KafkaArguments};
use crate::error::{Error, Result};
use crate::pipeline::outcome::Outcome;
use crate::pipeline::record::Record;
use crate::shutdown::Shutdown;
use crate::user::filter::Filter;
use crate::user::row::CreatedUser;
use buckets::Buckets;
use entry::{LandingEntry, LetterEntry, UserEntry};
use findings::Findings;
pub use given::Given;
use offsets::Committed;
pub use progress::Standing;
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
    pub groups: GroupArguments,
    /// The rule of both jobs.
    pub filter: Filter,
    /// How many examples of each kind of difference are kept.
    pub show: usize,
    /// Where the entries are written.
    pub work_folder: PathBuf,
    /// How long to try again when a server stops answering.
    pub retry_timeout: Duration,
    /// Tells whoever watches how far it is.
    pub standing: Standing,
}

/// Reads everything once and compares it. Changes nothing.
pub async fn reconcile<R>(
    sources: Sources<R>,
    options: &Options,
    shutdown: &Shutdown,
) -> Result<Findings>
where
    R: FnMut(&Record<'_>) -> Result<Outcome<CreatedUser<'static>>> + Send + 'static,
{
    let reading = async {
        let seen = read::read(sources, options, shutdown).await?;
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
    standing: Standing,
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
            standing,
        } = self;
        let mut progress = standing.of("keys compared");
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
