//! `streamflow top`: the pipeline in a terminal, live.

mod screen;

use std::io::{IsTerminal, Write};
use std::time::Duration;

use clap::Args;

use crate::boot::Report;
use crate::config::{
    CassandraArguments, DatabaseArguments, GroupArguments, KafkaArguments, SchemaRegistryArguments,
};
use crate::control_center::{Accounts, Center, Live, Options, Strip};
use crate::error::{Error, Result};
use crate::shutdown::Shutdown;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);

/// Show the pipeline live: what each hop has, its rate, what waits there, and what holds it up
///
/// The same as the first page of the control center. No group is joined and nothing is committed. Ctrl-C ends it.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  streamflow top\n  streamflow top --once\n  streamflow top --json | jq .sentence.text"
)]
pub struct Arguments {
    /// Print it once and end: two looks, a second apart, so that rates are known
    #[arg(long)]
    once: bool,

    /// Print it once as JSON and end
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    groups: GroupArguments,

    #[command(flatten)]
    kafka: KafkaArguments,
    #[command(flatten)]
    schema_registry: SchemaRegistryArguments,
    #[command(flatten)]
    cassandra: CassandraArguments,
    #[command(flatten)]
    database: DatabaseArguments,
}

pub(super) async fn run(arguments: Arguments, shutdown: &Shutdown) -> Result<Report> {
    let (once, json) = (arguments.once, arguments.json);
    let live = live(arguments, shutdown)?;
    if once || json || !std::io::stdout().is_terminal() {
        live.look().await?;
        tokio::time::sleep(EVERY).await;
        let strip = live.look().await?;
        let text = match json {
            true => as_json(&strip)?,
            false => screen::text(&strip, false),
        };
        print(&text)?;
        return Ok(Report::default());
    }
    let watching = async {
        loop {
            let strip = live.look().await?;
            // From the top of the screen on, and nothing of the last one below.
            print(&format!("\x1b[H\x1b[J{}", screen::text(&strip, true)))?;
            tokio::time::sleep(EVERY).await;
        }
    };
    let ended = {
        let _screen = screen::Other::open()?;
        tokio::select! {
            failed = watching => failed,
            () = shutdown.requested() => Ok(()),
        }
    };
    ended.map(|()| Report::default())
}

fn live(arguments: Arguments, shutdown: &Shutdown) -> Result<Live> {
    let options = Options::without_pages(arguments.groups);
    let center = Center::new(
        options,
        Accounts::parse("")?,
        arguments.kafka,
        arguments.database,
        arguments.cassandra,
        arguments.schema_registry,
        shutdown.clone(),
    )?;
    Ok(Live::new(center))
}

fn as_json(strip: &Strip) -> Result<String> {
    let text = serde_json::to_string(strip)
        .map_err(|cause| Error::bug("the pipeline cannot be written as JSON").cause(cause))?;
    Ok(format!("{text}\n"))
}

fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|cause| Error::io("standard output cannot be written").cause(cause))
}
