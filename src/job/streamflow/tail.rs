//! `streamflow tail`: a topic as it grows.

use std::io::{ErrorKind, Write};

use clap::Args;
use log::info;

use crate::boot::Report;
use crate::config::{KafkaArguments, SchemaRegistryArguments};
use crate::control_center::command_line::{self, Following, Line};
use crate::error::{Error, Result};
use crate::shutdown::Shutdown;

/// Follow a topic: its records as they come, decoded and masked, until a signal
///
/// Joins no group and commits nothing. Personal data stays masked: `streamflow explain` and the page of a message can show it.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  streamflow tail user_created\n  streamflow tail user_created.dead_letters --from-beginning --max-records 10 --json"
)]
pub(super) struct Arguments {
    /// Topic to follow
    #[arg(value_name = "TOPIC")]
    follow: String,
    /// Begin with the oldest record that is there
    #[arg(long)]
    from_beginning: bool,
    /// End after this many records
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_records: Option<u64>,
    /// Only records whose key or value, as it is shown, holds this text
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// One JSON object a line
    #[arg(long, help_heading = "Output")]
    json: bool,
    #[command(flatten)]
    kafka: KafkaArguments,
    #[command(flatten)]
    schema_registry: SchemaRegistryArguments,
}

pub(super) async fn run(arguments: Arguments, shutdown: &Shutdown) -> Result<Report> {
    let following = Following {
        topic: arguments.follow,
        from_beginning: arguments.from_beginning,
        max_records: arguments.max_records,
        filter: arguments.filter,
    };
    info!(
        "follows the topic {} from {} until a signal{}",
        following.topic,
        if following.from_beginning {
            "its first record"
        } else {
            "now"
        },
        following
            .max_records
            .map_or(String::new(), |max| format!(", or for {max} records")),
    );
    let json = arguments.json;
    let mut on_line = |line: &Line| {
        let mut out = std::io::stdout().lock();
        let text = match json {
            true => serde_json::to_string(line).unwrap_or_default(),
            false => text(line),
        };
        match writeln!(out, "{text}").and_then(|()| out.flush()) {
            Ok(()) => Ok(true),
            // Whoever read has gone.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
            Err(cause) => {
                Err(Error::io("the records cannot be written to standard output").cause(cause))
            }
        }
    };
    let (kafka, registry) = (arguments.kafka, arguments.schema_registry);
    command_line::tail(kafka, registry, &following, shutdown, &mut on_line).await?;
    Ok(Report::default())
}

fn text(line: &Line) -> String {
    let at = line.at.map_or("-".to_owned(), |at| at.iso());
    let key = line.key.as_deref().unwrap_or("-");
    let text = format!(
        "{}:{} {at} {key} {}",
        line.partition, line.offset, line.line
    );
    text.replace(['\n', '\r', '\t'], " ")
}
