//! `transform-store`: topic → decode, clean, filter → `created_users`; what cannot be used → dead letters.

use std::process::ExitCode;

use clap::Parser;

use super::consuming::{Consuming, report};
use crate::boot::{self, Program, Report};
use crate::config::{ConsumerArguments, LogArguments, Server};
use crate::error::Result;
use crate::metrics::{Operation, Subject};
use crate::pipeline::batch;
use crate::pipeline::outcome::Outcome;
use crate::pipeline::record::Record;
use crate::pipeline::store::{Flow, StoreEach};
use crate::shutdown::Shutdown;
use crate::sink::cassandra::{CreatedUsers, EncodedRow, RowEncoder};
use crate::user::filter::Filter;
use crate::user_reader::UserReader;

/// Store the users of the topic in Cassandra: decoded, cleaned, filtered, each exactly once in effect
///
/// Ends at the offsets that were the latest when it began, unless --follow is given. A record that cannot be used goes, as it came, to the
/// topic's dead letters (TOPIC.dead_letters). An offset is committed only when every record below it is stored, filtered, or acknowledged
/// as a dead letter.
#[derive(Debug, Parser)]
#[command(name = "transform-store", version, after_help = AFTER_HELP)]
pub struct Arguments {
    /// Consumer group, which remembers how far it has come
    #[arg(long, env = "TRANSFORM_STORE_GROUP_ID", default_value = Arguments::NAME, help_heading = "Kafka", value_name = "GROUP")]
    group_id: String,
    #[command(flatten)]
    consumer: ConsumerArguments,
}

const AFTER_HELP: &str = "\
Examples:
  transform-store                            store what is on the topic now, then end
  transform-store --follow                   as a service
  transform-store --min-age 18 --nationalities gb,fr
  transform-store --max-dead-letters 1%      fail when more of it cannot be used

The last line of standard output is one JSON object:
  {\"job\":\"transform-store\",\"consumed\":1000,\"stored\":990,\"filtered\":0,\"dead_lettered\":10,\"offsets\":{\"0\":[0,480],\"1\":[0,520]},\"elapsed_ms\":812}
Exit codes: 0 done, 2 usage, 65 bad data, 69 a server cannot be reached, 77 denied, 78 configuration, 99 nothing to do (--skip-if-empty)";

impl Program for Arguments {
    const NAME: &'static str = "transform-store";

    fn log_arguments(&self) -> &LogArguments {
        &self.consumer.logs
    }
}

/// Below Cassandra's default limit of 50 KiB for a batch, which counts some 16 bytes for each cell beside its value, and enough requests at
/// once to keep a node busy.
const FLOW: Flow = Flow {
    batch: batch::Limits {
        rows: 80,
        bytes: 40_000,
    },
    batches_in_flight: 8,
    batches_waiting: 7,
    dead_letters_in_flight: 1_000,
};

const SUBJECT: Subject = Subject {
    job: Arguments::NAME,
    outcomes: &["consumed", "stored", "filtered", "dead_lettered"],
    operations: &[Operation::Store],
    servers: &["cassandra", "schema_registry"],
    consumes: true,
};

pub fn main() -> ExitCode {
    boot::main(run)
}

pub async fn run(arguments: Arguments, shutdown: Shutdown) -> Result<Report> {
    let (mut consuming, session) =
        Consuming::open(arguments.group_id, arguments.consumer, SUBJECT, &shutdown).await?;
    let mut reader = consuming.reader(&shutdown);
    let arguments = &consuming.arguments;
    let created_users = CreatedUsers::prepare(
        session,
        &arguments.cassandra.keyspace,
        arguments.patience.retry_timeout,
    )
    .await?
    .watched(consuming.watch.requests(
        &Server::cassandra(arguments.cassandra.address()),
        Operation::Store,
    ));
    let limits = arguments.bounds.limits();
    let skip_if_empty = arguments.bounds.skip_if_empty;
    let filter = arguments.filters.filter();
    let mut encoder = RowEncoder::default();
    let read = move |record: &Record<'_>| read(record, &mut reader, &filter, &mut encoder);
    let dead_letters = consuming.dead_letters(Arguments::NAME)?;
    let runtime = tokio::runtime::Handle::current();
    let work = StoreEach::new(runtime, read, created_users, dead_letters, FLOW);
    let (work, offsets, end) = consuming.run(work, "created_users", &shutdown).await?;
    let counts = work.counts();
    let numbers = [
        ("consumed", counts.consumed),
        ("stored", counts.stored),
        ("filtered", counts.filtered),
        ("dead_lettered", counts.dead_lettered),
    ];
    let mut report = report(numbers, &offsets, end, limits);
    if counts.unsettled() > 0 {
        report.add("unsettled", counts.unsettled());
    }
    report.skipped = skip_if_empty && counts.consumed == 0;
    Ok(report)
}

/// What a record of the topic is: a row with its size, left out, or a dead letter.
fn read(
    record: &Record<'_>,
    reader: &mut UserReader,
    filter: &Filter,
    encoder: &mut RowEncoder,
) -> Result<Outcome<(EncodedRow, usize)>> {
    reader.read(record, |user| {
        if !filter.keeps(&user, record.timestamp_ms) {
            return Outcome::Filter;
        }
        Outcome::Keep(encoder.encode(&user, record.timestamp_ms))
    })
}
