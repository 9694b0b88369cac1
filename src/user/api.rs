//! A user as the randomuser.me API sends it: versions 1.2 to 1.4 as they are, older ones as far as they can be read.
//!
//! Only what goes on to the topic is read here; the raw record keeps the rest. Source of the shapes: the API's documentation
//! (<https://randomuser.me/documentation>) and recorded answers.

use std::borrow::Cow;

use serde::Deserialize;
use uuid::Uuid;

use super::api_layout;
use super::decode::{decode, text, text_of, text_or_number};
use crate::rejection::{Reason, Rejection};

#[derive(Debug, PartialEq, Deserialize)]
pub struct RandomUser<'a> {
    #[serde(borrow, default, deserialize_with = "text")]
    pub gender: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub name: Option<Name<'a>>,
    #[serde(borrow, default)]
    pub location: Option<Location<'a>>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub email: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub login: Option<Login<'a>>,
    #[serde(borrow, default)]
    pub dob: Option<Moment<'a>>,
    #[serde(borrow, default)]
    pub registered: Option<Moment<'a>>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub phone: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub picture: Option<Picture<'a>>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub nat: Option<Cow<'a, str>>,
}

#[derive(Debug, PartialEq, Deserialize)]
pub struct Name<'a> {
    #[serde(borrow, default, deserialize_with = "text")]
    pub first: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub last: Option<Cow<'a, str>>,
}

#[derive(Debug, PartialEq, Deserialize)]
pub struct Location<'a> {
    #[serde(borrow, default)]
    pub street: Option<Street<'a>>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub city: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub state: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub country: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text_or_number")]
    pub postcode: Option<Cow<'a, str>>,
}

/// From version 1.3 on a number and a name; before that one text.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Street<'a> {
    Parts {
        #[serde(default)]
        number: Option<i64>,
        #[serde(borrow, default)]
        name: Option<Cow<'a, str>>,
    },
    Line(#[serde(borrow)] Cow<'a, str>),
}

#[derive(Debug, PartialEq, Deserialize)]
pub struct Login<'a> {
    #[serde(borrow, default, deserialize_with = "text")]
    pub uuid: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub username: Option<Cow<'a, str>>,
}

/// A point in time; the age beside it follows the clock of the API and is left where it is.
#[derive(Debug, PartialEq, Deserialize)]
pub struct Moment<'a> {
    #[serde(borrow, default, deserialize_with = "text")]
    pub date: Option<Cow<'a, str>>,
}

#[derive(Debug, PartialEq, Deserialize)]
pub struct Picture<'a> {
    #[serde(borrow, default, deserialize_with = "text")]
    pub medium: Option<Cow<'a, str>>,
}

impl<'a> RandomUser<'a> {
    /// Reads one element of `results`. A record without an id is named so, whatever else is odd about it: versions before 1.2
    /// have none.
    pub fn decode(raw: &'a [u8]) -> Result<(Uuid, Self), Rejection> {
        let user: Self = text_of(raw)
            .and_then(|text| api_layout::read(text).map_or_else(|| decode(text), Ok))
            .map_err(|rejection| match id_of(raw) {
                Some(_) => rejection,
                None if rejection.reason == Reason::WrongType => missing_id(),
                None => rejection,
            })?;
        let text = user
            .login
            .as_ref()
            .and_then(|login| login.uuid.as_deref())
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .ok_or_else(missing_id)?;
        let id = Uuid::try_parse(text)
            .map_err(|_| Rejection::field(Reason::MalformedId, "login.uuid"))?;
        Ok((id, user))
    }
}

fn missing_id() -> Rejection {
    Rejection::field(Reason::MissingField, "login.uuid")
}

/// The id alone, of a record that cannot be read as a whole.
pub fn id_of(raw: &[u8]) -> Option<Uuid> {
    #[derive(Deserialize)]
    struct Whole<'a> {
        #[serde(borrow)]
        login: Login<'a>,
    }
    let whole: Whole<'_> = serde_json::from_slice(raw).ok()?;
    Uuid::try_parse(whole.login.uuid.as_deref()?.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(raw: &str) -> (Reason, Option<String>) {
        let rejection = RandomUser::decode(raw.as_bytes()).unwrap_err();
        (rejection.reason, rejection.field.map(Cow::into_owned))
    }

    const ID: &str = "12f65339-35f4-4a32-beeb-2ae479e41cb8";

    #[test]
    fn reads_both_forms_of_street_and_postcode() {
        let raw = format!(
            r#"{{"login":{{"uuid":"{ID}"}},"location":{{"street":{{"number":7,"name":"Rue X"}},"postcode":1234}}}}"#
        );
        let (_, user) = RandomUser::decode(raw.as_bytes()).unwrap();
        let location = user.location.unwrap();
        assert_eq!(location.postcode.as_deref(), Some("1234"));
        assert!(matches!(
            location.street,
            Some(Street::Parts {
                number: Some(7),
                ..
            })
        ));

        let raw = format!(
            r#"{{"login":{{"uuid":"{ID}"}},"location":{{"street":"rue x 7","postcode":"A1"}}}}"#
        );
        let (_, user) = RandomUser::decode(raw.as_bytes()).unwrap();
        assert!(matches!(
            user.location.unwrap().street,
            Some(Street::Line(_))
        ));
    }

    #[test]
    fn ignores_what_the_pipeline_does_not_use() {
        let raw = format!(r#"{{"login":{{"uuid":"{ID}","md5":5}},"id":1,"new":[[]]}}"#);
        assert!(RandomUser::decode(raw.as_bytes()).is_ok());
    }

    #[test]
    fn a_record_of_an_older_version_is_apart_for_its_missing_id() {
        let missing = (Reason::MissingField, Some("login.uuid".to_owned()));
        assert_eq!(reason(r#"{"user":{"username":"x"}}"#), missing);
        assert_eq!(
            reason(r#"{"login":{"username":"x"},"dob":"1949-07-22 03:15:55"}"#),
            missing
        );
        assert_eq!(
            reason(r#"{"login":{"username":"x"},"dob":449536660}"#),
            missing
        );
    }

    #[test]
    fn names_the_field_of_another_type() {
        let raw = format!(r#"{{"login":{{"uuid":"{ID}"}},"name":{{"first":5}}}}"#);
        assert_eq!(
            reason(&raw),
            (Reason::WrongType, Some("name.first".to_owned()))
        );
    }

    #[test]
    fn tells_the_kinds_of_unreadable_apart() {
        assert_eq!(reason("[1]").0, Reason::WrongShape);
        assert_eq!(reason("{").0, Reason::InvalidJson);
        assert_eq!(reason("").0, Reason::EmptyValue);
        assert_eq!(reason(r#"{"login":{"uuid":"x"}}"#).0, Reason::MalformedId);
    }
}
