//! `/health`: each component with its probe. `/healthz`, `/readyz` and `/metrics`: the control center itself, for programs.

use askama::Template;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::control_center::ask::Ask;
use crate::control_center::live::Component;
use crate::control_center::reply::Section;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Whether the control center itself is alive.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// Whether it has what most pages need.
pub(super) async fn ready(ask: Ask) -> Response {
    match ask.center.health.is_ready(&ask.center) {
        Ok(()) => (StatusCode::OK, "ok\n".to_owned()),
        Err(missing) => (StatusCode::SERVICE_UNAVAILABLE, format!("{missing}\n")),
    }
    .into_response()
}

pub(super) async fn metrics(ask: Ask) -> Response {
    match ask.center.metrics.text(
        ask.center.kafka.readers_in_use(),
        ask.center.tails.listeners(),
    ) {
        Ok(text) => ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => {
            log::error!("metrics cannot be written: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[derive(Serialize, Template)]
#[template(path = "pages/health.html")]
struct Health {
    version: &'static str,
    components: Vec<Component>,
}

pub(super) async fn show(ask: Ask) -> Response {
    // The first page after the start waits for the first look.
    ask.center.sampler.latest().await;
    let view = Health {
        version: env!("CARGO_PKG_VERSION"),
        components: ask.center.health.all(&ask.center),
    };
    ask.page("Health", Section::Health, &view)
}
