//! `control-center`: the pages at :9021.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use log::{info, warn};
use reqwest::Url;
use tokio::net::TcpListener;

use crate::boot::{self, Program, Report};
use crate::config::{
    CassandraArguments, DatabaseArguments, GroupArguments, KafkaArguments, LogArguments,
    SchemaRegistryArguments, secret_file_name, secret_from_file,
};
use crate::control_center::{self, Accounts, AirflowAccess, Center, Options};
use crate::error::{Error, Result};
use crate::shutdown::Shutdown;

/// Show the whole pipeline as pages for a browser, and mend it from there
///
/// Topics, messages, consumer groups, dead letters, tables, schemas and runs, where each user is, and why one is missing. Personal data is
/// masked. Looking changes nothing: no group is joined and nothing is committed.
#[derive(Debug, Parser)]
#[command(name = "control-center", version, after_help = AFTER_HELP)]
pub struct Arguments {
    /// Address to listen on; another one than this machine's own takes accounts
    #[arg(
        long,
        env = "STREAMFLOW_CONTROL_CENTER_LISTEN",
        default_value = "127.0.0.1:9021",
        value_name = "ADDRESS:PORT",
        help_heading = "Pages"
    )]
    listen: SocketAddr,

    /// More names by which browsers may come, separated by commas (localhost, 127.0.0.1 and the address of --listen may always)
    #[arg(
        long,
        env = "STREAMFLOW_CONTROL_CENTER_HOSTS",
        value_delimiter = ',',
        value_name = "NAME,…",
        help_heading = "Pages"
    )]
    allowed_hosts: Vec<String>,

    /// Show only: nothing can be reset or replayed, by nobody
    #[arg(
        long,
        env = "STREAMFLOW_CONTROL_CENTER_READ_ONLY",
        help_heading = "Pages"
    )]
    read_only: bool,

    /// Name of the cluster in addresses
    #[arg(
        long,
        env = "STREAMFLOW_CLUSTER_NAME",
        default_value = "controlcenter.cluster",
        value_parser = parse_cluster,
        value_name = "NAME",
        help_heading = "Pages"
    )]
    cluster_name: String,

    /// File with accounts, one a line: name:role:hash with the role viewer, operator or admin (or the variable
    /// STREAMFLOW_CONTROL_CENTER_ACCOUNTS). Without accounts nobody logs in, and whoever comes is an operator
    #[arg(long, env = "STREAMFLOW_CONTROL_CENTER_ACCOUNTS_FILE", value_name = "FILE", value_parser = secret_file_name(), help_heading = "Accounts")]
    accounts_file: Option<PathBuf>,

    /// Browsers send the session's cookie only over HTTPS: for use behind a proxy that has it
    #[arg(
        long,
        env = "STREAMFLOW_CONTROL_CENTER_SECURE_COOKIES",
        help_heading = "Accounts"
    )]
    secure_cookies: bool,

    /// File with a token by which a program reads /metrics without logging in (or the variable STREAMFLOW_CONTROL_CENTER_METRICS_TOKEN)
    #[arg(long, env = "STREAMFLOW_CONTROL_CENTER_METRICS_TOKEN_FILE", value_name = "FILE", value_parser = secret_file_name(), help_heading = "Accounts")]
    metrics_token_file: Option<PathBuf>,

    /// Read a password from standard input, print its hash for a line of the accounts, and end
    #[arg(long, help_heading = "Accounts")]
    hash_password: bool,

    /// Airflow, for the runs of the DAGs (without it they are not shown)
    #[arg(long, env = "AIRFLOW_URL", value_parser = parse_http_url, value_name = "URL", help_heading = "Airflow")]
    airflow_url: Option<Url>,

    /// Where browsers find Airflow's pages, where that is another address
    #[arg(long, env = "AIRFLOW_PAGE_URL", value_parser = parse_http_url, value_name = "URL", help_heading = "Airflow")]
    airflow_page_url: Option<Url>,

    /// User of Airflow
    #[arg(
        long,
        env = "AIRFLOW_USER",
        default_value = "admin",
        value_name = "NAME",
        help_heading = "Airflow"
    )]
    airflow_user: String,

    /// File that holds the password of Airflow's user (or the variable AIRFLOW_PASSWORD; admin without either)
    #[arg(long, env = "AIRFLOW_PASSWORD_FILE", value_name = "FILE", value_parser = secret_file_name(), help_heading = "Airflow")]
    airflow_password_file: Option<PathBuf>,

    /// API from which users are fetched, to show whether it answers (the public one is not asked)
    #[arg(long, env = "STREAMFLOW_API_URL", hide_env_values = true, value_parser = parse_http_url, value_name = "URL", help_heading = "API")]
    api_url: Option<Url>,

    /// Metrics of jobs that run for long (their --metrics-addr), separated by commas: with them /throughput tells how long records take
    #[arg(long = "job-metrics-url", env = "STREAMFLOW_JOB_METRICS_URLS", hide_env_values = true, value_delimiter = ',', value_parser = parse_http_url_or_none, value_name = "URL,…", help_heading = "Jobs")]
    job_metrics_urls: Vec<Option<Url>>,

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
    #[command(flatten)]
    logs: LogArguments,
}

const AFTER_HELP: &str = "\
Examples:
  control-center                                     http://localhost:9021, for this machine alone
  control-center --read-only
  echo 'a long password' | control-center --hash-password
  control-center --listen 0.0.0.0:9021 --accounts-file accounts --allowed-hosts pipeline.example.org

Exit codes: 0 stopped by a signal, 2 usage, 70 bug, 74 the address cannot be listened on, 78 configuration";

impl Program for Arguments {
    const NAME: &'static str = "control-center";

    fn log_arguments(&self) -> &LogArguments {
        &self.logs
    }
}

pub fn main() -> ExitCode {
    boot::main(run)
}

pub async fn run(arguments: Arguments, shutdown: Shutdown) -> Result<Report> {
    if arguments.hash_password {
        return hash_password();
    }
    let accounts = secret_from_file(arguments.accounts_file.as_deref())?
        .or_else(|| std::env::var("STREAMFLOW_CONTROL_CENTER_ACCOUNTS").ok())
        .unwrap_or_default();
    let accounts = Accounts::parse(&accounts)?;
    let airflow_password = secret_from_file(arguments.airflow_password_file.as_deref())?
        .or_else(|| std::env::var("AIRFLOW_PASSWORD").ok())
        .unwrap_or_else(|| "admin".to_owned());
    let metrics_token = secret_from_file(arguments.metrics_token_file.as_deref())?
        .or_else(|| std::env::var("STREAMFLOW_CONTROL_CENTER_METRICS_TOKEN").ok());
    if metrics_token.as_ref().is_some_and(String::is_empty) {
        return Err(Error::configuration("the token for /metrics is empty")
            .hint("write one into the file of --metrics-token-file, such as the output of `openssl rand -hex 32`"));
    }
    arguments.schema_registry.urls()?;
    let (address, has_accounts, read_only) =
        (arguments.listen, !accounts.is_empty(), arguments.read_only);
    let options = Options {
        listen: address,
        hosts: arguments.allowed_hosts,
        read_only,
        job_metrics: arguments.job_metrics_urls.into_iter().flatten().collect(),
        cluster: arguments.cluster_name,
        groups: arguments.groups,
        airflow: arguments.airflow_url.map(|url| AirflowAccess {
            page: arguments.airflow_page_url.unwrap_or_else(|| url.clone()),
            url,
            user: arguments.airflow_user,
            password: airflow_password,
        }),
        api_url: arguments.api_url,
        secure_cookies: arguments.secure_cookies,
        metrics_token,
    };
    let center = Center::new(
        options,
        accounts,
        arguments.kafka,
        arguments.database,
        arguments.cassandra,
        arguments.schema_registry,
        shutdown,
    )?;
    let refused = |cause| {
        Error::io(format!("{address} cannot be listened on"))
            .cause(cause)
            .hint("end what has the port, or take another with --listen (STREAMFLOW_CONTROL_CENTER_LISTEN)")
    };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let local = listener.local_addr().map_err(refused)?;
    info!("the control center at http://{local}/");
    match (has_accounts, read_only) {
        (true, _) => {}
        (false, true) => info!("without accounts: whoever comes may look"),
        (false, false) => warn!(
            "without accounts: whoever comes is an operator; --read-only or --accounts-file change that"
        ),
    }
    control_center::serve(listener, center).await?;
    Ok(Report::default())
}

fn hash_password() -> Result<Report> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(|cause| {
        Error::io("the password cannot be read from standard input").cause(cause)
    })?;
    println!(
        "{}",
        control_center::hash_password(line.trim_end_matches(['\r', '\n']))?
    );
    Ok(Report::default())
}

/// One part of a path.
fn parse_cluster(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    match !text.is_empty() && text.chars().all(is_plain) && !text.chars().all(|c| c == '.') {
        true => Ok(text.to_owned()),
        false => Err("expected letters, digits, '.', '_' and '-'".to_owned()),
    }
}

/// An empty variable counts as none.
fn parse_http_url_or_none(text: &str) -> Result<Option<Url>, String> {
    match text.trim() {
        "" => Ok(None),
        text => parse_http_url(text).map(Some),
    }
}

fn parse_http_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| "expected http://HOST:PORT".to_owned())
}
