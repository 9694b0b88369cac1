//! `/clusters/{id}/topics`: all topics, those of Kafka itself on wish.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::clusters::known;
use crate::control_center::ask::Ask;
use crate::control_center::count::Count;
use crate::control_center::panel::Panel;
use crate::control_center::reply::{Refusal, Section};

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    internal: bool,
    #[serde(default)]
    name: String,
}

#[derive(Serialize, Template)]
#[template(path = "pages/topics.html")]
struct Topics {
    cluster: String,
    internal: bool,
    /// A part of the names that are asked for.
    name: String,
    topics: Panel<Vec<Row>>,
    /// Those that are not shown for being Kafka's own.
    left_out: usize,
}

#[derive(Serialize)]
struct Row {
    name: String,
    partitions: usize,
    records: Count,
    under_replicated: usize,
    without_leader: usize,
    is_internal: bool,
}

pub(super) async fn show(
    Path(cluster): Path<String>,
    Query(asked): Query<Asked>,
    ask: Ask,
) -> Result<Response, Refusal> {
    known(&ask, &cluster)?;
    let name = asked.name.trim().to_owned();
    let mut left_out = 0;
    let topics = ask.center.kafka.cluster().await.map(|cluster| {
        let named = cluster.topics.values().filter(|it| it.name.contains(&name));
        let (shown, others): (Vec<_>, Vec<_>) =
            named.partition(|it| asked.internal || !it.is_internal());
        left_out = others.len();
        let row = |topic: &crate::control_center::kafka::Topic| Row {
            name: topic.name.clone(),
            partitions: topic.partitions.len(),
            records: topic.records(),
            under_replicated: topic.under_replicated(),
            without_leader: topic.partitions.iter().filter(|it| it.leader < 0).count(),
            is_internal: topic.is_internal(),
        };
        shown.into_iter().map(row).collect()
    });
    let view = Topics {
        cluster,
        internal: asked.internal,
        name,
        topics: Panel::of(topics),
        left_out,
    };
    Ok(ask.page("Topics", Section::Clusters, &view))
}
