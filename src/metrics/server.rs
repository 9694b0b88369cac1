//! `/metrics`, `/healthz` and `/readyz` over HTTP.

use std::io::ErrorKind;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::serve::ListenerExt;
use log::{debug, error, info};
use tokio::net::TcpListener;

use super::{Subject, Watch};
use crate::config::MetricsArguments;
use crate::error::{Error, Result};
use crate::shutdown::Shutdown;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Listens, where an address is given. The server ends with the runtime, which waits for no connection: it never delays the end of a job.
pub async fn serve(
    arguments: &MetricsArguments,
    subject: Subject,
    shutdown: &Shutdown,
) -> Result<Watch> {
    let Some(address) = arguments.address() else {
        return Ok(Watch::default());
    };
    let listener = TcpListener::bind(address)
        .await
        .map_err(|cause| refused(address, cause))?;
    let local = listener
        .local_addr()
        .map_err(|cause| refused(address, cause))?;
    info!("metrics at http://{local}/metrics");
    let watch = Watch::new(subject, shutdown.clone());
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .with_state(watch.clone());
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            debug!("cannot switch off Nagle's algorithm: {error}");
        }
    });
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            error!("metrics are served no longer: {error}");
        }
    });
    Ok(watch)
}

/// What cannot be listened on now, or never.
fn refused(address: &str, cause: std::io::Error) -> Error {
    let message = format!("metrics cannot be served at {address}");
    match cause.kind() {
        ErrorKind::AddrInUse => Error::io(format!("{message}: the address is in use"))
            .cause(cause)
            .hint(
                "end what has the port, or take another with --metrics-addr (STREAMFLOW_METRICS_ADDR); port 0 takes a free one, which \
                 programs that share the variable need",
            ),
        ErrorKind::PermissionDenied => Error::io(message)
            .cause(cause)
            .hint("take a port above 1023 with --metrics-addr (STREAMFLOW_METRICS_ADDR)"),
        _ => Error::configuration(message).cause(cause).hint(
            "set --metrics-addr (STREAMFLOW_METRICS_ADDR) to an address of this machine with a port, such as 127.0.0.1:9464 or \
             0.0.0.0:9464",
        ),
    }
}

async fn metrics(State(watch): State<Watch>) -> Response {
    match watch.text() {
        Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => {
            debug!("metrics cannot be written: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn healthz(State(watch): State<Watch>) -> Response {
    verdict(watch.is_alive())
}

async fn readyz(State(watch): State<Watch>) -> Response {
    verdict(watch.is_ready())
}

fn verdict(verdict: Result<(), String>) -> Response {
    match verdict {
        Ok(()) => (StatusCode::OK, "ok\n".to_owned()),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
    }
    .into_response()
}
