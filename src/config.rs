//! The settings that programs share. Every flag has an environment variable; secrets come from the environment or from a file.

mod bounds;
mod cassandra;
mod connect;
mod consumer;
mod database;
mod duration;
mod groups;
mod kafka;
mod logging;
mod metrics;
mod schema_registry;
mod secret;

pub(crate) use bounds::parse_nationality;
pub use bounds::{BoundArguments, FilterArguments};
pub use cassandra::CassandraArguments;
pub use connect::{ConnectArguments, Server};
pub use consumer::ConsumerArguments;
pub use database::DatabaseArguments;
pub use duration::parse as parse_duration;
pub use groups::GroupArguments;
pub use kafka::KafkaArguments;
pub use logging::{LogArguments, LogFormat};
pub use metrics::MetricsArguments;
pub use schema_registry::{SchemaRegistryArguments, ValueFormatArguments};
pub(crate) use secret::{file_name as secret_file_name, read as secret_from_file};
