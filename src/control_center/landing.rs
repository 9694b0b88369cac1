//! The landing database as the pages see it: one connection, opened when it is first asked for and again when it broke.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::Client;

use super::center::{self, Link, quickly};
use crate::config::{ConnectArguments, DatabaseArguments};
use crate::error::Result;
use crate::sink::postgres;

/// How long a page waits for the answer to a question.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// A connection of its own is opened in this time.
const OPEN_WITHIN: Duration = Duration::from_secs(4);

/// A question on the way of a page: the settings of the connection bound what PostgreSQL does, and this what a PostgreSQL does that hangs.
pub(super) async fn in_time<T>(answer: impl Future<Output = Result<T>>) -> Result<T> {
    center::in_time("PostgreSQL", ANSWER_WITHIN, answer).await
}

pub(super) struct Landing {
    arguments: DatabaseArguments,
    link: Link<Arc<Client>>,
}

impl Landing {
    pub(super) fn new(arguments: DatabaseArguments) -> Self {
        Self {
            arguments,
            link: Link::default(),
        }
    }

    /// Host, port and database.
    pub(super) fn address(&self) -> String {
        self.arguments.address()
    }

    /// A connection of its own, for work of several steps.
    pub(super) async fn open(&self) -> Result<Client> {
        let patience = quickly();
        let opened = postgres::connect(&self.arguments, &patience);
        center::in_time("PostgreSQL", OPEN_WITHIN, opened).await
    }

    /// A connection that nobody shares, and that may take its time.
    pub(super) async fn own_client(&self, patience: &ConnectArguments) -> Result<Client> {
        postgres::connect(&self.arguments, patience).await
    }

    pub(super) async fn client(&self) -> Result<Arc<Client>> {
        self.link
            .get(
                "PostgreSQL",
                |client| !client.is_closed(),
                || async {
                    let client = postgres::connect(&self.arguments, &quickly()).await?;
                    // A page waits for no lock and no long question.
                    let settings = "SET statement_timeout = '5s'; SET lock_timeout = '2s'";
                    client.batch_execute(settings).await.map_err(|cause| {
                        crate::error::Error::unavailable(
                            "PostgreSQL does not take the settings of a connection",
                        )
                        .cause(cause)
                    })?;
                    Ok(Arc::new(client))
                },
            )
            .await
    }
}
