//! `aggregate`: topic → exact numbers of users by gender, country, nationality, age band and registration year.

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use log::info;

use super::summary_table;
use super::transform_store::user_of;
use crate::boot::{self, Program, Report};
use crate::broker::Broker;
use crate::config::{
    BoundArguments, CassandraArguments, ConnectArguments, FilterArguments, KafkaArguments,
    LogArguments,
};
use crate::error::{Error, Result};
use crate::pipeline::bounds::Bounds;
use crate::pipeline::consume::consume;
use crate::pipeline::fold::FoldEach;
use crate::pipeline::outcome::Outcome;
use crate::pipeline::record::Record;
use crate::shutdown::Shutdown;
use crate::sink::cassandra::{self, UserSummaries};
use crate::sink::kafka::KafkaDeadLetters;
use crate::source::kafka::KafkaSource;
use crate::user::filter::Filter;
use crate::user::summary::each_value;

/// Count the users of the topic by gender, country, nationality, age band and registration year, exactly
///
/// The numbers and the offset that they cover are written to spark_streams.user_summaries in one atomic step, so they are exact after any
/// crash, and a user published twice counts once. The age is that of the day the user was landed. Prints the summary as a table. Numbers
/// made with other filters belong under another --group-id.
#[derive(Debug, Parser)]
#[command(name = "aggregate", version, after_help = AFTER_HELP)]
pub struct Arguments {
    #[command(flatten)]
    pub bounds: BoundArguments,
    #[command(flatten)]
    pub filters: FilterArguments,
    #[command(flatten)]
    pub kafka: KafkaArguments,
    /// Consumer group; each has numbers of its own
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
  aggregate                                            count what is new on the topic, print the summary, end
  aggregate --follow                                   as a service
  aggregate --group-id adults --min-age 18             numbers of their own

The last line of standard output is one JSON object:
  {\"job\":\"aggregate\",\"consumed\":1000,\"counted\":985,\"already_counted\":5,\"filtered\":0,\"dead_lettered\":10,\"elapsed_ms\":812}
Exit codes: 0 done, 2 usage, 65 bad data, 69 a server cannot be reached, 77 denied, 78 configuration, 99 nothing to do (--skip-if-empty)";

impl Program for Arguments {
    const NAME: &'static str = "aggregate";

    fn log_arguments(&self) -> &LogArguments {
        &self.logs
    }
}

const DEAD_LETTERS_IN_FLIGHT: usize = 1_000;

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
    let summaries = UserSummaries::prepare(
        session,
        &cassandra.keyspace,
        &group_id,
        &kafka.topic,
        patience.retry_timeout,
    )
    .await?;
    broker.existing_partitions(&kafka.dead_letter_topic())?;
    let targets = broker.latest_offsets(&kafka.topic)?;
    let partitions: Vec<i32> = targets.keys().copied().collect();
    info!(
        "from topic {} (group {group_id}, {} partitions) to {}.user_summaries",
        kafka.topic,
        partitions.len(),
        cassandra.keyspace
    );
    let mut source = KafkaSource::subscribe(&kafka, &group_id)?;
    let dead_letters = KafkaDeadLetters::new(&kafka, Arguments::NAME)?;
    let filter = filters.filter();
    let read = move |record: &Record<'_>, count: &mut dyn FnMut(&'static str, &str)| {
        read(record, &filter, count)
    };
    let runtime = tokio::runtime::Handle::current();
    let mut work = FoldEach::new(
        runtime,
        read,
        summaries,
        dead_letters,
        DEAD_LETTERS_IN_FLIGHT,
    );
    let limits = bounds.limits();
    let work = tokio::task::spawn_blocking(move || {
        let mut bounds = Bounds::new(limits, targets, Instant::now());
        consume(&mut source, &mut work, &mut bounds, &shutdown)?;
        Ok::<_, Error>(work)
    })
    .await
    .map_err(|cause| Error::bug("the consuming thread broke off").cause(cause))??;
    let totals = work.ledgers().totals(&partitions).await?;
    println!("{}", summary_table::render(&totals));
    let counts = work.counts();
    let mut report = Report::of([
        ("consumed", counts.consumed.into()),
        ("counted", counts.counted.into()),
        ("already_counted", counts.already_counted.into()),
        ("filtered", counts.filtered.into()),
        ("dead_lettered", counts.dead_lettered.into()),
    ]);
    report.skipped = bounds.skip_if_empty && counts.consumed == 0;
    Ok(report)
}

fn read(
    record: &Record<'_>,
    filter: &Filter,
    count: &mut dyn FnMut(&'static str, &str),
) -> Outcome<()> {
    match user_of(record) {
        Err(rejection) => Outcome::Reject(rejection),
        Ok(user) if !filter.keeps(&user, record.timestamp_ms) => Outcome::Filter,
        Ok(user) => {
            each_value(&user, record.timestamp_ms, |dimension, value| {
                count(dimension.as_str(), value)
            });
            Outcome::Keep(())
        }
    }
}
