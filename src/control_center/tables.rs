//! Cassandra as the pages see it: one session, opened when it is first asked for; the driver keeps it alive.

use std::sync::Arc;

use scylla::client::session::Session;
use uuid::Uuid;

use super::center::{Link, quickly};
use crate::config::CassandraArguments;
use crate::error::Result;
use crate::sink::cassandra::{self, StoredUser};

pub(super) struct Tables {
    arguments: CassandraArguments,
    link: Link<Arc<Session>>,
}

impl Tables {
    pub(super) fn new(arguments: CassandraArguments) -> Self {
        Self {
            arguments,
            link: Link::default(),
        }
    }

    pub(super) fn address(&self) -> String {
        self.arguments.address()
    }

    pub(super) fn keyspace(&self) -> &str {
        &self.arguments.keyspace
    }

    /// The row of one user.
    pub(super) async fn user(&self, id: Uuid) -> Result<Option<StoredUser>> {
        let session = self.session().await?;
        cassandra::stored_user(&session, self.keyspace(), id).await
    }

    pub(super) async fn session(&self) -> Result<Arc<Session>> {
        self.link
            .get(
                "Cassandra",
                |_| true,
                || async {
                    cassandra::connect(&self.arguments, &quickly())
                        .await
                        .map(Arc::new)
                },
            )
            .await
    }
}
