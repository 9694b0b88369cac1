//! The event beside the row that it became: which fields cleaning has changed, and whether the table holds what it must. Values of personal
//! fields are compared before they are hidden.

use serde::Serialize;

use crate::control_center::decoding::visible;
use crate::control_center::kafka::Message;
use crate::control_center::masking;
use crate::control_center::moment::Moment;
use crate::control_center::registry::Known;
use crate::rejection::Rejection;
use crate::user::clean::clean;
use crate::user::event::UserCreated;
use crate::user::filter::Filter;
use crate::user::format::wire;
use crate::user::row::CreatedUser;

/// Longer texts are cut: no field that is stored is as long.
const CHARACTERS: usize = 1_000;

/// One column of the table.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(in crate::control_center) struct Field {
    pub name: &'static str,
    pub event: Option<String>,
    pub cleaned: Option<String>,
    pub stored: Option<String>,
    /// Cleaning makes something else of what the event has.
    pub changed: bool,
    /// The table has something else than the event gives.
    pub differs: bool,
    pub hidden: bool,
}

type Texts = Vec<(&'static str, Option<String>)>;

pub(super) fn compare(
    message: Option<&Message>,
    known: Option<&Known>,
    stored: Option<&CreatedUser<'_>>,
    reveal: bool,
) -> Vec<Field> {
    let event = message.and_then(|it| decode(it, known).ok());
    let before = event.as_ref().map(event_texts);
    let cleaned = event.and_then(|event| clean(event).ok());
    let cleaned = cleaned.as_ref().map(columns);
    let stored = stored.map(columns);
    if before.is_none() && stored.is_none() {
        return Vec::new();
    }
    let text = |texts: &Option<Texts>, place: usize| {
        texts
            .as_ref()
            .and_then(|it| it.get(place))
            .and_then(|(_, text)| text.clone())
    };
    let field = |(place, &name): (usize, &&'static str)| {
        let (event, clean, row) = (
            text(&before, place),
            text(&cleaned, place),
            text(&stored, place),
        );
        let shown = |it: &Option<String>| {
            it.as_ref()
                .map(|it| masking::value(name, &shown(it), reveal))
        };
        Field {
            name,
            event: shown(&event),
            cleaned: shown(&clean),
            stored: shown(&row),
            changed: cleaned.is_some() && event != clean,
            differs: cleaned.is_some() && stored.is_some() && clean != row,
            hidden: masking::is_personal(name) && !reveal,
        }
    };
    COLUMNS.iter().enumerate().map(field).collect()
}

/// Whether the filter keeps the user of a record; nothing where it has none.
pub(super) fn kept_by(filter: &Filter, message: &Message, known: Option<&Known>) -> Option<bool> {
    let user = clean(decode(message, known).ok()?).ok()?;
    Some(filter.keeps(&user, message.timestamp_ms.unwrap_or(0)))
}

fn shown(text: &str) -> String {
    visible(&text.chars().take(CHARACTERS).collect::<String>())
}

fn decode<'a>(
    message: &'a Message,
    known: Option<&Known>,
) -> Result<UserCreated<'a>, Option<Rejection>> {
    let value = message.value.as_deref().ok_or(None)?;
    match wire::split(value)? {
        None => Ok(UserCreated::decode(value)?),
        Some(framed) => match known {
            Some(Known::Schema(schema, _)) => Ok(schema.decode(framed.payload)?),
            Some(Known::Missing(_) | Known::Silent(_)) | None => Err(None),
        },
    }
}

/// In the order of both mappings below.
const COLUMNS: [&str; 14] = [
    "id",
    "first_name",
    "last_name",
    "gender",
    "address",
    "post_code",
    "email",
    "username",
    "dob",
    "registered_date",
    "phone",
    "picture",
    "nationality",
    "country",
];

/// What the event has for each column, as it is.
fn event_texts(event: &UserCreated<'_>) -> Texts {
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
    let number = street_number.map(|it| it.to_string());
    let street: Vec<&str> = [number.as_deref(), street_name.as_deref()]
        .into_iter()
        .flatten()
        .collect();
    let street = Some(street.join(" ")).filter(|it| !it.is_empty());
    let address: Vec<&str> = [
        street.as_deref(),
        city.as_deref(),
        state.as_deref(),
        country.as_deref(),
    ]
    .into_iter()
    .flatten()
    .collect();
    let address = Some(address.join(", ")).filter(|it| !it.is_empty());
    let texts = [
        id.as_deref(),
        first_name.as_deref(),
        last_name.as_deref(),
        gender.as_deref(),
        address.as_deref(),
        post_code.as_deref(),
        email.as_deref(),
        username.as_deref(),
        dob.as_deref(),
        registered_date.as_deref(),
        phone.as_deref(),
        picture.as_deref(),
        nationality.as_deref(),
        country.as_deref(),
    ];
    let owned = texts.map(|it| it.map(str::to_owned));
    COLUMNS.into_iter().zip(owned).collect()
}

/// The columns of a row as texts.
pub(in crate::control_center) fn columns(user: &CreatedUser<'_>) -> Texts {
    let CreatedUser {
        id,
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
    let text = |it: &Option<std::borrow::Cow<'_, str>>| it.as_deref().map(str::to_owned);
    let time = |it: &Option<i64>| it.map(|ms| Moment::at(ms).iso());
    let texts = [
        Some(id.to_string()),
        Some(first_name.to_string()),
        Some(last_name.to_string()),
        text(gender),
        text(address),
        text(post_code),
        text(email),
        text(username),
        time(dob_ms),
        time(registered_date_ms),
        text(phone),
        text(picture),
        text(nationality),
        text(country),
    ];
    COLUMNS.into_iter().zip(texts).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(value: &str) -> Message {
        Message {
            partition: 0,
            offset: 0,
            timestamp_ms: Some(0),
            key: None,
            value: Some(value.as_bytes().to_vec()),
            headers: Vec::new(),
        }
    }

    const EVENT: &str = r#"{"id":"0b8a1c5e-35c1-4d5c-8b8f-6b8f3a1d2c3e","first_name":" Ada ","last_name":"L","gender":"FEMALE",
        "street_number":7,"street_name":"Long Street","city":"Oslo","dob":"1992-07-24T02:32:21.523Z"}"#;

    fn field(fields: &[Field], name: &str) -> (Option<String>, bool, bool) {
        let field = fields.iter().find(|it| it.name == name).unwrap();
        (field.cleaned.clone(), field.changed, field.differs)
    }

    #[test]
    fn what_cleaning_changed_is_told_also_of_what_is_hidden() {
        let message = message(EVENT);
        let event = UserCreated::decode(EVENT.as_bytes()).unwrap();
        let mut row = clean(event).unwrap().into_owned();
        let fields = compare(Some(&message), None, Some(&row), false);
        let hidden = Some("•••".to_owned());
        assert_eq!(field(&fields, "first_name"), (hidden.clone(), true, false));
        assert_eq!(field(&fields, "last_name"), (hidden.clone(), false, false));
        assert_eq!(field(&fields, "address"), (hidden.clone(), false, false));
        assert_eq!(field(&fields, "dob"), (hidden, false, false));
        assert_eq!(
            field(&fields, "gender"),
            (Some("female".to_owned()), true, false)
        );
        assert!(!format!("{fields:?}").contains("Ada"));

        row.gender = Some("male".into());
        let fields = compare(Some(&message), None, Some(&row), true);
        assert!(field(&fields, "gender").2, "the row has something else");
        assert_eq!(field(&fields, "first_name").0.as_deref(), Some("Ada"));
    }

    #[test]
    fn a_row_without_its_record_is_shown_alone() {
        let event = UserCreated::decode(EVENT.as_bytes()).unwrap();
        let row = clean(event).unwrap().into_owned();
        let fields = compare(None, None, Some(&row), false);
        assert_eq!(fields.len(), COLUMNS.len());
        assert!(fields.iter().all(|it| !it.changed && !it.differs));
        assert_eq!(compare(Some(&message("{")), None, None, false), []);
    }
}
