//! Where records come from: the API of random users, and Kafka.

pub mod group_offsets;
pub mod kafka;
pub mod random_user;
