//! The programs as processes, and the library's parts from outside, with no server but those that the tests bring along. One crate, so that
//! it links once.

mod bundled_api;
mod program;
mod scripted_api;
mod scripted_registry;

mod fetch_ends;
mod fetch_pages;
mod fetch_patience;
mod fetch_troubles;
mod formats;
mod formats_avro;
mod formats_cost;
mod formats_protobuf;
mod help;
mod logs;
mod metrics;
mod pipeline_fold;
mod pipeline_loop;
mod pipeline_script;
mod pipeline_store;
mod pipeline_twin;
mod pipeline_world;
mod random_user_api;
mod schema_registry;
mod secrets;
mod unreachable;
mod usage;
mod user_checks;
mod user_inputs;
mod user_properties;
mod user_snapshots;
