//! `/`: the pipeline as a strip, and the one sentence that tells what holds it up.

use askama::Template;
use axum::response::Response;
use serde::Serialize;

use crate::control_center::ask::Ask;
use crate::control_center::live::Strip;
use crate::control_center::reply::Section;

#[derive(Serialize, Template)]
#[template(path = "pages/pipeline.html")]
#[serde(transparent)]
struct Pipeline {
    /// Nothing as long as the first look takes.
    strip: Option<Strip>,
}

pub(super) async fn show(ask: Ask) -> Response {
    let strip = ask.center.sampler.strip(&ask.center).await;
    ask.page("Pipeline", Section::Pipeline, &Pipeline { strip })
}
