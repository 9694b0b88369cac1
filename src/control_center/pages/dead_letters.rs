//! `/dead-letters` and `/dead-letters/{partition}/{offset}`: what could not be used, why, and what today's code makes of it.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use crate::control_center::ask::Ask;
use crate::control_center::count::Count;
use crate::control_center::kafka::Cursor;
use crate::control_center::letters::{Filter, Row, Run, Sum, Whole};
use crate::control_center::panel::{Panel, Trouble};
use crate::control_center::reply::{Refusal, Section};

const PAGE: usize = 50;
const RUNS: i64 = 5;

#[derive(Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    field: String,
    #[serde(default)]
    job: String,
    /// Letters before this place.
    before: Option<String>,
}

#[derive(Serialize, Template)]
#[template(path = "pages/dead_letters.html")]
struct All {
    topic: String,
    filter: Filter,
    /// Nothing inside where there is no such topic.
    found: Panel<Option<Found>>,
    /// Why the states of the letters are not told.
    states: Option<Trouble>,
    unknown: Count,
    replays: Vec<Run>,
    cluster: String,
    origin_topic: String,
    may_change: bool,
    may_reveal: bool,
}

#[derive(Serialize)]
struct Found {
    sums: Vec<Sum>,
    looked_at: Count,
    all: Count,
    older: Option<String>,
    cut: bool,
    letters: Vec<Row>,
}

pub(super) async fn all(Query(which): Query<Which>, ask: Ask) -> Result<Response, Refusal> {
    let reveal = ask.reveal().await?;
    let filter = Filter {
        reason: which.reason,
        field: which.field,
        job: which.job,
    };
    let before = match which.before.as_deref().map(Cursor::parse) {
        Some(None) => {
            return Err(Refusal::bad(
                "the place in the address cannot be read",
                "begin at /dead-letters",
            ));
        }
        before => before.flatten(),
    };
    let desk = ask.center.desk();
    let mut states = None;
    let found = match desk.look(&filter, before, PAGE).await {
        Err(error) => Panel::of(Err(error)),
        Ok(None) => Panel::Shown(None),
        Ok(Some(look)) => {
            let (letters, trouble) = desk.rows(look.found, reveal).await;
            states = trouble;
            Panel::Shown(Some(Found {
                letters,
                sums: look.sums,
                looked_at: look.looked_at,
                all: look.all,
                older: look.older,
                cut: look.cut,
            }))
        }
    };
    let (mut unknown, mut replays) = (Count(0), Vec::new());
    if states.is_none() {
        match desk.runs(None, RUNS).await {
            Ok(runs) => {
                replays = runs;
                unknown = desk.unknown().await.unwrap_or_default();
            }
            Err(error) => states = Some(Trouble::from(&error)),
        }
    }
    let view = All {
        topic: ask.center.kafka.arguments().dead_letter_topic(),
        filter,
        found,
        states,
        unknown,
        replays,
        cluster: ask.center.options.cluster.clone(),
        origin_topic: ask.center.topic().to_owned(),
        may_change: ask.may_change(),
        may_reveal: ask.may_reveal() && !reveal,
    };
    Ok(ask.page("Dead letters", Section::DeadLetters, &view))
}

#[derive(Serialize, Template)]
#[template(path = "pages/dead_letter.html")]
struct One {
    #[serde(flatten)]
    it: Whole,
    cluster: String,
    origin_topic: String,
    may_change: bool,
    may_reveal: bool,
}

pub(super) async fn one(
    Path((partition, offset)): Path<(i32, i64)>,
    ask: Ask,
) -> Result<Response, Refusal> {
    let reveal = ask.reveal().await?;
    let whole = ask.center.desk().whole(partition, offset, reveal).await?;
    let it = whole.ok_or_else(|| {
        Refusal::not_found(
            format!("there is no dead letter at offset {offset} of partition {partition}"),
            "it may have been removed by retention; those that are there are at /dead-letters",
        )
    })?;
    let view = One {
        it,
        cluster: ask.center.options.cluster.clone(),
        origin_topic: ask.center.topic().to_owned(),
        may_change: ask.may_change(),
        may_reveal: ask.may_reveal() && !reveal,
    };
    let title = format!("Dead letter {partition}:{offset}");
    Ok(ask.page(title, Section::DeadLetters, &view))
}
