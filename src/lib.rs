//! Users from an API through PostgreSQL and Kafka into Cassandra, as jobs that end by themselves and repeat nothing.
//!
//! The journey of a record, in the order of the modules: [`source`] fetches or consumes it, [`user`] says what it means, [`pipeline`] moves
//! it and settles it, [`sink`] lands, publishes and stores it. [`job`] wires one program each; [`boot`] runs them all alike.
//! docs/architecture.md has the map and two walks.

pub mod boot;
pub mod broker;
mod capped_body;
pub mod config;
pub mod control_center;
pub mod error;
pub mod job;
pub mod metrics;
pub mod pipeline;
pub mod random_user_api;
pub mod reconcile;
pub mod rejection;
pub mod schema_registry;
pub mod shutdown;
pub mod sink;
pub mod source;
pub mod user;
pub mod user_reader;
