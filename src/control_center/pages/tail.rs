//! `/clusters/{id}/topics/{topic}/tail`: the newest records, and those that come.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::topic::topic_of;
use crate::control_center::ask::Ask;
use crate::control_center::decoding::{Decoder, Line};
use crate::control_center::kafka::{Cursor, Kafka, Wish};
use crate::control_center::panel::Panel;
use crate::control_center::reply::{Refusal, Section};
use crate::control_center::tail;
use crate::error::Error;

/// Records that are there before the first new one comes.
const NEWEST: usize = 20;

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
pub(super) struct Asked {
    /// Only records with this text.
    text: String,
    /// Where to begin, where the browser does not say itself what it got last.
    from: String,
}

#[derive(Serialize, Template)]
#[template(path = "pages/tail.html")]
struct View {
    cluster: String,
    name: String,
    base: String,
    text: String,
    newest: Panel<Newest>,
}

#[derive(Serialize)]
struct Newest {
    records: Vec<Line>,
    /// The place behind them, where the live view goes on.
    place: String,
}

pub(super) async fn show(
    Path((cluster, name)): Path<(String, String)>,
    Query(asked): Query<Asked>,
    ask: Ask,
) -> Result<Response, Refusal> {
    let topic = topic_of(&ask, &cluster, &name).await?;
    let newest = match topic {
        Panel::Missing(trouble) => Panel::Missing(trouble),
        Panel::Shown(topic) => {
            let place = Kafka::newest(&topic);
            let wish = Wish::Before(place.clone());
            let found = ask.center.kafka.find(&topic, wish, NEWEST, None).await;
            Panel::of(match found {
                Ok(found) => {
                    let mut decoder = Decoder::new(ask.center.clone(), false);
                    decoder.learn(&found.messages).await;
                    let records = found.messages.iter().map(|it| decoder.line(it)).collect();
                    let place = place.to_string();
                    Ok(Newest { records, place })
                }
                Err(error) => Err(error),
            })
        }
    };
    let view = View {
        base: format!("/clusters/{cluster}/topics/{name}"),
        cluster,
        name: name.clone(),
        text: asked.text.trim().to_owned(),
        newest,
    };
    Ok(ask.page(format!("Tail of {name}"), Section::Clusters, &view))
}

pub(super) async fn events(
    Path((cluster, name)): Path<(String, String)>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    ask: Ask,
) -> Result<Response, Refusal> {
    let topic = match topic_of(&ask, &cluster, &name).await? {
        Panel::Shown(topic) => topic,
        Panel::Missing(it) => return Err(Error::unavailable(it.message).hint(it.hint).into()),
    };
    let last = headers
        .get("last-event-id")
        .and_then(|it| it.to_str().ok())
        .filter(|it| !it.is_empty());
    let from = match last.unwrap_or(&asked.from) {
        "" => None,
        text => Some(Cursor::parse(text).ok_or_else(|| {
            Refusal::bad(
                format!("{text:?} is no place in a topic"),
                "expected PARTITION:OFFSET,… as the events' ids have it",
            )
        })?),
    };
    let events = tail::events(&ask.center, &topic, from.as_ref(), &asked.text)?;
    Ok(events.into_response())
}
