//! Protobuf by `schemas/user_created.proto`. A field is known by its number: an unknown one is skipped, a missing one is absent.

use std::borrow::Cow;

use prost::Message;

use crate::rejection::{Reason, Rejection};
use crate::user::event::UserCreated;

/// The message of `schemas/user_created.proto`, written by hand so that no compiler of Protobuf is needed to build.
#[derive(Clone, PartialEq, Message)]
struct UserCreatedMessage {
    #[prost(string, optional, tag = "1")]
    id: Option<String>,
    #[prost(string, optional, tag = "2")]
    first_name: Option<String>,
    #[prost(string, optional, tag = "3")]
    last_name: Option<String>,
    #[prost(string, optional, tag = "4")]
    gender: Option<String>,
    #[prost(int64, optional, tag = "5")]
    street_number: Option<i64>,
    #[prost(string, optional, tag = "6")]
    street_name: Option<String>,
    #[prost(string, optional, tag = "7")]
    city: Option<String>,
    #[prost(string, optional, tag = "8")]
    state: Option<String>,
    #[prost(string, optional, tag = "9")]
    country: Option<String>,
    #[prost(string, optional, tag = "10")]
    post_code: Option<String>,
    #[prost(string, optional, tag = "11")]
    email: Option<String>,
    #[prost(string, optional, tag = "12")]
    username: Option<String>,
    #[prost(string, optional, tag = "13")]
    dob: Option<String>,
    #[prost(string, optional, tag = "14")]
    registered_date: Option<String>,
    #[prost(string, optional, tag = "15")]
    phone: Option<String>,
    #[prost(string, optional, tag = "16")]
    picture: Option<String>,
    #[prost(string, optional, tag = "17")]
    nationality: Option<String>,
}

/// Adds message indexes and message to a header. The indexes of the first message of a schema, `[0]`, are one zero byte.
pub(super) fn encode(event: &UserCreated<'_>, mut value: Vec<u8>) -> Vec<u8> {
    value.push(0);
    let message = UserCreatedMessage::of(event);
    value.reserve(message.encoded_len());
    message.encode_raw(&mut value);
    value
}

pub(super) fn decode(payload: &[u8]) -> Result<UserCreated<'static>, Rejection> {
    let message = of_the_first_message(payload)?;
    match UserCreatedMessage::decode(message) {
        Ok(message) => Ok(message.into_event()),
        Err(_) => Err(Rejection::of(Reason::SchemaMismatch)),
    }
}

/// What follows the message indexes: zigzag varints, their number first. Other messages than the first of a schema are no users.
fn of_the_first_message(payload: &[u8]) -> Result<&[u8], Rejection> {
    match payload {
        // `[0]`, and the same told at length.
        [0, message @ ..] | [2, 0, message @ ..] => Ok(message),
        [] => Err(Rejection::of(Reason::SchemaMismatch)),
        // A number of indexes below zero.
        [number, ..] if number & 1 == 1 => Err(Rejection::of(Reason::SchemaMismatch)),
        _ => Err(Rejection::of(Reason::OtherMessage)),
    }
}

impl UserCreatedMessage {
    fn of(event: &UserCreated<'_>) -> Self {
        let text = |text: &Option<Cow<'_, str>>| text.as_deref().map(str::to_owned);
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
        Self {
            id: text(id),
            first_name: text(first_name),
            last_name: text(last_name),
            gender: text(gender),
            street_number: *street_number,
            street_name: text(street_name),
            city: text(city),
            state: text(state),
            country: text(country),
            post_code: text(post_code),
            email: text(email),
            username: text(username),
            dob: text(dob),
            registered_date: text(registered_date),
            phone: text(phone),
            picture: text(picture),
            nationality: text(nationality),
        }
    }

    fn into_event(self) -> UserCreated<'static> {
        let text = |text: Option<String>| text.map(Cow::Owned);
        let Self {
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
        } = self;
        UserCreated {
            id: text(id),
            first_name: text(first_name),
            last_name: text(last_name),
            gender: text(gender),
            street_number,
            street_name: text(street_name),
            city: text(city),
            state: text(state),
            country: text(country),
            post_code: text(post_code),
            email: text(email),
            username: text(username),
            dob: text(dob),
            registered_date: text(registered_date),
            phone: text(phone),
            picture: text(picture),
            nationality: text(nationality),
        }
    }
}
