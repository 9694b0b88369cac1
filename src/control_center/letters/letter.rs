//! What the headers of a dead letter say. Anybody may write to the topic, so what is no word of ours is left out, and never shown.

use serde::Serialize;

use crate::control_center::kafka::Message;
use crate::pipeline::dead_letter::header;
use crate::pipeline::sequence::{SEQUENCE_HEADER, Sequence};

/// The record that was rejected.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub(crate) struct Origin {
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
    pub timestamp_ms: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Letter {
    pub partition: i32,
    pub offset: i64,
    pub written_ms: i64,
    pub reason: Option<String>,
    /// The field to blame; nothing where it is the whole record.
    pub field: Option<String>,
    pub schema_id: Option<u32>,
    pub job: Option<String>,
    /// Nothing where it is no letter of our jobs.
    pub origin: Option<Origin>,
    pub sequence: Option<String>,
}

impl Letter {
    pub(in crate::control_center) fn of(message: &Message) -> Self {
        let text = |name: &str| header_text(message, name);
        let word = |name: &str, more: &str, most: usize| {
            text(name)
                .filter(|text| is_word(text, more, most))
                .map(str::to_owned)
        };
        let origin = || {
            Some(Origin {
                topic: word(header::ORIGIN_TOPIC, "._-", 249)?,
                partition: text(header::ORIGIN_PARTITION)?.parse().ok()?,
                offset: text(header::ORIGIN_OFFSET)?.parse().ok()?,
                timestamp_ms: text(header::ORIGIN_TIMESTAMP)?.parse().ok()?,
            })
        };
        Self {
            partition: message.partition,
            offset: message.offset,
            written_ms: message.timestamp_ms.unwrap_or(0),
            reason: word(header::REASON, "_", 40),
            field: word(header::FIELD, "._-[]", 120),
            schema_id: text(header::SCHEMA_ID).and_then(|it| it.parse().ok()),
            job: word(header::JOB, "._-", 64),
            origin: origin(),
            sequence: text(SEQUENCE_HEADER)
                .and_then(|it| Sequence::parse(it.as_bytes()))
                .map(Sequence::to_header),
        }
    }

    /// The reason, with the field where one is to blame.
    pub(crate) fn error(&self) -> String {
        match (&self.reason, &self.field) {
            (Some(reason), Some(field)) => format!("{reason} ({field})"),
            (Some(reason), None) => reason.clone(),
            (None, _) => "no reason of ours".to_owned(),
        }
    }

    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.partition, self.offset)
    }
}

/// The first header of this name, where it is a text.
pub(in crate::control_center) fn header_text<'a>(
    message: &'a Message,
    name: &str,
) -> Option<&'a str> {
    let found = message
        .headers
        .iter()
        .find(|it| it.0 == name.as_bytes())?
        .1
        .as_deref()?;
    std::str::from_utf8(found).ok()
}

fn is_word(text: &str, more: &str, most: usize) -> bool {
    let allowed = |it: char| it.is_ascii_alphanumeric() || more.contains(it);
    !text.is_empty() && text.len() <= most && text.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(headers: &[(&str, &str)]) -> Message {
        let own = |text: &str| text.as_bytes().to_vec();
        Message {
            partition: 0,
            offset: 17,
            timestamp_ms: Some(5),
            key: None,
            value: None,
            headers: headers
                .iter()
                .map(|(name, value)| (own(name), Some(own(value))))
                .collect(),
        }
    }

    #[test]
    fn a_letter_is_read_by_its_headers() {
        let letter = Letter::of(&message(&[
            ("streamflow-reason", "malformed_id"),
            ("streamflow-field", "id"),
            ("streamflow-job", "aggregate"),
            ("streamflow-origin-topic", "user_created"),
            ("streamflow-origin-partition", "3"),
            ("streamflow-origin-offset", "1"),
            ("streamflow-origin-timestamp", "4"),
        ]));
        assert_eq!(letter.error(), "malformed_id (id)");
        assert_eq!(letter.place(), "0:17");
        let origin = letter.origin.expect("an origin");
        assert_eq!((origin.partition, origin.offset), (3, 1));
    }

    #[test]
    fn what_is_no_word_of_ours_is_never_shown() {
        let letter = Letter::of(&message(&[
            ("streamflow-reason", "<script>"),
            ("streamflow-field", "ada@example.org"),
            ("streamflow-job", "\u{202e}boj"),
            ("streamflow-origin-topic", "a b"),
            ("streamflow-sequence", "mail ada@example.org/1"),
        ]));
        assert_eq!(letter.error(), "no reason of ours");
        assert_eq!((letter.field, letter.job), (None, None));
        assert_eq!((letter.origin, letter.sequence), (None, None));
    }
}
