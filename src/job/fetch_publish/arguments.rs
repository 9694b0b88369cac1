use std::time::Duration;

use clap::Parser;
use reqwest::Url;

use crate::boot::Program;
use crate::config::{
    ConnectArguments, DatabaseArguments, KafkaArguments, LogArguments, MetricsArguments,
    SchemaRegistryArguments, ValueFormatArguments, parse_duration, parse_nationality,
};
use crate::error::{Error, Result};
use crate::source::random_user::{MAX_PAGE_SIZE, PUBLIC_API_URL, is_plain_seed};

/// Fetch users from the API, land each raw in PostgreSQL, and publish them to the topic
///
/// A user is landed before it is published, and marked as published when Kafka has acknowledged it; what an earlier run has landed and not
/// published is published by this one. The same seed and page size give the same users again, which changes nothing.
#[derive(Debug, Parser)]
#[command(name = "fetch-publish", version, after_help = AFTER_HELP)]
pub struct Arguments {
    /// How many users to fetch (default 1000, or without end when --duration is given)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=50_000_000), help_heading = "What to fetch")]
    pub users: Option<u64>,

    /// Users in one answer of the API
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_PAGE_SIZE)), help_heading = "What to fetch")]
    pub page_size: u32,

    /// Which users: the same seed gives the same ones (default: a new one, which is logged)
    #[arg(long, value_name = "S", value_parser = parse_seed, help_heading = "What to fetch")]
    pub seed: Option<String>,

    /// Only users of these nationalities, two-letter codes separated by commas
    #[arg(long, value_name = "CODE,…", value_delimiter = ',', value_parser = parse_nationality, help_heading = "What to fetch")]
    pub nationalities: Vec<String>,

    /// Stop fetching after this time
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "What to fetch")]
    pub duration: Option<Duration>,

    /// Users a second at the most (default: 60 from the public API, as it allows; no limit elsewhere)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "What to fetch")]
    pub rate: Option<u32>,

    /// Print the events as plain JSON instead of landing and publishing them; asks only the API
    #[arg(long, help_heading = "What to fetch")]
    pub dry_run: bool,

    /// Exit with 99 when there was nothing to do, which Airflow shows as skipped
    #[arg(long, help_heading = "What to fetch")]
    pub skip_if_empty: bool,

    /// Address of the API
    #[arg(long, env = "STREAMFLOW_API_URL", hide_env_values = true, default_value = PUBLIC_API_URL, value_name = "URL", help_heading = "API")]
    api_url: String,

    /// How long one answer may take
    #[arg(long, env = "STREAMFLOW_API_TIMEOUT", default_value = "30s", value_parser = parse_duration, value_name = "TIME", help_heading = "API")]
    pub api_timeout: Duration,

    /// How often to ask again for a page that was no page
    #[arg(
        long,
        env = "STREAMFLOW_API_RETRIES",
        default_value_t = 5,
        value_name = "N",
        help_heading = "API"
    )]
    pub api_retries: u32,

    #[command(flatten)]
    pub database: DatabaseArguments,
    #[command(flatten)]
    pub kafka: KafkaArguments,
    #[command(flatten)]
    pub format: ValueFormatArguments,
    #[command(flatten)]
    pub schema_registry: SchemaRegistryArguments,
    #[command(flatten)]
    pub patience: ConnectArguments,
    #[command(flatten)]
    pub metrics: MetricsArguments,
    #[command(flatten)]
    pub logs: LogArguments,
}

const AFTER_HELP: &str = "\
Examples:
  fetch-publish --users 10000 --seed spring          ten thousand users, the same ones on every run
  fetch-publish --duration 60s --rate 50             a stream of a minute
  fetch-publish --users 3 --dry-run                  look at the events, touch no server

The last line of standard output is one JSON object, in which fetched = landed + already_landed + conflicting + rejected:
  {\"job\":\"fetch-publish\",\"seed\":\"spring\",\"fetched\":1000,\"landed\":990,\"already_landed\":5,\"conflicting\":3,\"rejected\":2,\"published\":990,\"offsets\":{\"0\":[0,480],\"1\":[0,510]},\"elapsed_ms\":812}
Exit codes: 0 done, 2 usage, 65 the API gave no page of users, 69 a server cannot be reached, 77 denied, 78 configuration, 99 nothing to do (--skip-if-empty)";

impl Program for Arguments {
    const NAME: &'static str = "fetch-publish";

    fn log_arguments(&self) -> &LogArguments {
        &self.logs
    }
}

impl Arguments {
    pub fn api_url(&self) -> Result<Url> {
        parse_api_url(&self.api_url)
    }
}

pub(in crate::job) fn parse_api_url(text: &str) -> Result<Url> {
    // The text may hold a password: it is not repeated.
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => Err(Error::configuration("the address of the API cannot be read")
            .hint("set STREAMFLOW_API_URL (or --api-url) to an address such as https://randomuser.me/api/")),
    }
}

pub(in crate::job) fn parse_seed(text: &str) -> Result<String, String> {
    if is_plain_seed(text) {
        Ok(text.to_owned())
    } else {
        Err("expected a text that is not empty and has not exactly 18 characters: the API reads a nationality out of those".to_owned())
    }
}
