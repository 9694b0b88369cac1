//! What two schemas have in common, and what a schema has in common with the records and the table. Pure.

mod drift;
mod fields;

pub(super) use drift::{Drift, Sample, drift};
pub(super) use fields::{Change, Field, compare, fields_of};

use serde::Serialize;
use similar::{ChangeTag, TextDiff};

use super::exact_json::Json;

/// Longer texts are not compared line by line.
const MAX_BYTES: usize = 256 << 10;

/// A line of two texts beside each other.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Line {
    /// `+`, `-` or a space.
    pub sign: char,
    pub text: String,
}

/// A schema for reading: JSON on several lines, in its own order; anything else as it is.
pub(super) fn pretty(schema: &str) -> String {
    Json::parse(schema).map_or_else(|| schema.to_owned(), |json| json.pretty())
}

/// Nothing where the texts are too long.
pub(super) fn lines(from: &str, to: &str) -> Option<Vec<Line>> {
    let (from, to) = (pretty(from), pretty(to));
    if from.len().max(to.len()) > MAX_BYTES {
        return None;
    }
    let diff = TextDiff::from_lines(&from, &to);
    let line = |change: similar::Change<&str>| Line {
        sign: match change.tag() {
            ChangeTag::Equal => ' ',
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
        },
        text: super::decoding::visible(change.value().trim_end_matches(['\r', '\n'])),
    };
    Some(diff.iter_all_changes().map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_apart_by_their_sign_and_json_is_laid_out_first() {
        let lines = lines(r#"{"a":1,"b":2}"#, r#"{"a":1,"b":3}"#).unwrap();
        let text: Vec<String> = lines
            .iter()
            .map(|it| format!("{}{}", it.sign, it.text))
            .collect();
        assert_eq!(
            text,
            [" {", "   \"a\": 1,", "-  \"b\": 2", "+  \"b\": 3", " }"]
        );
    }

    #[test]
    fn what_is_too_long_is_not_compared() {
        assert_eq!(lines(&"x\n".repeat(MAX_BYTES), ""), None);
    }
}
