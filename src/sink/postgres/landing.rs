use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement};
use uuid::Uuid;

use super::failed;
use crate::error::Result;
use crate::metrics::Requests;
use crate::rejection::Rejection;
use crate::user::fingerprint::Fingerprint;

/// Which page of which seed a record came from.
#[derive(Debug, Clone)]
pub struct PageOrigin {
    pub seed: String,
    pub page: i32,
}

/// A record that can be published.
pub struct Readable<'a> {
    pub id: Uuid,
    pub raw: &'a str,
    pub fingerprint: Fingerprint,
}

/// A record that is kept, and not published.
pub struct Apart<'a> {
    pub id: Option<Uuid>,
    pub raw: &'a str,
    pub fingerprint: Fingerprint,
    pub rejection: Rejection,
}

/// What became of the readable records of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landed {
    pub landed: u64,
    pub already_landed: u64,
    pub conflicting: u64,
    /// The highest sequence before this page; 0 when there was none.
    pub before: i64,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub landed_at_ms: i64,
    /// Id and sequence of each new user, in the order of both the page and the sequences.
    pub new: Vec<(Uuid, i64)>,
}

/// Writes pages. A page that was landed before changes nothing.
pub struct Landing {
    client: Client,
    land: Statement,
    keep_apart: Statement,
    requests: Requests,
}

impl Landing {
    pub async fn prepare(client: Client) -> Result<Self> {
        let prepare = async |sql| {
            client
                .prepare(sql)
                .await
                .map_err(|cause| failed("prepare the landing", cause))
        };
        let land = prepare(
            "SELECT landed, already_landed, conflicting, before, landed_at_ms, new_ids, new_sequences \
             FROM land_users($1, $2, $3, $4, $5)",
        )
        .await?;
        let keep_apart = prepare(
            "INSERT INTO kept_apart_users (reason, field, id, raw, fingerprint, seed, page) \
             SELECT apart.*, $6, $7 FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::bytea[]) AS apart \
             ON CONFLICT (reason, fingerprint) DO NOTHING",
        )
        .await?;
        Ok(Self {
            client,
            land,
            keep_apart,
            requests: Requests::default(),
        })
    }

    #[must_use]
    pub fn watched(self, requests: Requests) -> Self {
        Self { requests, ..self }
    }

    /// One round trip, and a second one only for a page that has records to keep apart.
    pub async fn land(
        &self,
        origin: &PageOrigin,
        readable: &[Readable<'_>],
        apart: &[Apart<'_>],
    ) -> Result<Landed> {
        let request = self.requests.begin(readable.len() + apart.len());
        request.attempt(self.write(origin, readable, apart)).await
    }

    async fn write(
        &self,
        origin: &PageOrigin,
        readable: &[Readable<'_>],
        apart: &[Apart<'_>],
    ) -> Result<Landed> {
        if !apart.is_empty() {
            self.keep_apart(origin, apart).await?;
        }
        let ids: Vec<Uuid> = readable.iter().map(|it| it.id).collect();
        let raws: Vec<&str> = readable.iter().map(|it| it.raw).collect();
        let fingerprints: Vec<&[u8]> = readable.iter().map(|it| &it.fingerprint[..]).collect();
        let values: [&(dyn ToSql + Sync); 5] =
            [&origin.seed, &origin.page, &ids, &raws, &fingerprints];
        let row = self
            .client
            .query_one(&self.land, &values)
            .await
            .map_err(|cause| failed("land a page", cause))?;
        let count = |place| row.get::<_, i64>(place).unsigned_abs();
        let (ids, sequences): (Vec<Uuid>, Vec<i64>) = (row.get(5), row.get(6));
        Ok(Landed {
            landed: count(0),
            already_landed: count(1),
            conflicting: count(2),
            before: row.get(3),
            landed_at_ms: row.get(4),
            new: ids.into_iter().zip(sequences).collect(),
        })
    }

    async fn keep_apart(&self, origin: &PageOrigin, apart: &[Apart<'_>]) -> Result<()> {
        let reasons: Vec<&str> = apart
            .iter()
            .map(|it| it.rejection.reason.as_str())
            .collect();
        let fields: Vec<Option<&str>> = apart
            .iter()
            .map(|it| it.rejection.field.as_deref())
            .collect();
        let ids: Vec<Option<Uuid>> = apart.iter().map(|it| it.id).collect();
        let raws: Vec<&str> = apart.iter().map(|it| it.raw).collect();
        let fingerprints: Vec<&[u8]> = apart.iter().map(|it| &it.fingerprint[..]).collect();
        let values: [&(dyn ToSql + Sync); 7] = [
            &reasons,
            &fields,
            &ids,
            &raws,
            &fingerprints,
            &origin.seed,
            &origin.page,
        ];
        self.client
            .execute(&self.keep_apart, &values)
            .await
            .map_err(|cause| failed("keep records apart", cause))?;
        Ok(())
    }
}
