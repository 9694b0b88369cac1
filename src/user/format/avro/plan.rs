//! How records of one writer's schema are read: field by field in the writer's order, each to the event's field of the same name, or
//! skipped.
//!
//! Types are taken as Avro's schema resolution allows for the event's fields: a text from `string` or `bytes`, the street's number from
//! `int` or `long`, each also inside of a union. As in JSON, a post code may also be a number. Whatever else there is makes the one record
//! rejected that holds it.

use std::borrow::Cow;

use super::cursor::Cursor;
use super::schema::{Field, Schema, Type};
use crate::rejection::{Reason, Rejection};
use crate::user::event::UserCreated;
use crate::user::format::Unusable;

/// The event's fields; [`into_event`] has the same order.
const FIELDS: [&str; 17] = [
    "id",
    "first_name",
    "last_name",
    "gender",
    "street_number",
    "street_name",
    "city",
    "state",
    "country",
    "post_code",
    "email",
    "username",
    "dob",
    "registered_date",
    "phone",
    "picture",
    "nationality",
];

/// Records, arrays and unions within each other: a record can hold itself without end.
const MAX_DEPTH: u32 = 100;

#[derive(Debug)]
pub struct Plan {
    steps: Vec<Step>,
    records: Vec<Vec<Field>>,
}

#[derive(Debug)]
struct Step {
    /// The place in [`FIELDS`], for what is not skipped.
    field: Option<usize>,
    kind: Type,
}

/// What a field of a record holds.
#[derive(Debug, Clone, Copy)]
enum Held<'a> {
    Nothing,
    Text(&'a str),
    Number(i64),
    Other,
}

impl Plan {
    pub(in crate::user::format) fn compile(schema: &str) -> Result<Self, Unusable> {
        let Schema { root, records } = Schema::parse(schema)?;
        let Type::Record(place) = root else {
            return Err(Unusable::NoRecord);
        };
        let step = |field: &Field| Step {
            field: FIELDS.iter().position(|name| *name == field.name),
            kind: field.kind.clone(),
        };
        let steps = records[place].iter().map(step).collect();
        Ok(Self { steps, records })
    }

    pub(in crate::user::format) fn decode<'a>(
        &self,
        payload: &'a [u8],
    ) -> Result<UserCreated<'a>, Rejection> {
        let mut held = [Held::Nothing; FIELDS.len()];
        self.fill(payload, &mut held)
            .ok_or(Rejection::of(Reason::SchemaMismatch))?;
        into_event(held)
    }

    /// Nothing when the payload does not fit the schema.
    fn fill<'a>(&self, payload: &'a [u8], held: &mut [Held<'a>; FIELDS.len()]) -> Option<()> {
        let mut cursor = Cursor::new(payload);
        for step in &self.steps {
            match step.field {
                Some(field) => held[field] = self.read(&step.kind, &mut cursor)?,
                None => self.skip(&step.kind, &mut cursor, MAX_DEPTH)?,
            }
        }
        cursor.is_at_end().then_some(())
    }

    fn read<'a>(&self, kind: &Type, cursor: &mut Cursor<'a>) -> Option<Held<'a>> {
        let kind = match kind {
            Type::Union(branches) => branch(branches, cursor)?,
            kind => kind,
        };
        match kind {
            Type::Null => Some(Held::Nothing),
            Type::Bytes => cursor.text().map(Held::Text),
            Type::Integer => cursor.long().map(Held::Number),
            other => {
                self.skip(other, cursor, MAX_DEPTH)?;
                Some(Held::Other)
            }
        }
    }

    fn skip(&self, kind: &Type, cursor: &mut Cursor<'_>, depth: u32) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        cursor.count_skip()?;
        match kind {
            Type::Null => {}
            Type::Boolean => _ = cursor.take(1)?,
            Type::Integer | Type::Enum => _ = cursor.long()?,
            Type::Float => _ = cursor.take(4)?,
            Type::Double => _ = cursor.take(8)?,
            Type::Bytes => _ = cursor.bytes()?,
            Type::Fixed(size) => _ = cursor.take(*size)?,
            Type::Union(branches) => self.skip(branch(branches, cursor)?, cursor, depth)?,
            Type::Array(items) => {
                skip_blocks(cursor, |cursor| self.skip(items, cursor, depth))?;
            }
            Type::Map(values) => skip_blocks(cursor, |cursor| {
                cursor.bytes()?;
                self.skip(values, cursor, depth)
            })?,
            Type::Record(place) => {
                for field in &self.records[*place] {
                    self.skip(&field.kind, cursor, depth)?;
                }
            }
        }
        Some(())
    }
}

fn branch<'a>(branches: &'a [Type], cursor: &mut Cursor<'_>) -> Option<&'a Type> {
    branches.get(usize::try_from(cursor.long()?).ok()?)
}

/// Arrays and maps come in blocks, the last of which has no items. Below zero, the number of items is followed by their bytes.
fn skip_blocks(
    cursor: &mut Cursor<'_>,
    mut skip_item: impl FnMut(&mut Cursor<'_>) -> Option<()>,
) -> Option<()> {
    loop {
        match cursor.long()? {
            0 => return Some(()),
            items @ 1.. => {
                for _ in 0..items {
                    skip_item(cursor)?;
                }
            }
            ..0 => _ = cursor.bytes()?,
        }
    }
}

fn into_event(held: [Held<'_>; FIELDS.len()]) -> Result<UserCreated<'_>, Rejection> {
    let [
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
    ] = held;
    Ok(UserCreated {
        id: text("id", id)?,
        first_name: text("first_name", first_name)?,
        last_name: text("last_name", last_name)?,
        gender: text("gender", gender)?,
        street_number: number("street_number", street_number)?,
        street_name: text("street_name", street_name)?,
        city: text("city", city)?,
        state: text("state", state)?,
        country: text("country", country)?,
        post_code: text_or_number("post_code", post_code)?,
        email: text("email", email)?,
        username: text("username", username)?,
        dob: text("dob", dob)?,
        registered_date: text("registered_date", registered_date)?,
        phone: text("phone", phone)?,
        picture: text("picture", picture)?,
        nationality: text("nationality", nationality)?,
    })
}

fn text<'a>(field: &'static str, held: Held<'a>) -> Result<Option<Cow<'a, str>>, Rejection> {
    match held {
        Held::Nothing => Ok(None),
        Held::Text(text) => Ok(Some(Cow::Borrowed(text))),
        Held::Number(_) | Held::Other => Err(Rejection::field(Reason::WrongType, field)),
    }
}

fn text_or_number<'a>(
    field: &'static str,
    held: Held<'a>,
) -> Result<Option<Cow<'a, str>>, Rejection> {
    match held {
        Held::Number(number) => Ok(Some(Cow::Owned(number.to_string()))),
        held => text(field, held),
    }
}

fn number(field: &'static str, held: Held<'_>) -> Result<Option<i64>, Rejection> {
    match held {
        Held::Nothing => Ok(None),
        Held::Number(number) => Ok(Some(number)),
        Held::Text(_) | Held::Other => Err(Rejection::field(Reason::WrongType, field)),
    }
}
