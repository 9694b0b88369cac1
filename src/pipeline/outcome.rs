//! What becomes of a record. Closed: every record has exactly one of these ends.

use crate::rejection::Rejection;

#[derive(Debug, PartialEq)]
pub enum Outcome<T> {
    /// It goes on, as this.
    Keep(T),
    /// A good record that a rule leaves out.
    Filter,
    /// It cannot be used: a dead letter.
    Reject(Rejection),
}
