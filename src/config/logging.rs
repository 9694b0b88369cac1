//! How logs look. They go to standard error; standard output is for results.

use clap::{Args, ValueEnum};

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Logs (level by RUST_LOG, default info)")]
pub struct LogArguments {
    /// How log lines look
    #[arg(long, global = true, env = "STREAMFLOW_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT")]
    pub log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line: time, level, target, message
    Json,
}
