//! `/tables/created_users`: one row by its id, and how many there are when that is asked for.

use std::time::Duration;

use askama::Template;
use axum::extract::Query;
use axum::response::{Redirect, Response};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::control_center::ask::Ask;
use crate::control_center::count::Count;
use crate::control_center::decoding::visible;
use crate::control_center::explain::{columns, recent_ids};
use crate::control_center::masking;
use crate::control_center::moment::Moment;
use crate::control_center::panel::Panel;
use crate::control_center::reply::{Refusal, Section};
use crate::error::{Error, Result as Outcome};
use crate::sink::cassandra::{StoredUser, count_users};

/// A count reads the whole table; what takes longer is given up.
const COUNT_WITHIN: Duration = Duration::from_secs(8);
const EXAMPLES: i64 = 8;

#[derive(Deserialize)]
pub(super) struct Of {
    #[serde(default)]
    id: String,
    #[serde(default)]
    count: bool,
}

#[derive(Serialize, Template)]
#[template(path = "pages/created_users.html")]
struct View {
    keyspace: String,
    id: Option<Uuid>,
    row: Option<Panel<Option<Row>>>,
    rows: Option<Panel<Count>>,
    recent: Option<Panel<Vec<Uuid>>>,
    #[serde(skip)]
    revealed: bool,
    #[serde(skip)]
    may_reveal: bool,
}

#[derive(Serialize)]
struct Row {
    written: Option<Moment>,
    columns: Vec<(&'static str, Option<String>)>,
}

pub(super) async fn created_users(Query(of): Query<Of>, ask: Ask) -> Result<Response, Refusal> {
    let center = &ask.center;
    let id = match of.id.trim() {
        "" => None,
        text => Some(Uuid::try_parse(text).map_err(|_| {
            Refusal::bad(
                "this is no id of a user",
                "an id is a UUID, such as 0b8a1c5e-35c1-4d5c-8b8f-6b8f3a1d2c3e",
            )
        })?),
    };
    let revealed = id.is_some() && ask.reveal().await?;
    let row = match id {
        Some(id) => Some(Panel::of(
            center
                .tables
                .user(id)
                .await
                .map(|it| it.map(|stored| row(&stored, revealed))),
        )),
        None => None,
    };
    let rows = match of.count {
        true => Some(Panel::of(count(&ask).await)),
        false => None,
    };
    let recent = match id {
        Some(_) => None,
        None => Some(Panel::of(recent_ids(center, EXAMPLES).await)),
    };
    let view = View {
        keyspace: center.tables.keyspace().to_owned(),
        id,
        row,
        rows,
        recent,
        revealed,
        may_reveal: ask.may_reveal(),
    };
    Ok(ask.page("Table created_users", Section::Tables, &view))
}

pub(super) async fn all() -> Redirect {
    Redirect::to("/tables/created_users")
}

fn row(stored: &StoredUser, reveal: bool) -> Row {
    let shown = |(name, text): (&'static str, Option<String>)| {
        let text = text.map(|text| masking::value(name, &visible(&text), reveal));
        (name, text)
    };
    let columns = stored.user.as_ref().map(columns).unwrap_or_default();
    Row {
        written: stored.written_us.map(|us| Moment::at(us.div_euclid(1000))),
        columns: columns.into_iter().map(shown).collect(),
    }
}

async fn count(ask: &Ask) -> Outcome<Count> {
    let tables = &ask.center.tables;
    let counting = async {
        let session = tables.session().await?;
        count_users(&session, tables.keyspace()).await
    };
    match tokio::time::timeout(COUNT_WITHIN, counting).await {
        Ok(counted) => counted.map(|it| Count(i64::try_from(it).unwrap_or(i64::MAX))),
        Err(_) => Err(Error::unavailable(format!(
            "the rows could not be counted within {} s: there are too many for a page",
            COUNT_WITHIN.as_secs()
        ))
        .hint("`streamflow reconcile` counts and compares all of them")),
    }
}
