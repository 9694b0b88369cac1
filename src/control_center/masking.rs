//! What is personal is hidden before anything else sees it: search, tail, JSON, downloads, hex and dead letters all get what is left.
//!
//! In JSON the values of personal fields are hidden, wherever they stand. In what cannot be read as JSON nothing tells what is personal, so
//! only its shape is left: each letter is an x, each digit a 0.

use super::exact_json::Json;

const HIDDEN: &str = "•••";

/// Names of fields whose values are personal, in the event, in the row and in the API's answer, without case, `_` and `-`.
const PERSONAL: [&str; 46] = [
    "address",
    "age",
    "birthdate",
    "birthday",
    "cell",
    "city",
    "coordinates",
    "dateofbirth",
    "dob",
    "email",
    "emailaddress",
    "familyname",
    "first",
    "firstname",
    "fullname",
    "givenname",
    "last",
    "lastname",
    "latitude",
    "location",
    "login",
    "longitude",
    "mail",
    "md5",
    "middlename",
    "mobile",
    "name",
    "nickname",
    "password",
    "phone",
    "phonenumber",
    "picture",
    "postcode",
    "salt",
    "sha1",
    "sha256",
    "ssn",
    "state",
    "street",
    "streetaddress",
    "streetname",
    "streetnumber",
    "surname",
    "username",
    "zip",
    "zipcode",
];

/// Names of objects of the API's answer of which these members are not personal, and all others are.
const MIXED: [&str; 4] = ["dob", "location", "login", "name"];
const SHOWN_OF_MIXED: [&str; 4] = ["country", "timezone", "title", "uuid"];

fn is_in(list: &[&str], name: &str) -> bool {
    let plain: String = name
        .chars()
        .filter(|it| !matches!(it, '_' | '-' | ' ' | '.'))
        .flat_map(char::to_lowercase)
        .collect();
    list.contains(&plain.as_str())
}

/// Whether the values of a field or column of this name are personal.
pub(super) fn is_personal(name: &str) -> bool {
    is_in(&PERSONAL, name)
}

/// A value for showing, or what stands for it.
pub(super) fn value(name: &str, value: &str, reveal: bool) -> String {
    match is_personal(name) && !reveal && !value.is_empty() {
        true => HIDDEN.to_owned(),
        false => value.to_owned(),
    }
}

pub(super) fn json(value: &mut Json) {
    match value {
        Json::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Json::Object(members) if is_in(&MIXED, name) => {
                        for (name, member) in members {
                            match is_in(&SHOWN_OF_MIXED, name) {
                                true => json(member),
                                false => hide(member),
                            }
                            hide_name(name);
                        }
                    }
                    // In the API's answer a number of a passport or the like, with the name of its kind.
                    Json::Object(_) if is_in(&["id"], name) => hide(value),
                    _ if is_personal(name) => hide(value),
                    _ => json(value),
                }
                hide_name(name);
            }
        }
        Json::Array(elements) => elements.iter_mut().for_each(json),
        // A text of which no name tells anything; and JSON in a text, whose names were not looked at.
        Json::Text(text)
            if text.contains('@') || text.trim_start().starts_with(['{', '[', '"']) =>
        {
            HIDDEN.clone_into(text);
        }
        Json::Text(_) | Json::Plain(_) => {}
    }
}

/// Where records are kept by address, the addresses are the names.
fn hide_name(name: &mut String) {
    if name.contains('@') {
        HIDDEN.clone_into(name);
    }
}

fn hide(value: &mut Json) {
    let is_nothing = matches!(value, Json::Plain(text) if text == "null");
    if !is_nothing {
        *value = Json::Text(HIDDEN.to_owned());
    }
}

/// What is left of a text of which nothing is known.
pub(super) fn shape(bytes: &[u8]) -> Vec<u8> {
    let masked = |&byte: &u8| match byte {
        b'0'..=b'9' => b'0',
        b'a'..=b'z' | b'A'..=b'Z' => b'x',
        // No letter of another alphabet is left either.
        0x80.. => 0xff,
        other => other,
    };
    bytes.iter().map(masked).collect()
}

/// A key for showing: an id or a number as it is, of anything else the shape. (A number of more digits may be one of a telephone.)
pub(super) fn key(key: &[u8], reveal: bool) -> Vec<u8> {
    let text = std::str::from_utf8(key).unwrap_or_default();
    let is_number = (1..=6).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'));
    match reveal || is_number || uuid::Uuid::parse_str(text).is_ok() {
        true => key.to_vec(),
        false => shape(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user::event::UserCreated;

    fn masked(text: &str) -> String {
        let mut value = Json::parse(text).unwrap();
        json(&mut value);
        value.line()
    }

    #[test]
    fn names_mail_phone_and_address_are_hidden_wherever_they_stand() {
        assert_eq!(
            masked(
                r#"{"id":"1","first_name":"Ada","e":{"Last-Name":"L","EMAIL":"a@b"},"l":[{"phone":5}],"gender":"female"}"#
            ),
            r#"{"id":"1","first_name":"•••","e":{"Last-Name":"•••","EMAIL":"•••"},"l":[{"phone":"•••"}],"gender":"female"}"#
        );
    }

    #[test]
    fn of_the_answer_of_the_api_what_is_not_personal_is_left() {
        assert_eq!(
            masked(
                r#"{"name":{"title":"Ms","first":"A"},"login":{"uuid":"u","salt":"s"},"location":{"country":"NO","city":"Oslo"}}"#
            ),
            r#"{"name":{"title":"Ms","first":"•••"},"login":{"uuid":"u","salt":"•••"},"location":{"country":"NO","city":"•••"}}"#
        );
    }

    #[test]
    fn of_mixed_objects_only_what_is_known_is_left() {
        assert_eq!(
            masked(
                r#"{"name":{"given":"A"},"dob":{"value":"1990"},"id":{"name":"PPS","value":"0390511T"}}"#
            ),
            r#"{"name":{"given":"•••"},"dob":{"value":"•••"},"id":"•••"}"#
        );
    }

    #[test]
    fn names_json_in_texts_and_what_lies_too_deep_tell_nothing() {
        assert_eq!(masked(r#"{"ada@x.org":1}"#), r#"{"•••":1}"#);
        assert_eq!(
            masked(r#"{"payload":"{\"first_name\":\"Ada\"}"}"#),
            r#"{"payload":"•••"}"#
        );
        let deep = format!(
            "{}{{\"first_name\":\"Ada\"}}{}",
            "[".repeat(100),
            "]".repeat(100)
        );
        assert!(!masked(&deep).contains("Ada"));
    }

    #[test]
    fn nothing_stays_nothing_and_a_personal_object_is_hidden_whole() {
        assert_eq!(
            masked(r#"{"email":null,"address":{"any":"thing"}}"#),
            r#"{"email":null,"address":"•••"}"#
        );
        assert_eq!(masked(r#"{"note":"write to a@b.c"}"#), r#"{"note":"•••"}"#);
    }

    #[test]
    fn every_field_of_an_event_is_either_personal_or_known_to_be_shown() {
        let shown = ["id", "gender", "country", "registered_date", "nationality"];
        let event = serde_json::from_str::<UserCreated<'_>>("{}").unwrap();
        let fields = serde_json::to_value(event).unwrap();
        for (name, _) in fields.as_object().unwrap() {
            assert_ne!(is_personal(name), shown.contains(&name.as_str()), "{name}");
        }
    }

    #[test]
    fn of_other_bytes_only_the_shape_is_left() {
        assert_eq!(
            shape(b"{\"n\": \"Ada 42\xc3\xa4\"}"),
            b"{\"x\": \"xxx 00\xff\xff\"}"
        );
    }

    #[test]
    fn an_id_is_no_secret() {
        let id = b"0b8a1c5e-35c1-4d5c-8b8f-6b8f3a1d2c3e";
        assert_eq!(key(id, false), id);
        assert_eq!(key(b"42", false), b"42");
        assert_eq!(key(b"ada@x.org", false), b"xxx@x.xxx");
        assert_eq!(key(b"ada@x.org", true), b"ada@x.org");
        for number in [&b"+4712345678"[..], b"004712345678", b"12345678", b"-1"] {
            assert_eq!(key(number, false), shape(number), "a telephone's");
        }
    }
}
