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
    draw: Statement,
    copy: Statement,
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
        // All at once: drawn by each row they take an eighth of what landing it takes.
        let draw = prepare(
            "SELECT setval('landed_users_sequence_seq', nextval('landed_users_sequence_seq') + $1 - 1)",
        )
        .await?;
        // What COPY gives is written, also where the column is GENERATED ALWAYS.
        let copy =
            prepare("COPY landed_users (sequence, id, raw, seed, page) FROM STDIN (FORMAT binary)")
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
            draw,
            copy,
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
                Ok(landed) => {
                    self.expects_known = landed.new.len() < readable.len();
                    return Ok(landed);
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
    ) -> Result<Landed, PostgresError> {
        let client = &self.client;
        let begin = async {
            let begin = client.batch_execute(BEGIN);
            try_join!(biased; begin, client.query_one(&self.before, &[]))
        };
        let known: Vec<Row>;
        let (before, sorted, copy) = if self.expects_known {
            let ids: Vec<Uuid> = readable.iter().map(|it| it.id).collect();
            let ids: [&(dyn ToSql + Sync); 1] = [&ids];
            let ((_, before), rows) = try_join!(biased; begin, client.query(&self.known, &ids))?;
            known = rows;
            let known = known.iter().map(|row| (row.get(0), row.get(1)));
            let sorted = Sorted::of(readable, known.collect());
            let kept_apart = self.keep_apart(origin, apart, &sorted.conflicting);
            let (_, copy) = try_join!(biased; kept_apart, self.begin_copy(sorted.new.len()))?;
            (before, sorted, copy)
        } else {
            let kept_apart = self.keep_apart(origin, apart, &[]);
            let copy = self.begin_copy(readable.len());
            let ((_, before), _, copy) = try_join!(biased; begin, kept_apart, copy)?;
            (before, Sorted::all_new(readable), copy)
        };
        let new = async {
            match copy {
                Some((copy, first)) => copy_all(copy, first, origin, &sorted.new).await,
                None => Ok(Vec::new()),
            }
        };
        let (new, committed) = join!(biased; new, client.batch_execute("COMMIT"));
        let new = new?;
        committed?;
        Ok(Landed {
            landed: new.len() as u64,
            already_landed: sorted.already_landed,
            conflicting: sorted.conflicting.len() as u64,
            before: before.get(0),
            landed_at_ms: before.get(1),
            new,
        })
    }

    /// With the number of the first user. Under the lock nobody else who lands draws any in between; from who writes by hand the unique key
    /// protects.
    async fn begin_copy(&self, users: usize) -> Result<Option<(CopyIn, i64)>, PostgresError> {
        if users == 0 {
            return Ok(None);
        }
        let count = users as i64;
        let draw: [&(dyn ToSql + Sync); 1] = [&count];
        let draw = self.client.query_one(&self.draw, &draw);
        let copy = CopyIn::begin(&self.client, &self.copy);
        let (last, copy) = try_join!(biased; draw, copy)?;
        Ok(Some((copy, last.get::<_, i64>(0) - count + 1)))
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

/// Tells id and number of each.
async fn copy_all(
    mut copy: CopyIn,
    first: i64,
    origin: &PageOrigin,
    new: &[&Readable<'_>],
) -> Result<Vec<(Uuid, i64)>, PostgresError> {
    let (seed, page) = (origin.seed.as_bytes(), origin.page.to_be_bytes());
    let mut numbered = Vec::with_capacity(new.len());
    for (record, sequence) in new.iter().zip(first..) {
        let (id, raw) = (record.id.as_bytes(), record.raw.as_bytes());
        copy.row([&sequence.to_be_bytes(), id, raw, seed, &page])
            .await?;
        numbered.push((record.id, sequence));
    }
    copy.end().await?;
    Ok(numbered)
}

fn is_known(cause: &PostgresError) -> bool {
    cause.code() == Some(&SqlState::UNIQUE_VIOLATION)
}
