//! Where and what a visitor wants to read: the fields of the form, and the places that links go on from.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::control_center::kafka::{Cursor, Wish};
use crate::control_center::moment::Moment;
use crate::control_center::reply::Refusal;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::control_center::pages) struct Asked {
    pub(super) partition: String,
    pub(super) offset: String,
    pub(super) time: String,
    pub(super) text: String,
    before: String,
    from: String,
}

/// Where reading begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Start {
    Newest,
    Before(Cursor),
    From(Cursor),
    /// Of each partition.
    Offset(i64),
    Time(i64),
}

impl Asked {
    /// A link to go on from comes before the form's own fields: those say where it was begun.
    pub(super) fn start(&self) -> Result<Start, Refusal> {
        let cursor = |text: &str| {
            Cursor::parse(text).ok_or_else(|| {
                Refusal::bad(
                    format!("{text:?} is no place in a topic"),
                    "expected PARTITION:OFFSET,… as the links Older and Newer have it",
                )
            })
        };
        let (offset, time) = (self.offset.trim(), self.time.trim());
        match (self.before.as_str(), self.from.as_str()) {
            ("", "") => {}
            (before, "") => return cursor(before).map(Start::Before),
            ("", from) => return cursor(from).map(Start::From),
            _ => {
                return Err(Refusal::bad(
                    "before and from cannot both be given",
                    "leave one of them out",
                ));
            }
        }
        match (offset, time) {
            ("", "") => Ok(Start::Newest),
            (offset, "") => match offset.parse::<i64>() {
                Ok(offset) if offset >= 0 => Ok(Start::Offset(offset)),
                _ => Err(Refusal::bad(
                    format!("{offset:?} is no offset"),
                    "expected a whole number from 0 on",
                )),
            },
            ("", time) => time_ms(time).map(Start::Time).ok_or_else(|| {
                Refusal::bad(
                    format!("{time:?} is no time"),
                    "expected one in UTC such as 2026-11-21T10:00",
                )
            }),
            _ => Err(Refusal::bad(
                "an offset and a time cannot both be given",
                "leave one of them out",
            )),
        }
    }

    pub(super) fn partition(&self) -> Result<Option<i32>, Refusal> {
        match self.partition.trim() {
            "" => Ok(None),
            text => match text.parse() {
                Ok(partition) => Ok(Some(partition)),
                Err(_) => Err(Refusal::bad(
                    format!("{text:?} is no partition"),
                    "expected a whole number from 0 on",
                )),
            },
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        Some(self.text.trim()).filter(|text| !text.is_empty())
    }

    /// The same search at another place.
    pub(super) fn query(&self, wish: &Wish, reveal: bool) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("partition", self.partition.trim()),
            ("text", self.text.trim()),
        ] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        match wish {
            Wish::Before(cursor) => query.append_pair("before", &cursor.to_string()),
            Wish::From(cursor) => query.append_pair("from", &cursor.to_string()),
        };
        if reveal {
            query.append_pair("reveal", "true");
        }
        query.finish()
    }

    pub(super) fn is_at(&self, partition: &i32) -> bool {
        self.partition.trim().parse() == Ok(*partition)
    }
}

/// UTC, unless the text names another offset.
fn time_ms(text: &str) -> Option<i64> {
    if let Some(moment) = Moment::parse(text) {
        return Some(moment.ms());
    }
    let civil: DateTime = text.parse().ok()?;
    let moment = TimeZone::UTC.to_timestamp(civil).ok()?;
    Some(moment.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offset(text: &str) -> Asked {
        Asked {
            offset: text.to_owned(),
            ..Asked::default()
        }
    }

    #[test]
    fn a_form_without_words_asks_for_the_newest() {
        assert_eq!(offset(" ").start().unwrap(), Start::Newest);
    }

    #[test]
    fn offsets_are_exact_and_nothing_else_is_one() {
        assert_eq!(
            offset("9223372036854775807").start().unwrap(),
            Start::Offset(i64::MAX)
        );
        for text in ["-1", "9223372036854775808", "1.5", "newest"] {
            assert!(offset(text).start().is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_is_of_utc_unless_it_says_otherwise() {
        for (text, ms) in [
            ("1970-01-01T00:01", Some(60_000)),
            ("1970-01-01T00:01:00.5", Some(60_500)),
            ("1970-01-01 00:01", Some(60_000)),
            ("1970-01-01T01:01+01:00", Some(60_000)),
            ("1970-01-01T00:01:00Z", Some(60_000)),
            ("yesterday", None),
            ("2026-13-01T00:00", None),
        ] {
            assert_eq!(time_ms(text), ms, "{text}");
        }
    }

    #[test]
    fn links_keep_partition_and_text() {
        let asked = Asked {
            partition: "1".to_owned(),
            text: "a&b=<c>".to_owned(),
            offset: "5".to_owned(),
            ..Asked::default()
        };
        let wish = Wish::Before(Cursor::parse("1:5").unwrap());
        assert_eq!(
            asked.query(&wish, false),
            "partition=1&text=a%26b%3D%3Cc%3E&before=1%3A5"
        );
    }

    #[test]
    fn one_place_only() {
        let both = Asked {
            offset: "1".to_owned(),
            time: "1970-01-01T00:01".to_owned(),
            ..Asked::default()
        };
        assert!(both.start().is_err());
    }
}
