//! `/runs` and `/runs/{dag}/{run}`: what Airflow has started, and what the jobs have summed up.

mod sums;

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use futures_util::future::{join_all, try_join_all};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::control_center::airflow::{self, Airflow, DAGS, Span};
use crate::control_center::ask::Ask;
use crate::control_center::center::Center;
use crate::control_center::decoding::visible;
use crate::control_center::live::{encoded, plain};
use crate::control_center::moment::Moment;
use crate::control_center::panel::Panel;
use crate::control_center::reply::{Refusal, Section};
use crate::error::Result;
use sums::{Sum, in_order};

const PAGE: usize = 10;

#[derive(Deserialize)]
pub(super) struct From {
    /// How many of the newest are left out.
    #[serde(default)]
    from: usize,
}

#[derive(Serialize, Template)]
#[template(path = "pages/runs.html")]
struct Runs {
    /// Nothing where no Airflow is given.
    airflow: Option<String>,
    from: usize,
    dags: Vec<Dag>,
}

#[derive(Serialize)]
struct Dag {
    name: &'static str,
    runs: Panel<Found>,
}

#[derive(Serialize)]
struct Found {
    total: i64,
    longest_s: f64,
    runs: Vec<Run>,
}

#[derive(Serialize)]
struct Run {
    dag: String,
    id: String,
    kind: String,
    state: String,
    #[serde(skip)]
    level: &'static str,
    started: Option<Moment>,
    ended: Option<Moment>,
    /// Up to now for one that is not at its end.
    seconds: Option<f64>,
    href: String,
    tasks: Vec<Task>,
}

#[derive(Serialize)]
struct Task {
    id: String,
    state: String,
    #[serde(skip)]
    level: &'static str,
    tries: i64,
    started: Option<Moment>,
    seconds: Option<f64>,
    sums: Vec<Sum>,
    /// What a job has settled, or published to.
    offsets: Vec<Span>,
    log: String,
}

impl Runs {
    /// Where the next page begins.
    fn older(&self) -> usize {
        self.from.saturating_add(PAGE)
    }
}

pub(super) async fn all(Query(From { from }): Query<From>, ask: Ask) -> Response {
    let mut view = Runs {
        airflow: ask
            .center
            .options
            .airflow
            .as_ref()
            .map(|it| plain(&it.page)),
        from,
        dags: Vec::new(),
    };
    if let Some(airflow) = &ask.center.airflow {
        let found = DAGS.map(|dag| found(airflow, dag, from));
        let found = join_all(found).await;
        view.dags = DAGS
            .into_iter()
            .zip(found)
            .map(|(name, found)| Dag {
                name,
                runs: Panel::of(found),
            })
            .collect();
    }
    ask.page("Runs", Section::Runs, &view)
}

async fn found(airflow: &Airflow, dag: &str, from: usize) -> Result<Found> {
    let (told, total) = airflow.runs(dag, from, PAGE).await?;
    let tasks = airflow.tasks(dag, &told).await?;
    let runs = told.into_iter().zip(tasks);
    let runs = try_join_all(runs.map(|(told, tasks)| run(airflow, told, tasks))).await?;
    let longest_s = runs.iter().filter_map(|it| it.seconds).fold(0.0, f64::max);
    Ok(Found {
        total,
        longest_s,
        runs,
    })
}

#[derive(Serialize, Template)]
#[template(path = "pages/run.html")]
struct One {
    run: Panel<Run>,
    longest_s: f64,
    /// Where the messages are.
    #[serde(skip)]
    topic: String,
    #[serde(skip)]
    topic_href: String,
}

pub(super) async fn one(
    Path((dag, id)): Path<(String, String)>,
    ask: Ask,
) -> Result<Response, Refusal> {
    let airflow = given(&ask.center)?;
    let missing = || {
        Refusal::not_found(
            format!("Airflow has no run {id:?} of {dag:?}"),
            "the runs are listed at /runs; Airflow may have removed it",
        )
    };
    // No path may lead out of the runs.
    if !DAGS.contains(&dag.as_str()) || matches!(id.as_str(), "." | ".." | "") {
        return Err(missing());
    }
    let found = match airflow.run(&dag, &id).await {
        Ok(None) => return Err(missing()),
        Ok(Some(told)) => with_tasks(airflow, told).await,
        Err(error) => Err(error),
    };
    let run = Panel::of(found);
    let tasks = run.shown().map_or(&[][..], |it| &it.tasks);
    let longest_s = tasks.iter().filter_map(|it| it.seconds).fold(0.0, f64::max);
    let (cluster, topic) = (&ask.center.options.cluster, ask.center.topic());
    let view = One {
        run,
        longest_s,
        topic_href: format!("/clusters/{}/topics/{}", encoded(cluster), encoded(topic)),
        topic: visible(topic),
    };
    Ok(ask.page(visible(&id), Section::Runs, &view))
}

fn given(center: &Arc<Center>) -> Result<&Airflow, Refusal> {
    center.airflow.as_ref().ok_or_else(|| {
        Refusal::not_found(
            "no Airflow is given",
            "say where it is with --airflow-url or AIRFLOW_URL",
        )
    })
}

async fn with_tasks(airflow: &Airflow, told: airflow::Run) -> Result<Run> {
    let mut tasks = airflow
        .tasks(&told.dag, std::slice::from_ref(&told))
        .await?;
    run(airflow, told, tasks.pop().unwrap_or_default()).await
}

async fn run(airflow: &Airflow, told: airflow::Run, tasks: Vec<airflow::Task>) -> Result<Run> {
    let tasks = tasks.iter().map(|it| task(airflow, &told, it));
    let tasks = try_join_all(tasks).await?;
    Ok(Run {
        href: format!("/runs/{}/{}", encoded(&told.dag), encoded(&told.id)),
        id: visible(&told.id),
        level: level(&told.state),
        seconds: seconds(told.started, told.ended),
        dag: told.dag,
        kind: told.kind,
        state: told.state,
        started: told.started,
        ended: told.ended,
        tasks,
    })
}

async fn task(airflow: &Airflow, run: &airflow::Run, told: &airflow::Task) -> Result<Task> {
    let has_sums = matches!(
        told.id.as_str(),
        "fetch_publish" | "python_job" | "java_job"
    );
    let sums = match has_sums {
        true => airflow.sums(&run.dag, &run.id, told).await?,
        false => None,
    };
    Ok(Task {
        offsets: sums.as_ref().map(airflow::spans).unwrap_or_default(),
        id: visible(&told.id),
        state: told.state.clone(),
        level: level(&told.state),
        tries: told.tries,
        started: told.started,
        seconds: seconds(told.started, told.ended),
        sums: sums.map(in_order).unwrap_or_default(),
        log: airflow.log_page(&run.dag, &run.id, told),
    })
}

impl Run {
    fn tells_offsets(&self) -> bool {
        self.tasks.iter().any(|it| !it.offsets.is_empty())
    }

    /// In a list: what all its jobs have summed up.
    fn sums(&self) -> impl Iterator<Item = &Task> {
        self.tasks.iter().filter(|it| !it.sums.is_empty())
    }
}

impl Task {
    fn has_published(&self) -> bool {
        self.id == "fetch_publish"
    }
}

fn level(state: &str) -> &'static str {
    match state {
        "success" => "good",
        "failed" | "upstream_failed" => "bad",
        "up_for_retry" | "skipped" => "warn",
        _ => "quiet",
    }
}

fn seconds(started: Option<Moment>, ended: Option<Moment>) -> Option<f64> {
    let started = started?.ms();
    let ended = ended.map_or_else(|| Timestamp::now().as_millisecond(), |it| it.ms());
    Some((ended - started).max(0) as f64 / 1000.0)
}
