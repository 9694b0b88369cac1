//! The HTTP side: paths, methods, the limit, and which answer a request gets.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use axum::serve::ListenerExt;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::limit::Limiter;
use super::query::{Pairs, Query};
use super::replies::{JSON, error, fixed, half_then_closed, plain, trickling, typed};
use super::trouble::{self, Counters, Mode, Trouble};
use super::{Config, Surroundings, Version, body};

/// How long requests in flight may take once the server is told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// Answers requests until `shutdown` comes, then finishes those in flight.
pub async fn serve(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (stop, mut stopping) = watch::channel(false);
    let server = Arc::new(Server {
        config,
        limiter: config.limit.map(Limiter::new),
        counters: Counters::default(),
        stopping: stopping.clone(),
    });
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .fallback(respond)
        .with_state(server);
    let listener = listener.tap_io(|connection| {
        // Without it the end of an answer waits for the client's acknowledgement of its beginning.
        if let Err(error) = connection.set_nodelay(true) {
            log::debug!("cannot switch off Nagle's algorithm: {error}");
        }
    });
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(async move {
        shutdown.await;
        stop.send_replace(true);
    });
    let grace_is_over = async move {
        if stopping.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        result = serving.into_future() => result,
        () = grace_is_over => {
            log::warn!("some requests were still being answered {}s after the stop, and were cut off", GRACE.as_secs());
            Ok(())
        }
    }
}

struct Server {
    config: Config,
    limiter: Option<Limiter>,
    counters: Counters,
    stopping: watch::Receiver<bool>,
}

impl Server {
    /// Never answers, unless the server stops.
    async fn hang(&self) -> Response {
        let mut stopping = self.stopping.clone();
        // An error means that the server is gone, and the connection with it.
        let _ = stopping.wait_for(|stop| *stop).await;
        plain(StatusCode::SERVICE_UNAVAILABLE, "the server stops\n".into())
    }
}

async fn respond(
    State(server): State<Arc<Server>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let start = Instant::now();
    let (request, _) = request.into_parts();
    let (method, path) = (&request.method, request.uri.path());
    let (response, about) = match version_of(method, path) {
        Ok(version) => answer(&server, client, version, &request).await,
        Err(text) => (plain(StatusCode::NOT_FOUND, text.into()), String::new()),
    };
    let (status, ms) = (response.status().as_u16(), start.elapsed().as_millis());
    log::info!("{method} {path}{about} status={status} ms={ms}");
    response
}

/// The version that a path names, or the text of the 404.
fn version_of(method: &Method, path: &str) -> Result<Version, &'static str> {
    if method != Method::GET && method != Method::HEAD {
        return Err("Not Found");
    }
    let Some(version) = path.strip_prefix("/api") else {
        return Err("Not Found");
    };
    match version {
        "" | "/" | "/1.4" | "/1.4/" => Ok(Version::V1_4),
        "/1.3" | "/1.3/" => Ok(Version::V1_3),
        "/1.2" | "/1.2/" | "/1.1" | "/1.1/" | "/1.0" | "/1.0/" => {
            Err("Not Found: this stand-in speaks versions 1.3 and 1.4 only")
        }
        _ => Err("Not Found"),
    }
}

/// The response, and what the log says about the request.
async fn answer(
    server: &Server,
    client: SocketAddr,
    version: Version,
    request: &Parts,
) -> (Response, String) {
    let pairs = Pairs::of(request.uri.query().unwrap_or_default());
    let trouble = match Trouble::of_request(&pairs) {
        Ok(trouble) => trouble,
        Err(error) => {
            return (
                plain(StatusCode::BAD_REQUEST, format!("{error}\n")),
                " trouble=unknown".into(),
            );
        }
    };
    let mode = match (trouble, server.config.trouble) {
        (Some(asked), _) => server
            .counters
            .meet(asked, pairs.last("trouble_key").unwrap_or_default())
            .then_some(asked.mode),
        // A key that no request can have: form values hold no such character unless it is sent on purpose.
        (None, Some(always)) => server.counters.meet(always, "\0").then_some(always.mode),
        (None, None) => None,
    };
    let query = Query::parse(&pairs, version);
    let mut about = format!(" results={} page={}", query.results, query.page);
    if let Some(mode) = mode {
        about += &format!(" trouble={mode}");
    }
    if let Some(limiter) = &server.limiter
        && let Err(users) = limiter.admit(client.ip(), query.results as u64, Instant::now())
    {
        return (
            error(
                StatusCode::TOO_MANY_REQUESTS,
                trouble::rate_limit_body(users),
            ),
            about,
        );
    }
    if let Some(reason) = query.silence.filter(|_| mode.is_none()) {
        log::warn!("no answer, as from the public API: {reason}");
        return (server.hang().await, about);
    }
    if mode == Some(Mode::Hang) {
        return (server.hang().await, about);
    }
    if let Some(response) = mode.and_then(|mode| fixed(mode, &query)) {
        return (response, about);
    }
    let trickle = Duration::from_millis(
        pairs
            .last("trouble_ms")
            .and_then(|ms| ms.parse().ok())
            .unwrap_or(3000)
            .min(60_000),
    );
    let gzip = server.config.gzip && mode.is_none() && accepts_gzip(request);
    (made(query, version, mode, trickle, gzip).await, about)
}

fn accepts_gzip(request: &Parts) -> bool {
    let values = request.headers.get_all(header::ACCEPT_ENCODING);
    values
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains("gzip"))
}

/// The answer with its users, good or spoilt by the mode.
async fn made(
    query: Query,
    version: Version,
    mode: Option<Mode>,
    trickle: Duration,
    gzip: bool,
) -> Response {
    let download = query.download;
    let make = move || {
        let count = match mode {
            Some(Mode::Fewer) => query.results / 2,
            Some(Mode::More) => query.results + 1,
            _ => query.results,
        };
        let surroundings = Surroundings {
            now: Timestamp::now(),
            fresh_seed: rand::random(),
        };
        let mut body = body(&query, count, version, surroundings);
        match mode {
            Some(Mode::InvalidUtf8) => trouble::break_utf8(&mut body),
            Some(Mode::Cut) => body.truncate(body.len() / 2),
            _ => {}
        }
        if gzip { compressed(&body) } else { Ok(body) }
    };
    // Thousands of users take long enough to hold up the other requests of this thread.
    let body = match tokio::task::spawn_blocking(make).await {
        Ok(Ok(body)) => body,
        Ok(Err(problem)) => {
            return plain(
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("cannot compress the answer: {problem}\n"),
            );
        }
        Err(problem) => {
            return plain(
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("cannot make the answer: {problem}\n"),
            );
        }
    };
    let length = body.len();
    let body = match mode {
        Some(Mode::Truncated) => half_then_closed(body.into()),
        Some(Mode::Slow) => trickling(body.into(), trickle),
        _ => Body::from(body),
    };
    let mut response = typed(
        StatusCode::OK,
        if download {
            "application/octet-stream; charset=utf-8"
        } else {
            JSON
        },
        body,
    );
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, length.into());
    if download {
        headers.insert(
            header::CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment; filename=download.json"),
        );
    }
    if gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    response
}

fn compressed(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(
        Vec::with_capacity(body.len() / 3),
        flate2::Compression::fast(),
    );
    encoder.write_all(body)?;
    encoder.finish()
}
