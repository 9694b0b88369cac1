//! Questions of `streamflow doctor`.

use scylla::client::session::Session;
use scylla::statement::unprepared::Statement;

use super::failure::failed;
use crate::error::{Error, Result};

pub async fn version(session: &Session) -> Result<String> {
    let row: (String,) = session
        .query_unpaged("SELECT release_version FROM system.local", &[])
        .await
        .map_err(|cause| failed("tell its version", cause))?
        .into_rows_result()
        .map_err(unreadable)?
        .first_row()
        .map_err(unreadable)?;
    Ok(row.0)
}

/// Writes and removes nothing that could be seen: deletes rows that nobody has.
pub async fn examine(session: &Session, keyspace: &str) -> Result<()> {
    let nobody = "00000000-0000-0000-0000-000000000000";
    for statement in [
        format!("SELECT id FROM {keyspace}.created_users WHERE id = {nobody}"),
        format!("DELETE FROM {keyspace}.created_users WHERE id = {nobody}"),
        format!("SELECT users FROM {keyspace}.user_summaries LIMIT 1"),
        format!(
            "DELETE FROM {keyspace}.user_summaries WHERE group_id = '' AND topic = '' AND kafka_partition = -1"
        ),
    ] {
        session
            .query_unpaged(Statement::new(statement), &[])
            .await
            .map_err(|cause| failed("let this user read and write its tables", cause))?;
    }
    Ok(())
}

fn unreadable(cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::bug("the version cannot be read").cause(cause)
}
