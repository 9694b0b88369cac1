//! JSON behind the header of the wire format. It is read like plain JSON.

use crate::rejection::{Reason, Rejection};
use crate::user::event::UserCreated;

/// Adds the payload to a header.
pub(super) fn encode(event: &UserCreated<'_>, mut value: Vec<u8>) -> Result<Vec<u8>, Rejection> {
    serde_json::to_writer(&mut value, event).map_err(|_| Rejection::of(Reason::WrongShape))?;
    Ok(value)
}
