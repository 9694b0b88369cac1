//! The API of random users: pages of a seed, checked before they are believed.

mod answer;
mod client;
mod pace;

pub use answer::Page;
pub use client::{Api, ApiSettings};
pub use pace::Pace;

/// The public API, which takes 20,000 users from one address in five minutes.
pub const PUBLIC_API_URL: &str = "https://randomuser.me/api/";

/// The most users in one answer.
pub const MAX_PAGE_SIZE: u32 = 5_000;

/// The highest page number.
pub const MAX_PAGE: u32 = 10_000;

/// The API reads a meaning into seeds of this many UTF-16 code units: it takes the last two for a nationality.
const MEANINGFUL_SEED_LENGTH: usize = 18;

/// Whether the API takes the seed for a seed and nothing else.
pub fn is_plain_seed(seed: &str) -> bool {
    !seed.is_empty() && seed.encode_utf16().count() != MEANINGFUL_SEED_LENGTH
}
