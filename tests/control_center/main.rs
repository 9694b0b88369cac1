//! The control center over HTTP, against real PostgreSQL, Kafka, Cassandra and Schema Registry. `make test` starts them and sets
//! STREAMFLOW_LIVE=1; without it each test says that it was skipped. What only a browser shows is in `tests/browser/`.

#[path = "../live/api.rs"]
#[allow(dead_code, reason = "the live tests need more of it")]
mod api;
#[path = "../live/event.rs"]
#[allow(dead_code, reason = "the live tests need more of it")]
mod event;
#[path = "../live/process.rs"]
#[allow(dead_code, reason = "the live tests need more of it")]
mod process;
#[path = "../live/registry.rs"]
#[allow(dead_code, reason = "the live tests need more of it")]
mod registry;
#[path = "../live/scrape.rs"]
#[allow(dead_code, reason = "the live tests need more of it")]
mod scrape;
#[path = "../live/servers.rs"]
#[allow(dead_code, reason = "the live tests need more of it")]
mod servers;
#[path = "../live/tables.rs"]
#[allow(dead_code, reason = "the live tests need more of it")]
mod tables_of;
#[path = "../live/topic.rs"]
#[allow(dead_code, reason = "the live tests need more of it")]
mod topic;
#[path = "../live/world.rs"]
#[allow(dead_code, reason = "the live tests need more of it")]
mod world;

mod airflow;
mod center;
#[allow(dead_code, reason = "the tests in a browser need more of it")]
mod crawl;
mod logins;

mod clusters;
mod dead_letters;
mod dlq;
mod explain;
mod groups;
mod health;
mod letters;
mod links;
mod messages;
mod pipeline;
mod reconcile;
mod run_of_user;
mod runs;
mod schemas;
mod security;
mod tables;
mod tail;
mod topics;
