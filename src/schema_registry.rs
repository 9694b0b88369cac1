//! A Schema Registry, by Confluent's interface
//! (<https://docs.confluent.io/platform/current/schema-registry/develop/api.html>), as far as this project asks: schemas by their id, ids by
//! their schema, and the compatibility of a subject. What a schema means is in `user/format`.

mod answer;
mod client;
mod failure;

pub use answer::{Schema, Version};
pub use client::SchemaRegistry;

/// What a new version of a schema must be to be taken: able to read what was written by each earlier one.
/// docs/decisions/0010-schema-registry.md says why this level.
pub const COMPATIBILITY: &str = "BACKWARD_TRANSITIVE";

/// The subject of a topic's values (Confluent's TopicNameStrategy).
pub fn subject_of(topic: &str) -> String {
    format!("{topic}-value")
}
