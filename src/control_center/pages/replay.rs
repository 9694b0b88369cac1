//! `/dead-letters/replay`: what a replay would do, and doing it; `/dead-letters/replays/{number}`: how far it is.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use log::error;
use serde::{Deserialize, Serialize};

use crate::control_center::ask::Ask;
use crate::control_center::count::Count;
use crate::control_center::letters::{
    DEFAULT_LIMIT, Entry, Filter, MAX_LIMIT, MAX_TIMES, Plan, Run, Scope,
};
use crate::control_center::reply::{Refusal, Section};

/// Letters that a page lists; JSON has all.
const SHOWN: usize = 200;

/// The address of a preview, and the form that confirms it.
#[derive(Deserialize, Serialize, Clone)]
pub(super) struct Wish {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    field: String,
    #[serde(default)]
    job: String,
    /// One letter alone, `partition:offset`.
    #[serde(default)]
    letter: String,
    #[serde(default)]
    limit: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    until: String,
}

impl Wish {
    fn scope(&self) -> Result<Scope, Refusal> {
        let unreadable =
            |what: &str, hint: &str| Refusal::bad(format!("{what} cannot be read"), hint);
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let letters = match self.letter.split_once(':') {
            None if self.letter.is_empty() => Vec::new(),
            None => return Err(unreadable("the letter", "give it as PARTITION:OFFSET")),
            Some((partition, offset)) => match (partition.parse(), offset.parse()) {
                (Ok(partition), Ok(offset)) => vec![(partition, offset)],
                _ => return Err(unreadable("the letter", "give it as PARTITION:OFFSET")),
            },
        };
        let limit = match self.limit.trim() {
            "" => Some(DEFAULT_LIMIT),
            limit => limit.parse().ok(),
        };
        let limit = limit.filter(|it| (1..=MAX_LIMIT).contains(it));
        Ok(Scope {
            filter: Filter {
                reason: self.reason.clone(),
                field: self.field.clone(),
                job: self.job.clone(),
            },
            letters,
            from: some(&self.from),
            until: some(&self.until),
            limit: limit.ok_or_else(|| {
                unreadable("the limit", &format!("give a number from 1 to {MAX_LIMIT}"))
            })?,
        })
    }
}

#[derive(Serialize, Template)]
#[template(path = "pages/replay.html")]
struct Preview {
    wish: Wish,
    limit: usize,
    plan: Plan,
    topic: String,
    may_change: bool,
    max_times: i32,
}

impl Preview {
    fn shown(&self) -> impl Iterator<Item = &Entry> {
        self.plan.entries.iter().take(SHOWN)
    }

    fn not_shown(&self) -> Count {
        Count(self.plan.entries.len().saturating_sub(SHOWN) as i64)
    }
}

pub(super) async fn preview(Query(wish): Query<Wish>, ask: Ask) -> Result<Response, Refusal> {
    let scope = wish.scope()?;
    let plan = ask.center.desk().plan(&scope).await?;
    let view = Preview {
        wish,
        limit: scope.limit,
        plan,
        topic: ask.center.topic().to_owned(),
        may_change: ask.may_change(),
        max_times: MAX_TIMES,
    };
    Ok(ask.page("Replay dead letters", Section::DeadLetters, &view))
}

pub(super) async fn start(ask: Ask, Form(wish): Form<Wish>) -> Result<Response, Refusal> {
    let scope = wish.scope()?;
    let desk = ask.center.desk();
    // What broke off before is known first, so that nothing goes out twice.
    let lock = desk.lock().await.map_err(running)?;
    if desk.unknown().await?.0 > 0 {
        ask.record("settle replays", ask.center.topic(), "before a replay")
            .await?;
    }
    let settled = desk.settle(&lock).await?;
    let plan = desk.plan(&scope).await?;
    if plan.passes.0 == 0 {
        lock.release().await;
        return Err(Refusal::conflict(
            "none of these letters passes with today's code, so nothing was replayed",
            "the preview says why: /dead-letters/replay",
        ));
    }
    let detail = format!(
        "{} of {} letters, reason {:?}, field {:?}, job {:?}, letter {:?}, before {}; of earlier ones {} were found and {} not",
        plan.passes,
        plan.looked_at,
        wish.reason,
        wish.field,
        wish.job,
        wish.letter,
        plan.until,
        settled.replayed,
        settled.not_sent,
    );
    ask.record("replay dead letters", ask.center.topic(), &detail)
        .await?;
    let replay = desk.begin(lock, plan, &ask.visitor.name).await?;
    let number = replay.number;
    let shutdown = ask.center.shutdown.clone();
    tokio::spawn(async move {
        if let Err(error) = replay.run(&shutdown, |_| {}).await {
            error!("the replay {number} of dead letters broke off: {error}");
        }
    });
    Ok(Redirect::to(&format!("/dead-letters/replays/{number}")).into_response())
}

fn running(error: crate::error::Error) -> Refusal {
    let refusal = Refusal::from(error);
    match refusal.error.message.contains("another replay is running") {
        true => Refusal::conflict(refusal.error.message, refusal.error.hint),
        false => refusal,
    }
}

/// Finds out what became of replays that broke off.
pub(super) async fn settle(ask: Ask) -> Result<Response, Refusal> {
    ask.record("settle replays", ask.center.topic(), "").await?;
    let desk = ask.center.desk();
    let lock = desk.lock().await.map_err(running)?;
    desk.settle(&lock).await?;
    lock.release().await;
    Ok(Redirect::to("/dead-letters").into_response())
}

#[derive(Serialize, Template)]
#[template(path = "pages/replay_progress.html")]
struct Progress {
    run: Run,
}

pub(super) async fn progress(Path(number): Path<i64>, ask: Ask) -> Result<Response, Refusal> {
    let runs = ask.center.desk().runs(Some(number), 1).await?;
    let Some(run) = runs.into_iter().next() else {
        return Err(Refusal::not_found(
            format!("there is no replay {number}"),
            "the last ones are at /dead-letters",
        ));
    };
    let title = format!("Replay {number}");
    Ok(ask.page(title, Section::DeadLetters, &Progress { run }))
}
