//! Sixteen bytes that stand for a row, a letter or a record of the API: equal for what is equal, different for all else.

use sha2::{Digest as _, Sha256};

use crate::user::fingerprint::Fingerprint;
use crate::user::row::CreatedUser;

pub(super) type Digest = [u8; 16];

/// Of all columns but the id. Each is named, so that the compiler lists this place when the row gets another.
pub(super) fn of_user(user: &CreatedUser<'_>) -> Digest {
    let CreatedUser {
        id: _,
        first_name,
        last_name,
        gender,
        address,
        post_code,
        email,
        username,
        dob_ms,
        registered_date_ms,
        phone,
        picture,
        nationality,
        country,
    } = user;
    let mut hash = Sha256::new();
    for text in [first_name, last_name] {
        add(&mut hash, Some(text.as_bytes()));
    }
    for text in [
        gender,
        address,
        post_code,
        email,
        username,
        phone,
        picture,
        nationality,
        country,
    ] {
        add(&mut hash, text.as_deref().map(str::as_bytes));
    }
    for time_ms in [dob_ms, registered_date_ms] {
        let bytes = time_ms.map(i64::to_be_bytes);
        add(&mut hash, bytes.as_ref().map(<[u8; 8]>::as_slice));
    }
    first_half(&hash.finalize().into())
}

/// Of key and value of a record, which a dead letter keeps as they came.
pub(super) fn of_record(key: Option<&[u8]>, value: Option<&[u8]>) -> Digest {
    let mut hash = Sha256::new();
    add(&mut hash, key);
    add(&mut hash, value);
    first_half(&hash.finalize().into())
}

/// The tag and the length keep neighbours apart.
fn add(hash: &mut Sha256, bytes: Option<&[u8]>) {
    match bytes {
        None => hash.update([0]),
        Some(bytes) => {
            hash.update([1]);
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        }
    }
}

pub(super) fn first_half(bytes: &Fingerprint) -> Digest {
    let mut half = Digest::default();
    half.copy_from_slice(&bytes[..16]);
    half
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_and_an_empty_text_and_neighbours_are_told_apart() {
        let digests = [
            of_record(None, Some(b"")),
            of_record(Some(b""), None),
            of_record(Some(b"a"), Some(b"b")),
            of_record(Some(b"ab"), Some(b"")),
            of_record(Some(b""), Some(b"ab")),
            of_record(None, Some(b"ab")),
            of_record(Some(b"a"), Some(b"b\x01")),
            of_record(Some(b"a\x01b"), Some(b"")),
        ];
        for (place, digest) in digests.iter().enumerate() {
            assert!(!digests[..place].contains(digest), "{place}");
        }
    }
}
