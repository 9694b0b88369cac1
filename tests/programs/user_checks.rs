//! What must hold for every row, whatever it was made of.

use std::borrow::Cow;

use jiff::Timestamp;
use proptest::prelude::*;
use streamflow::rejection::Rejection;
use streamflow::user::clean::{MAX_CHARACTERS, clean, decode_and_clean};
use streamflow::user::event::UserCreated;
use streamflow::user::row::CreatedUser;
use streamflow::user::summary::each_value;
use unicode_normalization::is_nfc;

/// As the jobs read a record; in two steps it must be the same.
pub fn read(value: &[u8]) -> Result<CreatedUser<'_>, Rejection> {
    let row = decode_and_clean(value);
    assert_eq!(row, UserCreated::decode(value).and_then(clean));
    row
}

/// What each row must be, whatever it was made of.
pub fn check(row: &CreatedUser<'_>) -> Result<(), TestCaseError> {
    let optional = [
        &row.gender,
        &row.post_code,
        &row.email,
        &row.username,
        &row.phone,
        &row.picture,
        &row.nationality,
        &row.country,
    ];
    let texts = optional
        .into_iter()
        .flatten()
        .chain([&row.first_name, &row.last_name]);
    for text in texts {
        prop_assert!(
            text.chars().count() <= MAX_CHARACTERS,
            "{} characters",
            text.chars().count()
        );
        prop_assert!(
            is_nfc(text) && text.trim() == text && !text.is_empty(),
            "{text:?}"
        );
    }
    if let Some(address) = &row.address {
        prop_assert!(
            is_nfc(address) && address.trim() == address && !address.is_empty(),
            "{address:?}"
        );
        prop_assert!(address.chars().count() <= 4 * MAX_CHARACTERS + 40);
    }
    for text in [&row.gender, &row.email].into_iter().flatten() {
        prop_assert_eq!(text, &text.to_lowercase());
    }
    let texts: usize = [&row.email, &row.address]
        .into_iter()
        .flatten()
        .map(|text| text.len())
        .sum();
    prop_assert!(row.size_bytes() >= texts);
    // Summaries and ages are made of any row.
    each_value(row, 1_700_000_000_000, |_, value| {
        assert!(!value.is_empty())
    });
    Ok(())
}

/// A cleaned row, sent through once more, is the same row.
pub fn check_again(row: &CreatedUser<'_>) -> Result<(), TestCaseError> {
    let event = UserCreated {
        id: Some(row.id.to_string().into()),
        first_name: Some(row.first_name.as_ref().into()),
        last_name: Some(row.last_name.as_ref().into()),
        gender: row.gender.as_deref().map(Cow::from),
        street_number: None,
        street_name: None,
        city: None,
        state: None,
        country: row.country.as_deref().map(Cow::from),
        post_code: row.post_code.as_deref().map(Cow::from),
        email: row.email.as_deref().map(Cow::from),
        username: row.username.as_deref().map(Cow::from),
        dob: row.dob_ms.map(|ms| time(ms).into()),
        registered_date: row.registered_date_ms.map(|ms| time(ms).into()),
        phone: row.phone.as_deref().map(Cow::from),
        picture: row.picture.as_deref().map(Cow::from),
        nationality: row.nationality.as_deref().map(Cow::from),
    };
    let again = clean(event).map_err(|rejection| TestCaseError::fail(rejection.to_string()))?;
    let expected = CreatedUser {
        address: row.country.clone(),
        ..row.clone()
    };
    prop_assert_eq!(again, expected);
    Ok(())
}

pub fn time(ms: i64) -> String {
    Timestamp::from_millisecond(ms).unwrap().to_string()
}
