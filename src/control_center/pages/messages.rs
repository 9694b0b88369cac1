//! `/clusters/{id}/topics/{topic}/messages`: the records of a topic, as a page and as JSON lines.

mod asked;
mod lines;

use std::cell::RefCell;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use serde::Serialize;

use super::topic::topic_of;
use crate::control_center::ask::Ask;
use crate::control_center::center::Center;
use crate::control_center::count::Count;
use crate::control_center::decoding::{Decoder, Line};
use crate::control_center::kafka::{
    Cursor, Found, Kafka, Message, Search, Topic, Wish, on_its_own_thread,
};
use crate::control_center::panel::Panel;
use crate::control_center::reply::{Refusal, Section};
use asked::{Asked, Start};
pub(super) use lines::download;

/// Records of a page.
const LIMIT: usize = 50;

#[derive(Serialize, Template)]
#[template(path = "pages/messages.html")]
struct View {
    cluster: String,
    name: String,
    /// The path of the topic.
    base: String,
    #[serde(skip)]
    asked: Asked,
    partitions: Vec<i32>,
    /// Partitions that do not tell their offsets now, and are left out.
    silent: Vec<i32>,
    page: Panel<Page>,
    #[serde(skip)]
    may_reveal: bool,
    reveal: bool,
}

#[derive(Serialize)]
struct Page {
    records: Vec<Line>,
    newest_first: bool,
    /// Offsets that were looked at, and all that lie in this direction.
    scanned: Count,
    offsets: Count,
    /// Whether time or bytes ended it.
    cut: bool,
    older: Option<String>,
    newer: Option<String>,
    /// The records of this page as JSON lines.
    download: String,
    #[serde(skip)]
    revealed: String,
}

/// What was read, and where it was begun.
struct Looked {
    found: Found,
    start: Cursor,
    is_back: bool,
}

async fn look(ask: &Ask, topic: &Topic, asked: &Asked, reveal: bool) -> Result<Looked, Refusal> {
    let mut all = Kafka::newest(topic);
    if let Some(partition) = asked.partition()? {
        if !topic.partitions.iter().any(|it| it.id == partition) {
            return Err(Refusal::bad(
                format!("{} has no partition {partition}", topic.name),
                "leave the partition out, or take one that the form offers",
            ));
        }
        all.0.retain(|&it, _| it == partition);
    }
    let kafka = &ask.center.kafka;
    let (mut start, is_back) = match asked.start()? {
        Start::Newest => (all.clone(), true),
        Start::Before(cursor) => (cursor, true),
        Start::From(cursor) => (cursor, false),
        Start::Offset(offset) => (
            Cursor(all.0.keys().map(|&it| (it, offset)).collect()),
            false,
        ),
        Start::Time(ms) => (kafka.since(topic, ms).await?, false),
    };
    start.0.retain(|partition, _| all.0.contains_key(partition));
    let wish = match is_back {
        true => Wish::Before(start.clone()),
        false => Wish::From(start.clone()),
    };
    let search = asked
        .text()
        .map(|text| search(ask.center.clone(), reveal, text));
    let found = kafka.find(topic, wish, LIMIT, search).await?;
    Ok(Looked {
        found,
        start,
        is_back,
    })
}

/// What is searched is what would be shown: masked.
fn search(center: Arc<Center>, reveal: bool, text: &str) -> Search {
    let wanted = text.to_lowercase();
    let decoder = RefCell::new(Decoder::new(center, reveal));
    let has = move |part: &str| part.to_lowercase().contains(&wanted);
    Box::new(move |message: &Message| {
        let mut decoder = decoder.borrow_mut();
        let decoded = decoder.decode_waiting(message);
        let is_in_value = match &decoded.json {
            Some(json) => has(&json.line()),
            None => has(&String::from_utf8_lossy(&decoded.bytes)),
        };
        is_in_value
            || message
                .key
                .as_deref()
                .is_some_and(|key| has(&decoder.key(key)))
            || decoder
                .headers(message)
                .iter()
                .any(|(name, value)| has(name) || has(value))
    })
}

pub(super) async fn show(
    Path((cluster, name)): Path<(String, String)>,
    Query(asked): Query<Asked>,
    ask: Ask,
) -> Result<Response, Refusal> {
    let topic = topic_of(&ask, &cluster, &name).await?;
    // A place that cannot be read is said also while Kafka is away.
    asked.start()?;
    let reveal = ask.reveal().await?;
    let base = format!("/clusters/{cluster}/topics/{name}");
    let (partitions, silent, page) = match topic {
        Panel::Missing(trouble) => (Vec::new(), Vec::new(), Panel::Missing(trouble)),
        Panel::Shown(topic) => {
            let mut looked = look(&ask, &topic, &asked, reveal).await?;
            let mut decoder = Decoder::new(ask.center.clone(), reveal);
            decoder.learn(&looked.found.messages).await;
            let messages = std::mem::take(&mut looked.found.messages);
            let lines = move || Ok(messages.iter().map(|it| decoder.line(it)).collect());
            let records = on_its_own_thread(lines).await?;
            let page = page(&base, &topic, &asked, reveal, records, looked);
            let silent = topic.partitions.iter().filter(|it| it.is_silent());
            let silent = silent.map(|it| it.id).collect();
            let partitions = topic.partitions.iter().map(|it| it.id).collect();
            (partitions, silent, Panel::Shown(page))
        }
    };
    let view = View {
        cluster,
        name: name.clone(),
        base,
        asked,
        partitions,
        silent,
        page,
        may_reveal: ask.may_reveal(),
        reveal,
    };
    Ok(ask.page(format!("Messages of {name}"), Section::Clusters, &view))
}

fn page(
    base: &str,
    topic: &Topic,
    asked: &Asked,
    reveal: bool,
    records: Vec<Line>,
    looked: Looked,
) -> Page {
    let Looked {
        found,
        start,
        is_back,
    } = looked;
    let first = |(partition, &offset): (&i32, &i64)| {
        let known = topic.partitions.iter().find(|it| it.id == *partition);
        known.is_some_and(|it| it.first_offset.is_some_and(|first| offset > first))
    };
    let (has_newer, has_older) = (
        start.distance(&Kafka::newest(topic)) > 0,
        start.0.iter().any(first),
    );
    let link = |page: &str, wish: &Wish, reveal: bool| {
        format!("{base}/{page}?{}", asked.query(wish, reveal))
    };
    let (back, on) = (Wish::Before(start.clone()), Wish::From(start));
    let here = if is_back { back.clone() } else { on.clone() };
    let next = found
        .next
        .as_ref()
        .map(|wish| link("messages", wish, reveal));
    let (older, newer) = match is_back {
        true => (next, has_newer.then(|| link("messages", &on, reveal))),
        false => (has_older.then(|| link("messages", &back, reveal)), next),
    };
    Page {
        records,
        newest_first: is_back,
        scanned: Count(found.scanned),
        offsets: Count(found.scanned.saturating_add(found.left)),
        cut: found.cut,
        older,
        newer,
        download: link("messages.jsonl", &here, reveal),
        revealed: link("messages", &here, true),
    }
}
