//! Answers: pages in their layout, and refusals, as HTML or JSON.

use askama::Template;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{ALLOW, CONTENT_TYPE};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use log::{debug, error};
use serde::Serialize;

use super::ask::wants_json;
use super::panel::Trouble;
use super::sessions::Visitor;
use crate::error::{Error, Kind};

/// Where a page belongs in the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Pipeline,
    Clusters,
    Groups,
    DeadLetters,
    Runs,
    Explain,
    Reconcile,
    Tables,
    Schemas,
    Throughput,
    Health,
    Settings,
    None,
}

impl Section {
    const ALL: [(Section, &'static str, &'static str); 11] = [
        (Section::Pipeline, "/", "Pipeline"),
        (Section::Clusters, "/clusters", "Clusters"),
        (Section::Groups, "/groups", "Groups"),
        (Section::DeadLetters, "/dead-letters", "Dead letters"),
        (Section::Runs, "/runs", "Runs"),
        (Section::Explain, "/explain", "Explain"),
        (Section::Reconcile, "/reconcile", "Reconcile"),
        (Section::Tables, "/tables/created_users", "Tables"),
        (Section::Schemas, "/schemas", "Schemas"),
        (Section::Throughput, "/throughput", "Throughput"),
        (Section::Health, "/health", "Health"),
    ];
}

#[derive(Template)]
#[template(path = "layout.html")]
pub(super) struct Layout<'a> {
    pub title: String,
    pub section: Section,
    pub visitor: Option<&'a Visitor>,
    pub has_accounts: bool,
    pub read_only: bool,
    /// HTML that a template of ours has escaped.
    pub body: String,
}

pub(super) fn html(layout: &Layout<'_>) -> Response {
    match layout.render() {
        Ok(text) => Html(text).into_response(),
        Err(cause) => {
            error!("the layout cannot be written: {cause}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Marks an answer that refuses with a page of its own.
#[derive(Debug, Clone)]
pub(super) struct WholePage;

/// An answer that is no page: written by [`write`] in the form that was asked for.
#[derive(Debug, Clone, Serialize, Template)]
#[template(path = "refusal.html")]
pub(super) struct Refusal {
    #[serde(skip)]
    status: StatusCode,
    pub error: Trouble,
}

impl Refusal {
    fn new(status: StatusCode, message: impl Into<String>, hint: impl Into<String>) -> Self {
        let error = Trouble {
            message: message.into(),
            hint: hint.into(),
        };
        Self { status, error }
    }

    pub(super) fn not_found(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message, hint)
    }

    pub(super) fn bad(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message, hint)
    }

    /// What is asked for does not fit the state that things are in.
    pub(super) fn conflict(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message, hint)
    }

    pub(super) fn forbidden(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message, hint)
    }

    pub(super) fn busy(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, message, hint)
    }

    pub(super) fn not_logged_in() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "nobody is logged in",
            "log in at /login",
        )
    }

    pub(super) fn misdirected(host: &str) -> Self {
        Self::new(
            StatusCode::MISDIRECTED_REQUEST,
            format!("this control center does not go by the name {host:?}"),
            "open it by an address of its own, or name this one with --allowed-hosts (STREAMFLOW_CONTROL_CENTER_HOSTS)",
        )
    }

    /// A server did not answer.
    pub(super) fn bad_gateway(error: Trouble) -> Self {
        Self {
            status: StatusCode::BAD_GATEWAY,
            error,
        }
    }

    pub(super) fn failed(message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            message,
            "see the log of the control center",
        )
    }

    fn heading(&self) -> &'static str {
        self.status.canonical_reason().unwrap_or("Error")
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let status = match error.kind() {
            Kind::Data => StatusCode::BAD_REQUEST,
            Kind::Denied | Kind::Configuration | Kind::Unavailable => StatusCode::BAD_GATEWAY,
            Kind::Bug | Kind::Io => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self {
            status,
            error: Trouble::from(&error),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Around everything: writes refusals, those of the router (an address that is not there, a field that cannot be read) among them.
pub(super) async fn write(request: Request, next: Next) -> Response {
    let as_json = wants_json(request.headers());
    let address = super::ask::address_of(request.uri());
    let mut response = next.run(request).await;
    let status = response.status();
    let refusal = match response.extensions_mut().remove::<Refusal>() {
        Some(refusal) => refusal,
        None if status.is_client_error()
            && response.extensions_mut().remove::<WholePage>().is_none() =>
        {
            let message = match status {
                StatusCode::NOT_FOUND => format!("there is nothing at {address}"),
                StatusCode::METHOD_NOT_ALLOWED => format!("{address} takes another method"),
                _ => format!("{address} cannot be read: {}", body_of(&mut response).await),
            };
            Refusal::new(
                status,
                message,
                "begin at /, from where every page is linked",
            )
        }
        None => return response,
    };
    debug!("{address}: {status}: {}", refusal.error.message);
    let mut written = match as_json {
        true => (status, axum::Json(&refusal)).into_response(),
        false => (status, page(&refusal)).into_response(),
    };
    let (from, to) = (response.headers_mut(), written.headers_mut());
    from.remove(CONTENT_TYPE);
    from.remove("content-length");
    if status != StatusCode::METHOD_NOT_ALLOWED {
        from.remove(ALLOW);
    }
    for (name, value) in from.drain() {
        if let Some(name) = name {
            to.append(name, value);
        }
    }
    written
}

fn page(refusal: &Refusal) -> Response {
    html(&Layout {
        title: refusal.heading().to_owned(),
        section: Section::None,
        visitor: None,
        has_accounts: false,
        read_only: false,
        body: refusal.render().unwrap_or_default(),
    })
}

/// What axum says of a path, a query or a form that it cannot read.
async fn body_of(response: &mut Response) -> String {
    const MOST: usize = 500;
    let body = std::mem::take(response.body_mut());
    let bytes = axum::body::to_bytes(body, MOST).await.unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
