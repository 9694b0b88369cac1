//! `/clusters/{id}/topics/{topic}/messages/{partition}/{offset}`: one record, by an address that stays.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use serde::Serialize;
use uuid::Uuid;

use super::topic::topic_of;
use crate::control_center::ask::Ask;
use crate::control_center::count::Bytes;
use crate::control_center::decoding::{Decoded, Decoder, Failure, hex, shown_text};
use crate::control_center::exact_json::Json;
use crate::control_center::kafka::{Message, Partition, Topic, on_its_own_thread};
use crate::control_center::moment::Moment;
use crate::control_center::panel::Panel;
use crate::control_center::reply::{Refusal, Section};

#[derive(Serialize, Template)]
#[template(path = "pages/message.html")]
struct View {
    cluster: String,
    name: String,
    partition: i32,
    offset: i64,
    #[serde(skip)]
    base: String,
    reveal: bool,
    #[serde(skip)]
    may_reveal: bool,
    record: Panel<Record>,
}

#[derive(Serialize)]
struct Record {
    at: Option<Moment>,
    key: Option<String>,
    headers: Vec<(String, String)>,
    /// Of all, also those that are not shown.
    header_count: usize,
    format: String,
    size: Bytes,
    failures: Vec<Failure>,
    /// Decoded, and whole.
    value: Option<Json>,
    #[serde(skip)]
    pretty: Option<Shown>,
    raw: Shown,
    hex: Shown,
    verdict: Option<Verdict>,
    user_id: Option<Uuid>,
    previous: Option<i64>,
    next: Option<i64>,
}

/// A text, or the beginning of one.
#[derive(Serialize)]
struct Shown {
    text: String,
    is_cut: bool,
}

impl From<(String, bool)> for Shown {
    fn from((text, is_cut): (String, bool)) -> Self {
        Self { text, is_cut }
    }
}

/// What the jobs would do with the record today.
#[derive(Serialize)]
struct Verdict {
    is_good: bool,
    text: String,
}

pub(super) async fn show(
    Path((cluster, name, partition, offset)): Path<(String, String, String, String)>,
    ask: Ask,
) -> Result<Response, Refusal> {
    let topic = topic_of(&ask, &cluster, &name).await?;
    let base = format!("/clusters/{cluster}/topics/{name}");
    let (Ok(partition), Ok(offset)) = (partition.parse::<i32>(), offset.parse::<i64>()) else {
        return Err(Refusal::not_found(
            "there is no such record",
            format!("an address has a partition and an offset, such as {base}/messages/0/42"),
        ));
    };
    let reveal = ask.reveal().await?;
    let record = match topic {
        Panel::Missing(trouble) => Panel::Missing(trouble),
        Panel::Shown(topic) => {
            let found = ask.center.kafka.message(&topic, partition, offset).await?;
            let ends = topic.partitions.iter().find(|it| it.id == partition);
            let Some((message, ends)) = found.zip(ends.cloned()) else {
                return Err(not_there(&base, &topic, partition, offset));
            };
            let mut decoder = Decoder::new(ask.center.clone(), reveal);
            decoder.learn(std::slice::from_ref(&message)).await;
            let is_of_users = name == ask.center.topic();
            let record = move || Ok(record(&decoder, &message, &ends, is_of_users));
            Panel::Shown(on_its_own_thread(record).await?)
        }
    };
    let view = View {
        cluster,
        name,
        partition,
        offset,
        base,
        reveal,
        may_reveal: ask.may_reveal(),
        record,
    };
    let title = format!("{} {partition}:{offset}", view.name);
    Ok(ask.page(title, Section::Clusters, &view))
}

fn record(decoder: &Decoder, message: &Message, ends: &Partition, is_of_users: bool) -> Record {
    let decoded = decoder.decode(message);
    let raw = Shown::from(shown_text(&String::from_utf8_lossy(&decoded.bytes)));
    let hex = Shown::from(hex(&decoded.bytes));
    let verdict = is_of_users.then(|| match decoder.verdict(message) {
        Ok(id) => Verdict {
            is_good: true,
            text: format!("transform-store stores it as the user {id}, and aggregate counts it"),
        },
        Err(why) => Verdict {
            is_good: false,
            text: format!("they reject it, and it becomes a dead letter: {why}"),
        },
    });
    let user_id = user_id(&decoded, message);
    let Decoded {
        format,
        json,
        failures,
        ..
    } = decoded;
    let (previous, next) = (message.offset - 1, message.offset.saturating_add(1));
    Record {
        at: message.timestamp_ms.map(Moment::at),
        key: message.key.as_deref().map(|key| decoder.key(key)),
        headers: decoder.headers(message),
        header_count: message.headers.len(),
        format,
        size: Bytes(message.value.as_ref().map_or(0, Vec::len) as u64),
        failures,
        pretty: json
            .as_ref()
            .map(|it| Shown::from(shown_text(&it.pretty()))),
        value: json,
        raw,
        hex,
        verdict,
        user_id,
        previous: (ends.first_offset <= Some(previous)).then_some(previous),
        next: (Some(next) < ends.latest_offset).then_some(next),
    }
}

/// The id in the value, or else the key, where it is one.
fn user_id(decoded: &Decoded, message: &Message) -> Option<Uuid> {
    let in_value = match decoded.json.as_ref().and_then(|it| it.field("id")) {
        Some(Json::Text(id)) => Uuid::parse_str(id).ok(),
        _ => None,
    };
    in_value.or_else(|| Uuid::try_parse_ascii(message.key.as_deref()?).ok())
}

fn not_there(base: &str, topic: &Topic, partition: i32, offset: i64) -> Refusal {
    let Some(known) = topic.partitions.iter().find(|it| it.id == partition) else {
        return Refusal::not_found(
            format!("{} has no partition {partition}", topic.name),
            format!("{base} lists the partitions"),
        );
    };
    let (Some(first), Some(latest)) = (known.first_offset, known.latest_offset) else {
        return Refusal::not_found(
            format!(
                "partition {partition} of {} does not tell its offsets now",
                topic.name
            ),
            format!("see at {base} whether it has a leader"),
        );
    };
    let why = match offset {
        _ if first == latest => {
            format!("partition {partition} has no records now (offset {latest} comes next)")
        }
        _ if offset < first => format!(
            "offset {offset} of partition {partition} has gone: retention has removed what lies before {first}. It has the offsets \
             {first} to {}",
            latest - 1
        ),
        _ if offset >= latest => format!(
            "offset {offset} of partition {partition} is not there yet. It has the offsets {first} to {}",
            latest - 1
        ),
        _ => format!(
            "no record is left at offset {offset} of partition {partition}: it was compacted away, or belongs to a transaction. It has \
             the offsets {first} to {}",
            latest - 1
        ),
    };
    let near = offset.clamp(first, latest);
    Refusal::not_found(
        why,
        format!("{base}/messages?partition={partition}&offset={near} shows what is there"),
    )
}
