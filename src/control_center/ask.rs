//! What a page knows of the request: who asks, for which address, and in which form.

use std::convert::Infallible;
use std::sync::Arc;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::header::ACCEPT;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::accounts::Role;
use super::audit::Deed;
use super::center::Center;
use super::reply::{self, Layout, Refusal, Section, WholePage};
use super::sessions::Visitor;

#[derive(Clone)]
pub(super) struct Ask {
    pub center: Arc<Center>,
    pub visitor: Visitor,
    /// Path and query, as they were asked for.
    pub address: String,
    wants_json: bool,
    reveal: bool,
}

impl FromRequestParts<Arc<Center>> for Ask {
    type Rejection = Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        center: &Arc<Center>,
    ) -> Result<Self, Infallible> {
        // The gate has put it there.
        let visitor = parts.extensions.get::<Visitor>().cloned();
        let query = parts.uri.query().unwrap_or_default().as_bytes();
        let reveal =
            form_urlencoded::parse(query).any(|(name, value)| name == "reveal" && value == "true");
        Ok(Self {
            center: center.clone(),
            visitor: visitor.unwrap_or(Visitor {
                name: String::new(),
                role: Role::Viewer,
            }),
            address: address_of(&parts.uri),
            wants_json: wants_json(&parts.headers),
            reveal,
        })
    }
}

impl Ask {
    /// The page around a view, or the view alone as JSON.
    pub(super) fn page(
        &self,
        title: impl Into<String>,
        section: Section,
        view: &(impl Template + Serialize),
    ) -> Response {
        if self.wants_json {
            return axum::Json(view).into_response();
        }
        let body = match view.render() {
            Ok(body) => body,
            Err(cause) => {
                return Refusal::failed(format!("the page cannot be written: {cause}"))
                    .into_response();
            }
        };
        reply::html(&Layout {
            title: title.into(),
            section,
            visitor: Some(&self.visitor),
            has_accounts: !self.center.accounts.is_empty(),
            read_only: self.center.options.read_only,
            body,
        })
    }

    /// The same for a refusal that shows what can be done.
    pub(super) fn page_with(
        &self,
        status: StatusCode,
        title: impl Into<String>,
        section: Section,
        view: &(impl Template + Serialize),
    ) -> Response {
        let mut response = self.page(title, section, view);
        if response.status().is_success() {
            *response.status_mut() = status;
            response.extensions_mut().insert(WholePage);
        }
        response
    }

    /// Whether this visitor may press what changes something.
    pub(super) fn may_change(&self) -> bool {
        self.visitor.role >= Role::Operator && !self.center.options.read_only
    }

    /// Whether personal data is to be shown: asked for with `reveal=true`, by who may, and written down before.
    pub(super) async fn reveal(&self) -> Result<bool, Refusal> {
        if !self.reveal {
            return Ok(false);
        }
        if self.visitor.role < Role::Admin {
            return Err(Refusal::forbidden(
                format!(
                    "{} is {}, and showing personal data takes the role admin",
                    self.visitor.name, self.visitor.role
                ),
                "leave reveal=true out of the address, or log in as an admin",
            ));
        }
        self.record("reveal", &self.address, "").await?;
        Ok(true)
    }

    /// Whether a link that shows personal data would work.
    pub(super) fn may_reveal(&self) -> bool {
        self.visitor.role >= Role::Admin
    }

    /// Writes down what this visitor is about to do. Nothing is done that cannot be written down.
    pub(super) async fn record(
        &self,
        action: &'static str,
        target: &str,
        detail: &str,
    ) -> Result<(), Refusal> {
        let deed = Deed {
            who: &self.visitor.name,
            role: self.visitor.role,
            action,
            target,
            detail,
        };
        self.center.audit(&deed).await.map_err(Refusal::from)
    }
}

/// HTML is for browsers, which name it; a program that takes anything gets HTML, too.
pub(super) fn wants_json(headers: &HeaderMap) -> bool {
    let accepted = headers
        .get(ACCEPT)
        .and_then(|it| it.to_str().ok())
        .unwrap_or_default();
    let place = |kind: &str| accepted.find(kind);
    match (place("application/json"), place("text/html")) {
        (Some(json), Some(html)) => json < html,
        (json, _) => json.is_some(),
    }
}

pub(super) fn address_of(uri: &Uri) -> String {
    uri.path_and_query()
        .map_or("/", |it| it.as_str())
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_for_who_asks_for_it_first() {
        let wants = |accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            wants_json(&headers)
        };
        assert!(wants("application/json"));
        assert!(wants("application/json, text/html;q=0.5"));
        assert!(!wants("text/html,application/xhtml+xml,*/*;q=0.8"));
        assert!(!wants("text/html, application/json"));
        assert!(!wants("*/*"));
        assert!(!wants_json(&HeaderMap::new()));
    }
}
