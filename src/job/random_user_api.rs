//! `random-user-api`: the bundled offline stand-in of the public API.

use std::process::ExitCode;

use clap::Parser;
use log::info;
use tokio::net::TcpListener;

use crate::boot::{self, Program, Report};
use crate::config::LogArguments;
use crate::error::{Error, Result};
use crate::random_user_api;
use crate::shutdown::Shutdown;

/// Serve random users like the public API randomuser.me, offline: the same seed and page give the same users
#[derive(Debug, Parser)]
#[command(name = "random-user-api", version, after_help = AFTER_HELP)]
pub struct Arguments {
    #[command(flatten)]
    api: random_user_api::Arguments,
    #[command(flatten)]
    logs: LogArguments,
}

const AFTER_HELP: &str = "\
Examples:
  random-user-api
  curl 'http://127.0.0.1:8100/api/?results=3&seed=spring&nat=fr,gb'
  random-user-api --trouble rate-limit:3              the first three requests meet a rate limit
  curl 'http://127.0.0.1:8100/api/?trouble=empty'     one request that fails as the public API sometimes does";

impl Program for Arguments {
    const NAME: &'static str = "random-user-api";

    fn log_arguments(&self) -> &LogArguments {
        &self.logs
    }
}

pub fn main() -> ExitCode {
    boot::main(run)
}

pub async fn run(arguments: Arguments, shutdown: Shutdown) -> Result<Report> {
    let address = arguments.api.listen;
    let listener = TcpListener::bind(address).await.map_err(|cause| {
        Error::io(format!("{address} cannot be listened on"))
            .cause(cause)
            .hint("end what has the port, or take another with --listen (STREAMFLOW_API_LISTEN)")
    })?;
    let address = listener.local_addr().unwrap_or(address);
    info!("random users at http://{address}/api/");
    let stopped = async move { shutdown.requested().await };
    random_user_api::serve(listener, arguments.api.config(), stopped)
        .await
        .map_err(|cause| Error::io("the API stopped serving").cause(cause))?;
    Ok(Report::default())
}
