//! The one sentence at the top: the first thing that holds users up on their way, or that all is well. No I/O and no clock.

use serde::Serialize;

use super::RATE_MS;
use super::look::{GroupNow, Sample};
use super::points::{Pick, Points};
use crate::control_center::count::Count;
use crate::control_center::moment::span;
use crate::control_center::panel::{Panel, Trouble};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Good,
    /// Somebody should look.
    Warn,
    /// Somebody has to act.
    Bad,
}

impl Level {
    /// The class of the style.
    pub(in crate::control_center) fn class(self) -> &'static str {
        match self {
            Level::Good => "good",
            Level::Warn => "warn",
            Level::Bad => "bad",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sentence {
    pub level: Level,
    pub text: String,
    /// What to do next.
    pub next: Option<String>,
    /// The page that tells more.
    pub link: Option<&'static str>,
}

impl Sentence {
    fn new(level: Level, text: impl Into<String>) -> Self {
        Self {
            level,
            text: text.into(),
            next: None,
            link: None,
        }
    }

    fn next(self, next: impl Into<String>) -> Self {
        Self {
            next: Some(next.into()),
            ..self
        }
    }

    fn link(self, link: &'static str) -> Self {
        Self {
            link: Some(link),
            ..self
        }
    }
}

/// Dead letters of this time are told as rising.
const LETTERS_MS: i64 = 900_000;

/// Along the way of a user: the first that is wrong is told, since what comes after it follows from it.
pub(super) fn sentence(now: &Sample, points: &Points) -> Sentence {
    if let Some(down) = what_is_down(now) {
        return down;
    }
    let (Panel::Shown(landing), Panel::Shown(topic)) = (&now.landing, &now.topic) else {
        return Sentence::new(Level::Bad, "Not all servers answer.").link("/health");
    };
    if landing.landed == 0 && topic.latest == 0 {
        return Sentence::new(Level::Warn, "Nothing has landed yet.")
            .next("run `make demo`, or trigger the DAG user_automation in Airflow")
            .link("/runs");
    }
    if landing.unpublished > 0 && !is_rising(points, |it| it.published) {
        let more = if landing.is_more() { " or more" } else { "" };
        let since = landing.waiting_since_ms.map_or(0, |it| now.at_ms - it) / 1000;
        let grows = points.change(RATE_MS, |it| it.unpublished) > Some(0);
        return Sentence::new(
            if grows { Level::Bad } else { Level::Warn },
            format!(
                "{} users{more} have landed and are not published, for {}{}.",
                Count(landing.unpublished),
                span(since.max(0)),
                if grows { ", and they grow more" } else { "" }
            ),
        )
        .next("trigger user_automation again, or run `fetch-publish --users 0`: what is landed is published first")
        .link("/runs");
    }
    let jobs = [
        (
            "transform-store",
            &now.transform_store,
            (|it| it.stored) as Pick,
            (|it| it.store_lag) as Pick,
        ),
        (
            "aggregate",
            &now.aggregate,
            |it| it.counted,
            |it| it.aggregate_lag,
        ),
    ];
    for (job, group, ..) in jobs {
        if group.shown().is_some_and(|it| it.beyond) {
            return Sentence::new(
                Level::Bad,
                format!("The group of {job} stands beyond the end of the topic: it was made anew."),
            )
            .next(format!(
                "run {job} with another `--group-id`: see beyond_end in docs/operations.md"
            ))
            .link("/groups");
        }
    }
    for (job, group, done, lag) in jobs {
        if let Some(group) = group.shown()
            && let Some(held_up) = held_up(job, group, now.at_ms, points, done, lag)
        {
            return held_up;
        }
    }
    for (job, group, ..) in jobs {
        if let Some(group) = group.shown().filter(|it| it.removed > 0) {
            return Sentence::new(
                Level::Warn,
                format!(
                    "{} records were removed from the topic before {job} read them.",
                    Count(group.removed)
                ),
            )
            .next("publish them again: `streamflow replay --from-landing`, then `fetch-publish --users 0`")
            .link("/groups");
        }
    }
    if let Some(risen) = points
        .change(LETTERS_MS, |it| it.dead_lettered)
        .filter(|&it| it > 0)
    {
        return Sentence::new(
            Level::Warn,
            format!("{} dead letters came in the last minutes.", Count(risen)),
        )
        .next("look at why, mend it, and replay them")
        .link("/dead-letters");
    }
    if landing.unpublished > 0 {
        return Sentence::new(
            Level::Good,
            format!(
                "All is well: users are being published, {} to go.",
                Count(landing.unpublished)
            ),
        );
    }
    let to_go: i64 = [&now.transform_store, &now.aggregate]
        .into_iter()
        .filter_map(|it| it.shown().map(|it| it.lag))
        .max()
        .unwrap_or(0);
    if to_go > 0 {
        return Sentence::new(
            Level::Good,
            format!(
                "All is well: the jobs are at work, {} records to go.",
                Count(to_go)
            ),
        );
    }
    let all = Sentence::new(
        Level::Good,
        match topic.dead_letters {
            0 => "All is well: every landed user is published, stored and counted.".to_owned(),
            letters => format!(
                "All is well: every landed user is published and has been read; {} dead letters lie there.",
                Count(letters)
            ),
        },
    );
    match topic.dead_letters {
        0 => all,
        _ => all.link("/dead-letters"),
    }
}

/// The servers that do not answer; or what they lack.
fn what_is_down(now: &Sample) -> Option<Sentence> {
    let missing = |panel: Option<&Trouble>, name: &'static str| panel.map(|it| (name, it.clone()));
    let down: Vec<(&str, Trouble)> = [
        missing(trouble(&now.landing), "PostgreSQL"),
        missing(trouble(&now.topic), "Kafka"),
        missing(trouble(&now.tables), "Cassandra"),
    ]
    .into_iter()
    .flatten()
    .collect();
    match down.as_slice() {
        [] => {}
        [(_, one)] => {
            return Some(
                Sentence::new(Level::Bad, format!("{}.", one.message))
                    .next(one.hint.clone())
                    .link("/health"),
            );
        }
        several => {
            let names: Vec<&str> = several.iter().map(|(name, _)| *name).collect();
            return Some(
                Sentence::new(
                    Level::Bad,
                    format!("{} do not give what is needed.", names.join(" and ")),
                )
                .next("see what each says below; `make status`, `streamflow doctor`")
                .link("/health"),
            );
        }
    }
    let group = trouble(&now.transform_store).or_else(|| trouble(&now.aggregate))?;
    Some(
        Sentence::new(Level::Bad, format!("{}.", group.message))
            .next(group.hint.clone())
            .link("/groups"),
    )
}

fn held_up(
    job: &str,
    group: &GroupNow,
    now_ms: i64,
    points: &Points,
    done: Pick,
    lag: Pick,
) -> Option<Sentence> {
    // What it has done in the last minute says nothing when it has ended since.
    if group.lag == 0 || (group.members != Some(0) && may_rise(points, done)) {
        return None;
    }
    let records = Count(group.lag);
    let oldest = group.lag_seconds(now_ms).map_or(String::new(), |age| {
        format!("; the oldest for {}", span(age))
    });
    let grows = points.change(RATE_MS, lag) > Some(0);
    let more = if grows { ", and there come more" } else { "" };
    let waiting = if grows { Level::Bad } else { Level::Warn };
    let (level, text) = match group.members {
        Some(0) => (
            waiting,
            format!("{records} records wait for {job}, which does not run{oldest}{more}."),
        ),
        None => (
            waiting,
            format!(
                "{records} records wait for {job}, which does not go on{oldest}{more}; the broker does not tell its members."
            ),
        ),
        Some(members) => (
            Level::Bad,
            format!(
                "{job} has {members} {} and does not go on: {records} records wait{oldest}.",
                if members == 1 { "member" } else { "members" }
            ),
        ),
    };
    let next = match group.members {
        Some(0) => format!("trigger the DAG sparking_flow in Airflow, or run `{job}`"),
        Some(_) | None => {
            format!("look at the log of {job}, and at /health for the server that it waits for")
        }
    };
    Some(Sentence::new(level, text).next(next).link("/groups"))
}

fn is_rising(points: &Points, pick: Pick) -> bool {
    points.rate(RATE_MS, pick).is_some_and(|rate| rate > 0.0)
}

/// What was seen less than twice is not told to stand still.
fn may_rise(points: &Points, pick: Pick) -> bool {
    points.rate(RATE_MS, pick).is_none_or(|rate| rate > 0.0)
}

fn trouble<T>(panel: &Panel<T>) -> Option<&Trouble> {
    match panel {
        Panel::Shown(_) => None,
        Panel::Missing(trouble) => Some(trouble),
    }
}

#[cfg(test)]
mod tests;
