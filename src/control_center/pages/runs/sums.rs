//! What a job has summed up in its last line, in the order in which people read it.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::control_center::count::Count;
use crate::control_center::decoding::visible;
use crate::control_center::masking;

/// Numbers that belong to every job; others come after them.
const ORDER: [&str; 14] = [
    "fetched",
    "landed",
    "already_landed",
    "conflicting",
    "rejected",
    "published",
    "consumed",
    "stored",
    "counted",
    "already_counted",
    "filtered",
    "dead_lettered",
    "interrupted",
    "elapsed_ms",
];
const TEXT_CHARACTERS: usize = 120;
/// Of a value, also where a program reads it.
const VALUE_CHARACTERS: usize = 500;
const SHOWN: usize = 30;

#[derive(Debug, Serialize)]
pub(super) struct Sum {
    pub name: String,
    pub value: Value,
}

impl Sum {
    pub(super) fn title(&self) -> String {
        self.name.replace('_', " ")
    }

    pub(super) fn text(&self) -> String {
        match &self.value {
            Value::Number(number) => match number.as_i64() {
                Some(number) => Count(number).to_string(),
                None => number.to_string(),
            },
            Value::String(text) => cut(text, TEXT_CHARACTERS),
            other => cut(&other.to_string(), TEXT_CHARACTERS),
        }
    }
}

pub(super) fn in_order(sums: Map<String, Value>) -> Vec<Sum> {
    let place = |name: &str| ORDER.iter().position(|it| *it == name);
    let mut sums: Vec<Sum> = sums
        .into_iter()
        // The task says which job it is; its offsets have a table of their own.
        .filter(|(name, _)| name != "job" && name != "offsets")
        .map(|(name, value)| Sum {
            value: shown(&name, value),
            name: cut(&name, TEXT_CHARACTERS),
        })
        .collect();
    sums.sort_by_key(|it| place(&it.name).unwrap_or(ORDER.len()));
    sums.truncate(SHOWN);
    sums
}

/// A job sums up counts. Whatever else stands there is hidden where its name is personal, and then cut.
fn shown(name: &str, value: Value) -> Value {
    let value = masked(name, value);
    let text = match &value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.chars().count() > VALUE_CHARACTERS {
        true => Value::String(cut(&text, VALUE_CHARACTERS)),
        false => value,
    }
}

fn masked(name: &str, value: Value) -> Value {
    match value {
        Value::Null => Value::Null,
        value if masking::is_personal(name) => {
            Value::String(masking::value(name, &value.to_string(), false))
        }
        Value::Object(fields) => {
            let field = |(name, value): (String, Value)| {
                let value = masked(&name, value);
                (name, value)
            };
            Value::Object(fields.into_iter().map(field).collect())
        }
        Value::Array(elements) => {
            Value::Array(elements.into_iter().map(|it| masked("", it)).collect())
        }
        value => value,
    }
}

fn cut(text: &str, characters: usize) -> String {
    let text = visible(text);
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_in_the_order_of_the_way_and_are_kept_exact() {
        let line = r#"{"elapsed_ms":20,"job":"x","seed":"a\u202eb","published":18446744073709551615,"fetched":1000}"#;
        let sums = in_order(serde_json::from_str(line).unwrap());
        let told: Vec<(String, String)> = sums.iter().map(|it| (it.title(), it.text())).collect();
        let told: Vec<(&str, &str)> = told.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(
            told,
            [
                ("fetched", "1,000"),
                ("published", "18446744073709551615"),
                ("elapsed ms", "20"),
                ("seed", "a\\u{202e}b"),
            ]
        );
    }

    #[test]
    fn what_is_personal_is_hidden_and_what_is_long_is_cut_also_for_programs() {
        let line = r#"{"email":"ada@x.org","user":{"id":1,"last_name":"L"},"all":[{"phone":5}]}"#;
        let told = serde_json::to_string(&in_order(serde_json::from_str(line).unwrap())).unwrap();
        for hidden in ["ada", "\"L\"", ":5"] {
            assert!(!told.contains(hidden), "{told}");
        }
        assert!(told.contains("\"id\":1"), "{told}");
        let Value::String(text) = shown("x", Value::String("ä".repeat(501))) else {
            panic!("it is no text")
        };
        assert_eq!(text.chars().count(), VALUE_CHARACTERS + 1);
    }

    #[test]
    fn what_is_long_or_much_is_cut() {
        let many: Map<String, Value> = (0..100).map(|it| (format!("n{it}"), Value::Null)).collect();
        assert_eq!(in_order(many).len(), SHOWN);
        let sum = Sum {
            name: "x".to_owned(),
            value: Value::String("ä".repeat(500)),
        };
        assert_eq!(sum.text().chars().count(), TEXT_CHARACTERS + 1);
    }
}
