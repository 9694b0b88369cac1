//! What is landed and what is kept apart, all of it, as of one moment.

use futures_util::TryStreamExt;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, IsolationLevel, Row, Transaction};
use uuid::Uuid;

use super::failed;
use crate::error::{Error, Result};
use crate::user::fingerprint::Fingerprint;

/// A row of `landed_users`, and where it was published.
pub struct LandedUser<'a> {
    pub sequence: i64,
    pub id: Uuid,
    /// Where it was asked for.
    pub raw: Option<&'a str>,
    /// Partition and offset, when Kafka has acknowledged it.
    pub published: Option<(i32, i64)>,
}

/// A row of `kept_apart_users`, without the record.
pub struct KeptApart {
    pub id: Option<Uuid>,
    pub fingerprint: Fingerprint,
}

/// The identity of this landing database.
pub async fn landing_id(client: &Client) -> Result<Uuid> {
    let row = client.query_one("SELECT id FROM landing", &[]).await;
    Ok(row
        .map_err(|cause| failed("tell the identity of its landing", cause))?
        .get(0))
}

/// A transaction that writes nothing and sees one moment, however long it takes.
pub struct LandedSnapshot<'a>(Transaction<'a>);

impl<'a> LandedSnapshot<'a> {
    pub async fn open(client: &'a mut Client) -> Result<Self> {
        let transaction = client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()
            .await
            .map_err(|cause| failed("open a snapshot of the landing", cause))?;
        Ok(Self(transaction))
    }

    /// Hands each landed user over, in no order.
    pub async fn landed(
        &self,
        with_raw: bool,
        mut on_user: impl FnMut(LandedUser<'_>) -> Result<()>,
    ) -> Result<()> {
        let raw = if with_raw { "raw::text" } else { "NULL::text" };
        let query = format!(
            "SELECT sequence, id, {raw}, kafka_partition, kafka_offset FROM landed_users LEFT JOIN published_users USING (sequence)"
        );
        self.each(&query, |row| {
            let (partition, offset): (Option<i32>, Option<i64>) = (row.get(3), row.get(4));
            on_user(LandedUser {
                sequence: row.get(0),
                id: row.get(1),
                raw: row.get(2),
                published: partition.zip(offset),
            })
        })
        .await
    }

    /// Hands each record over that is kept apart, in no order.
    pub async fn kept_apart(
        &self,
        mut on_record: impl FnMut(KeptApart) -> Result<()>,
    ) -> Result<()> {
        self.each("SELECT id, fingerprint FROM kept_apart_users", |row| {
            on_record(KeptApart {
                id: row.get(0),
                fingerprint: fingerprint(row, 1)?,
            })
        })
        .await
    }

    /// Row by row: no more of the answer is in memory than what the connection has just read.
    async fn each(&self, query: &str, mut on_row: impl FnMut(&Row) -> Result<()>) -> Result<()> {
        let untold = |cause| failed("tell what is landed", cause);
        let rows = self.0.query_raw(query, Vec::<&(dyn ToSql + Sync)>::new());
        let rows = rows.await.map_err(untold)?;
        let mut rows = std::pin::pin!(rows);
        while let Some(row) = rows.try_next().await.map_err(untold)? {
            on_row(&row)?;
        }
        Ok(())
    }
}

fn fingerprint(row: &Row, column: usize) -> Result<Fingerprint> {
    let bytes: &[u8] = row.get(column);
    bytes.try_into().map_err(|_| {
        Error::configuration(
            "a fingerprint in the landing tables has another length than this version writes",
        )
        .hint("run the version that landed it")
    })
}
