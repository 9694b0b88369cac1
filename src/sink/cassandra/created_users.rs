use std::time::Duration;

use scylla::client::session::Session;
use scylla::errors::ExecutionError;
use scylla::statement::batch::{Batch, BatchStatement, BatchType};
use scylla::statement::prepared::PreparedStatement;
use scylla::value::CqlTimestamp;
use uuid::Uuid;

use super::failure::{Verdict, failed, judge};
use super::prepare;
use crate::error::Result;
use crate::metrics::Requests;
use crate::pipeline::retry::retry;
use crate::pipeline::store::Store;
use crate::user::row::CreatedUser;

/// A row, and the time of the Kafka record it came from.
#[derive(Debug, Clone)]
pub struct TimedRow {
    pub user: CreatedUser,
    pub written_ms: i64,
}

/// The table `created_users`. Rows are durable on a quorum of the replicas when [`Store::store`] returns.
pub struct CreatedUsers {
    session: Session,
    insert: PreparedStatement,
    retry_timeout: Duration,
    requests: Requests,
}

type Values<'a> = (
    Uuid,
    &'a str,
    &'a str,
    Option<&'a str>,
    Option<&'a str>,
    Option<&'a str>,
    Option<&'a str>,
    Option<&'a str>,
    Option<CqlTimestamp>,
    Option<CqlTimestamp>,
    Option<&'a str>,
    Option<&'a str>,
    Option<&'a str>,
    Option<&'a str>,
    i64,
);

impl CreatedUsers {
    pub async fn prepare(
        session: Session,
        keyspace: &str,
        retry_timeout: Duration,
    ) -> Result<Self> {
        let insert = prepare(
            &session,
            &format!(
                "INSERT INTO {keyspace}.created_users (id, first_name, last_name, gender, address, post_code, email, username, \
                 dob, registered_date, phone, picture, nationality, country) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?"
            ),
        )
        .await?;
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

    async fn write(&self, rows: &[TimedRow]) -> Result<(), ExecutionError> {
        if let [row] = rows {
            self.session
                .execute_unpaged(&self.insert, values(row))
                .await?;
            return Ok(());
        }
        let statements = vec![BatchStatement::PreparedStatement(self.insert.clone()); rows.len()];
        let mut batch = Batch::new_with_statements(BatchType::Unlogged, statements);
        batch.set_is_idempotent(true);
        let values: Vec<Values<'_>> = rows.iter().map(values).collect();
        self.session.batch(&batch, values).await?;
        Ok(())
    }
}

impl Store<TimedRow> for CreatedUsers {
    /// An unlogged batch, whose rows may be stored in part when it fails: all of them are written again then. A batch that the server
    /// finds too large is halved.
    async fn store(&self, rows: Vec<TimedRow>) -> Result<()> {
        let mut parts = vec![&rows[..]];
        while let Some(part) = parts.pop() {
            let again = |error: &ExecutionError| judge(error) == Verdict::Again;
            let request = self.requests.begin(part.len());
            let written = retry("storing rows", self.retry_timeout, again, || {
                request.attempt(self.write(part))
            })
            .await;
            match written {
                Ok(()) => {}
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

/// The values of the statement, in its order. Every field of the row is named, so that the compiler lists this place when one is added.
fn values(row: &TimedRow) -> Values<'_> {
    let CreatedUser {
        id,
        first_name,
        last_name,
        gender,
        address,
        post_code,
        email,
        username,
        dob_ms,
        registered_date_ms,
        phone,
        picture,
        nationality,
        country,
    } = &row.user;
    (
        *id,
        first_name,
        last_name,
        gender.as_deref(),
        address.as_deref(),
        post_code.as_deref(),
        email.as_deref(),
        username.as_deref(),
        dob_ms.map(CqlTimestamp),
        registered_date_ms.map(CqlTimestamp),
        phone.as_deref(),
        picture.as_deref(),
        nationality.as_deref(),
        country.as_deref(),
        // Microseconds, as USING TIMESTAMP has them.
        row.written_ms.saturating_mul(1_000),
    )
}
