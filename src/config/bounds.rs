use std::time::Duration;

use clap::Args;

use crate::pipeline::bounds::Limits;
use crate::pipeline::max_dead_letters::MaxDeadLetters;
use crate::user::filter::Filter;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "When it ends")]
pub struct BoundArguments {
    /// End at the offsets that were the latest at the start (the default)
    #[arg(long, conflicts_with = "follow")]
    pub until_latest: bool,

    /// Run until stopped by a signal
    #[arg(long)]
    pub follow: bool,

    /// End after this many records
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_records: Option<u64>,

    /// End after this time
    #[arg(long, value_parser = super::parse_duration, value_name = "TIME")]
    pub duration: Option<Duration>,

    /// End with an error (exit code 65) when more records of this run have become dead letters than this number, or this share of what it
    /// has consumed. A share is judged from 100 records on, and at the end of the run. No limit unless given
    #[arg(
        long,
        env = "STREAMFLOW_MAX_DEAD_LETTERS",
        value_name = "N|N%",
        allow_negative_numbers = true
    )]
    pub max_dead_letters: Option<MaxDeadLetters>,

    /// Exit with 99 when there was nothing to do, which Airflow shows as skipped
    #[arg(long)]
    pub skip_if_empty: bool,
}

impl BoundArguments {
    pub fn limits(&self) -> Limits {
        Limits {
            follow: self.follow,
            max_records: self.max_records,
            duration: self.duration,
            max_dead_letters: self.max_dead_letters,
        }
    }
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Which users")]
pub struct FilterArguments {
    /// Only users of at least this age, in years, on the day they were landed
    #[arg(long, value_name = "YEARS", value_parser = clap::value_parser!(u32).range(0..=150))]
    pub min_age: Option<u32>,

    /// Only users of these nationalities, two-letter codes separated by commas
    #[arg(long, value_name = "CODE,…", value_delimiter = ',', value_parser = parse_nationality)]
    pub nationalities: Vec<String>,
}

impl FilterArguments {
    pub fn filter(&self) -> Filter {
        Filter {
            min_age: self.min_age,
            nationalities: self.nationalities.clone(),
        }
    }
}

/// Two letters, in upper case.
pub(crate) fn parse_nationality(text: &str) -> Result<String, String> {
    let code = text.trim();
    if code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        Ok(code.to_ascii_uppercase())
    } else {
        Err("expected a code of two letters, such as gb".to_owned())
    }
}
