//! `/login` and `/logout`.

use std::time::{Duration, Instant};

use askama::Template;
use axum::Form;
use axum::extract::Query;
use axum::http::HeaderMap;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Redirect, Response};
use cookie::{Cookie, SameSite};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::control_center::ask::Ask;
use crate::control_center::audit::Deed;
use crate::control_center::center::in_time;
use crate::control_center::gate::{SESSION_COOKIE, session_of};
use crate::control_center::reply::{Refusal, Section};
use crate::control_center::sessions::Visitor;

/// Passwords that are looked at at the same time.
static LOOKS: Semaphore = Semaphore::const_new(2);
const LOOK_WITHIN: Duration = Duration::from_secs(5);
const NAME_BYTES: usize = 100;
const PASSWORD_BYTES: usize = 1_000;
/// How long a login waits to be written down.
const AUDIT_WITHIN: Duration = Duration::from_secs(2);

#[derive(Deserialize)]
pub(super) struct Then {
    #[serde(default)]
    then: String,
}

#[derive(Serialize, Template)]
#[template(path = "pages/login.html")]
struct LogIn {
    then: String,
    has_accounts: bool,
}

pub(super) async fn form(Query(Then { then }): Query<Then>, ask: Ask) -> Response {
    let view = LogIn {
        then: own_address(&then),
        has_accounts: !ask.center.accounts.is_empty(),
    };
    ask.page("Log in", Section::None, &view)
}

#[derive(Deserialize)]
pub(super) struct Given {
    name: String,
    password: String,
    #[serde(default)]
    then: String,
}

pub(super) async fn log_in(ask: Ask, Form(given): Form<Given>) -> Result<Response, Refusal> {
    let sessions = &ask.center.sessions;
    let wrong = || Refusal::forbidden("name or password is wrong", "try again at /login");
    if given.name.len() > NAME_BYTES || given.password.len() > PASSWORD_BYTES {
        return Err(wrong());
    }
    // A look takes 19 MiB for a moment.
    let one_of_few = tokio::time::timeout(LOOK_WITHIN, LOOKS.acquire()).await;
    let Ok(Ok(_one_of_few)) = one_of_few else {
        return Err(Refusal::busy(
            "many are logging in",
            "try again in a moment",
        ));
    };
    if !sessions.may_try(&given.name, Instant::now()) {
        return Err(Refusal::busy(
            "too many wrong passwords for this name",
            "wait for a minute, then try again",
        ));
    }
    let (center, name, password) = (ask.center.clone(), given.name.clone(), given.password);
    let role = tokio::task::spawn_blocking(move || center.accounts.role_of(&name, &password));
    let role = role
        .await
        .map_err(|cause| Refusal::failed(format!("the password cannot be looked at: {cause}")))?;
    let Some(role) = role else {
        return Err(wrong());
    };
    sessions.was_right(&given.name);
    // Also while the audit log cannot be written: looking must go on.
    let deed = Deed {
        who: &given.name,
        role,
        action: "log in",
        target: "",
        detail: "",
    };
    if let Err(error) = in_time("PostgreSQL", AUDIT_WITHIN, ask.center.audit(&deed)).await {
        log::warn!("{error}");
    }
    let visitor = Visitor {
        name: given.name,
        role,
    };
    let token = sessions.open(visitor, Instant::now());
    let cookie = Cookie::build((SESSION_COOKIE, token))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(ask.center.options.secure_cookies);
    let to = Redirect::to(&own_address(&given.then));
    Ok(([(SET_COOKIE, cookie.to_string())], to).into_response())
}

pub(super) async fn log_out(ask: Ask, headers: HeaderMap) -> Response {
    if let Some(token) = session_of(&headers) {
        ask.center.sessions.close(&token);
    }
    let gone = Cookie::build((SESSION_COOKIE, ""))
        .path("/")
        .max_age(cookie::time::Duration::ZERO);
    ([(SET_COOKIE, gone.to_string())], Redirect::to("/login")).into_response()
}

/// An address of ours, not one of another site (`//elsewhere`, which browsers read as one, and `/\elsewhere` among them).
fn own_address(then: &str) -> String {
    let is_own = then.starts_with('/')
        && !then[1..].starts_with(['/', '\\'])
        && !then.contains(|it: char| it.is_control());
    if is_own {
        then.to_owned()
    } else {
        "/".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_the_login_nobody_is_sent_elsewhere() {
        assert_eq!(own_address("/clusters?a=b"), "/clusters?a=b");
        for then in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "clusters",
            "/a\r\nb",
        ] {
            assert_eq!(own_address(then), "/", "{then:?}");
        }
    }
}
