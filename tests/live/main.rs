//! The programs as processes, against real PostgreSQL, Kafka and Cassandra. `make test` starts these servers and sets STREAMFLOW_LIVE=1;
//! without it each test says that it was skipped; so do those of the Schema Registry where SCHEMA_REGISTRY_URL is not set.
//!
//! [`world`] gives a test a database, a topic and a keyspace of its own; [`process`] runs the programs; [`topic`] and [`tables`] look at
//! what they did, [`scrape`] at what they serve; [`event`], [`api`] and [`recorded`] provide what they read.

mod api;
mod event;
#[allow(dead_code, reason = "the faults need more of it")]
mod process;
#[allow(dead_code, reason = "the faults need more of it")]
mod proxy;
mod recorded;
mod registry;
mod scrape;
mod servers;
mod tables;
mod topic;
mod world;

mod bad_input;
mod bounds;
mod crashes;
mod end_to_end;
mod exactness;
mod filters;
mod formats;
mod landing;
mod max_dead_letters;
mod members;
mod metrics;
mod missing;
mod offsets;
mod operator;
mod reconcile;
mod recorded_users;
mod registry_troubles;
mod signals;
mod stalled;
mod unreachable;
