//! Protobuf of other writers: older and newer ones, other messages, and bytes that are none.

use prost::Message;
use streamflow::rejection::{Reason, Rejection};
use streamflow::user::event::UserCreated;
use streamflow::user::format::SchemaFormat;

use crate::formats::compiled;

/// Knows less than this program.
#[derive(Clone, PartialEq, Message)]
struct Older {
    #[prost(string, optional, tag = "1")]
    id: Option<String>,
    #[prost(string, optional, tag = "7")]
    city: Option<String>,
}

/// Knows more, of several types, and has left fields out.
#[derive(Clone, PartialEq, Message)]
struct Newer {
    #[prost(string, optional, tag = "1")]
    id: Option<String>,
    #[prost(int64, optional, tag = "5")]
    street_number: Option<i64>,
    #[prost(string, tag = "18")]
    cell: String,
    #[prost(double, repeated, tag = "19")]
    coordinates: Vec<f64>,
    #[prost(message, optional, tag = "20")]
    inner: Option<Older>,
    #[prost(fixed32, tag = "21")]
    fixed: u32,
}

#[derive(Clone, PartialEq, Message)]
struct OfOtherTypes {
    #[prost(int32, tag = "7")]
    city: i32,
}

/// The id, the street's number and the city.
type Read = (Option<String>, Option<i64>, Option<String>);

fn decoded(indexes: &[u8], message: &impl Message) -> Result<Read, Rejection> {
    let payload = [indexes, &message.encode_to_vec()].concat();
    let event: UserCreated<'_> = compiled(SchemaFormat::Protobuf).decode(&payload)?;
    let text = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().map(str::to_owned);
    Ok((text(&event.id), event.street_number, text(&event.city)))
}

fn older() -> Older {
    Older {
        id: Some("a".to_owned()),
        city: Some("Town".to_owned()),
    }
}

#[test]
fn a_field_of_an_older_writer_is_absent_and_one_of_a_newer_writer_is_skipped() {
    let expected = (Some("a".to_owned()), None, Some("Town".to_owned()));
    assert_eq!(decoded(&[0], &older()), Ok(expected));
    let newer = Newer {
        id: Some("b".to_owned()),
        street_number: Some(-3),
        cell: "072".to_owned(),
        coordinates: vec![1.5, -2.5],
        inner: Some(older()),
        fixed: 7,
    };
    let expected = (Some("b".to_owned()), Some(-3), None);
    assert_eq!(decoded(&[0], &newer), Ok(expected));
}

#[test]
fn only_the_first_message_of_a_schema_is_a_user() {
    let rejected = |indexes: &[u8]| decoded(indexes, &older()).unwrap_err().reason;
    assert!(decoded(&[2, 0], &older()).is_ok(), "[0] told at length");
    assert_eq!(rejected(&[2, 2]), Reason::OtherMessage, "[1]");
    assert_eq!(rejected(&[4, 0, 0]), Reason::OtherMessage, "[0, 0]");
    assert_eq!(rejected(&[1]), Reason::SchemaMismatch, "-1 indexes");
    let payload = compiled(SchemaFormat::Protobuf).decode(&[]);
    assert_eq!(payload.unwrap_err().reason, Reason::SchemaMismatch);
}

#[test]
fn what_is_no_such_message_is_rejected() {
    let mismatch = Err(Rejection::of(Reason::SchemaMismatch));
    assert_eq!(decoded(&[0], &OfOtherTypes { city: 7 }), mismatch);
    let schema = compiled(SchemaFormat::Protobuf);
    for message in [
        &b"\x0a\x05abc"[..],
        b"\x0a\x02\xff\xfe",
        b"\x07",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    ] {
        let payload = [&[0], message].concat();
        let rejection = schema.decode(&payload).unwrap_err();
        assert_eq!(
            rejection,
            Rejection::of(Reason::SchemaMismatch),
            "{message:?}"
        );
    }
    // A message without a field is one, and no user.
    assert_eq!(schema.decode(&[0]).unwrap().id, None);
}
