//! `/clusters/{id}/topics/{topic}`: partitions, size, settings, the groups that read it, and its schema.

use std::time::Duration;

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use futures_util::StreamExt;
use serde::Serialize;
use tokio::time::{Instant, timeout_at};

use super::clusters::known;
use super::topic_schema::{Subject, subject_of_topic};
use crate::control_center::ask::Ask;
use crate::control_center::count::{Bytes, Count};
use crate::control_center::kafka::{Kafka, Setting, Topic, Wish};
use crate::control_center::moment::Moment;
use crate::control_center::panel::{Panel, Trouble};
use crate::control_center::reply::{Refusal, Section};
use crate::error::Result as Asked;

/// Records of which the mean size is taken.
const SAMPLE: usize = 20;
/// How long groups are asked for what they have committed, and how many at the same time.
const GROUPS_WITHIN: Duration = Duration::from_millis(1_500);
const GROUPS_AT_ONCE: usize = 6;

/// The topic with the offsets that it has now.
pub(super) async fn topic_of(
    ask: &Ask,
    cluster: &str,
    name: &str,
) -> Result<Panel<Topic>, Refusal> {
    known(ask, cluster)?;
    let missing = || {
        Refusal::not_found(
            format!("there is no topic {name:?}"),
            format!(
                "/clusters/{cluster}/topics lists those that are there; `streamflow init` makes the topic of the users"
            ),
        )
    };
    if !Topic::is_legal_name(name) {
        return Err(missing());
    }
    match ask.center.kafka.topic(name).await {
        Ok(Some(topic)) => Ok(Panel::Shown(topic)),
        Ok(None) => Err(missing()),
        Err(error) => Ok(Panel::Missing(Trouble::from(&error))),
    }
}

#[derive(Serialize, Template)]
#[template(path = "pages/topic.html")]
struct View {
    cluster: String,
    name: String,
    topic: Panel<Topic>,
    details: Option<Details>,
    schema: Panel<Option<Subject>>,
}

#[derive(Serialize)]
struct Details {
    size: Panel<Size>,
    /// Records whose time lies in the last minute.
    last_minute: Panel<Count>,
    settings: Panel<Vec<Setting>>,
    groups: Panel<Groups>,
}

/// What a broker keeps on disk is not told by Kafka's client library.
#[derive(Serialize)]
struct Size {
    sampled: usize,
    mean: Bytes,
    estimate: Bytes,
}

#[derive(Serialize)]
struct Groups {
    reading: Vec<Reading>,
    /// Groups that were not asked in the time that a page has.
    not_asked: usize,
}

#[derive(Serialize)]
struct Reading {
    name: String,
    state: String,
    members: usize,
    partitions: usize,
    lag: Count,
}

pub(super) async fn show(
    Path((cluster, name)): Path<(String, String)>,
    ask: Ask,
) -> Result<Response, Refusal> {
    let topic = topic_of(&ask, &cluster, &name).await?;
    let (details, schema) = tokio::join!(
        async {
            match topic.shown() {
                Some(topic) => Some(details(&ask, topic).await),
                None => None,
            }
        },
        subject_of_topic(&ask, &name)
    );
    let view = View {
        cluster,
        name: name.clone(),
        topic,
        details,
        schema: Panel::of(schema),
    };
    Ok(ask.page(name, Section::Clusters, &view))
}

async fn details(ask: &Ask, topic: &Topic) -> Details {
    let kafka = &ask.center.kafka;
    let (size, last_minute, settings, groups) = tokio::join!(
        size(kafka, topic),
        last_minute(kafka, topic),
        kafka.configuration(&topic.name),
        groups(ask, topic)
    );
    Details {
        size: Panel::of(size),
        last_minute: Panel::of(last_minute),
        settings: Panel::of(settings),
        groups: Panel::of(groups),
    }
}

async fn size(kafka: &Kafka, topic: &Topic) -> Asked<Size> {
    let newest = Wish::Before(Kafka::newest(topic));
    let sample = kafka.find(topic, newest, SAMPLE, None).await?.messages;
    let bytes: usize = sample.iter().map(|it| it.bytes()).sum();
    let (sampled, bytes) = (sample.len(), bytes as u128);
    let records = topic.records().0.max(0).unsigned_abs();
    let of = |count: u128| u64::try_from(count / sampled.max(1) as u128).unwrap_or(u64::MAX);
    Ok(Size {
        sampled,
        mean: Bytes(of(bytes)),
        estimate: Bytes(of(bytes * u128::from(records))),
    })
}

async fn last_minute(kafka: &Kafka, topic: &Topic) -> Asked<Count> {
    let since = kafka.since(topic, Moment::now().ms() - 60_000).await?;
    Ok(Count(since.distance(&Kafka::newest(topic))))
}

/// The groups that have committed offsets of the topic, those of the jobs first.
async fn groups(ask: &Ask, topic: &Topic) -> Asked<Groups> {
    let (kafka, options) = (&ask.center.kafka, &ask.center.options);
    let all = kafka.groups().await?;
    let is_a_job =
        |name: &str| name == options.groups.transform_store || name == options.groups.aggregate;
    let mut in_order: Vec<_> = all.iter().cloned().collect();
    in_order.sort_by_key(|it| !is_a_job(&it.name));
    let count = in_order.len();
    let questions = in_order.into_iter().map(|group| async move {
        let lag = kafka.lag_of(&group.name).await.ok()?;
        let (partitions, lag) = lag
            .on(&topic.name)
            .fold((0, 0), |(count, sum), it| (count + 1, sum + it.lag().0));
        Some((group, partitions, lag))
    });
    let mut answers = futures_util::stream::iter(questions).buffer_unordered(GROUPS_AT_ONCE);
    let until = Instant::now() + GROUPS_WITHIN;
    let (mut reading, mut asked) = (Vec::new(), 0);
    while let Ok(Some(answer)) = timeout_at(until, answers.next()).await {
        let Some((group, partitions, lag)) = answer else {
            continue;
        };
        asked += 1;
        if partitions > 0 {
            reading.push(Reading {
                members: group.members.len(),
                name: group.name,
                state: group.state,
                partitions,
                lag: Count(lag),
            });
        }
    }
    reading.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Groups {
        reading,
        not_asked: count - asked,
    })
}
