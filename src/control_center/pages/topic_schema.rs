//! `/clusters/{id}/topics/{topic}/schema`: the schema that the registry has for the topic's values.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use serde::Serialize;

use super::topic::topic_of;
use crate::control_center::ask::Ask;
use crate::control_center::decoding::shown_text;
use crate::control_center::exact_json::Json;
use crate::control_center::panel::{Panel, Trouble};
use crate::control_center::reply::{Refusal, Section};
use crate::error::Result as Asked;
use crate::schema_registry::subject_of;

#[derive(Serialize)]
pub(super) struct Subject {
    pub(super) subject: String,
    /// Nothing where the registry has no such subject.
    pub(super) latest: Option<Latest>,
}

#[derive(Serialize)]
pub(super) struct Latest {
    pub(super) kind: String,
    pub(super) id: Option<u32>,
    text: String,
}

/// Nothing where no registry is given.
pub(super) async fn subject_of_topic(ask: &Ask, topic: &str) -> Asked<Option<Subject>> {
    let registry = &ask.center.registry;
    if registry.address().is_none() {
        return Ok(None);
    }
    let (client, subject) = (registry.client().await?, subject_of(topic));
    let latest = match client.latest(&subject).await? {
        Some(schema) => Some(Latest {
            id: client.id_of(&subject, &schema).await?,
            text: match Json::parse(&schema.schema) {
                Some(json) => shown_text(&json.pretty()).0,
                None => shown_text(&schema.schema).0,
            },
            kind: schema.schema_type,
        }),
        None => None,
    };
    Ok(Some(Subject { subject, latest }))
}

#[derive(Serialize, Template)]
#[template(path = "pages/topic_schema.html")]
struct View {
    cluster: String,
    name: String,
    /// Why Kafka does not tell whether there is such a topic.
    trouble: Option<Trouble>,
    schema: Panel<Option<Subject>>,
}

pub(super) async fn show(
    Path((cluster, name)): Path<(String, String)>,
    ask: Ask,
) -> Result<Response, Refusal> {
    let trouble = match topic_of(&ask, &cluster, &name).await? {
        Panel::Shown(_) => None,
        Panel::Missing(trouble) => Some(trouble),
    };
    let view = View {
        cluster,
        schema: Panel::of(subject_of_topic(&ask, &name).await),
        name: name.clone(),
        trouble,
    };
    Ok(ask.page(format!("Schema of {name}"), Section::Clusters, &view))
}
