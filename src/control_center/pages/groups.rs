//! `/groups` and `/groups/{group}`: who is in a consumer group, and how far it has come.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};

use crate::control_center::ask::Ask;
use crate::control_center::count::Count;
use crate::control_center::kafka::{Group, GroupLag};
use crate::control_center::panel::Panel;
use crate::control_center::reply::{Refusal, Section};
use crate::control_center::reset::Before;

/// Groups on a page: for each of them the brokers are asked once more.
const PAGE: usize = 50;
const AT_ONCE: usize = 16;

#[derive(Deserialize)]
pub(super) struct Which {
    /// Groups whose name holds this.
    #[serde(default)]
    text: String,
    /// Groups behind this name.
    #[serde(default)]
    after: String,
}

#[derive(Serialize, Template)]
#[template(path = "pages/groups.html")]
struct All {
    text: String,
    groups: Panel<Vec<Row>>,
    next: Option<String>,
    transform_store: String,
    aggregate: String,
}

#[derive(Serialize)]
struct Row {
    name: String,
    job: Option<&'static str>,
    state: String,
    /// Then neither state nor members are told.
    newer_protocol: bool,
    members: usize,
    lag: Panel<Standing>,
}

#[derive(Serialize)]
struct Standing {
    topics: Vec<String>,
    total: Count,
}

pub(super) async fn all(Query(which): Query<Which>, ask: Ask) -> Response {
    let mut next = None;
    let groups = match ask.center.kafka.groups().await {
        Ok(groups) => {
            let wanted = |it: &&Group| it.name.contains(&which.text) && it.name > which.after;
            let mut some: Vec<Group> = groups.iter().filter(wanted).cloned().collect();
            if some.len() > PAGE {
                some.truncate(PAGE);
                next = some.last().map(|it| it.name.clone());
            }
            let rows = futures_util::stream::iter(some).map(|it| row(&ask, it));
            Panel::Shown(rows.buffered(AT_ONCE).collect().await)
        }
        Err(error) => Panel::of(Err(error)),
    };
    let options = &ask.center.options;
    let view = All {
        text: which.text,
        groups,
        next,
        transform_store: options.groups.transform_store.clone(),
        aggregate: options.groups.aggregate.clone(),
    };
    ask.page("Consumer groups", Section::Groups, &view)
}

async fn row(ask: &Ask, group: Group) -> Row {
    let lag = ask.center.kafka.lag_of(&group.name).await;
    Row {
        job: job_of(ask, &group.name),
        lag: Panel::of(lag.map(|lag| Standing {
            topics: topics(&lag),
            total: lag.total(),
        })),
        newer_protocol: group.is_of_the_newer_protocol(),
        state: group.state,
        members: group.members.len(),
        name: group.name,
    }
}

fn topics(lag: &GroupLag) -> Vec<String> {
    let topics: BTreeSet<&String> = lag.partitions.iter().map(|it| &it.topic).collect();
    topics.into_iter().cloned().collect()
}

/// The job of ours that has this group.
pub(super) fn job_of(ask: &Ask, group: &str) -> Option<&'static str> {
    let options = &ask.center.options;
    match group {
        it if it == options.groups.transform_store => Some("transform-store"),
        it if it == options.groups.aggregate => Some("aggregate"),
        _ => None,
    }
}

#[derive(Deserialize)]
pub(super) struct Shown {
    /// The topic and the offsets before a reset that has just been made.
    #[serde(default)]
    topic: String,
    #[serde(default)]
    was: String,
}

#[derive(Serialize, Template)]
#[template(path = "pages/group.html")]
struct One {
    name: String,
    job: Option<&'static str>,
    group: Panel<Group>,
    lag: Panel<GroupLag>,
    reset: Option<Done>,
    /// There is something to reset, and this visitor may.
    may_reset: bool,
}

/// A reset, read back.
#[derive(Serialize)]
struct Done {
    topic: String,
    partitions: Vec<Moved>,
}

#[derive(Serialize)]
struct Moved {
    partition: i32,
    was: Option<Count>,
    now: Option<Count>,
}

pub(super) async fn one(
    Path(name): Path<String>,
    Query(shown): Query<Shown>,
    ask: Ask,
) -> Result<Response, Refusal> {
    // A job's group has a page before the job has run: other pages lead there.
    let is_a_job = job_of(&ask, &name).is_some();
    let group = known(&ask, &name, is_a_job).await?;
    let lag = match &group {
        // Of a name that nobody has told, no broker is asked.
        Panel::Missing(trouble) if !is_a_job => Panel::Missing(trouble.clone()),
        _ => Panel::of(ask.center.kafka.lag_of(&name).await),
    };
    let has_committed = lag.shown().is_some_and(|it| !it.partitions.is_empty());
    let reset = Before::parse(&shown.was)
        .zip(lag.shown())
        .map(|(was, lag)| {
            let moved = |(&partition, was): (&i32, &Option<i64>)| Moved {
                partition,
                was: was.map(Count),
                now: lag
                    .on(&shown.topic)
                    .find(|it| it.partition == partition)
                    .map(|it| Count(it.committed)),
            };
            Done {
                topic: shown.topic.clone(),
                partitions: was.0.iter().map(moved).collect(),
            }
        });
    let view = One {
        job: job_of(&ask, &name),
        name: name.clone(),
        group,
        lag,
        reset,
        may_reset: ask.may_change() && has_committed,
    };
    Ok(ask.page(name, Section::Groups, &view))
}

/// A group that the brokers list. One that has only committed, and that they do not list any more, is empty.
pub(super) async fn known(
    ask: &Ask,
    name: &str,
    has_committed: bool,
) -> Result<Panel<Group>, Refusal> {
    let groups = match ask.center.kafka.groups().await {
        Ok(groups) => groups,
        Err(error) => return Ok(Panel::of(Err(error))),
    };
    match groups.iter().find(|it| it.name == name) {
        Some(group) => Ok(Panel::Shown(group.clone())),
        None if has_committed => Ok(Panel::Shown(Group {
            name: name.to_owned(),
            state: "Empty".to_owned(),
            members: Vec::new(),
        })),
        None => Err(Refusal::not_found(
            format!("there is no consumer group {name:?}"),
            "all groups are at /groups; a group of a job is there after the job's first run",
        )),
    }
}
