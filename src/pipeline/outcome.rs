//! What becomes of a record. Closed: every record has exactly one of these ends, unless a stop comes first.

use crate::rejection::Rejection;

#[derive(Debug, PartialEq)]
pub enum Outcome<T> {
    /// It goes on, as this.
    Keep(T),
    /// A good record that a rule leaves out.
    Filter,
    /// It cannot be used: a dead letter.
    Reject(Rejection),
    /// A stop was asked for while it waited for a server: it stays open, and the next run reads it again. Only when a stop was asked for,
    /// because nothing may follow it.
    Unread,
}
