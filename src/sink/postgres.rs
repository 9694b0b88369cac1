//! The landing database: raw records, and the outbox from which they are published.

mod again;
mod copy_in;
mod known;
mod landed;
mod landing;
mod outbox;

pub use again::{Marks, publish_again};
pub use landed::{KeptApart, LandedSnapshot, LandedUser, landing_id};
pub use landing::{Apart, Landed, Landing, PageOrigin, Readable};
pub use outbox::{Outbox, Unpublished};

use log::warn;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls};

use crate::config::{ConnectArguments, DatabaseArguments, Server};
use crate::error::{Error, Result};
use crate::pipeline::retry::retry;

mod migrations {
    refinery::embed_migrations!("sql");
}

/// Waits until the database answers, and opens one connection.
pub async fn connect(database: &DatabaseArguments, patience: &ConnectArguments) -> Result<Client> {
    let config = database.config()?;
    let server = Server::postgres(database.address());
    let open = || async {
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                warn!("the connection to PostgreSQL ended: {error}");
            }
        });
        Ok(client)
    };
    retry(
        &format!("waiting for {server}"),
        patience.connect_timeout,
        is_passing,
        open,
    )
    .await
    .map_err(|cause| match cause.code() {
        Some(&(SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION)) => {
            server.denied().cause(cause)
        }
        Some(&SqlState::INVALID_CATALOG_NAME) => {
            Error::configuration(format!("{server} has no such database"))
                .cause(cause)
                .hint("create it, or name another in DATABASE_URL")
        }
        _ if is_passing(&cause) => server.unreachable(patience.connect_timeout).cause(cause),
        _ => Error::configuration(format!("{server} cannot be used")).cause(cause),
    })
}

/// Brings the schema up to date; says which migrations were applied.
pub async fn migrate(client: &mut Client) -> Result<Vec<String>> {
    let report = migrations::migrations::runner().run_async(client).await.map_err(|cause| {
        Error::configuration("the landing tables cannot be made or changed")
            .cause(cause)
            .hint("the user needs CREATE on the schema; a migration that was edited after it was applied must be put back")
    })?;
    Ok(report
        .applied_migrations()
        .iter()
        .map(ToString::to_string)
        .collect())
}

/// Whether trying again can help: not when the server has answered with a refusal.
fn is_passing(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        Some(
            &(SqlState::CANNOT_CONNECT_NOW
            | SqlState::TOO_MANY_CONNECTIONS
            | SqlState::ADMIN_SHUTDOWN
            | SqlState::CRASH_SHUTDOWN),
        ) => true,
        Some(_) => false,
        None => true,
    }
}

/// A statement that failed in the middle of the work.
fn failed(what: &str, cause: tokio_postgres::Error) -> Error {
    let message = format!("PostgreSQL did not {what}");
    match cause.code() {
        Some(
            &(SqlState::UNDEFINED_TABLE
            | SqlState::UNDEFINED_FUNCTION
            | SqlState::UNDEFINED_COLUMN),
        ) => Error::configuration(message)
            .cause(cause)
            .hint("make or update the landing tables with `streamflow init`"),
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Error::denied(message).cause(cause),
        Some(&(SqlState::DISK_FULL | SqlState::OUT_OF_MEMORY)) => Error::unavailable(message)
            .cause(cause)
            .hint("make room on the database's disk, then run the job again"),
        _ => Error::unavailable(message).cause(cause).hint(
            "run the job again: what is landed and not published is published by the next run",
        ),
    }
}

/// The server's version, for `streamflow doctor`.
pub async fn version(client: &Client) -> Result<String> {
    let row = client
        .query_one("SHOW server_version", &[])
        .await
        .map_err(|cause| failed("tell its version", cause))?;
    Ok(row.get(0))
}

/// Whether the landing tables are there and may be written, for `streamflow doctor`.
pub async fn examine(client: &Client) -> Result<String> {
    let row = client
        .query_one(
            "SELECT bool_and(has_table_privilege(name, 'SELECT') AND has_table_privilege(name, 'INSERT') \
                    AND has_table_privilege(name, 'UPDATE')) \
                    AND has_table_privilege('landing', 'SELECT') AND has_table_privilege('landing', 'UPDATE') \
                    AND has_sequence_privilege('landed_users_sequence_seq', 'UPDATE'), \
                    (SELECT count(*) FROM landed_users), \
                    (SELECT count(*) FROM landed_users WHERE sequence > (SELECT published_up_to FROM landing) \
                     AND NOT EXISTS (SELECT FROM published_users AS p WHERE p.sequence = landed_users.sequence)) \
             FROM unnest(ARRAY['landed_users', 'kept_apart_users', 'published_users']) AS name",
            &[],
        )
        .await
        .map_err(|cause| failed("show its landing tables", cause))?;
    if !row.get::<_, bool>(0) {
        return Err(Error::denied("this user may not write the landing tables")
            .hint("GRANT SELECT, INSERT, UPDATE ON landed_users, kept_apart_users, published_users, SELECT, UPDATE ON landing, and UPDATE ON SEQUENCE landed_users_sequence_seq TO the user of DATABASE_URL"));
    }
    let (landed, unpublished): (i64, i64) = (row.get(1), row.get(2));
    Ok(format!(
        "{landed} users landed, {unpublished} of them not yet published"
    ))
}
