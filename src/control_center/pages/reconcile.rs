//! `/reconcile`: each step beside the step before it, by a reading of everything that an operator starts.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Serialize;

use super::filters::Filters;
use crate::control_center::ask::Ask;
use crate::control_center::reconciling::{Ended, HopLine, Progress, Reconciling};
use crate::control_center::reply::{Refusal, Section};

#[derive(Serialize, Template)]
#[template(path = "pages/reconcile.html")]
struct View {
    running: Option<Progress>,
    last: Option<Arc<Ended>>,
    #[serde(skip)]
    may_change: bool,
}

pub(super) async fn show(ask: Ask) -> Response {
    let reconciling = &ask.center.reconciling;
    let view = View {
        running: reconciling.running(),
        last: reconciling.last(),
        may_change: ask.may_change(),
    };
    ask.page("Reconcile", Section::Reconcile, &view)
}

pub(super) async fn start(ask: Ask, Form(filters): Form<Filters>) -> Result<Response, Refusal> {
    let filter = filters.given()?.unwrap_or_default();
    let running = || {
        Refusal::conflict(
            "a reconciliation is running already",
            "wait for its end at /reconcile, or cancel it there",
        )
    };
    if ask.center.reconciling.running().is_some() {
        return Err(running());
    }
    let detail = format!(
        "min_age={} nationalities={}",
        filters.min_age, filters.nationalities
    );
    ask.record("reconcile", ask.center.topic(), &detail).await?;
    match Reconciling::begin(&ask.center, ask.visitor.name.clone(), filter) {
        true => Ok(Redirect::to("/reconcile").into_response()),
        false => Err(running()),
    }
}

pub(super) async fn cancel(ask: Ask) -> Result<Response, Refusal> {
    if ask.center.reconciling.running().is_none() {
        return Err(Refusal::conflict(
            "no reconciliation is running",
            "start one at /reconcile",
        ));
    }
    ask.record("cancel reconcile", ask.center.topic(), "")
        .await?;
    ask.center.reconciling.cancel();
    Ok(Redirect::to("/reconcile").into_response())
}
