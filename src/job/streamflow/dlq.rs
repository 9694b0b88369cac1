//! `streamflow dlq`: dead letters listed, shown and replayed.

mod text;

use std::io::Write;

use clap::{Args, Subcommand};
use log::{info, warn};
use serde_json::Value;

use crate::boot::Report;
use crate::config::{DatabaseArguments, KafkaArguments, SchemaRegistryArguments};
use crate::control_center::command_line::{DEFAULT_LIMIT, Filter, MAX_LIMIT, Scope, Workbench};
use crate::error::{Error, Result};
use crate::shutdown::Shutdown;

/// Look at the records that could not be used, and put those on the topic again that can be read now
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(ListArguments),
    Show(ShowArguments),
    Replay(ReplayArguments),
}

/// Count the newest dead letters by reason and field, and list them, masked
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  streamflow dlq list\n  streamflow dlq list --reason malformed_id --json"
)]
struct ListArguments {
    #[command(flatten)]
    which: Which,
    /// How many are listed
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=5_000), help_heading = "Output")]
    limit: u32,
    /// One JSON object a line
    #[arg(long, help_heading = "Output")]
    json: bool,
    /// Show personal data, which is written to the audit log
    #[arg(long, help_heading = "Output")]
    reveal: bool,
    #[command(flatten)]
    servers: Servers,
}

/// Show one dead letter: the record as it came, why it was rejected, and what today's code says of it
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  streamflow dlq show 0:17")]
struct ShowArguments {
    /// The letter
    #[arg(value_name = "PARTITION:OFFSET", value_parser = parse_place)]
    letter: (i32, i64),
    /// As one JSON object
    #[arg(long, help_heading = "Output")]
    json: bool,
    /// Show personal data, which is written to the audit log
    #[arg(long, help_heading = "Output")]
    reveal: bool,
    #[command(flatten)]
    servers: Servers,
}

/// Put the records of dead letters that today's code can read on their topic again, each once
///
/// Key, value, time and partition are as they were. Which letters were replayed is kept in the landing database; a record that is rejected
/// again is replayed three times at the most.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  streamflow dlq replay --dry-run\n  streamflow dlq replay --reason unknown_schema --limit 100"
)]
struct ReplayArguments {
    #[command(flatten)]
    which: Which,
    /// These letters alone; can be repeated
    #[arg(long, value_name = "PARTITION:OFFSET", value_parser = parse_place, help_heading = "Letters")]
    letter: Vec<(i32, i64)>,
    /// How many are replayed at the most
    #[arg(long, default_value_t = DEFAULT_LIMIT as u32, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MAX_LIMIT as i64), help_heading = "Letters")]
    limit: u32,
    /// Only tell which would pass
    #[arg(long)]
    dry_run: bool,
    /// One JSON object a line
    #[arg(long, help_heading = "Output")]
    json: bool,
    #[command(flatten)]
    servers: Servers,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Letters")]
struct Which {
    /// Rejected for this reason, such as malformed_id
    #[arg(long, value_name = "REASON")]
    reason: Option<String>,
    /// With this field to blame; - for the whole record
    #[arg(long, value_name = "FIELD", allow_hyphen_values = true)]
    field: Option<String>,
    /// Written by this job
    #[arg(long, value_name = "JOB")]
    job: Option<String>,
}

#[derive(Debug, Args)]
struct Servers {
    #[command(flatten)]
    kafka: KafkaArguments,
    #[command(flatten)]
    schema_registry: SchemaRegistryArguments,
    #[command(flatten)]
    database: DatabaseArguments,
}

impl Which {
    fn filter(self) -> Filter {
        Filter {
            reason: self.reason.unwrap_or_default(),
            field: self.field.unwrap_or_default(),
            job: self.job.unwrap_or_default(),
        }
    }
}

impl Servers {
    fn open(self) -> Result<Workbench> {
        Workbench::new(self.kafka, self.database, self.schema_registry)
    }
}

pub(super) async fn run(arguments: Arguments, shutdown: &Shutdown) -> Result<Report> {
    match arguments.command {
        Command::List(arguments) => list(arguments).await,
        Command::Show(arguments) => show(arguments).await,
        Command::Replay(arguments) => replay(arguments, shutdown).await,
    }
}

async fn list(arguments: ListArguments) -> Result<Report> {
    let bench = arguments.servers.open()?;
    let filter = arguments.which.filter();
    let listed = bench
        .list(&filter, arguments.limit as usize, arguments.reveal)
        .await?
        .ok_or_else(|| no_topic(&bench))?;
    if let Some(trouble) = &listed.trouble {
        warn!(
            "which letters were replayed is not known: {}",
            trouble.message
        );
    }
    match arguments.json {
        true => tell_lines(&listed.rows)?,
        false => tell(&text::list(&listed))?,
    }
    Ok(report(
        "dlq list",
        [
            ("letters", listed.all.0.into()),
            ("looked_at", listed.looked_at.0.into()),
            ("listed", listed.rows.len().into()),
        ],
    ))
}

async fn show(arguments: ShowArguments) -> Result<Report> {
    let bench = arguments.servers.open()?;
    let (partition, offset) = arguments.letter;
    let whole = bench.show(partition, offset, arguments.reveal).await?;
    let whole = whole.ok_or_else(|| {
        Error::data(format!(
            "there is no dead letter at offset {offset} of partition {partition}"
        ))
        .hint("it may have been removed by retention; `streamflow dlq list` lists those that are there")
    })?;
    match arguments.json {
        true => tell_lines(&[whole])?,
        false => tell(&text::show(&whole))?,
    }
    Ok(Report::default())
}

async fn replay(arguments: ReplayArguments, shutdown: &Shutdown) -> Result<Report> {
    let bench = arguments.servers.open()?;
    let lock = match arguments.dry_run {
        true => None,
        false => Some(bench.lock().await?),
    };
    if let Some(lock) = &lock {
        // What broke off before is known first, so that nothing goes out twice.
        let settled = bench.settle(lock).await?;
        if settled.replayed + settled.not_sent > 0 {
            info!(
                "of replays that broke off, {} records are on the topic and {} are not",
                settled.replayed, settled.not_sent
            );
        }
    }
    let mut scope = Scope {
        filter: arguments.which.filter(),
        letters: arguments.letter,
        from: None,
        until: None,
        limit: arguments.limit as usize,
    };
    let (mut looked_at, mut fails, mut left) = (0, 0, 0);
    let plan = loop {
        let plan = bench.plan(&scope).await?;
        match arguments.json {
            true => tell_lines(&plan.entries)?,
            false => tell(&text::plan(&plan))?,
        }
        looked_at += plan.looked_at.0;
        fails += plan.fails.0;
        left += plan.left.0;
        // Letters that do not pass hide none of those behind them. Where the same place comes again, nothing was read.
        let is_stuck = plan.more_from == scope.from;
        if plan.passes.0 > 0 || plan.more_from.is_none() || is_stuck || shutdown.is_requested() {
            break plan;
        }
        scope.from = plan.more_from;
        scope.until = Some(plan.until);
    };
    if plan.more_from.is_some() {
        info!("there are more letters than were looked at: run it again after this one");
    }
    let mut report = report(
        "dlq replay",
        [
            ("looked_at", looked_at.into()),
            ("passes", plan.passes.0.into()),
            ("fails", fails.into()),
            ("left", left.into()),
        ],
    );
    let Some(lock) = lock else {
        report.add("dry_run", true);
        return Ok(report);
    };
    let passes = plan.passes.0 as usize;
    let told = |done| info!("{done} of {passes} replayed");
    let replayed = match passes {
        0 => 0,
        _ => bench.replay(lock, plan, shutdown, told).await?,
    };
    report.add("replayed", replayed);
    if replayed < passes && shutdown.is_requested() {
        report.interrupted();
    }
    Ok(report)
}

fn report<const N: usize>(job: &'static str, fields: [(&str, Value); N]) -> Report {
    Report {
        job: Some(job),
        ..Report::of(fields)
    }
}

fn no_topic(bench: &Workbench) -> Error {
    Error::configuration(format!("there is no topic {}", bench.topic()))
        .hint("make it with `streamflow init`, or name another with --topic or STREAMFLOW_TOPIC")
}

fn tell(text: &str) -> Result<()> {
    write!(std::io::stdout(), "{text}").map_err(untold)
}

fn tell_lines<T: serde::Serialize>(values: &[T]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    for value in values {
        serde_json::to_writer(&mut out, value).map_err(|cause| untold(cause.into()))?;
        writeln!(out).map_err(untold)?;
    }
    Ok(())
}

fn untold(cause: std::io::Error) -> Error {
    Error::io("the letters cannot be written to standard output").cause(cause)
}

fn parse_place(text: &str) -> Result<(i32, i64), String> {
    let place = |text: &str| {
        let (partition, offset) = text.split_once(':')?;
        Some((partition.parse().ok()?, offset.parse().ok()?))
    };
    place(text).ok_or_else(|| "expected PARTITION:OFFSET, such as 0:17".to_owned())
}
