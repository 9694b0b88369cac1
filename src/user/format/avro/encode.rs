//! An event by `schemas/user_created.avsc`: the fields in their order, each a union of null and its type.

use std::borrow::Cow;

use crate::user::event::UserCreated;

/// Adds the payload to a header.
pub(in crate::user::format) fn encode(event: &UserCreated<'_>, value: Vec<u8>) -> Vec<u8> {
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
    let mut payload = Payload(value);
    payload.text(id);
    payload.text(first_name);
    payload.text(last_name);
    payload.text(gender);
    payload.number(*street_number);
    payload.text(street_name);
    payload.text(city);
    payload.text(state);
    payload.text(country);
    payload.text(post_code);
    payload.text(email);
    payload.text(username);
    payload.text(dob);
    payload.text(registered_date);
    payload.text(phone);
    payload.text(picture);
    payload.text(nationality);
    payload.0
}

struct Payload(Vec<u8>);

impl Payload {
    fn text(&mut self, text: &Option<Cow<'_, str>>) {
        self.branch(text.is_some());
        if let Some(text) = text {
            self.long(text.len() as i64);
            self.0.extend_from_slice(text.as_bytes());
        }
    }

    fn number(&mut self, number: Option<i64>) {
        self.branch(number.is_some());
        if let Some(number) = number {
            self.long(number);
        }
    }

    /// The branch of the union: 0 is null, 1 the value.
    fn branch(&mut self, is_value: bool) {
        self.long(i64::from(is_value));
    }

    fn long(&mut self, number: i64) {
        let mut rest = ((number << 1) ^ (number >> 63)) as u64;
        while rest >= 0x80 {
            self.0.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.0.push(rest as u8);
    }
}
