//! A record that cannot be used, kept on its own topic: the bytes as they came, and headers that say why and where from.

use std::time::Duration;

use super::record::Record;
use crate::error::Result;
use crate::rejection::Rejection;

/// Headers of a dead letter, all texts in UTF-8.
pub mod header {
    pub const REASON: &str = "streamflow-reason";
    /// Dotted path of the field to blame; absent where it is the whole record.
    pub const FIELD: &str = "streamflow-field";
    /// Number of the schema in the Schema Registry, where the record names one.
    pub const SCHEMA_ID: &str = "streamflow-schema-id";
    pub const JOB: &str = "streamflow-job";
    pub const ORIGIN_TOPIC: &str = "streamflow-origin-topic";
    pub const ORIGIN_PARTITION: &str = "streamflow-origin-partition";
    pub const ORIGIN_OFFSET: &str = "streamflow-origin-offset";
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const ORIGIN_TIMESTAMP: &str = "streamflow-origin-timestamp";
}

/// The headers, in a fixed order.
pub fn headers(
    job: &str,
    record: &Record<'_>,
    rejection: &Rejection,
) -> Vec<(&'static str, String)> {
    let mut headers = vec![(header::REASON, rejection.reason.as_str().to_owned())];
    if let Some(field) = &rejection.field {
        headers.push((header::FIELD, field.clone().into_owned()));
    }
    if let Some(schema_id) = rejection.schema_id {
        headers.push((header::SCHEMA_ID, schema_id.to_string()));
    }
    headers.push((header::JOB, job.to_owned()));
    headers.push((header::ORIGIN_TOPIC, record.topic.to_owned()));
    headers.push((header::ORIGIN_PARTITION, record.partition.to_string()));
    headers.push((header::ORIGIN_OFFSET, record.offset.to_string()));
    headers.push((header::ORIGIN_TIMESTAMP, record.timestamp_ms.to_string()));
    if let Some(sequence) = record.sequence() {
        headers.push((super::sequence::SEQUENCE_HEADER, sequence.to_header()));
    }
    headers
}

/// Where dead letters go. A letter that cannot be delivered is an error: it is never left out.
pub trait DeadLetters: Send + 'static {
    /// Hands a letter over; it is not safe before it comes back from [`DeadLetters::acknowledged`].
    fn send(&mut self, record: &Record<'_>, rejection: &Rejection) -> Result<()>;

    /// Partition and offset of the origins whose letters were acknowledged since the last call; waits up to `wait` for the first.
    fn acknowledged(&mut self, wait: Duration) -> Result<Vec<(i32, i64)>>;

    /// How many wait for their acknowledgement.
    fn in_flight(&self) -> usize;
}
