//! A record of a topic, as a job sees it.

use super::sequence::Sequence;

/// Borrowed from the client's buffer. Shows where it stands in a log, never what it holds.
pub struct Record<'a> {
    pub topic: &'a str,
    pub partition: i32,
    pub offset: i64,
    /// Milliseconds since 1970-01-01T00:00:00Z; 0 when the record carries none.
    pub timestamp_ms: i64,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    /// Looks for the header of the sequence, which not every job needs.
    pub read_sequence: &'a dyn Fn() -> Option<Sequence>,
}

impl Record<'_> {
    /// Its place in the order of landing, when the publisher told it.
    pub fn sequence(&self) -> Option<Sequence> {
        (self.read_sequence)()
    }
}
