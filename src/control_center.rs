//! The control center: pages that show the whole pipeline, and mend it.
//!
//! The way of a request: [`gate`] (host, origin, login, role, read-only) → one module of [`pages`] → the servers, each behind its client
//! (`kafka`, `tables`, `landing`, `registry`) → `decoding`, which masks what is personal → [`reply`] (HTML, or JSON by `Accept`).
//! docs/control-center.md tells what people see, decisions/0015 why it is so.

mod accounts;
mod airflow;
mod ask;
mod assets;
mod audit;
mod center;
mod chart;
pub(crate) mod command_line;
mod count;
mod decoding;
mod exact_json;
mod explain;
mod gate;
mod kafka;
mod landing;
mod letters;
mod live;
mod masking;
mod metrics;
mod moment;
mod pages;
mod panel;
mod reconciling;
mod registry;
mod reply;
mod reset;
mod schemas;
mod sessions;
mod tables;
mod tail;

pub use accounts::{Accounts, Role, hash_password};
pub use center::{AirflowAccess, Center, Options};
pub use explain::{Asked, Explanation, explain};
pub use live::{Hop, Level, Live, Sentence, Strip};

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::serve::ListenerExt;
use log::debug;
use tokio::net::TcpListener;

use crate::error::{Error, Result};

/// How long open requests have to end after a stop is asked for; streams end at once.
const END_WITHIN: Duration = Duration::from_secs(2);

/// Serves until a stop is asked for.
pub async fn serve(listener: TcpListener, center: Arc<Center>) -> Result<()> {
    let shutdown = center.shutdown.clone();
    tokio::spawn(live::run(center.clone()));
    // From the inside out: what a handler answers is written as HTML or JSON, and only what the gate lets through comes to a handler.
    let router: Router = pages::router()
        .layer(from_fn_with_state(center.clone(), gate::pass))
        .layer(from_fn(reply::write))
        .layer(from_fn_with_state(center.clone(), metrics::count))
        .with_state(center);
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            debug!("cannot switch off Nagle's algorithm: {error}");
        }
    });
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let stopped = {
        let shutdown = shutdown.clone();
        async move { shutdown.requested().await }
    };
    let serving = axum::serve(listener, service).with_graceful_shutdown(stopped);
    let too_long = async {
        shutdown.requested().await;
        tokio::time::sleep(END_WITHIN).await;
    };
    tokio::select! {
        ended = serving => ended.map_err(|cause| Error::io("the pages are served no longer").cause(cause)),
        () = too_long => Ok(()),
    }
}
