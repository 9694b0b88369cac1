//! The dataset, pure: what a user is from the API's answer to the row and the summary. No I/O and no clock.
//!
//! [`api::RandomUser`] (as the API sends it) → [`event::UserCreated`] (on the topic) → [`clean`] → [`row::CreatedUser`] (in the table)
//! → [`summary`] (what it counts towards).

pub mod api;
pub mod api_layout;
pub mod clean;
pub mod decode;
pub mod event;
pub mod filter;
pub mod fingerprint;
pub mod format;
mod own_layout;
pub mod row;
pub mod summary;
mod time;
