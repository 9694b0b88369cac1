//! What every request passes before a page sees it: the name it asks for, where it comes from, who asks, and whether that may be.
//!
//! One place for all addresses. A request that could change something is any that is not GET or HEAD.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE, HOST, HeaderValue, ORIGIN};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use cookie::Cookie;
use sha2::{Digest, Sha256};

use super::accounts::Role;
use super::ask::address_of;
use super::center::Center;
use super::panel::Trouble;
use super::reply::Refusal;
use super::sessions::Visitor;

pub(super) const SESSION_COOKIE: &str = "streamflow_session";

/// Nothing comes from elsewhere, nothing is run that is not a file of ours, and nobody frames a page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// A page that is not there after this time is given up: each part of it has a shorter time of its own. What changes something is never cut off.
const PAGE_WITHIN: Duration = Duration::from_secs(20);

const HEADERS: [(&str, &str); 6] = [
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

pub(super) async fn pass(
    State(center): State<Arc<Center>>,
    mut request: Request,
    next: Next,
) -> Response {
    let mut response = match admit(&center, &request) {
        Ok(visitor) => {
            request.extensions_mut().insert(visitor);
            match changes(request.method()) {
                true => next.run(request).await,
                false => tokio::time::timeout(PAGE_WITHIN, next.run(request))
                    .await
                    .unwrap_or_else(|_| too_late().into_response()),
            }
        }
        Err(Stop::Refused(refusal)) => refusal.into_response(),
        Err(Stop::LogIn(to)) => Redirect::to(&to).into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // What is shown may be personal; files of ours say themselves how long they keep.
    headers
        .entry("cache-control")
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

fn changes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD)
}

fn too_late() -> Refusal {
    Refusal::bad_gateway(Trouble {
        message: format!(
            "the servers behind this page gave no answer for {} s",
            PAGE_WITHIN.as_secs()
        ),
        hint: "see at /health which of them answers, then try again".to_owned(),
    })
}

enum Stop {
    Refused(Refusal),
    LogIn(String),
}

fn admit(center: &Center, request: &Request) -> Result<Visitor, Stop> {
    let (headers, path) = (request.headers(), request.uri().path());
    let host = host_of(headers).unwrap_or_default();
    if !center.options.is_allowed_host(&host) {
        return Err(Stop::Refused(Refusal::misdirected(&host)));
    }
    let changes = changes(request.method());
    if !changes && !may_load(headers) {
        return Err(Stop::Refused(Refusal::forbidden(
            "a page of another site loads this",
            "open it by a link, or by its address",
        )));
    }
    if changes && !is_same_origin(headers) {
        return Err(Stop::Refused(Refusal::forbidden(
            "this request comes from a page of another site",
            "open the page of the control center itself, and press there",
        )));
    }
    if let (Some(token), "/metrics") = (&center.options.metrics_token, path)
        && has_token(headers, token)
    {
        return Ok(Visitor {
            name: "metrics".to_owned(),
            role: Role::Viewer,
        });
    }
    let visitor = match center.accounts.is_empty() {
        true => Some(Visitor::of_this_machine()),
        false => {
            session_of(headers).and_then(|token| center.sessions.visitor(&token, Instant::now()))
        }
    };
    let needed = needed_role(request.method(), path);
    // Before the role, so that the answer is the same for everybody.
    if changes && center.options.read_only && !is_about_sessions(path) {
        return Err(Stop::Refused(Refusal::forbidden(
            "this control center only shows: it was started with --read-only",
            "use another one, or the command line",
        )));
    }
    match (visitor, needed) {
        (Some(visitor), Some(needed)) if visitor.role < needed => {
            Err(Stop::Refused(Refusal::forbidden(
                format!(
                    "{} is {}, and this takes the role {needed}",
                    visitor.name, visitor.role
                ),
                "log in as somebody with that role",
            )))
        }
        (Some(visitor), _) => Ok(visitor),
        // Not logged in: named for the few pages that are there for everybody.
        (None, None) => Ok(Visitor {
            name: String::new(),
            role: Role::Viewer,
        }),
        (None, Some(_)) if changes || super::ask::wants_json(headers) => {
            Err(Stop::Refused(Refusal::not_logged_in()))
        }
        (None, Some(_)) => Err(Stop::LogIn(format!(
            "/login?then={}",
            encoded(&address_of(request.uri()))
        ))),
    }
}

/// The least role for an address; nothing where nobody need be logged in.
fn needed_role(method: &Method, path: &str) -> Option<Role> {
    if is_about_sessions(path)
        || path.starts_with("/assets/")
        || matches!(path, "/healthz" | "/readyz")
    {
        return None;
    }
    Some(match *method {
        Method::GET | Method::HEAD if path == "/audit" => Role::Admin,
        Method::GET | Method::HEAD => Role::Viewer,
        _ => Role::Operator,
    })
}

fn is_about_sessions(path: &str) -> bool {
    matches!(path, "/login" | "/logout")
}

/// What a browser says of where a request comes from (Fetch Metadata), or else its Origin, which must then be this host. A program sends
/// neither, and no browser can be made to leave them out.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name: &str| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap_or("unreadable"))
    };
    match (text("sec-fetch-site"), text(ORIGIN.as_str())) {
        (Some(site), _) if site != "same-origin" && site != "none" => false,
        (_, Some(origin)) => {
            let authority = origin
                .split_once("://")
                .map_or("", |(_, authority)| authority);
            headers
                .get(HOST)
                .is_some_and(|host| host.as_bytes() == authority.as_bytes())
        }
        _ => true,
    }
}

/// A page of another site may link to ours, and nothing else: what it loads from here would cost our servers an answer that it cannot read.
fn may_load(headers: &HeaderMap) -> bool {
    let is = |name: &str, value: &str| headers.get(name).is_some_and(|it| it == value);
    let is_of_another_site =
        is("sec-fetch-site", "cross-site") || is("sec-fetch-site", "same-site");
    !is_of_another_site || is("sec-fetch-mode", "navigate")
}

/// The name in the header Host, without the port, in lower case.
fn host_of(headers: &HeaderMap) -> Option<String> {
    let host = headers.get(HOST)?.to_str().ok()?;
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    Some(name.to_ascii_lowercase())
}

/// As RFC 6750 has it. Digests are compared: how long that takes says nothing of the token.
fn has_token(headers: &HeaderMap, token: &str) -> bool {
    let given = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    given.is_some_and(|(_, given)| Sha256::digest(given) == Sha256::digest(token))
}

pub(super) fn session_of(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(Cookie::split_parse)
        .filter_map(Result::ok)
        .find(|cookie| cookie.name() == SESSION_COOKIE)
        .map(|cookie| cookie.value().to_owned())
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|&(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn a_request_of_another_site_is_told_from_our_own() {
        let same = |pairs: &[(&'static str, &'static str)]| is_same_origin(&headers(pairs));
        let host = ("host", "localhost:9021");
        assert!(same(&[host]), "a program");
        assert!(same(&[host, ("sec-fetch-site", "same-origin")]));
        assert!(same(&[host, ("origin", "http://localhost:9021")]));
        assert!(!same(&[host, ("sec-fetch-site", "cross-site")]));
        assert!(
            !same(&[host, ("sec-fetch-site", "same-site")]),
            "another port of this machine"
        );
        assert!(!same(&[host, ("origin", "http://evil.example")]));
        assert!(!same(&[host, ("origin", "http://localhost:8080")]));
        assert!(!same(&[host, ("origin", "null")]));
        assert!(!same(&[
            host,
            ("sec-fetch-site", "none"),
            ("origin", "http://evil.example")
        ]));
    }

    #[test]
    fn a_page_of_another_site_links_here_and_loads_nothing() {
        let may = |site, mode| {
            may_load(&headers(&[
                ("sec-fetch-site", site),
                ("sec-fetch-mode", mode),
            ]))
        };
        assert!(may_load(&headers(&[])), "a program");
        for site in ["cross-site", "same-site"] {
            assert!(may(site, "navigate"), "{site}");
            for mode in ["no-cors", "cors", "websocket"] {
                assert!(!may(site, mode), "{site} {mode}");
            }
            assert!(!may_load(&headers(&[("sec-fetch-site", site)])), "{site}");
        }
        for site in ["same-origin", "none"] {
            assert!(may(site, "cors") && may(site, "no-cors"), "{site}");
        }
    }

    #[test]
    fn the_host_is_told_without_its_port() {
        let host = |value| host_of(&headers(&[("host", value)])).unwrap();
        assert_eq!(host("LocalHost:9021"), "localhost");
        assert_eq!(host("127.0.0.1"), "127.0.0.1");
        assert_eq!(host("[::1]:9021"), "::1");
        assert_eq!(host_of(&headers(&[])), None);
    }

    #[test]
    fn whatever_changes_something_takes_an_operator() {
        for method in [
            Method::POST,
            Method::PUT,
            Method::DELETE,
            Method::PATCH,
            Method::OPTIONS,
        ] {
            assert_eq!(
                needed_role(&method, "/clusters"),
                Some(Role::Operator),
                "{method}"
            );
        }
        assert_eq!(needed_role(&Method::GET, "/clusters"), Some(Role::Viewer));
        assert_eq!(needed_role(&Method::GET, "/audit"), Some(Role::Admin));
        for path in ["/login", "/assets/style.css", "/healthz", "/readyz"] {
            assert_eq!(needed_role(&Method::GET, path), None, "{path}");
        }
        assert_eq!(needed_role(&Method::GET, "/metrics"), Some(Role::Viewer));
        assert_eq!(needed_role(&Method::GET, "/assetsx"), Some(Role::Viewer));
    }

    #[test]
    fn the_token_is_taken_as_a_bearer_and_whole() {
        let has = |value| has_token(&headers(&[("authorization", value)]), "t0ken");
        assert!(has("Bearer t0ken") && has("bearer t0ken"));
        for other in [
            "t0ken",
            "Basic t0ken",
            "Bearer t0ke",
            "Bearer t0ken ",
            "Bearer ",
            "Bearer",
        ] {
            assert!(!has(other), "{other:?}");
        }
        assert!(!has_token(&headers(&[]), "t0ken"));
    }

    #[test]
    fn the_session_is_found_among_other_cookies() {
        let found = session_of(&headers(&[(
            "cookie",
            "a=b; streamflow_session=t0ken; c=d",
        )]));
        assert_eq!(found.as_deref(), Some("t0ken"));
        assert_eq!(session_of(&headers(&[("cookie", "a=b")])), None);
    }
}
