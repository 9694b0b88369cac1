//! `transform-store`: topic → decode, clean, filter → `created_users`; what cannot be used → dead letters.

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use log::info;

use crate::boot::{self, Program, Report};
use crate::broker::Broker;
use crate::config::{
    BoundArguments, CassandraArguments, ConnectArguments, FilterArguments, KafkaArguments,
    LogArguments,
};
use crate::error::{Error, Result};
use crate::pipeline::batch;
use crate::pipeline::bounds::Bounds;
use crate::pipeline::consume::consume;
use crate::pipeline::outcome::Outcome;
use crate::pipeline::record::Record;
use crate::pipeline::store::{Flow, StoreEach};
use crate::rejection::{Reason, Rejection};
use crate::shutdown::Shutdown;
use crate::sink::cassandra::{self, CreatedUsers, TimedRow};
use crate::sink::kafka::KafkaDeadLetters;
use crate::source::kafka::KafkaSource;
use crate::user::clean::clean;
use crate::user::event::UserCreated;
use crate::user::filter::Filter;
use crate::user::row::CreatedUser;

/// Store the users of the topic in Cassandra: decoded, cleaned, filtered, each exactly once in effect
///
/// Ends at the offsets that were the latest when it began, unless --follow is given. A record that cannot be used goes, as it came, to the
/// topic's dead letters (TOPIC.dead_letters). An offset is committed only when every record below it is stored, filtered, or acknowledged
/// as a dead letter.
#[derive(Debug, Parser)]
#[command(name = "transform-store", version, after_help = AFTER_HELP)]
pub struct Arguments {
    #[command(flatten)]
    pub bounds: BoundArguments,
    #[command(flatten)]
    pub filters: FilterArguments,
    #[command(flatten)]
    pub kafka: KafkaArguments,
    /// Consumer group, which remembers how far it has come
    #[arg(long, env = "KAFKA_GROUP_ID", default_value = Arguments::NAME, help_heading = "Kafka", value_name = "GROUP")]
    pub group_id: String,
    #[command(flatten)]
    pub cassandra: CassandraArguments,
    #[command(flatten)]
    pub patience: ConnectArguments,
    #[command(flatten)]
    pub logs: LogArguments,
}

const AFTER_HELP: &str = "\
Examples:
  transform-store                            store what is on the topic now, then end
  transform-store --follow                   as a service
  transform-store --min-age 18 --nationalities gb,fr

The last line of standard output is one JSON object:
  {\"job\":\"transform-store\",\"consumed\":1000,\"stored\":990,\"filtered\":0,\"dead_lettered\":10,\"elapsed_ms\":812}
Exit codes: 0 done, 2 usage, 65 bad data, 69 a server cannot be reached, 77 denied, 78 configuration, 99 nothing to do (--skip-if-empty)";

impl Program for Arguments {
    const NAME: &'static str = "transform-store";

    fn log_arguments(&self) -> &LogArguments {
        &self.logs
    }
}

/// Below Cassandra's default limit of 50 KiB for a batch, and enough requests at once to keep a node busy.
const FLOW: Flow = Flow {
    batch: batch::Limits {
        rows: 60,
        bytes: 40_000,
    },
    batches_in_flight: 8,
    dead_letters_in_flight: 1_000,
};

pub fn main() -> ExitCode {
    boot::main(run)
}

pub async fn run(arguments: Arguments, shutdown: Shutdown) -> Result<Report> {
    let Arguments {
        bounds,
        filters,
        kafka,
        group_id,
        cassandra,
        patience,
        logs: _,
    } = arguments;
    let broker = Broker::connect(&kafka, &patience).await?;
    let session = cassandra::connect(&cassandra, &patience).await?;
    let created_users =
        CreatedUsers::prepare(session, &cassandra.keyspace, patience.retry_timeout).await?;
    broker.existing_partitions(&kafka.dead_letter_topic())?;
    let targets = broker.latest_offsets(&kafka.topic)?;
    info!(
        "from topic {} (group {group_id}, {} partitions) to {}.created_users",
        kafka.topic,
        targets.len(),
        cassandra.keyspace
    );
    let mut source = KafkaSource::subscribe(&kafka, &group_id)?;
    let dead_letters = KafkaDeadLetters::new(&kafka, Arguments::NAME)?;
    let filter = filters.filter();
    let read = move |record: &Record<'_>| read(record, &filter);
    let runtime = tokio::runtime::Handle::current();
    let mut work = StoreEach::new(runtime, read, created_users, dead_letters, FLOW);
    let limits = bounds.limits();
    let counts = tokio::task::spawn_blocking(move || {
        let mut bounds = Bounds::new(limits, targets, Instant::now());
        consume(&mut source, &mut work, &mut bounds, &shutdown)?;
        Ok::<_, Error>(work.counts())
    })
    .await
    .map_err(|cause| Error::bug("the consuming thread broke off").cause(cause))??;
    let mut report = Report::of([
        ("consumed", counts.consumed.into()),
        ("stored", counts.stored.into()),
        ("filtered", counts.filtered.into()),
        ("dead_lettered", counts.dead_lettered.into()),
    ]);
    report.skipped = bounds.skip_if_empty && counts.consumed == 0;
    Ok(report)
}

/// What a record of the topic is: a row with its size, left out, or a dead letter.
fn read(record: &Record<'_>, filter: &Filter) -> Outcome<(TimedRow, usize)> {
    match user_of(record) {
        Err(rejection) => Outcome::Reject(rejection),
        Ok(user) if !filter.keeps(&user, record.timestamp_ms) => Outcome::Filter,
        Ok(user) => {
            let bytes = user.size_bytes();
            let written_ms = record.timestamp_ms;
            Outcome::Keep((TimedRow { user, written_ms }, bytes))
        }
    }
}

/// The cleaned user of a record.
pub(super) fn user_of(record: &Record<'_>) -> Result<CreatedUser, Rejection> {
    let value = record.value.ok_or(Rejection::of(Reason::NullValue))?;
    clean(UserCreated::decode(value)?)
}
