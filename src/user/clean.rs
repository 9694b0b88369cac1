//! From the event to the row: trimmed, Unicode NFC, lower-case e-mail and gender, times parsed, the address on one line.

use std::borrow::Cow;
use std::fmt::Write;

use jiff::Timestamp;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use uuid::Uuid;

use super::event::UserCreated;
use super::row::CreatedUser;
use crate::rejection::{Reason, Rejection};

/// A text of more characters is rejected: no name, address or e-mail has as many, and a summary must stay small.
pub const MAX_CHARACTERS: usize = 1_000;

/// Only the id and the two names are demanded; a blank text is the same as none.
pub fn clean(event: UserCreated<'_>) -> Result<CreatedUser<'_>, Rejection> {
    let UserCreated {
        id,
        first_name,
        last_name,
        gender,
        street_number,
        street_name,
        city,
        state,
        country,
        post_code,
        email,
        username,
        dob,
        registered_date,
        phone,
        picture,
        nationality,
    } = event;
    let id = demanded("id", id)?;
    let id = Uuid::try_parse(&id).map_err(|_| Rejection::field(Reason::MalformedId, "id"))?;
    let country = tidy("country", country)?;
    let address = address(
        street_number,
        [
            tidy("street_name", street_name)?,
            tidy("city", city)?,
            tidy("state", state)?,
            country.clone(),
        ],
    );
    Ok(CreatedUser {
        id,
        first_name: demanded("first_name", first_name)?,
        last_name: demanded("last_name", last_name)?,
        gender: tidy("gender", gender.map(lower_case))?,
        address,
        post_code: tidy("post_code", post_code)?,
        email: tidy("email", email.map(lower_case))?,
        username: tidy("username", username)?,
        dob_ms: time_ms("dob", dob)?,
        registered_date_ms: time_ms("registered_date", registered_date)?,
        phone: tidy("phone", phone)?,
        picture: tidy("picture", picture)?,
        nationality: tidy("nationality", nationality)?.map(upper_case),
        country,
    })
}

fn demanded<'a>(
    field: &'static str,
    value: Option<Cow<'a, str>>,
) -> Result<Cow<'a, str>, Rejection> {
    tidy(field, value)?.ok_or(Rejection::field(Reason::MissingField, field))
}

/// Trimmed and in NFC (Unicode Standard Annex 15); nothing when that leaves nothing.
fn tidy<'a>(
    field: &'static str,
    value: Option<Cow<'a, str>>,
) -> Result<Option<Cow<'a, str>>, Rejection> {
    let Some(value) = value else { return Ok(None) };
    let text = match value {
        Cow::Borrowed(text) => normal(text.trim()),
        Cow::Owned(text) => Cow::Owned(normal(text.trim()).into_owned()),
    };
    if text.is_empty() {
        return Ok(None);
    }
    if text.len() > MAX_CHARACTERS && text.chars().count() > MAX_CHARACTERS {
        return Err(Rejection::field(Reason::TooLong, field));
    }
    Ok(Some(text))
}

fn normal(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

fn upper_case(code: Cow<'_, str>) -> Cow<'_, str> {
    if code.bytes().any(|byte| byte.is_ascii_lowercase()) {
        Cow::Owned(code.to_ascii_uppercase())
    } else {
        code
    }
}

/// Before the text is tidied: lower-casing can make it longer and take it out of NFC (İ becomes i and a combining dot).
fn lower_case(text: Cow<'_, str>) -> Cow<'_, str> {
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if plain {
        text
    } else {
        text.to_lowercase().into()
    }
}

/// `number street, city, state, country`, without the parts that are absent.
fn address(number: Option<i64>, parts: [Option<Cow<'_, str>>; 4]) -> Option<Cow<'static, str>> {
    let mut line = String::with_capacity(96);
    if let Some(number) = number {
        // Writing to a text cannot fail.
        let _ = write!(line, "{number}");
    }
    for (place, part) in parts.into_iter().enumerate() {
        let Some(part) = part else { continue };
        if !line.is_empty() {
            line.push_str(if place == 0 { " " } else { ", " });
        }
        line.push_str(&part);
    }
    (!line.is_empty()).then_some(Cow::Owned(line))
}

fn time_ms(field: &'static str, value: Option<Cow<'_, str>>) -> Result<Option<i64>, Rejection> {
    let Some(value) = value else { return Ok(None) };
    let text = value.trim();
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse::<Timestamp>() {
        Ok(time) => Ok(Some(time.as_millisecond())),
        Err(_) => Err(Rejection::field(Reason::ImpossibleDate, field)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "12f65339-35f4-4a32-beeb-2ae479e41cb8";

    fn cleaned(fields: &str) -> Result<CreatedUser<'static>, Rejection> {
        let json = format!(r#"{{"id":"{ID}","first_name":"Ada","last_name":"Lovelace"{fields}}}"#);
        Ok(clean(UserCreated::decode(json.as_bytes())?)?.into_owned())
    }

    #[test]
    fn a_full_event_becomes_a_full_row() {
        let row = cleaned(
            r#","gender":"FEMALE","street_number":12,"street_name":"St James's Square ","city":" London","state":"Greater London",
            "country":"United Kingdom","post_code":12345,"email":"Ada.L@Example.COM","username":"tinypeacock223",
            "dob":"1944-12-10T12:00:00.250Z","registered_date":"2010-01-02T03:04:05Z","phone":"01 2","picture":"https://x/m.jpg",
            "nationality":"gb""#,
        )
        .unwrap();
        assert_eq!(
            row.address.as_deref(),
            Some("12 St James's Square, London, Greater London, United Kingdom")
        );
        assert_eq!(row.gender.as_deref(), Some("female"));
        assert_eq!(row.email.as_deref(), Some("ada.l@example.com"));
        assert_eq!(row.post_code.as_deref(), Some("12345"));
        assert_eq!(row.nationality.as_deref(), Some("GB"));
        assert_eq!(row.dob_ms, Some(-790_775_999_750));
        assert_eq!(row.registered_date_ms, Some(1_262_401_445_000));
    }

    #[test]
    fn composes_what_was_decomposed() {
        let row = cleaned(r#","city":"Ra\u030akva\u030agen""#).unwrap();
        assert_eq!(row.address.as_deref(), Some("Råkvågen"));
    }

    #[test]
    fn a_street_of_one_text_and_no_country_still_makes_an_address() {
        let row = cleaned(r#","street_name":"poppelstien 4640","city":"gullhaug""#).unwrap();
        assert_eq!(row.address.as_deref(), Some("poppelstien 4640, gullhaug"));
        assert_eq!(row.country, None);
    }

    #[test]
    fn a_time_that_no_calendar_has_is_rejected_by_its_field() {
        for time in [
            "1990-02-30T00:00:00Z",
            "1990-13-01T00:00:00Z",
            "yesterday",
            "1990-01-01",
            "643161600",
        ] {
            let rejection = cleaned(&format!(r#","dob":"{time}""#)).unwrap_err();
            assert_eq!(
                rejection,
                Rejection::field(Reason::ImpossibleDate, "dob"),
                "{time}"
            );
        }
    }

    #[test]
    fn demands_an_id_and_names() {
        let reject = |json: &str| {
            clean(UserCreated::decode(json.as_bytes()).unwrap())
                .unwrap_err()
                .to_string()
        };
        assert_eq!(reject("{}"), "missing_field (id)");
        assert_eq!(reject(r#"{"id":"7"}"#), "malformed_id (id)");
        assert_eq!(
            reject(&format!(r#"{{"id":"{ID}","first_name":" "}}"#)),
            "missing_field (first_name)"
        );
        assert_eq!(
            reject(&format!(r#"{{"id":"{ID}","first_name":"A"}}"#)),
            "missing_field (last_name)"
        );
    }

    #[test]
    fn a_text_beyond_all_use_is_rejected() {
        let fits = "x".repeat(MAX_CHARACTERS);
        assert!(cleaned(&format!(r#","city":"{fits}""#)).is_ok());
        let rejection = cleaned(&format!(r#","city":"{fits}x""#)).unwrap_err();
        assert_eq!(rejection, Rejection::field(Reason::TooLong, "city"));
    }
}
