//! `streamflow`: the operator's tool.

mod doctor;
mod init;
mod reconcile;

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
    Reconcile(reconcile::Arguments),
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
        Command::Reconcile(arguments) => reconcile::run(arguments, &shutdown).await,
    }
}
