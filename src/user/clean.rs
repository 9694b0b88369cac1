//! From the event to the row: trimmed, Unicode NFC, lower-case e-mail and gender, times parsed, the address on one line.

use std::borrow::Cow;

use jiff::Timestamp;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use uuid::Uuid;

use super::decode::{decode, text_of};
use super::event::UserCreated;
use super::own_layout;
use super::row::CreatedUser;
use super::time::usual_ms;
use crate::rejection::{Reason, Rejection};

/// A text of more characters is rejected: no name, address or e-mail has as many, and a summary must stay small.
pub const MAX_CHARACTERS: usize = 1_000;

/// Only the id and the two names are demanded; a blank text is the same as none.
pub fn clean(event: UserCreated<'_>) -> Result<CreatedUser<'_>, Rejection> {
    cleaned::<false>(event)
}

/// The same from the value of a record.
pub fn decode_and_clean(value: &[u8]) -> Result<CreatedUser<'_>, Rejection> {
    let text = text_of(value)?;
    match own_layout::read(text) {
        // One look at all texts in place of one at each: nothing is escaped there.
        Some(event) if highest(text) < MARKS => cleaned::<true>(event),
        Some(event) => cleaned::<false>(event),
        None => decode(text).and_then(clean),
    }
}

fn highest(text: &str) -> u8 {
    text.bytes().fold(0, u8::max)
}

fn cleaned<const BELOW_THE_MARKS: bool>(
    event: UserCreated<'_>,
) -> Result<CreatedUser<'_>, Rejection> {
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
    let id = demanded::<BELOW_THE_MARKS>("id", id)?;
    let id = Uuid::try_parse(&id).map_err(|_| Rejection::field(Reason::MalformedId, "id"))?;
    let country = tidy::<BELOW_THE_MARKS>("country", country)?;
    let address = address(
        street_number,
        [
            tidy::<BELOW_THE_MARKS>("street_name", street_name)?,
            tidy::<BELOW_THE_MARKS>("city", city)?,
            tidy::<BELOW_THE_MARKS>("state", state)?,
            country.clone(),
        ],
    );
    Ok(CreatedUser {
        id,
        first_name: demanded::<BELOW_THE_MARKS>("first_name", first_name)?,
        last_name: demanded::<BELOW_THE_MARKS>("last_name", last_name)?,
        gender: tidy::<BELOW_THE_MARKS>("gender", gender.map(lower_case))?,
        address,
        post_code: tidy::<BELOW_THE_MARKS>("post_code", post_code)?,
        email: tidy::<BELOW_THE_MARKS>("email", email.map(lower_case))?,
        username: tidy::<BELOW_THE_MARKS>("username", username)?,
        dob_ms: time_ms("dob", dob)?,
        registered_date_ms: time_ms("registered_date", registered_date)?,
        phone: tidy::<BELOW_THE_MARKS>("phone", phone)?,
        picture: tidy::<BELOW_THE_MARKS>("picture", picture)?,
        nationality: tidy::<BELOW_THE_MARKS>("nationality", nationality)?.map(upper_case),
        country,
    })
}

/// The first byte of U+0300 in UTF-8.
const MARKS: u8 = 0xcc;

#[inline(always)]
fn demanded<'a, const BELOW_THE_MARKS: bool>(
    field: &'static str,
    value: Option<Cow<'a, str>>,
) -> Result<Cow<'a, str>, Rejection> {
    tidy::<BELOW_THE_MARKS>(field, value)?.ok_or(Rejection::field(Reason::MissingField, field))
}

/// Trimmed and in NFC (Unicode Standard Annex 15); nothing when that leaves nothing.
#[inline(always)]
fn tidy<'a, const BELOW_THE_MARKS: bool>(
    field: &'static str,
    value: Option<Cow<'a, str>>,
) -> Result<Option<Cow<'a, str>>, Rejection> {
    match value {
        // Nearly all of them, and then nothing is moved.
        Some(Cow::Borrowed(text)) if is_tidy::<BELOW_THE_MARKS>(text) => {
            Ok(Some(Cow::Borrowed(text)))
        }
        None => Ok(None),
        Some(other) => tidied(field, other),
    }
}

/// Whether it is as it must be for sure.
#[inline(always)]
fn is_tidy<const BELOW_THE_MARKS: bool>(text: &str) -> bool {
    text.len() <= MAX_CHARACTERS
        && matches!(text.as_bytes(), [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic())
        && (BELOW_THE_MARKS || is_below_the_marks(text))
}

#[inline(never)]
fn tidied<'a>(field: &'static str, value: Cow<'a, str>) -> Result<Option<Cow<'a, str>>, Rejection> {
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
    if is_below_the_marks(text) || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

/// No character from U+0300 on, where those begin that are composed with others: such a text is in NFC. Looks at eight bytes at once, since
/// most texts are short; the last eight may overlap those before.
#[inline(always)]
fn is_below_the_marks(text: &str) -> bool {
    const EACH: u64 = u64::from_le_bytes([1; 8]);
    let bytes = text.as_bytes();
    let Some(last) = bytes.last_chunk() else {
        return bytes.iter().all(|&byte| byte < MARKS);
    };
    let has_marks = |eight: &[u8; 8]| {
        let eight = u64::from_le_bytes(*eight);
        // The highest bit of a byte is set, and the sum of the others with what is missing to MARKS comes up to it, too.
        let beyond = (eight & (0x7f * EACH)) + (0x80 - u64::from(MARKS & 0x7f)) * EACH;
        eight & beyond & (0x80 * EACH) != 0
    };
    let (eights, _) = bytes.as_chunks::<8>();
    !eights.iter().any(has_marks) && !has_marks(last)
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
    let other = |found, byte: u8| found | !byte.is_ascii() | byte.is_ascii_uppercase();
    if !text.bytes().fold(false, other) {
        text
    } else {
        text.to_lowercase().into()
    }
}

/// `number street, city, state, country`, without the parts that are absent.
fn address(number: Option<i64>, parts: [Option<Cow<'_, str>>; 4]) -> Option<Cow<'static, str>> {
    let mut line = String::with_capacity(96);
    if let Some(number) = number {
        line.push_str(itoa::Buffer::new().format(number));
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
    if let Some(ms) = usual_ms(&value) {
        return Ok(Some(ms));
    }
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
    fn below_the_marks_every_text_is_in_its_normal_form() {
        let below: String = ('\0'..'\u{300}').collect();
        assert!(is_below_the_marks(&below));
        assert_eq!(is_nfc_quick(below.chars()), IsNormalized::Yes);
        for character in ['\u{300}', '\u{1100}', '\u{ffff}', '\u{10000}'] {
            for (before, after) in
                (0..20).flat_map(|before| (0..20).map(move |after| (before, after)))
            {
                let text = format!("{}{character}{}", "é".repeat(before), "a".repeat(after));
                assert!(!is_below_the_marks(&text), "{text}");
            }
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
