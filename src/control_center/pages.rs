//! The pages, one module for each address or for the few that belong together; each with its template beside it.

mod audit;
mod clusters;
mod dead_letters;
mod explain;
mod filters;
mod group_reset;
mod groups;
mod health;
mod message;
mod messages;
mod old_addresses;
mod pipeline;
mod reconcile;
mod replay;
mod runs;
mod schemas;
mod sessions;
mod settings;
mod summaries;
mod tables;
mod tail;
mod throughput;
mod topic;
mod topic_schema;
mod topics;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use super::assets;
use super::center::Center;

pub(super) fn router() -> Router<Arc<Center>> {
    Router::new()
        .route("/", get(pipeline::show))
        .route("/assets/{name}", get(assets::file))
        .route("/audit", get(audit::show))
        .route("/clusters", get(clusters::all))
        .route("/clusters/{cluster}", get(clusters::one))
        .route(
            "/clusters/{cluster}/management/topics",
            get(old_addresses::topics),
        )
        .route(
            "/clusters/{cluster}/management/topics/{topic}",
            get(old_addresses::topic),
        )
        .route(
            "/clusters/{cluster}/management/topics/{topic}/{*page}",
            get(old_addresses::page),
        )
        .route("/clusters/{cluster}/overview", get(old_addresses::overview))
        .route("/clusters/{cluster}/topics", get(topics::show))
        .route("/clusters/{cluster}/topics/{topic}", get(topic::show))
        .route(
            "/clusters/{cluster}/topics/{topic}/messages",
            get(messages::show),
        )
        .route(
            "/clusters/{cluster}/topics/{topic}/messages.jsonl",
            get(messages::download),
        )
        .route(
            "/clusters/{cluster}/topics/{topic}/messages/{partition}/{offset}",
            get(message::show),
        )
        .route(
            "/clusters/{cluster}/topics/{topic}/schema",
            get(topic_schema::show),
        )
        .route("/clusters/{cluster}/topics/{topic}/tail", get(tail::show))
        .route(
            "/clusters/{cluster}/topics/{topic}/tail/events",
            get(tail::events),
        )
        .route("/dead-letters", get(dead_letters::all))
        .route(
            "/dead-letters/replay",
            get(replay::preview).post(replay::start),
        )
        .route("/dead-letters/replays/{number}", get(replay::progress))
        .route("/dead-letters/settle", post(replay::settle))
        .route("/dead-letters/{partition}/{offset}", get(dead_letters::one))
        .route("/explain", get(explain::show))
        .route("/groups", get(groups::all))
        .route("/groups/{group}", get(groups::one))
        .route(
            "/groups/{group}/reset",
            get(group_reset::show).post(group_reset::confirm),
        )
        .route("/health", get(health::show))
        .route("/healthz", get(health::alive))
        .route("/login", get(sessions::form).post(sessions::log_in))
        .route("/logout", post(sessions::log_out))
        .route("/metrics", get(health::metrics))
        .route("/readyz", get(health::ready))
        .route("/reconcile", get(reconcile::show).post(reconcile::start))
        .route("/reconcile/cancel", post(reconcile::cancel))
        .route("/runs", get(runs::all))
        .route("/runs/{dag}/{run}", get(runs::one))
        .route("/schemas", get(schemas::all))
        .route("/schemas/{subject}", get(schemas::one))
        .route("/schemas/{subject}/diff", get(schemas::diff))
        .route("/settings", get(settings::show))
        .route("/summaries", get(summaries::elsewhere))
        .route("/tables", get(tables::all))
        .route("/tables/created_users", get(tables::created_users))
        .route("/tables/user_summaries", get(summaries::show))
        .route("/throughput", get(throughput::show))
}

/// For one part of a path, or a value of a query.
fn encoded(text: &str) -> String {
    let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    encoded.replace('+', "%20")
}
