use std::time::Duration;

use scylla::client::session::Session;
use scylla::errors::ExecutionError;
use scylla::statement::batch::{Batch, BatchStatement, BatchType};
use scylla::statement::prepared::PreparedStatement;

use super::encoded_row::{EncodedRow, insert_into, other_type};
use super::failure::{Verdict, failed, is_passing, judge};
use super::prepare;
use crate::error::{Error, Result};
use crate::metrics::Requests;
use crate::pipeline::retry::retry;
use crate::pipeline::store::Store;

/// The table `created_users`. Rows are durable on a quorum of the replicas when [`Store::store`] returns.
pub struct CreatedUsers {
    session: Session,
    insert: PreparedStatement,
    retry_timeout: Duration,
    requests: Requests,
}

impl CreatedUsers {
    pub async fn prepare(
        session: Session,
        keyspace: &str,
        retry_timeout: Duration,
    ) -> Result<Self> {
        let insert = prepare(&session, &insert_into(keyspace), retry_timeout).await?;
        if let Some(column) = other_type(insert.get_variable_col_specs()) {
            let text = format!(
                "the column {column} of created_users has another type than this version writes"
            );
            return Err(Error::configuration(text)
                .hint("compare the table with cql/001_created_users.cql; `streamflow init` makes one that is missing"));
        }
        Ok(Self {
            session,
            insert,
            retry_timeout,
            requests: Requests::default(),
        })
    }

    #[must_use]
    pub fn watched(self, requests: Requests) -> Self {
        Self { requests, ..self }
    }

    async fn write(&self, rows: &[EncodedRow]) -> Result<(), ExecutionError> {
        if let [row] = rows {
            self.session.execute_unpaged(&self.insert, row).await?;
            return Ok(());
        }
        let statements = vec![BatchStatement::PreparedStatement(self.insert.clone()); rows.len()];
        let mut batch = Batch::new_with_statements(BatchType::Unlogged, statements);
        batch.set_is_idempotent(true);
        self.session.batch(&batch, rows).await?;
        Ok(())
    }
}

impl Store<EncodedRow> for CreatedUsers {
    /// An unlogged batch, whose rows may be stored in part when it fails: all of them are written again then. A batch that the server
    /// finds too large is halved.
    async fn store(&self, rows: Vec<EncodedRow>) -> Result<()> {
        let mut parts = vec![&rows[..]];
        while let Some(part) = parts.pop() {
            let request = self.requests.begin(part.len());
            let written = retry("storing rows", self.retry_timeout, is_passing, || {
                request.attempt(self.write(part))
            })
            .await;
            match written {
                Ok(()) => request.ended(part.iter().map(EncodedRow::written_ms)),
                Err(error) if judge(&error) == Verdict::TooLarge && part.len() > 1 => {
                    let (left, right) = part.split_at(part.len() / 2);
                    parts.extend([right, left]);
                }
                Err(error) => return Err(failed("store rows in created_users", error)),
            }
        }
        Ok(())
    }
}
