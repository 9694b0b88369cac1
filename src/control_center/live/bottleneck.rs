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
mod tests {
    use super::super::look::{LandingNow, TopicNow};
    use super::*;
    use crate::error::Error;

    const NOW: i64 = 1_000_000;

    /// All 500 users that landed are published, stored and counted.
    fn well() -> Sample {
        let group = || {
            Panel::Shown(GroupNow {
                next: 500,
                members: Some(0),
                ..GroupNow::default()
            })
        };
        Sample {
            at_ms: NOW,
            landing: Panel::Shown(LandingNow {
                landed: 500,
                ..LandingNow::default()
            }),
            topic: Panel::Shown(TopicNow {
                latest: 500,
                records: 500,
                ..TopicNow::default()
            }),
            transform_store: group(),
            aggregate: group(),
            tables: Panel::Shown(()),
        }
    }

    fn waiting(lag: i64, members: usize) -> Panel<GroupNow> {
        Panel::Shown(GroupNow {
            lag,
            members: Some(members),
            oldest_ms: Some(NOW - 90_000),
            next: 500 - lag,
            ..GroupNow::default()
        })
    }

    /// As it looked before, and as it looks now.
    fn seen(before: &Sample, now: &Sample) -> Points {
        let mut points = Points::default();
        let mut earlier = before.point();
        earlier.at_ms = NOW - 30_000;
        points.push(earlier);
        points.push(now.point());
        points
    }

    fn still(now: &Sample) -> Sentence {
        sentence(now, &seen(now, now))
    }

    fn down<T>(message: &str) -> Panel<T> {
        Panel::of(Err(Error::unavailable(message).hint("start it")))
    }

    #[test]
    fn all_is_well_also_at_the_first_look() {
        assert_eq!(sentence(&well(), &Points::default()).level, Level::Good);
        let told = still(&well());
        assert!(told.text.starts_with("All is well"), "{told:?}");
    }

    #[test]
    fn an_empty_pipeline_names_the_command_that_fills_it() {
        let mut empty = well();
        empty.landing = Panel::Shown(LandingNow::default());
        empty.topic = Panel::Shown(TopicNow::default());
        let told = still(&empty);
        assert_eq!(told.text, "Nothing has landed yet.");
        assert!(told.next.unwrap().contains("make demo"));
    }

    #[test]
    fn a_server_that_is_down_comes_first_and_two_are_both_named() {
        let mut sample = well();
        sample.transform_store = waiting(5, 0);
        sample.tables = down("Cassandra at x did not answer");
        assert_eq!(still(&sample).text, "Cassandra at x did not answer.");
        sample.topic = down("Kafka at x does not answer");
        sample.transform_store = down("Kafka at x does not answer");
        let told = still(&sample);
        assert_eq!(told.level, Level::Bad);
        assert!(told.text.contains("Kafka and Cassandra"), "{told:?}");
    }

    #[test]
    fn landed_and_unpublished_is_told_unless_it_is_being_published() {
        let mut sample = well();
        sample.landing = Panel::Shown(LandingNow {
            landed: 500,
            unpublished: 1_200,
            waiting_since_ms: Some(NOW - 180_000),
            ..LandingNow::default()
        });
        let told = still(&sample);
        assert_eq!(told.level, Level::Warn);
        assert!(
            told.text
                .starts_with("1,200 users have landed and are not published, for 3 min"),
            "{told:?}"
        );
        let mut before = well();
        before.topic = Panel::Shown(TopicNow {
            latest: 100,
            ..TopicNow::default()
        });
        let told = sentence(&sample, &seen(&before, &sample));
        assert_eq!(told.level, Level::Good);
        assert!(told.text.contains("1,200 to go"), "{told:?}");
        // More of them than before, while nothing is published.
        let told = sentence(&sample, &seen(&well(), &sample));
        assert_eq!(told.level, Level::Bad, "{told:?}");
    }

    #[test]
    fn records_that_wait_for_a_job_that_does_not_run() {
        let mut sample = well();
        sample.aggregate = waiting(2_000, 0);
        let told = still(&sample);
        assert_eq!(
            told.text,
            "2,000 records wait for aggregate, which does not run; the oldest for 1 min."
        );
        assert!(told.next.unwrap().contains("sparking_flow"));
        let mut less = well();
        less.aggregate = waiting(1_000, 0);
        // The group has committed less, so it did not go on; its lag has grown.
        let mut points = Points::default();
        let mut earlier = less.point();
        (earlier.at_ms, earlier.counted) = (NOW - 30_000, sample.point().counted);
        points.push(earlier);
        points.push(sample.point());
        assert_eq!(sentence(&sample, &points).level, Level::Bad);
    }

    #[test]
    fn a_job_that_runs_and_does_not_go_on_is_worse_than_one_that_is_at_work() {
        let mut sample = well();
        sample.transform_store = waiting(200, 1);
        let told = still(&sample);
        assert_eq!(told.level, Level::Bad);
        assert!(
            told.text.contains("has 1 member and does not go on"),
            "{told:?}"
        );
        let mut before = well();
        before.transform_store = waiting(400, 1);
        let told = sentence(&sample, &seen(&before, &sample));
        assert_eq!(told.level, Level::Good);
        assert!(told.text.contains("200 records to go"), "{told:?}");
    }

    #[test]
    fn what_was_seen_once_is_not_told_to_stand_still() {
        let mut sample = well();
        sample.transform_store = waiting(200, 1);
        let mut once = Points::default();
        once.push(sample.point());
        let told = sentence(&sample, &once);
        assert!(!told.text.contains("does not go on"), "{told:?}");
        // That nobody is in the group is known at once.
        sample.transform_store = waiting(200, 0);
        let told = sentence(&sample, &once);
        assert!(told.text.contains("which does not run"), "{told:?}");
    }

    #[test]
    fn members_that_are_not_told_are_not_told_to_be_none() {
        let mut sample = well();
        sample.aggregate = Panel::Shown(GroupNow {
            lag: 7,
            next: 493,
            ..GroupNow::default()
        });
        let told = still(&sample);
        assert_eq!(
            told.text,
            "7 records wait for aggregate, which does not go on; the broker does not tell its members."
        );
    }

    #[test]
    fn users_that_are_lost_to_a_job_are_not_well() {
        let group = |removed, beyond| {
            Panel::Shown(GroupNow {
                next: 500,
                members: Some(0),
                removed,
                beyond,
                ..GroupNow::default()
            })
        };
        let mut sample = well();
        sample.transform_store = group(1_500, false);
        let told = still(&sample);
        assert_eq!(told.level, Level::Warn);
        assert_eq!(
            told.text,
            "1,500 records were removed from the topic before transform-store read them."
        );
        sample.aggregate = group(0, true);
        let told = still(&sample);
        assert_eq!(told.level, Level::Bad);
        assert!(
            told.text.contains("aggregate stands beyond the end"),
            "{told:?}"
        );
        assert!(told.next.unwrap().contains("--group-id"));
    }

    #[test]
    fn dead_letters_that_rise_are_told_and_old_ones_are_counted() {
        let mut sample = well();
        sample.topic = Panel::Shown(TopicNow {
            latest: 500,
            records: 500,
            dead_letters_latest: 12,
            dead_letters: 12,
        });
        let told = sentence(&sample, &seen(&well(), &sample));
        assert_eq!(told.level, Level::Warn);
        assert!(told.text.starts_with("12 dead letters came"), "{told:?}");
        let told = still(&sample);
        assert_eq!(told.level, Level::Good);
        assert!(told.text.contains("12 dead letters lie there"), "{told:?}");
        assert_eq!(told.link, Some("/dead-letters"));
    }

    #[test]
    fn what_a_group_has_committed_may_not_be_seen() {
        let mut sample = well();
        sample.aggregate = down("Kafka does not tell what the group aggregate has committed");
        let told = still(&sample);
        assert_eq!((told.level, told.link), (Level::Bad, Some("/groups")));
    }
}
