//! `aggregate`: topic → exact numbers of users by gender, country, nationality, age band and registration year.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use compact_str::CompactString;

use super::consuming::{Consuming, report};
use super::summary_table;
use crate::boot::{self, Program, Report};
use crate::config::{ConsumerArguments, LogArguments, Server};
use crate::error::{Error, Result};
use crate::metrics::{Operation, Subject};
use crate::pipeline::fold::{FoldEach, Read, ReadAlone, Values};
use crate::pipeline::outcome::Outcome;
use crate::pipeline::record::Record;
use crate::shutdown::Shutdown;
use crate::sink::cassandra::UserSummaries;
use crate::user::filter::Filter;
use crate::user::row::CreatedUser;
use crate::user::summary::{Dimension, each_value};
use crate::user_reader::UserReader;

/// Count the users of the topic by gender, country, nationality, age band and registration year, exactly
///
/// The numbers and the offset that they cover are written to spark_streams.user_summaries in one atomic step, so they are exact after any
/// crash, and a user published twice counts once. The age is that of the day the user was landed. Prints the summary as a table. Numbers
/// made with other filters belong under another --group-id.
#[derive(Debug, Parser)]
#[command(name = "aggregate", version, after_help = AFTER_HELP)]
pub struct Arguments {
    /// Consumer group; each has numbers of its own
    #[arg(long, env = "AGGREGATE_GROUP_ID", default_value = Arguments::NAME, help_heading = "Kafka", value_name = "GROUP")]
    group_id: String,
    #[command(flatten)]
    consumer: ConsumerArguments,
}

const AFTER_HELP: &str = "\
Examples:
  aggregate                                            count what is new on the topic, print the summary, end
  aggregate --follow                                   as a service
  aggregate --group-id adults --min-age 18             numbers of their own
  aggregate --max-dead-letters 1%                      fail when more of it cannot be used

The last line of standard output is one JSON object:
  {\"job\":\"aggregate\",\"consumed\":1000,\"counted\":985,\"already_counted\":5,\"filtered\":0,\"dead_lettered\":10,\"offsets\":{\"0\":[0,480],\"1\":[0,520]},\"elapsed_ms\":812}
Exit codes: 0 done, 2 usage, 65 bad data, 69 a server cannot be reached, 77 denied, 78 configuration, 99 nothing to do (--skip-if-empty)";

impl Program for Arguments {
    const NAME: &'static str = "aggregate";

    fn log_arguments(&self) -> &LogArguments {
        &self.consumer.logs
    }
}

const SUBJECT: Subject = Subject {
    job: Arguments::NAME,
    outcomes: &[
        "consumed",
        "counted",
        "already_counted",
        "filtered",
        "dead_lettered",
    ],
    operations: &[Operation::WriteSummary],
    servers: &["cassandra", "schema_registry"],
    consumes: true,
};

const DEAD_LETTERS_IN_FLIGHT: usize = 1_000;

pub fn main() -> ExitCode {
    boot::main(run)
}

pub async fn run(arguments: Arguments, shutdown: Shutdown) -> Result<Report> {
    let (mut consuming, session) =
        Consuming::open(arguments.group_id, arguments.consumer, SUBJECT, &shutdown).await?;
    let reader = consuming.reader(&shutdown);
    let arguments = &consuming.arguments;
    let summaries = UserSummaries::prepare(
        session,
        &arguments.cassandra.keyspace,
        &consuming.group_id,
        &arguments.kafka.topic,
        arguments.patience.retry_timeout,
    )
    .await?;
    let cassandra = Server::cassandra(arguments.cassandra.address());
    let requests = |operation| consuming.watch.requests_in_the_loop(&cassandra, operation);
    let summaries = summaries.watched(requests(None), requests(Some(Operation::WriteSummary)));
    let limits = arguments.bounds.limits();
    let skip_if_empty = arguments.bounds.skip_if_empty;
    let filter = arguments.filters.filter();
    let read = ReadUsers { reader, filter };
    let dead_letters = consuming.dead_letters(Arguments::NAME)?;
    let runtime = tokio::runtime::Handle::current();
    let work = FoldEach::new(
        runtime,
        read,
        summaries,
        dead_letters,
        DEAD_LETTERS_IN_FLIGHT,
    );
    let partitions: Vec<i32> = consuming.targets.keys().copied().collect();
    let (work, offsets, end) = consuming.run(work, "user_summaries", &shutdown).await?;
    if end.is_ok() {
        print(&summary_table::render(
            &work.ledgers().totals(&partitions).await?,
        ))?;
    }
    let counts = work.counts();
    let numbers = [
        ("consumed", counts.consumed),
        ("counted", counts.counted),
        ("already_counted", counts.already_counted),
        ("filtered", counts.filtered),
        ("dead_lettered", counts.dead_lettered),
    ];
    let mut report = report(numbers, &offsets, end, limits);
    report.skipped = skip_if_empty && counts.consumed == 0;
    Ok(report)
}

fn print(table: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{table}")
        .map_err(|cause| Error::io("the summary cannot be written to standard output").cause(cause))
}

struct ReadUsers {
    reader: UserReader,
    filter: Filter,
}

impl Read for ReadUsers {
    type Values = UserValues;

    fn alone(&self) -> ReadAlone<UserValues> {
        let filter = self.filter.clone();
        Box::new(move |record| {
            UserReader::read_alone(record, |user| filtered(&user, &filter, record))
        })
    }

    fn read(&mut self, record: &Record<'_>) -> Result<Outcome<UserValues>> {
        let Self { reader, filter } = self;
        reader.read(record, |user| filtered(&user, filter, record))
    }
}

fn filtered(user: &CreatedUser<'_>, filter: &Filter, record: &Record<'_>) -> Outcome<UserValues> {
    if !filter.keeps(user, record.timestamp_ms) {
        return Outcome::Filter;
    }
    let mut values = UserValues::default();
    each_value(user, record.timestamp_ms, |dimension, value| {
        values.0[dimension as usize] = value.into();
    });
    Outcome::Keep(values)
}

/// By dimension. Nearly all of them are short enough to need no memory of their own.
#[derive(Default)]
struct UserValues([CompactString; Dimension::ALL.len()]);

impl Values for UserValues {
    fn each(&self, count: &mut dyn FnMut(&'static str, &str)) {
        for dimension in Dimension::ALL {
            count(dimension.as_str(), &self.0[dimension as usize]);
        }
    }
}
