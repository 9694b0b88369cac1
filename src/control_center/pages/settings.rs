//! `/settings`: who you are, what you may do, and what this control center looks at. Shows no secret.

use askama::Template;
use axum::response::Response;
use serde::Serialize;

use crate::control_center::accounts::Role;
use crate::control_center::ask::Ask;
use crate::control_center::live::plain;
use crate::control_center::reply::Section;

#[derive(Serialize, Template)]
#[template(path = "pages/settings.html")]
struct Settings {
    name: String,
    role: Role,
    has_accounts: bool,
    read_only: bool,
    may_change: bool,
    may_reveal: bool,
    version: &'static str,
    listen: String,
    settings: Vec<(&'static str, &'static str, String)>,
}

pub(super) async fn show(ask: Ask) -> Response {
    let (center, options) = (&ask.center, &ask.center.options);
    let none = || "not given".to_owned();
    let view = Settings {
        name: ask.visitor.name.clone(),
        role: ask.visitor.role,
        has_accounts: !center.accounts.is_empty(),
        read_only: options.read_only,
        may_change: ask.may_change(),
        may_reveal: ask.may_reveal(),
        version: env!("CARGO_PKG_VERSION"),
        listen: options.listen.to_string(),
        settings: vec![
            (
                "Kafka",
                "KAFKA_BOOTSTRAP_SERVERS",
                center.kafka.arguments().bootstrap_servers.clone(),
            ),
            ("Topic", "STREAMFLOW_TOPIC", center.topic().to_owned()),
            (
                "Group of transform-store",
                "TRANSFORM_STORE_GROUP_ID",
                options.groups.transform_store.clone(),
            ),
            (
                "Group of aggregate",
                "AGGREGATE_GROUP_ID",
                options.groups.aggregate.clone(),
            ),
            ("PostgreSQL", "DATABASE_URL", center.landing.address()),
            (
                "Cassandra",
                "CASSANDRA_CONTACT_POINTS",
                center.tables.address(),
            ),
            (
                "Keyspace",
                "CASSANDRA_KEYSPACE",
                center.tables.keyspace().to_owned(),
            ),
            (
                "Schema Registry",
                "SCHEMA_REGISTRY_URL",
                center.registry.address().unwrap_or_else(none),
            ),
            (
                "Airflow",
                "AIRFLOW_URL",
                options
                    .airflow
                    .as_ref()
                    .map_or_else(none, |it| plain(&it.url)),
            ),
            (
                "Metrics of jobs",
                "STREAMFLOW_JOB_METRICS_URLS",
                options.job_addresses().unwrap_or_else(none),
            ),
        ],
    };
    ask.page("Settings", Section::Settings, &view)
}
