use std::time::Duration;

use log::info;
use tokio_postgres::{Client, Statement};
use uuid::Uuid;

use super::failed;
use crate::error::Result;
use crate::shutdown::Shutdown;

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
    /// The identity of this landing database.
    pub landing: Uuid,
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
            .query_one("SELECT id FROM landing", &[])
            .await
            .map_err(failed)?
            .get(0);
        let next = client
            .prepare(
                "SELECT sequence, id, raw::text, (extract(epoch FROM landed_at) * 1000)::bigint FROM landed_users \
                 WHERE published_at IS NULL AND sequence > $1 ORDER BY sequence LIMIT $2",
            )
            .await
            .map_err(failed)?;
        let mark = client
            .prepare(
                "UPDATE landed_users SET published_at = now(), kafka_partition = acknowledged.partition, kafka_offset = acknowledged.offset \
                 FROM unnest($1::bigint[], $2::integer[], $3::bigint[]) AS acknowledged (sequence, partition, \"offset\") \
                 WHERE landed_users.sequence = acknowledged.sequence",
            )
            .await
            .map_err(failed)?;
        Ok(Some(Self {
            client,
            next,
            mark,
            landing,
        }))
    }

    /// The next records above a sequence.
    pub async fn next(&self, above: i64, limit: i64) -> Result<Vec<Unpublished>> {
        let rows = self
            .client
            .query(&self.next, &[&above, &limit])
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

    /// Marks records as published: sequence, partition and offset of each.
    pub async fn mark(&self, published: &[(i64, i32, i64)]) -> Result<()> {
        let sequences: Vec<i64> = published.iter().map(|it| it.0).collect();
        let partitions: Vec<i32> = published.iter().map(|it| it.1).collect();
        let offsets: Vec<i64> = published.iter().map(|it| it.2).collect();
        self.client
            .execute(&self.mark, &[&sequences, &partitions, &offsets])
            .await
            .map_err(|cause| failed("mark what is published", cause))?;
        Ok(())
    }
}
