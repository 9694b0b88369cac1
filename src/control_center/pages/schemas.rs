//! `/schemas`: the subjects of the registry, their versions, what changed between two, and how far records and table have drifted from them.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};

use crate::control_center::ask::Ask;
use crate::control_center::center::Center;
use crate::control_center::decoding::{Decoder, schema_id, visible};
use crate::control_center::exact_json::Json;
use crate::control_center::kafka::{Kafka, Message, Wish};
use crate::control_center::panel::{Panel, Trouble};
use crate::control_center::registry::Known;
use crate::control_center::reply::{Refusal, Section};
use crate::control_center::schemas::{
    Change, Drift, Field, Line, Sample, compare, drift, fields_of, lines, pretty,
};
use crate::error::{Error, Result as Outcome};
use crate::schema_registry::{SchemaRegistry, Version, subject_of};
use crate::sink::cassandra::columns_of;
use crate::user::format::{WriterSchema, wire};

/// Subjects on a page: each takes questions of its own.
const ON_A_PAGE: usize = 25;
/// Questions to the registry at a time.
const AT_ONCE: usize = 6;
/// Versions of a subject whose texts are shown, the newest.
const SHOWN_VERSIONS: usize = 20;
const SAMPLE: usize = 200;
const MAX_TEXT_BYTES: usize = 64 << 10;

#[derive(Deserialize)]
pub(super) struct Among {
    #[serde(default)]
    q: String,
    #[serde(default)]
    page: usize,
}

#[derive(Serialize, Template)]
#[template(path = "pages/schemas.html")]
struct All {
    q: String,
    ours: String,
    registry: Option<String>,
    subjects: Panel<Subjects>,
}

#[derive(Serialize)]
struct Subjects {
    compatibility: Option<String>,
    /// Of which those of this page are shown.
    all: usize,
    subjects: Vec<Subject>,
    page: usize,
    next: Option<usize>,
}

#[derive(Serialize)]
struct Subject {
    #[serde(skip)]
    link: String,
    name: String,
    versions: usize,
    newest: Option<Told>,
    /// Of its own.
    compatibility: Option<String>,
}

#[derive(Serialize)]
struct Told {
    version: u32,
    id: u32,
    kind: String,
}

pub(super) async fn all(Query(among): Query<Among>, ask: Ask) -> Response {
    let view = All {
        ours: subject_of(ask.center.topic()),
        registry: ask.center.registry.address(),
        subjects: Panel::of(subjects(&ask.center, &among).await),
        q: among.q,
    };
    ask.page("Schemas", Section::Schemas, &view)
}

async fn subjects(center: &Center, among: &Among) -> Outcome<Subjects> {
    let client = center.registry.client().await?;
    let ours = subject_of(center.topic());
    let mut names = client.subjects().await?;
    names.retain(|name| name.contains(among.q.trim()));
    // Ours first.
    names.sort_by(|a, b| (*a != ours, a).cmp(&(*b != ours, b)));
    let all = names.len();
    let begin = among.page.saturating_mul(ON_A_PAGE).min(all);
    let end = begin.saturating_add(ON_A_PAGE).min(all);
    let names = names[begin..end].iter().cloned();
    let asked = names.map(|name| subject(client.clone(), name));
    let found: Vec<Outcome<Subject>> = stream::iter(asked).buffered(AT_ONCE).collect().await;
    Ok(Subjects {
        compatibility: client.default_compatibility().await?,
        all,
        subjects: found.into_iter().collect::<Outcome<_>>()?,
        page: among.page,
        next: (end < all).then_some(among.page.saturating_add(1)),
    })
}

async fn subject(client: Arc<SchemaRegistry>, name: String) -> Outcome<Subject> {
    let numbers = client.versions(&name).await?.unwrap_or_default();
    let newest = match numbers.iter().max() {
        Some(&number) => client.version(&name, number).await?,
        None => None,
    };
    Ok(Subject {
        name: visible(&name),
        versions: numbers.len(),
        newest: newest.map(|it| Told {
            version: it.version,
            id: it.id,
            kind: kind(&it),
        }),
        compatibility: client.compatibility(&name).await?,
        link: name,
    })
}

fn kind(version: &Version) -> String {
    match version.schema.schema_type.as_str() {
        "AVRO" => "Avro",
        "JSON" => "JSON Schema",
        "PROTOBUF" => "Protobuf",
        other => other,
    }
    .to_owned()
}

#[derive(Serialize, Template)]
#[template(path = "pages/schema.html")]
struct One {
    subject: String,
    compatibility: Option<String>,
    default_compatibility: Option<String>,
    /// The newest first.
    versions: Vec<Shown>,
    /// Older ones that are not shown.
    more: usize,
    drift: Option<Panel<Drifted>>,
    topic: String,
}

#[derive(Serialize)]
struct Shown {
    version: u32,
    id: u32,
    kind: String,
    text: String,
    is_cut: bool,
    /// The version before it, to compare with.
    before: Option<u32>,
}

#[derive(Serialize)]
struct Drifted {
    records: usize,
    unreadable: usize,
    fields: Vec<Drift>,
    /// Whether the table's own columns were looked at.
    with_table: bool,
}

pub(super) async fn one(Path(subject): Path<String>, ask: Ask) -> Result<Response, Refusal> {
    let center = &ask.center;
    let (client, numbers) = match versions_of(center, &subject).await? {
        Panel::Shown(known) => known,
        Panel::Missing(trouble) => return Ok(silent(&ask, subject, trouble)),
    };
    let newest_first: Vec<u32> = numbers.iter().rev().copied().collect();
    let mut versions = Vec::new();
    let mut newest = None;
    for (place, &number) in newest_first.iter().take(SHOWN_VERSIONS).enumerate() {
        let Some(found) = client.version(&subject, number).await? else {
            continue;
        };
        let text = visible(&pretty(&found.schema.schema));
        let end = text.floor_char_boundary(MAX_TEXT_BYTES);
        versions.push(Shown {
            version: found.version,
            id: found.id,
            kind: kind(&found),
            is_cut: end < text.len(),
            text: text[..end].to_owned(),
            before: newest_first.get(place + 1).copied(),
        });
        newest.get_or_insert(found);
    }
    let drift = match subject == subject_of(center.topic()) {
        true => Some(Panel::of(drifted(&ask, newest.as_ref()).await)),
        false => None,
    };
    let view = One {
        compatibility: client.compatibility(&subject).await?,
        default_compatibility: client.default_compatibility().await?,
        more: newest_first.len().saturating_sub(SHOWN_VERSIONS),
        versions,
        drift,
        topic: center.topic().to_owned(),
        subject,
    };
    let title = format!("Subject {}", visible(&view.subject));
    Ok(ask.page(title, Section::Schemas, &view))
}

/// The numbers of a subject's versions, lowest first.
async fn versions_of(
    center: &Center,
    subject: &str,
) -> Result<Panel<(Arc<SchemaRegistry>, Vec<u32>)>, Refusal> {
    let unknown = || {
        Refusal::not_found(
            format!("the registry has no subject {subject:?}"),
            "see all of them at /schemas; `streamflow init --value-format avro` registers ours",
        )
    };
    // No name of a subject: such a step of a path leads elsewhere.
    if matches!(subject, "." | "..") {
        return Err(unknown());
    }
    let asked = async {
        let client = center.registry.client().await?;
        let numbers = client.versions(subject).await?;
        Ok((client, numbers))
    };
    match Panel::of(asked.await) {
        Panel::Shown((client, numbers)) => {
            let mut numbers = numbers.ok_or_else(unknown)?;
            numbers.sort_unstable();
            Ok(Panel::Shown((client, numbers)))
        }
        Panel::Missing(trouble) => Ok(Panel::Missing(trouble)),
    }
}

/// The page of a subject while the registry is down.
#[derive(Serialize, Template)]
#[template(path = "pages/schema_silent.html")]
struct Silent {
    subject: String,
    error: Trouble,
}

fn silent(ask: &Ask, subject: String, error: Trouble) -> Response {
    let view = Silent { subject, error };
    let title = format!("Subject {}", visible(&view.subject));
    ask.page(title, Section::Schemas, &view)
}

/// The newest records of our topic beside the newest schema.
async fn drifted(ask: &Ask, newest: Option<&Version>) -> Outcome<Drifted> {
    let center = &ask.center;
    let cluster = center.kafka.cluster().await?;
    let topic = cluster.topics.get(center.topic()).ok_or_else(|| {
        Error::configuration(format!("Kafka has no topic {}", center.topic()))
            .hint("make it with `streamflow init`")
    })?;
    let wish = Wish::Before(Kafka::newest(topic));
    let found = center.kafka.find(topic, wish, SAMPLE, None).await?;
    let mut decoder = Decoder::new(center.clone(), false);
    decoder.learn(&found.messages).await;
    let mut sample = Sample::default();
    for message in &found.messages {
        sample.add(names_of(center, &decoder, message).await.as_ref());
    }
    let fields: Vec<Field> = newest
        .and_then(|it| fields_of(&it.schema.schema_type, &it.schema.schema))
        .unwrap_or_default();
    // The table is one more witness; without it the rest still says something.
    let columns = match center.tables.session().await {
        Ok(session) => columns_of(&session, center.tables.keyspace(), "created_users")
            .await
            .ok(),
        Err(_) => None,
    };
    Ok(Drifted {
        records: sample.records,
        unreadable: sample.unreadable,
        with_table: columns.is_some(),
        fields: drift(&sample, &fields, columns.as_ref()),
    })
}

/// The record's own names, where it carries them; else those of the event that it is.
async fn names_of(center: &Center, decoder: &Decoder, message: &Message) -> Option<Json> {
    let value = message.value.as_deref()?;
    let Some(id) = schema_id(message) else {
        return Json::parse(std::str::from_utf8(value).ok()?);
    };
    let known = center.registry.schema(id).await;
    if matches!(*known, Known::Schema(WriterSchema::JsonSchema, _))
        && let Ok(Some(framed)) = wire::split(value)
    {
        return Json::parse(std::str::from_utf8(framed.payload).ok()?);
    }
    decoder.decode(message).json
}

#[derive(Deserialize)]
pub(super) struct Two {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
}

#[derive(Serialize, Template)]
#[template(path = "pages/schema_diff.html")]
struct Diff {
    subject: String,
    numbers: Vec<u32>,
    from: u32,
    to: u32,
    from_kind: String,
    to_kind: String,
    /// Nothing where one of them is no record.
    changes: Option<Vec<Change>>,
    /// Nothing where they are too long.
    lines: Option<Vec<Line>>,
}

pub(super) async fn diff(
    Path(subject): Path<String>,
    Query(two): Query<Two>,
    ask: Ask,
) -> Result<Response, Refusal> {
    let (client, numbers) = match versions_of(&ask.center, &subject).await? {
        Panel::Shown(known) => known,
        Panel::Missing(trouble) => return Ok(silent(&ask, subject, trouble)),
    };
    // Without numbers, what the newest version has changed.
    let newest = numbers.last().copied().unwrap_or(0);
    let before = numbers.iter().rev().nth(1).copied().unwrap_or(newest);
    let (from, to) = (number(&two.from, before)?, number(&two.to, newest)?);
    let version = async |number: u32| -> Result<Version, Refusal> {
        client.version(&subject, number).await?.ok_or_else(|| {
            Refusal::not_found(
                format!("the subject {subject:?} has no version {number}"),
                format!("its versions are {numbers:?}"),
            )
        })
    };
    let (one, other) = (version(from).await?, version(to).await?);
    let fields = |it: &Version| fields_of(&it.schema.schema_type, &it.schema.schema);
    let changes = fields(&one)
        .zip(fields(&other))
        .map(|(from, to)| compare(&from, &to));
    let view = Diff {
        numbers: numbers.clone(),
        from,
        to,
        from_kind: kind(&one),
        to_kind: kind(&other),
        changes,
        lines: lines(&one.schema.schema, &other.schema.schema),
        subject: subject.clone(),
    };
    let title = format!("{}, versions {from} and {to}", visible(&subject));
    Ok(ask.page(title, Section::Schemas, &view))
}

fn number(text: &str, otherwise: u32) -> Result<u32, Refusal> {
    match text.trim() {
        "" => Ok(otherwise),
        text => text.parse().map_err(|_| {
            Refusal::bad(
                "from and to are numbers of versions",
                "give them as ?from=1&to=2",
            )
        }),
    }
}
