//! Avro's binary encoding (<https://avro.apache.org/docs/1.12.0/specification/#binary-encoding>).
//!
//! A writer's schema is compiled once into a [`Plan`], which then reads record after record without building a tree of values; texts are
//! borrowed from the record. docs/decisions/0010-schema-registry.md has the measurements behind it, `tests/programs/formats_avro.rs` the
//! comparison with `apache-avro`.

mod cursor;
mod encode;
mod plan;
mod schema;

pub(super) use encode::encode;
pub use plan::Plan;
