//! `streamflow explain`: one user through every hop, by the same questions as the control center's page.

use std::io::Write;

use clap::Args;
use serde_json::Value;
use uuid::Uuid;

use crate::boot::Report;
use crate::config::{
    CassandraArguments, DatabaseArguments, FilterArguments, GroupArguments, KafkaArguments,
    SchemaRegistryArguments,
};
use crate::control_center::{Accounts, Asked, Center, Options, explain};
use crate::error::{Error, Result};
use crate::shutdown::Shutdown;
use crate::user::filter::Filter;

/// Where is this user? Landed, published, stored, dead-lettered, kept apart or missing, with the time of each hop
///
/// Asks every server what it knows of the id, and changes nothing. Says first what became of the user and what to do, then what each hop has.
/// The topic and its dead letters are searched from their ends backwards for a few seconds; what was not looked at is told.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Arguments {
    /// Id of the user: the API's login.uuid
    #[arg(value_name = "ID", value_parser = parse_id)]
    id: Uuid,

    /// Print the facts as one JSON object
    #[arg(long, help_heading = "Output")]
    json: bool,

    /// Show personal data, too
    #[arg(long, help_heading = "Output")]
    reveal: bool,

    #[command(flatten)]
    groups: GroupArguments,

    #[command(flatten)]
    filters: FilterArguments,
    #[command(flatten)]
    kafka: KafkaArguments,
    #[command(flatten)]
    schema_registry: SchemaRegistryArguments,
    #[command(flatten)]
    cassandra: CassandraArguments,
    #[command(flatten)]
    database: DatabaseArguments,
}

const AFTER_HELP: &str = "\
Examples:
  streamflow explain 0b8a1c5e-35c1-4d5c-8b8f-6b8f3a1d2c3e
  streamflow explain 0b8a1c5e-35c1-4d5c-8b8f-6b8f3a1d2c3e --json
  streamflow explain 0b8a1c5e-35c1-4d5c-8b8f-6b8f3a1d2c3e --min-age 18     as transform-store was run: tells a filtered user from a lost one

Exit codes: 0 stored, 2 usage, 65 not stored (the first line says why), 69 a server cannot be reached, 78 configuration";

pub async fn run(arguments: Arguments, shutdown: Shutdown) -> Result<Report> {
    arguments.schema_registry.urls()?;
    let options = Options::without_pages(arguments.groups);
    let center = Center::new(
        options,
        Accounts::parse("")?,
        arguments.kafka,
        arguments.database,
        arguments.cassandra,
        arguments.schema_registry,
        shutdown,
    )?;
    let filter = arguments.filters.filter();
    let asked = Asked {
        id: arguments.id,
        reveal: arguments.reveal,
        thorough: true,
        filter: (filter != Filter::default()).then_some(filter),
    };
    if arguments.reveal {
        center
            .write_down_reveal(&format!("explain {}", arguments.id))
            .await?;
    }
    let explanation = explain(&center, &asked).await;
    let failure = explanation.failure();
    if !arguments.json {
        write!(std::io::stdout(), "{}", explanation.text()).map_err(|cause| {
            Error::io("the facts cannot be written to standard output").cause(cause)
        })?;
        return Ok(Report {
            failure,
            ..Report::default()
        });
    }
    let facts = serde_json::to_value(&explanation)
        .map_err(|cause| Error::bug("the facts cannot be written as JSON").cause(cause))?;
    let Value::Object(facts) = facts else {
        return Err(Error::bug("the facts are no JSON object"));
    };
    Ok(Report {
        job: Some("explain"),
        summary: facts.into_iter().collect(),
        failure,
        ..Report::default()
    })
}

fn parse_id(text: &str) -> Result<Uuid, String> {
    Uuid::try_parse(text.trim())
        .map_err(|_| "expected a UUID, such as 0b8a1c5e-35c1-4d5c-8b8f-6b8f3a1d2c3e".to_owned())
}
