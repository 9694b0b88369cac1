use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::config::{
    CassandraArguments, ConnectArguments, DatabaseArguments, FilterArguments, GroupArguments,
    KafkaArguments, SchemaRegistryArguments, parse_duration, parse_nationality,
};
use crate::error::{Error, Result};
use crate::job::fetch_publish::{allowed_rate, parse_api_url, parse_seed};
use crate::reconcile::Given;
use crate::source::random_user::{Api, ApiSettings, MAX_PAGE, MAX_PAGE_SIZE, PUBLIC_API_URL};

/// Compare what each step of the journey has with what the step before it gave: id by id, number by number
///
/// Reads the topic, its dead letters, the landing tables, created_users and user_summaries once, and changes nothing. Jobs may run
/// meanwhile: what is on its way is told as open. Prints one line a step, and below it which ids differ. Filters and groups must be those
/// of the jobs. Memory stays bounded; temporary files take about 200 bytes a user.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(in crate::job::streamflow) struct Arguments {
    /// Also ask the API for the users of this seed, all of which must be landed or kept apart
    #[arg(long, value_name = "S", value_parser = parse_seed, requires = "users", help_heading = "API")]
    seed: Option<String>,

    /// How many users of the seed were fetched
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=50_000_000), requires = "seed", help_heading = "API")]
    users: Option<u64>,

    /// Users in one answer, as they were fetched
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_PAGE_SIZE)), help_heading = "API")]
    page_size: u32,

    /// Nationalities of the users that were fetched, two-letter codes separated by commas
    #[arg(long, value_name = "CODE,…", value_delimiter = ',', value_parser = parse_nationality, help_heading = "API")]
    api_nationalities: Vec<String>,

    /// Address of the API
    #[arg(long, env = "STREAMFLOW_API_URL", hide_env_values = true, default_value = PUBLIC_API_URL, value_name = "URL", help_heading = "API")]
    api_url: String,

    /// How long one answer may take
    #[arg(long, env = "STREAMFLOW_API_TIMEOUT", default_value = "30s", value_parser = parse_duration, value_name = "TIME", help_heading = "API")]
    api_timeout: Duration,

    /// How often to ask again for a page that was no page
    #[arg(
        long,
        env = "STREAMFLOW_API_RETRIES",
        default_value_t = 5,
        value_name = "N",
        help_heading = "API"
    )]
    api_retries: u32,

    #[command(flatten)]
    pub(super) groups: GroupArguments,

    /// How many ids of each kind of difference are shown
    #[arg(long, default_value_t = 10, value_name = "N", help_heading = "Output")]
    pub(super) show: usize,

    /// Folder of the temporary files (default: the system's)
    #[arg(long, value_name = "FOLDER", help_heading = "Output")]
    pub(super) work_dir: Option<PathBuf>,

    #[command(flatten)]
    pub(super) filters: FilterArguments,
    #[command(flatten)]
    pub(super) kafka: KafkaArguments,
    #[command(flatten)]
    pub(super) schema_registry: SchemaRegistryArguments,
    #[command(flatten)]
    pub(super) cassandra: CassandraArguments,
    #[command(flatten)]
    pub(super) database: DatabaseArguments,
    #[command(flatten)]
    pub(super) patience: ConnectArguments,
}

const AFTER_HELP: &str = "\
Examples:
  streamflow reconcile                               from the landing tables to the summaries
  streamflow reconcile --seed spring --users 10000   from the API on
  streamflow reconcile --min-age 18                  as the jobs were run

The last line of standard output is one JSON object with all numbers:
  {\"job\":\"reconcile\",\"agrees\":true,\"differences\":{},\"hops\":{\"landed_topic\":{\"expected\":1000,\"found\":1000,…},…},…,\"elapsed_ms\":812}
Exit codes: 0 all agrees, 2 usage, 65 something differs, 69 a server cannot be reached or a signal came first, 74 no room for temporary files, 77 denied, 78 configuration";

impl Arguments {
    /// What the API is asked for; nothing without a seed.
    pub(super) fn given(&self) -> Result<Option<Given>> {
        let (Some(seed), Some(users)) = (&self.seed, self.users) else {
            return Ok(None);
        };
        let most = u64::from(self.page_size) * u64::from(MAX_PAGE);
        if users > most {
            return Err(Error::configuration(format!(
                "the API has {MAX_PAGE} pages of a seed, which is {most} users with --page-size {}",
                self.page_size
            ))
            .hint("give --users and --page-size as they were fetched"));
        }
        let url = parse_api_url(&self.api_url)?;
        let rate = allowed_rate(&url);
        let api = Api::new(ApiSettings {
            url,
            seed: seed.clone(),
            nationalities: self.api_nationalities.clone(),
            timeout: self.api_timeout,
            retries: self.api_retries,
            connect_timeout: self.patience.connect_timeout,
        })?;
        Ok(Some(Given {
            api,
            users,
            page_size: self.page_size,
            rate,
        }))
    }
}
