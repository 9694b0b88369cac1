//! `/explain?user_id=`: one user through every hop.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::filters::Filters;
use crate::control_center::accounts::Role;
use crate::control_center::ask::Ask;
use crate::control_center::explain::{self, Asked, Explanation, Place};
use crate::control_center::live::encoded;
use crate::control_center::panel::Panel;
use crate::control_center::reply::{Refusal, Section};

/// Ids that are shown as examples.
const EXAMPLES: i64 = 8;

#[derive(Deserialize)]
pub(super) struct Of {
    #[serde(default)]
    user_id: String,
    #[serde(default)]
    thorough: String,
    #[serde(flatten)]
    filters: Filters,
}

#[derive(Serialize, Template)]
#[template(path = "pages/explain.html")]
struct Form {
    filters: Filters,
    #[serde(skip)]
    may_filter_by_age: bool,
    recent: Panel<Vec<Uuid>>,
}

#[derive(Serialize, Template)]
#[template(path = "pages/explained.html")]
struct One {
    #[serde(flatten)]
    it: Explanation,
    #[serde(skip)]
    filters: Filters,
    #[serde(skip)]
    cluster: String,
    #[serde(skip)]
    may_reveal: bool,
    /// The same, with a longer look.
    #[serde(skip)]
    thorough: Option<String>,
}

pub(super) async fn show(Query(of): Query<Of>, ask: Ask) -> Result<Response, Refusal> {
    let text = of.user_id.trim();
    if text.is_empty() {
        let view = Form {
            may_filter_by_age: may_filter_by_age(&ask),
            filters: of.filters,
            recent: Panel::of(explain::recent_ids(&ask.center, EXAMPLES).await),
        };
        return Ok(ask.page("Explain", Section::Explain, &view));
    }
    let id = Uuid::try_parse(text).map_err(|_| {
        Refusal::bad(
            "this is no id of a user",
            "an id is a UUID, such as 0b8a1c5e-35c1-4d5c-8b8f-6b8f3a1d2c3e: the API's login.uuid; /explain shows some of the newest",
        )
    })?;
    let filter = of.filters.given()?;
    // By one question after the other, the answers would tell the date of birth, which is masked.
    if filter.as_ref().is_some_and(|it| it.min_age > Some(0)) && !may_filter_by_age(&ask) {
        return Err(Refusal::forbidden(
            format!(
                "{} is {}, and the youngest age takes the role operator",
                ask.visitor.name, ask.visitor.role
            ),
            "leave the youngest age empty, or log in as an operator",
        ));
    }
    let asked = Asked {
        id,
        reveal: ask.reveal().await?,
        thorough: of.thorough == "true",
        filter,
    };
    let it = explain::explain(&ask.center, &asked).await;
    let view = One {
        thorough: it.is_brief().then(|| thorough(&it, &of.filters)),
        it,
        filters: of.filters,
        cluster: ask.center.options.cluster.clone(),
        may_reveal: ask.may_reveal(),
    };
    Ok(ask.page(format!("User {id}"), Section::Explain, &view))
}

fn may_filter_by_age(ask: &Ask) -> bool {
    ask.visitor.role >= Role::Operator
}

fn thorough(it: &Explanation, filters: &Filters) -> String {
    let Filters {
        min_age,
        nationalities,
    } = filters;
    format!(
        "/explain?user_id={}&min_age={}&nationalities={}&thorough=true{}",
        it.id,
        encoded(min_age.trim()),
        encoded(nationalities.trim()),
        if it.revealed { "&reveal=true" } else { "" }
    )
}
