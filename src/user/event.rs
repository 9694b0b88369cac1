//! The event on the topic `user_created`: one user, flat, with the names that the tables use, and without the secrets of the API's answer
//! (password, salt and hashes stay in PostgreSQL).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::api::{RandomUser, Street};
use super::decode::{decode, text, text_of, text_or_number};
use super::own_layout;
use crate::rejection::{Reason, Rejection};

/// The largest event, in bytes of JSON. A Kafka broker takes records of 1 MiB by default, headers and framing included.
pub const MAX_EVENT_BYTES: usize = 900_000;
/// Hardly any event is larger.
const USUAL_EVENT_BYTES: usize = 640;

/// Times are ISO 8601 texts as the API gave them; they are parsed when the record is cleaned.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct UserCreated<'a> {
    #[serde(borrow, deserialize_with = "text")]
    #[serde(default)]
    pub id: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub first_name: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub last_name: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub gender: Option<Cow<'a, str>>,
    #[serde(default)]
    pub street_number: Option<i64>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub street_name: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub city: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub state: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub country: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text_or_number")]
    pub post_code: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub email: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub username: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub dob: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub registered_date: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub phone: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub picture: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub nationality: Option<Cow<'a, str>>,
}

impl<'a> UserCreated<'a> {
    /// Reads the value of a record of the topic.
    pub fn decode(value: &'a [u8]) -> Result<Self, Rejection> {
        let text = text_of(value)?;
        own_layout::read(text).map_or_else(|| decode(text), Ok)
    }

    /// The event of a user, named field by field so that the compiler lists this place when one is added.
    pub fn of(id: Uuid, user: RandomUser<'a>) -> Self {
        let RandomUser {
            gender,
            name,
            location,
            email,
            login,
            dob,
            registered,
            phone,
            picture,
            nat,
        } = user;
        let (first_name, last_name) = name.map_or((None, None), |name| (name.first, name.last));
        let (street, city, state, country, postcode) = match location {
            Some(it) => (it.street, it.city, it.state, it.country, it.postcode),
            None => (None, None, None, None, None),
        };
        let (street_number, street_name) = match street {
            Some(Street::Parts { number, name }) => (number, name),
            Some(Street::Line(line)) => (None, Some(line)),
            None => (None, None),
        };
        Self {
            id: Some(Cow::Owned(id.to_string())),
            first_name,
            last_name,
            gender,
            street_number,
            street_name,
            city,
            state,
            country,
            post_code: postcode,
            email,
            username: login.and_then(|login| login.username),
            dob: dob.and_then(|moment| moment.date),
            registered_date: registered.and_then(|moment| moment.date),
            phone,
            picture: picture.and_then(|picture| picture.medium),
            nationality: nat,
        }
    }

    /// The value of the record on the topic: JSON in UTF-8.
    pub fn encode(&self) -> Result<Vec<u8>, Rejection> {
        let mut bytes = Vec::with_capacity(USUAL_EVENT_BYTES);
        serde_json::to_writer(&mut bytes, self).map_err(|_| Rejection::of(Reason::WrongShape))?;
        if bytes.len() > MAX_EVENT_BYTES {
            return Err(Rejection::of(Reason::TooLarge));
        }
        Ok(bytes)
    }
}
