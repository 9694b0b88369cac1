//! One module a program: its arguments, what it connects to, and its run.

pub mod aggregate;
mod consuming;
pub mod control_center;
pub mod fetch_publish;
mod our_schema;
pub mod random_user_api;
pub mod streamflow;
pub mod summary_table;
pub mod transform_store;
