//! When the first row can be read.

use std::time::Duration;

use anyhow::{Result, bail};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::Cassandra;

const ASK_EVERY: Duration = Duration::from_millis(5);
const GIVE_UP_AFTER: u32 = 60_000;

/// Print "ready", and the time when the table has a row
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    cassandra: Cassandra,
}

pub async fn run(arguments: Arguments) -> Result<Value> {
    let session = arguments.cassandra.session().await?;
    let question = format!(
        "SELECT id FROM {}.created_users LIMIT 1",
        arguments.cassandra.keyspace
    );
    let ask = session.prepare(question).await?;
    println!("ready");
    for _ in 0..GIVE_UP_AFTER {
        let rows = session
            .execute_unpaged(&ask, ())
            .await?
            .into_rows_result()?;
        if rows.rows_num() > 0 {
            return Ok(json!({"at_ms": Timestamp::now().as_millisecond()}));
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
    bail!("no row came")
}
