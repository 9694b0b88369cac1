use std::fmt;
use std::time::Duration;

use clap::Args;

use crate::error::Error;

#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Patience")]
pub struct ConnectArguments {
    /// How long to wait at the start for a server that does not answer yet
    #[arg(long, env = "STREAMFLOW_CONNECT_TIMEOUT", default_value = "30s", value_parser = super::parse_duration, value_name = "TIME")]
    pub connect_timeout: Duration,

    /// How long to try again when a server stops answering in the middle of the work
    #[arg(long, env = "STREAMFLOW_RETRY_TIMEOUT", default_value = "2m", value_parser = super::parse_duration, value_name = "TIME")]
    pub retry_timeout: Duration,
}

/// A server as an operator knows it: for messages that say where and which setting.
#[derive(Debug, Clone)]
pub struct Server {
    pub name: &'static str,
    /// As metrics name it.
    pub label: &'static str,
    pub address: String,
    pub flag: &'static str,
    pub variable: &'static str,
}

impl Server {
    pub fn kafka(address: impl Into<String>) -> Self {
        Self {
            name: "Kafka",
            label: "kafka",
            address: address.into(),
            flag: "--bootstrap-servers",
            variable: "KAFKA_BOOTSTRAP_SERVERS",
        }
    }

    pub fn postgres(address: impl Into<String>) -> Self {
        Self {
            name: "PostgreSQL",
            label: "postgresql",
            address: address.into(),
            flag: "--database-url",
            variable: "DATABASE_URL",
        }
    }

    pub fn cassandra(address: impl Into<String>) -> Self {
        Self {
            name: "Cassandra",
            label: "cassandra",
            address: address.into(),
            flag: "--contact-points",
            variable: "CASSANDRA_CONTACT_POINTS",
        }
    }

    pub fn api(address: impl Into<String>) -> Self {
        Self {
            name: "the API",
            label: "api",
            address: address.into(),
            flag: "--api-url",
            variable: "STREAMFLOW_API_URL",
        }
    }

    pub fn schema_registry(address: impl Into<String>) -> Self {
        Self {
            name: "the Schema Registry",
            label: "schema_registry",
            address: address.into(),
            flag: "--schema-registry-url",
            variable: "SCHEMA_REGISTRY_URL",
        }
    }

    /// It was waited for, and did not answer.
    pub fn unreachable(&self, within: Duration) -> Error {
        Error::unavailable(format!("{self} did not answer within {} s", within.as_secs_f64())).hint(
            format!(
                "check that it runs there, or say where it is with {} or {}; --connect-timeout sets how long to wait",
                self.flag, self.variable
            ),
        )
    }

    pub fn denied(&self) -> Error {
        Error::denied(format!("{self} refuses this user")).hint(format!(
            "check the user, the password and the rights behind {}",
            self.variable
        ))
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.name, self.address)
    }
}
