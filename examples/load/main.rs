//! What the benchmarks need beside the programs: users for the topic, the rows that must be there afterwards, what the clients alone can do,
//! and what a program cannot measure of itself: the first row, the time until a row can be read, how quickly pages come.
//!
//! The users are those of the bundled API. Each command prints one JSON object as its last line.

mod ceiling;
mod check;
mod first_row;
mod latency;
mod pages;
mod produce;
mod read;
mod users;

use clap::{Parser, Subcommand};
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;

/// Load for the benchmarks (bench/README.md)
#[derive(Parser)]
#[command(name = "load")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Produce(produce::Arguments),
    Read(read::Arguments),
    Ceiling(ceiling::Arguments),
    Check(check::Arguments),
    FirstRow(first_row::Arguments),
    Latency(latency::Arguments),
    Pages(pages::Arguments),
}

/// Where the rows are.
#[derive(clap::Args)]
struct Cassandra {
    #[arg(long, env = "CASSANDRA_CONTACT_POINTS")]
    contact_points: String,
    #[arg(long, env = "CASSANDRA_KEYSPACE")]
    keyspace: String,
}

impl Cassandra {
    async fn session(&self) -> anyhow::Result<Session> {
        let builder = SessionBuilder::new().known_node(&self.contact_points);
        Ok(builder.fetch_schema_metadata(false).build().await?)
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let told = match Arguments::parse().command {
        Command::Produce(arguments) => {
            tokio::task::spawn_blocking(|| produce::run(arguments)).await??
        }
        Command::Read(arguments) => tokio::task::spawn_blocking(|| read::run(arguments)).await??,
        Command::Ceiling(arguments) => ceiling::run(arguments).await?,
        Command::Check(arguments) => check::run(arguments).await?,
        Command::FirstRow(arguments) => first_row::run(arguments).await?,
        Command::Latency(arguments) => latency::run(arguments).await?,
        Command::Pages(arguments) => pages::run(arguments).await?,
    };
    println!("{told}");
    Ok(())
}
