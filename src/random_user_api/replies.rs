//! Responses: their headers, and the troubles as they look on the wire.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use super::query::Query;
use super::trouble::{self, Mode};

pub const JSON: &str = "application/json; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";

/// The troubles whose body does not depend on the users asked for.
pub fn fixed(mode: Mode, query: &Query) -> Option<Response> {
    Some(match mode {
        Mode::RateLimit => error(
            StatusCode::TOO_MANY_REQUESTS,
            trouble::rate_limit_body(20_000 + query.results as u64),
        ),
        Mode::RateLimitRetryAfter => {
            let mut response = error(
                StatusCode::TOO_MANY_REQUESTS,
                trouble::rate_limit_body(20_000 + query.results as u64),
            );
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            response
        }
        Mode::ServerError => plain(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Internal Server Error".into(),
        ),
        Mode::ErrorBody => error(StatusCode::OK, trouble::ERROR_BODY.into()),
        Mode::Empty => error(StatusCode::OK, trouble::EMPTY_BODY.into()),
        Mode::Html => typed(
            StatusCode::SERVICE_UNAVAILABLE,
            HTML,
            trouble::html_page(503, "Service Temporarily Unavailable"),
        ),
        Mode::HtmlOk => typed(
            StatusCode::OK,
            HTML,
            trouble::html_page(200, "One moment, please"),
        ),
        Mode::Forbidden => typed(
            StatusCode::FORBIDDEN,
            HTML,
            trouble::html_page(403, "Forbidden"),
        ),
        Mode::NotJson => error(StatusCode::OK, trouble::NOT_JSON_BODY.into()),
        Mode::WrongShape => error(StatusCode::OK, trouble::WRONG_SHAPE_BODY.into()),
        Mode::Truncated
        | Mode::Cut
        | Mode::Hang
        | Mode::Slow
        | Mode::Fewer
        | Mode::More
        | Mode::InvalidUtf8 => return None,
    })
}

/// The first half of the body, then an error, at which the connection is closed.
pub fn half_then_closed(body: Bytes) -> Body {
    let half = body.slice(..body.len() / 2);
    Body::from_stream(stream::unfold(0, move |step| {
        let half = half.clone();
        async move {
            match step {
                0 => Some((Ok(half), 1)),
                _ => {
                    // Lets the half be sent before the connection closes.
                    tokio::task::yield_now().await;
                    Some((Err(io::Error::other("the answer ends here on request")), 2))
                }
            }
        }
    }))
}

/// The whole body in ten pieces, with pauses that take `over` together.
pub fn trickling(body: Bytes, over: Duration) -> Body {
    const PIECES: usize = 10;
    Body::from_stream(stream::unfold(0, move |piece| {
        let (from, to) = (
            body.len() * piece / PIECES,
            body.len() * (piece + 1) / PIECES,
        );
        let part = (piece < PIECES).then(|| body.slice(from..to));
        async move {
            let part = part?;
            tokio::time::sleep(over / PIECES as u32).await;
            Some((Ok::<_, Infallible>(part), piece + 1))
        }
    }))
}

pub fn plain(status: StatusCode, text: String) -> Response {
    typed(status, PLAIN, text)
}

/// JSON that holds no users, or claims to be JSON.
pub fn error(status: StatusCode, body: String) -> Response {
    typed(status, JSON, body)
}

pub fn typed(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-cache"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    (status, headers, body.into()).into_response()
}
