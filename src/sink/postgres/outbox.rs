use std::time::Duration;

use log::info;
use tokio::{join, try_join};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error as PostgresError, Statement};
use uuid::Uuid;

use super::copy_in::CopyIn;
use super::failed;
use crate::error::Result;
use crate::shutdown::Shutdown;
use crate::sink::kafka::Published;

/// A landed record that Kafka has not acknowledged yet.
pub struct Unpublished {
    pub sequence: i64,
    pub id: Uuid,
    pub raw: String,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub landed_at_ms: i64,
}

/// What is landed and not yet published, in the order of landing. One run publishes at a time.
pub struct Outbox {
    client: Client,
    next: Statement,
    mark: Statement,
    raise: Statement,
    /// The identity of this landing database.
    pub landing: Uuid,
    /// Every landed user up to this sequence is published: as this run has found or left it.
    pub published_up_to: i64,
}

impl Outbox {
    /// Waits until no other run publishes. Nothing comes back when a stop is asked for meanwhile.
    pub async fn lock(client: Client, shutdown: &Shutdown) -> Result<Option<Self>> {
        let failed = |cause| failed("open the outbox", cause);
        let mut told = false;
        loop {
            let sql = "SELECT pg_try_advisory_lock(hashtext('streamflow'), hashtext('publishing'))";
            let locked: bool = client.query_one(sql, &[]).await.map_err(failed)?.get(0);
            if locked {
                break;
            }
            if !std::mem::replace(&mut told, true) {
                info!("another run is publishing: waiting for it");
            }
            tokio::select! {
                () = shutdown.requested() => return Ok(None),
                () = tokio::time::sleep(Duration::from_millis(200)) => {}
            }
        }
        let landing = client
            .query_one("SELECT id, published_up_to FROM landing", &[])
            .await
            .map_err(failed)?;
        // Not by NOT EXISTS: that may become a join of the whole tables where their statistics are old.
        let next = client
            .prepare(
                "SELECT sequence, id, raw::text, (extract(epoch FROM landed_at) * 1000)::bigint FROM landed_users \
                 WHERE sequence > $1 \
                 AND (SELECT p.sequence FROM published_users AS p WHERE p.sequence = landed_users.sequence) IS NULL \
                 ORDER BY sequence LIMIT $2",
            )
            .await
            .map_err(failed)?;
        let mark = client
            .prepare(
                "COPY published_users (sequence, kafka_partition, kafka_offset) FROM STDIN (FORMAT binary)",
            )
            .await
            .map_err(failed)?;
        let raise = client
            .prepare("UPDATE landing SET published_up_to = $2 WHERE published_up_to = $1")
            .await
            .map_err(failed)?;
        Ok(Some(Self {
            client,
            next,
            mark,
            raise,
            landing: landing.get(0),
            published_up_to: landing.get(1),
        }))
    }

    /// The next records above a sequence.
    pub async fn next(&self, above: i64, limit: usize) -> Result<Vec<Unpublished>> {
        let rows = self
            .client
            .query(&self.next, &[&above, &(limit as i64)])
            .await
            .map_err(|cause| failed("tell what is unpublished", cause))?;
        Ok(rows
            .iter()
            .map(|row| Unpublished {
                sequence: row.get(0),
                id: row.get(1),
                raw: row.get(2),
                landed_at_ms: row.get(3),
            })
            .collect())
    }

    /// Marks records as published, in the order given. `up_to`: with them everything landed up to there is, unless somebody has
    /// removed marks since.
    pub async fn mark(&mut self, published: &[Published], up_to: Option<i64>) -> Result<()> {
        let up_to = up_to.unwrap_or(self.published_up_to);
        let raised = self.transaction(published, up_to).await;
        if raised.map_err(|cause| failed("mark what is published", cause))? == 1 {
            self.published_up_to = up_to;
        }
        Ok(())
    }

    /// What does not wait for an answer is sent along with what is before it.
    async fn transaction(&self, published: &[Published], up_to: i64) -> Result<u64, PostgresError> {
        let client = &self.client;
        let begin = client.batch_execute("BEGIN");
        let (_, copy) = try_join!(biased; begin, CopyIn::begin(client, &self.mark))?;
        let raise: [&(dyn ToSql + Sync); 2] = [&self.published_up_to, &up_to];
        let (copied, raised, committed) = join!(
            biased;
            copy_all(copy, published),
            client.execute(&self.raise, &raise),
            client.batch_execute("COMMIT"),
        );
        copied?;
        let raised = raised?;
        committed?;
        Ok(raised)
    }
}

async fn copy_all(mut copy: CopyIn, published: &[Published]) -> Result<u64, PostgresError> {
    for mark in published {
        let Published {
            sequence,
            partition,
            offset,
        } = mark;
        let (sequence, offset) = (sequence.to_be_bytes(), offset.to_be_bytes());
        copy.row([&sequence, &partition.to_be_bytes(), &offset])
            .await?;
    }
    copy.end().await
}
