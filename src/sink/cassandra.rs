//! Cassandra: the rows of the users and the summaries.

mod created_users;
mod encoded_row;
mod examine;
mod failure;
mod schema;
mod stored_users;
mod summaries;

pub use created_users::CreatedUsers;
pub use encoded_row::{EncodedRow, RowEncoder};
pub use examine::{examine, version};
pub use schema::{columns_of, migrate, missing_columns};
pub use stored_users::{StoredUser, StoredUsers, count_users, stored_user};
pub use summaries::{SummaryTotals, UserSummaries};

use std::time::Duration;

use scylla::client::execution_profile::ExecutionProfile;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::errors::{
    ConnectionError, ConnectionPoolError, ConnectionSetupRequestErrorKind, DbError, ExecutionError,
    MetadataError, NewSessionError,
};
use scylla::statement::Consistency;
use scylla::statement::prepared::PreparedStatement;

use crate::config::{CassandraArguments, ConnectArguments, Server};
use crate::error::{Error, Result};
use crate::pipeline::retry::retry;
use failure::{Verdict, failed, is_passing, judge};

/// One request; what is longer is asked again.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Waits until the cluster answers.
pub async fn connect(
    cassandra: &CassandraArguments,
    patience: &ConnectArguments,
) -> Result<Session> {
    let server = Server::cassandra(cassandra.address());
    let profile = ExecutionProfile::builder()
        .consistency(Consistency::LocalQuorum)
        .request_timeout(Some(REQUEST_TIMEOUT))
        .build();
    let credentials = cassandra.credentials()?;
    let open = || async {
        let mut builder = SessionBuilder::new()
            .known_nodes(&cassandra.contact_points)
            // Or the driver asks for every table of the cluster, before the first statement and each minute.
            .keyspaces_to_fetch([&cassandra.keyspace])
            .connection_timeout(Duration::from_secs(5))
            .default_execution_profile_handle(profile.clone().into_handle());
        if let Some((user, password)) = &credentials {
            builder = builder.user(user, password);
        }
        // The driver also waits in itself; a server that accepts and never answers must not stretch the patience.
        let within = patience.connect_timeout.max(Duration::from_secs(1));
        match tokio::time::timeout(within, builder.build()).await {
            Ok(session) => session.map_err(Attempt::Failed),
            Err(_) => Err(Attempt::Silent),
        }
    };
    retry(
        &format!("waiting for {server}"),
        patience.connect_timeout,
        Attempt::is_passing,
        open,
    )
    .await
    .map_err(|attempt| match attempt {
        attempt if attempt.is_passing() => {
            server.unreachable(patience.connect_timeout).cause(attempt)
        }
        attempt => server.denied().cause(attempt),
    })
}

#[derive(Debug, thiserror::Error)]
enum Attempt {
    #[error(transparent)]
    Failed(NewSessionError),
    #[error("it accepts connections and does not answer")]
    Silent,
}

impl Attempt {
    /// Whether trying again can help: not when the server has answered with a refusal, or is no Cassandra.
    fn is_passing(&self) -> bool {
        use ConnectionSetupRequestErrorKind::{BrokenConnection, UnableToAllocStreamId};
        let Attempt::Failed(NewSessionError::MetadataError(MetadataError::ConnectionPoolError(
            ConnectionPoolError::Broken {
                last_connection_error: ConnectionError::ConnectionSetupRequestError(setup),
                ..
            },
        ))) = self
        else {
            return true;
        };
        match setup.get_error() {
            BrokenConnection(_) | UnableToAllocStreamId => true,
            ConnectionSetupRequestErrorKind::DbError(error, _) => !matches!(
                error,
                DbError::AuthenticationError | DbError::Unauthorized | DbError::ProtocolError
            ),
            _ => false,
        }
    }
}

/// Also tried again: since it was connected to, other servers may have been waited for.
async fn prepare(session: &Session, sql: &str, within: Duration) -> Result<PreparedStatement> {
    let prepared = retry("preparing a statement", within, is_passing, || async {
        session.prepare(sql).await.map_err(ExecutionError::from)
    });
    let mut statement = prepared.await.map_err(|cause| match judge(&cause) {
        Verdict::Unfit => {
            Error::configuration("Cassandra does not know a table or column that this program needs")
                .cause(cause)
                .hint("make or update the tables with `streamflow init`; --keyspace and CASSANDRA_KEYSPACE name the keyspace")
        }
        _ => failed("take a statement", cause),
    })?;
    statement.set_is_idempotent(true);
    Ok(statement)
}
