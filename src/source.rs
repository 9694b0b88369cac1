//! Where records come from: the API of random users, and Kafka.

pub mod kafka;
pub mod random_user;
