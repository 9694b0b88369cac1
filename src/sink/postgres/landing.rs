use tokio::{join, try_join};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error as PostgresError, Row, Statement};
use uuid::Uuid;

use super::copy_in::CopyIn;
use super::failed;
use super::known::Sorted;
use crate::error::{Error, Result};
use crate::metrics::Requests;
use crate::rejection::Rejection;
use crate::user::fingerprint::{self, Fingerprint};

/// Taken before a number is drawn, and held until the page is committed: numbers become visible in their order.
const BEGIN: &str =
    "BEGIN; SELECT pg_advisory_xact_lock(hashtext('streamflow'), hashtext('landing'))";
/// A page is tried anew when one of its ids was known against expectation. That can come twice only while somebody lands by other means.
const TRIES: usize = 5;

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
}

/// A record that is kept, and not published.
pub struct Apart<'a> {
    pub id: Option<Uuid>,
    pub raw: &'a str,
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
    before: Statement,
    known: Statement,
    copy: Statement,
    span: Statement,
    sequences: Statement,
    keep_apart: Statement,
    /// Known ids come in runs: a page is compared with what is landed before it is written where the page before had some.
    expects_known: bool,
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
        let before = prepare(
            "SELECT coalesce(max(sequence), 0), (extract(epoch FROM now()) * 1000)::bigint FROM landed_users",
        )
        .await?;
        let known = prepare("SELECT id, raw::text FROM landed_users WHERE id = ANY ($1)").await?;
        let copy =
            prepare("COPY landed_users (id, raw, seed, page) FROM STDIN (FORMAT binary)").await?;
        let span = prepare(
            "SELECT (SELECT sequence FROM landed_users WHERE id = $1), max(sequence) FROM landed_users",
        )
        .await?;
        let sequences = prepare(
            "SELECT array_agg(sequence ORDER BY sequence) FROM landed_users WHERE id = ANY ($1)",
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
            before,
            known,
            copy,
            span,
            sequences,
            keep_apart,
            expects_known: true,
            requests: Requests::default(),
        })
    }

    #[must_use]
    pub fn watched(self, requests: Requests) -> Self {
        Self { requests, ..self }
    }

    /// One transaction for a page.
    pub async fn land(
        &mut self,
        origin: &PageOrigin,
        readable: &[Readable<'_>],
        apart: &[Apart<'_>],
    ) -> Result<Landed> {
        let requests = self.requests.clone();
        let request = requests.begin(readable.len() + apart.len());
        request.attempt(self.write(origin, readable, apart)).await
    }

    async fn write(
        &mut self,
        origin: &PageOrigin,
        readable: &[Readable<'_>],
        apart: &[Apart<'_>],
    ) -> Result<Landed> {
        for tries_left in (0..TRIES).rev() {
            match self.transaction(origin, readable, apart).await {
                Ok(written) => {
                    self.expects_known = written.new.len() < readable.len();
                    return written.into_landed();
                }
                // All is rolled back: the end of the transaction was sent along.
                Err(cause) if is_known(&cause) && tries_left > 0 => self.expects_known = true,
                Err(cause) => return Err(failed("land a page", cause)),
            }
        }
        Err(Error::bug("a page was not tried"))
    }

    /// What does not wait for an answer is sent along with what is before it.
    async fn transaction(
        &self,
        origin: &PageOrigin,
        readable: &[Readable<'_>],
        apart: &[Apart<'_>],
    ) -> Result<Written, PostgresError> {
        let client = &self.client;
        let begin = async {
            let begin = client.batch_execute(BEGIN);
            try_join!(biased; begin, client.query_one(&self.before, &[]))
        };
        let copy = CopyIn::begin(client, &self.copy);
        let known: Vec<Row>;
        let (before, sorted, copy) = if self.expects_known {
            let ids: Vec<Uuid> = readable.iter().map(|it| it.id).collect();
            let ids: [&(dyn ToSql + Sync); 1] = [&ids];
            let ((_, before), rows) = try_join!(biased; begin, client.query(&self.known, &ids))?;
            known = rows;
            let known = known.iter().map(|row| (row.get(0), row.get(1)));
            let sorted = Sorted::of(readable, known.collect());
            let kept_apart = self.keep_apart(origin, apart, &sorted.conflicting);
            let (_, copy) = try_join!(biased; kept_apart, copy)?;
            (before, sorted, copy)
        } else {
            let kept_apart = self.keep_apart(origin, apart, &[]);
            let ((_, before), _, copy) = try_join!(biased; begin, kept_apart, copy)?;
            (before, Sorted::all_new(readable), copy)
        };
        let (before, landed_at_ms): (i64, i64) = (before.get(0), before.get(1));
        let new: Vec<Uuid> = sorted.new.iter().map(|it| it.id).collect();
        let first = new.first();
        let first: [&(dyn ToSql + Sync); 1] = [&first];
        let (copied, span, committed) = join!(
            biased;
            copy_all(copy, origin, &sorted.new),
            client.query_one(&self.span, &first),
            client.batch_execute("COMMIT"),
        );
        copied?;
        let span = span?;
        committed?;
        Ok(Written {
            already_landed: sorted.already_landed,
            conflicting: sorted.conflicting.len() as u64,
            before,
            landed_at_ms,
            sequences: self.sequences((span.get(0), span.get(1)), &new).await?,
            new,
        })
    }

    /// Of all new users, by that of the first one and the highest of all: they were drawn one after the other.
    async fn sequences(
        &self,
        (first, highest): (Option<i64>, Option<i64>),
        new: &[Uuid],
    ) -> Result<Vec<i64>, PostgresError> {
        let (Some(first), Some(highest)) = (first, highest) else {
            return Ok(Vec::new());
        };
        if highest - first + 1 == new.len() as i64 {
            return Ok((first..=highest).collect());
        }
        // Somebody has landed by other means meanwhile.
        let row = self.client.query_one(&self.sequences, &[&new]).await?;
        Ok(row.get::<_, Option<Vec<i64>>>(0).unwrap_or_default())
    }

    /// Each record once for a reason.
    async fn keep_apart(
        &self,
        origin: &PageOrigin,
        apart: &[Apart<'_>],
        conflicting: &[&Readable<'_>],
    ) -> Result<(), PostgresError> {
        if apart.is_empty() && conflicting.is_empty() {
            return Ok(());
        }
        let mut kept = KeptApart::default();
        for record in apart {
            let Rejection {
                reason,
                field,
                schema_id: _,
            } = &record.rejection;
            kept.add(reason.as_str(), field.as_deref(), record.id, record.raw);
        }
        for record in conflicting {
            kept.add(
                "conflicting",
                Some("login.uuid"),
                Some(record.id),
                record.raw,
            );
        }
        let fingerprints: Vec<&[u8]> = kept.fingerprints.iter().map(|it| &it[..]).collect();
        let values: [&(dyn ToSql + Sync); 7] = [
            &kept.reasons,
            &kept.fields,
            &kept.ids,
            &kept.raws,
            &fingerprints,
            &origin.seed,
            &origin.page,
        ];
        self.client.execute(&self.keep_apart, &values).await?;
        Ok(())
    }
}

/// The columns of `kept_apart_users`.
#[derive(Default)]
struct KeptApart<'a> {
    reasons: Vec<&'a str>,
    fields: Vec<Option<&'a str>>,
    ids: Vec<Option<Uuid>>,
    raws: Vec<&'a str>,
    fingerprints: Vec<Fingerprint>,
}

impl<'a> KeptApart<'a> {
    fn add(&mut self, reason: &'a str, field: Option<&'a str>, id: Option<Uuid>, raw: &'a str) {
        self.reasons.push(reason);
        self.fields.push(field);
        self.ids.push(id);
        self.raws.push(raw);
        self.fingerprints
            .push(fingerprint::of_anything(raw.as_bytes()));
    }
}

/// What a transaction has written.
struct Written {
    already_landed: u64,
    conflicting: u64,
    before: i64,
    landed_at_ms: i64,
    new: Vec<Uuid>,
    sequences: Vec<i64>,
}

impl Written {
    fn into_landed(self) -> Result<Landed> {
        if self.sequences.len() != self.new.len() {
            return Err(Error::bug("a page was landed with another number of users"));
        }
        Ok(Landed {
            landed: self.new.len() as u64,
            already_landed: self.already_landed,
            conflicting: self.conflicting,
            before: self.before,
            landed_at_ms: self.landed_at_ms,
            new: self.new.into_iter().zip(self.sequences).collect(),
        })
    }
}

/// Numbers are drawn in the order of the rows.
async fn copy_all(
    mut copy: CopyIn,
    origin: &PageOrigin,
    new: &[&Readable<'_>],
) -> Result<u64, PostgresError> {
    let (seed, page) = (origin.seed.as_bytes(), origin.page.to_be_bytes());
    for record in new {
        let raw = record.raw.as_bytes();
        copy.row([record.id.as_bytes(), raw, seed, &page]).await?;
    }
    copy.end().await
}

fn is_known(cause: &PostgresError) -> bool {
    cause.code() == Some(&SqlState::UNIQUE_VIOLATION)
}
