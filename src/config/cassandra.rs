use std::path::PathBuf;

use clap::Args;

use crate::error::Result;

#[derive(Clone, Args)]
#[command(next_help_heading = "Cassandra")]
pub struct CassandraArguments {
    /// Nodes to ask first, host:port separated by commas
    #[arg(
        long,
        env = "CASSANDRA_CONTACT_POINTS",
        default_value = "localhost:9042",
        value_delimiter = ',',
        value_name = "HOST:PORT,…"
    )]
    pub contact_points: Vec<String>,

    /// Keyspace of the tables
    #[arg(long, env = "CASSANDRA_KEYSPACE", default_value = "spark_streams", value_parser = parse_keyspace, value_name = "KEYSPACE")]
    pub keyspace: String,

    /// User, where the cluster asks for one
    #[arg(long, env = "CASSANDRA_USERNAME", value_name = "NAME")]
    pub cassandra_username: Option<String>,

    /// File that holds the user's password (or the variable CASSANDRA_PASSWORD)
    #[arg(long, env = "CASSANDRA_PASSWORD_FILE", value_name = "FILE", value_parser = super::secret::file_name())]
    pub cassandra_password_file: Option<PathBuf>,
}

impl CassandraArguments {
    /// User and password, when both are given.
    pub fn credentials(&self) -> Result<Option<(String, String)>> {
        super::secret::credentials(
            self.cassandra_username.as_deref(),
            self.cassandra_password_file.as_deref(),
            "CASSANDRA_PASSWORD",
        )
    }

    pub fn address(&self) -> String {
        self.contact_points.join(",")
    }
}

impl std::fmt::Debug for CassandraArguments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CassandraArguments")
            .field("contact_points", &self.contact_points)
            .field("keyspace", &self.keyspace)
            .finish_non_exhaustive()
    }
}

/// A name that needs no quotes in CQL, so that it can stand in a statement.
fn parse_keyspace(text: &str) -> Result<String, String> {
    let plain = text
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let begins = text.starts_with(|c: char| c.is_ascii_lowercase());
    if plain && begins && text.len() <= 48 {
        Ok(text.to_owned())
    } else {
        Err(
            "expected lower-case letters, digits and _, beginning with a letter, at most 48"
                .to_owned(),
        )
    }
}
