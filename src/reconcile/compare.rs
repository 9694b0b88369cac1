//! What entries of one key say together. Pure.

mod landing;
mod letters;
#[cfg(test)]
mod properties;
mod users;

pub(super) use landing::landing;
pub(super) use letters::letters;
pub(super) use users::user;
