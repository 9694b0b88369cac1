//! `streamflow replay`: landed users published again.

use clap::Args;
use serde_json::Value;
use uuid::Uuid;

use crate::boot::Report;
use crate::config::{ConnectArguments, DatabaseArguments};
use crate::control_center::command_line::{Moment, write_down};
use crate::error::Result;
use crate::sink::postgres::{self, Marks, publish_again};

/// Have landed users published again, by removing their marks of being published
///
/// The next run of fetch-publish publishes them (`fetch-publish --users 0` does nothing else), under their numbers of landing and with
/// their times: created_users gets the same rows, and aggregate says already_counted of those that it has read before.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  streamflow replay --from-landing --since 2026-11-21T10:00:00Z --dry-run
  streamflow replay --from-landing --from-sequence 1 --to-sequence 500
  streamflow replay --from-landing --user-id 0b8a1c5e-35c1-4d5c-8b8f-6b8f3a1d2c3e")]
#[command(group = clap::ArgGroup::new("which").required(true).multiple(true).args(["user_id", "from_sequence", "to_sequence", "since"]))]
pub(super) struct Arguments {
    /// From the landing tables (dead letters are replayed by `streamflow dlq replay`)
    #[arg(long, required = true)]
    from_landing: bool,
    /// This user; can be repeated
    #[arg(long, value_name = "ID", help_heading = "Users")]
    user_id: Vec<Uuid>,
    /// From this number of landing on
    #[arg(long, value_name = "N", help_heading = "Users")]
    from_sequence: Option<i64>,
    /// Up to this number of landing
    #[arg(long, value_name = "N", help_heading = "Users")]
    to_sequence: Option<i64>,
    /// Landed at this time or later, such as 2026-11-21T10:00:00Z
    #[arg(long, value_name = "TIME", value_parser = parse_time, help_heading = "Users")]
    since: Option<i64>,
    /// Only tell how many they are
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    database: DatabaseArguments,
    #[command(flatten)]
    patience: ConnectArguments,
}

pub(super) async fn run(arguments: Arguments) -> Result<Report> {
    let client = postgres::connect(&arguments.database, &arguments.patience).await?;
    let marks = Marks {
        user_ids: arguments.user_id,
        from_sequence: arguments.from_sequence,
        to_sequence: arguments.to_sequence,
        since_ms: arguments.since,
    };
    if !arguments.dry_run {
        let detail = format!("{marks:?}");
        write_down(
            &client,
            "publish again",
            &arguments.database.address(),
            &detail,
        )
        .await?;
    }
    let users = publish_again(&client, &marks, arguments.dry_run).await?;
    match arguments.dry_run {
        true => println!("{users} users would be published again"),
        false => {
            println!("{users} users are published again by the next run: fetch-publish --users 0")
        }
    }
    let mut report = Report::of([("users", Value::from(users))]);
    report.job = Some("replay");
    if arguments.dry_run {
        report.add("dry_run", true);
    }
    Ok(report)
}

fn parse_time(text: &str) -> Result<i64, String> {
    let moment = Moment::parse(text).map(|it| it.ms());
    moment.ok_or_else(|| "expected a time such as 2026-11-21T10:00:00Z".to_owned())
}
