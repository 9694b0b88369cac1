//! What holds for every input: reading never panics, a row is as clean as it can be, nothing changes between the encoding and the decoding.

use std::borrow::Cow;

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use streamflow::user::api::{RandomUser, id_of};
use streamflow::user::event::UserCreated;
use streamflow::user::fingerprint;
use streamflow::user::summary::age_on;
use uuid::Uuid;

use crate::user_checks::{check, check_again, read, time};
use crate::user_inputs::{FIELDS, TEXTS, good_event, good_user, texts, values};

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_a_row_or_a_rejection(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
        let _ = RandomUser::decode(&bytes);
        let _ = (id_of(&bytes), fingerprint::of_record(&bytes));
    }

    #[test]
    fn any_json_is_a_row_or_a_rejection(value in values()) {
        let bytes = value.to_string().into_bytes();
        if let Ok(row) = read(&bytes) {
            check(&row)?;
        }
        if let Ok((id, user)) = RandomUser::decode(&bytes) {
            prop_assert_eq!(id_of(&bytes), Some(id));
            prop_assert!(UserCreated::of(id, user).encode().is_ok());
        }
        prop_assert!(fingerprint::of_record(&bytes).is_ok());
    }

    #[test]
    fn an_event_with_changed_fields_is_a_clean_row_or_a_rejection_that_names_no_content(
        changes in prop::collection::vec((prop::sample::select(FIELDS.to_vec()), values()), 1..4)
    ) {
        let mut event = good_event();
        for (name, value) in changes {
            event[name] = value;
        }
        match read(event.to_string().as_bytes()) {
            Ok(row) => { check(&row)?; check_again(&row)?; }
            Err(rejection) => {
                let field = rejection.field.unwrap_or_default();
                prop_assert!(field.split('.').all(|step| step.is_empty() || FIELDS.contains(&step)), "{field}");
            }
        }
    }

    #[test]
    fn an_event_with_other_texts_is_clean_or_has_a_text_too_long(
        changes in prop::collection::vec((prop::sample::select(TEXTS.to_vec()), texts()), 1..6)
    ) {
        let mut event = good_event();
        for (name, text) in changes {
            event[name] = Value::String(text);
        }
        match read(event.to_string().as_bytes()) {
            Ok(row) => { check(&row)?; check_again(&row)?; }
            Err(rejection) => {
                prop_assert!(matches!(rejection.reason.as_str(), "too_long" | "missing_field"), "{rejection}");
            }
        }
    }

    #[test]
    fn a_user_with_changed_fields_is_an_event_or_a_rejection(
        changes in prop::collection::vec((prop::sample::select(FIELDS.to_vec()), values()), 1..4)
    ) {
        let mut user = good_user();
        for (name, value) in changes {
            user[name] = value;
        }
        let raw = user.to_string();
        if let Ok((id, user)) = RandomUser::decode(raw.as_bytes()) {
            let event = UserCreated::of(id, user);
            let bytes = event.encode().unwrap();
            prop_assert_eq!(UserCreated::decode(&bytes).unwrap(), event);
        }
    }

    #[test]
    fn an_event_is_the_same_after_encoding_and_decoding(
        id in any::<u128>(),
        number in any::<Option<i64>>(),
        texts in prop::collection::vec(prop::option::of(texts()), 15),
    ) {
        let text = |place: usize| texts[place].as_deref().map(Cow::from);
        let event = UserCreated {
            id: Some(Uuid::from_u128(id).to_string().into()),
            first_name: text(0),
            last_name: text(1),
            gender: text(2),
            street_number: number,
            street_name: text(3),
            city: text(4),
            state: text(5),
            country: text(6),
            post_code: text(7),
            email: text(8),
            username: text(9),
            dob: text(10),
            registered_date: text(11),
            phone: text(12),
            picture: text(13),
            nationality: text(14),
        };
        let bytes = event.encode().unwrap();
        prop_assert_eq!(UserCreated::decode(&bytes).unwrap(), event);
    }

    #[test]
    fn a_time_within_the_calendar_is_kept_to_the_millisecond(
        ms in Timestamp::MIN.as_millisecond() + 1..=Timestamp::MAX.as_millisecond(),
        offset_minutes in -720i32..=720,
    ) {
        let mut event = good_event();
        event["dob"] = Value::String(time(ms));
        prop_assert_eq!(read(event.to_string().as_bytes()).unwrap().dob_ms, Some(ms));
        // The same time, told in another offset.
        let offset = jiff::tz::Offset::from_seconds(offset_minutes * 60).unwrap();
        let told = Timestamp::from_millisecond(ms).unwrap().display_with_offset(offset).to_string();
        event["dob"] = Value::String(told);
        if let Ok(row) = read(event.to_string().as_bytes()) {
            prop_assert_eq!(row.dob_ms, Some(ms));
        } else {
            // At the very ends of the calendar the local time is outside of it.
            prop_assert!(ms.abs() > 250_000_000_000_000 || ms < -377_000_000_000_000);
        }
        prop_assert!(age_on(ms, 0).is_some());
    }

    #[test]
    fn a_fingerprint_does_not_depend_on_the_order_of_names(value in values(), seed in any::<u64>()) {
        let fields = [("a", value.clone()), ("b", json!({"x": 1, "y": value})), ("c", Value::Null)];
        let in_order = |order: [usize; 3]| {
            let fields: Vec<String> = order
                .into_iter()
                .map(|place| format!("{}: {}", json!(fields[place].0), fields[place].1))
                .collect();
            fingerprint::of_record(format!("{{ {} }}", fields.join(" ,\n")).as_bytes()).unwrap()
        };
        let orders = [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        let other = orders[(seed % 5) as usize];
        prop_assert_eq!(in_order([0, 1, 2]), in_order(other));
    }

    #[test]
    fn fingerprints_differ_where_records_do(one in values(), other in values()) {
        let of = |value: &Value| fingerprint::of_record(json!({"v": value}).to_string().as_bytes()).unwrap();
        prop_assert_eq!(of(&one) == of(&other), one == other);
    }
}

/// Deep enough to overflow a stack where each level takes a frame.
#[test]
fn nesting_of_any_depth_is_read_or_rejected() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let deep = format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
        let _ = read(deep.as_bytes());
        for field in FIELDS {
            let with = format!(
                r#"{{"login":{{"uuid":"{}"}},"{field}":{deep}}}"#,
                Uuid::nil()
            );
            let _ = read(with.as_bytes());
            let _ = RandomUser::decode(with.as_bytes());
            let _ = (
                id_of(with.as_bytes()),
                fingerprint::of_record(with.as_bytes()),
            );
        }
    }
}
