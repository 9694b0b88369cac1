//! Where records go: PostgreSQL (landing), Kafka (events and dead letters), Cassandra (rows and summaries).

pub mod cassandra;
pub mod kafka;
pub mod postgres;
