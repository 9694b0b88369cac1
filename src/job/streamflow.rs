//! `streamflow`: the operator's tool.

mod dlq;
mod doctor;
mod explain;
mod init;
mod reconcile;
mod replay;
mod tail;
mod top;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::boot::{self, Program, Report};
use crate::config::LogArguments;
use crate::error::Result;
use crate::shutdown::Shutdown;

/// Set the pipeline up and look at it
#[derive(Debug, Parser)]
#[command(name = "streamflow", version)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    logs: LogArguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Arguments),
    Doctor(doctor::Arguments),
    Explain(explain::Arguments),
    Reconcile(reconcile::Arguments),
    Top(top::Arguments),
    Dlq(dlq::Arguments),
    Replay(replay::Arguments),
    Tail(tail::Arguments),
}

impl Program for Arguments {
    const NAME: &'static str = "streamflow";

    fn log_arguments(&self) -> &LogArguments {
        &self.logs
    }
}

pub fn main() -> ExitCode {
    boot::main(run)
}

pub async fn run(arguments: Arguments, shutdown: Shutdown) -> Result<Report> {
    match arguments.command {
        Command::Init(arguments) => init::run(arguments).await,
        Command::Doctor(arguments) => doctor::run(arguments).await,
        Command::Explain(arguments) => explain::run(arguments, shutdown).await,
        Command::Reconcile(arguments) => reconcile::run(arguments, &shutdown).await,
        Command::Top(arguments) => top::run(arguments, &shutdown).await,
        Command::Dlq(arguments) => dlq::run(arguments, &shutdown).await,
        Command::Replay(arguments) => replay::run(arguments).await,
        Command::Tail(arguments) => tail::run(arguments, &shutdown).await,
    }
}
