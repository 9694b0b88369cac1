use std::path::PathBuf;

use clap::Args;

use crate::error::{Error, Result};

#[derive(Clone, Args)]
#[command(next_help_heading = "PostgreSQL")]
pub struct DatabaseArguments {
    /// Landing database; a password belongs into the variable or the file, not on the command line
    #[arg(
        long,
        env = "DATABASE_URL",
        hide_env_values = true,
        default_value = "postgres://streamflow@localhost:5432/streamflow",
        value_name = "URL"
    )]
    pub database_url: String,

    /// File that holds the password of the landing database
    #[arg(long, env = "DATABASE_PASSWORD_FILE", value_name = "FILE", value_parser = super::secret::file_name())]
    pub database_password_file: Option<PathBuf>,
}

impl DatabaseArguments {
    pub fn config(&self) -> Result<tokio_postgres::Config> {
        // The text may hold a password: neither it nor the parser's message about it is repeated.
        let mut config: tokio_postgres::Config = self.database_url.parse().map_err(|_| {
            Error::configuration("the database URL cannot be read")
                .hint("set DATABASE_URL (or --database-url) to postgres://USER@HOST:PORT/DATABASE")
        })?;
        if let Some(password) = super::secret::read(self.database_password_file.as_deref())? {
            config.password(password);
        }
        config.application_name("streamflow");
        Ok(config)
    }

    /// Host, port and database, without the user and the password.
    pub fn address(&self) -> String {
        let Ok(config) = self.database_url.parse::<tokio_postgres::Config>() else {
            return "an unreadable URL".to_owned();
        };
        let hosts: Vec<String> = config
            .get_hosts()
            .iter()
            .enumerate()
            .map(|(place, host)| {
                let host = match host {
                    tokio_postgres::config::Host::Tcp(name) => name.clone(),
                    tokio_postgres::config::Host::Unix(path) => path.display().to_string(),
                };
                let ports = config.get_ports();
                let port = ports.get(place).or(ports.first()).copied().unwrap_or(5432);
                format!("{host}:{port}")
            })
            .collect();
        format!("{}/{}", hosts.join(","), config.get_dbname().unwrap_or("?"))
    }
}

impl std::fmt::Debug for DatabaseArguments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatabaseArguments")
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_shows_no_user_and_no_password() {
        let arguments = DatabaseArguments {
            database_url: "postgres://someone:hidden@db.example:5433/streamflow".to_owned(),
            database_password_file: None,
        };
        assert_eq!(arguments.address(), "db.example:5433/streamflow");
        assert_eq!(
            format!("{arguments:?}"),
            r#"DatabaseArguments { address: "db.example:5433/streamflow", .. }"#
        );
    }

    #[test]
    fn an_unreadable_url_is_not_repeated() {
        let arguments = DatabaseArguments {
            database_url: "nonsense:hidden@".to_owned(),
            database_password_file: None,
        };
        let error = arguments.config().unwrap_err().to_string();
        assert!(
            error.contains("DATABASE_URL") && !error.contains("hidden"),
            "{error}"
        );
    }
}
