//! `/audit`: who did what, newest first. For admins.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use crate::control_center::ask::Ask;
use crate::control_center::audit::{self, Entry};
use crate::control_center::landing::in_time;
use crate::control_center::panel::Panel;
use crate::control_center::reply::Section;

const PAGE: i64 = 100;

#[derive(Deserialize)]
pub(super) struct From {
    /// Entries with a lower number.
    below: Option<i64>,
}

#[derive(Serialize, Template)]
#[template(path = "pages/audit.html")]
struct Audit {
    entries: Panel<Vec<Entry>>,
    older: Option<i64>,
}

pub(super) async fn show(Query(from): Query<From>, ask: Ask) -> Response {
    let read = async {
        let client = ask.center.landing.client().await?;
        in_time(audit::read(&client, from.below.unwrap_or(i64::MAX), PAGE)).await
    };
    let entries = Panel::of(read.await);
    let older = entries
        .shown()
        .filter(|it| it.len() as i64 == PAGE)
        .and_then(|it| it.last())
        .map(|it| it.number);
    ask.page("Audit log", Section::Settings, &Audit { entries, older })
}
