//! `…/messages.jsonl`: the records of a page, one a line, masked as on the page.

use axum::extract::{Path, Query};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::asked::Asked;
use super::look;
use crate::control_center::ask::Ask;
use crate::control_center::decoding::{Decoder, visible};
use crate::control_center::exact_json::Json;
use crate::control_center::kafka::{Message, on_its_own_thread};
use crate::control_center::moment::Moment;
use crate::control_center::pages::topic::topic_of;
use crate::control_center::panel::Panel;
use crate::control_center::reply::Refusal;
use crate::error::Error;

#[derive(Serialize)]
struct Record {
    partition: i32,
    offset: i64,
    timestamp: Option<Moment>,
    key: Option<String>,
    headers: Vec<(String, String)>,
    format: String,
    value: Option<Json>,
}

pub(in crate::control_center::pages) async fn download(
    Path((cluster, name)): Path<(String, String)>,
    Query(asked): Query<Asked>,
    ask: Ask,
) -> Result<Response, Refusal> {
    let topic = match topic_of(&ask, &cluster, &name).await? {
        Panel::Shown(topic) => topic,
        Panel::Missing(it) => return Err(Error::unavailable(it.message).hint(it.hint).into()),
    };
    let reveal = ask.reveal().await?;
    let messages = look(&ask, &topic, &asked, reveal).await?.found.messages;
    let mut decoder = Decoder::new(ask.center.clone(), reveal);
    decoder.learn(&messages).await;
    let lines = on_its_own_thread(move || lines(&decoder, &messages)).await?;
    let file = format!("attachment; filename=\"{name}.jsonl\"");
    let headers = [
        (CONTENT_TYPE, "application/x-ndjson".to_owned()),
        (CONTENT_DISPOSITION, file),
    ];
    Ok((headers, lines).into_response())
}

fn lines(decoder: &Decoder, messages: &[Message]) -> crate::error::Result<String> {
    let mut lines = String::new();
    for message in messages {
        let line = serde_json::to_string(&record(decoder, message));
        lines.push_str(&line.map_err(|cause| Error::bug("a record is no JSON").cause(cause))?);
        lines.push('\n');
    }
    Ok(lines)
}

fn record(decoder: &Decoder, message: &Message) -> Record {
    let decoded = decoder.decode(message);
    let as_text = || Json::Text(visible(&String::from_utf8_lossy(&decoded.bytes)));
    let value = match (decoded.json, &message.value) {
        (Some(json), _) => Some(json),
        (None, Some(_)) => Some(as_text()),
        (None, None) => None,
    };
    Record {
        partition: message.partition,
        offset: message.offset,
        timestamp: message.timestamp_ms.map(Moment::at),
        key: message.key.as_deref().map(|key| decoder.key(key)),
        headers: decoder.headers(message),
        format: decoded.format,
        value,
    }
}
