//! The fields on the wire, beside those of the schema and the columns of the table.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::fields::Field;
use crate::control_center::decoding::visible;
use crate::control_center::exact_json::Json;

/// More names than any schema has: a foreign record may have thousands.
const MAX_NAMES: usize = 200;
const NAME_CHARACTERS: usize = 100;

/// What was met in some of the newest records.
#[derive(Debug, Default)]
pub(in crate::control_center) struct Sample {
    pub records: usize,
    /// Records that could not be read.
    pub unreadable: usize,
    /// In how many records a field had a value.
    arrived: BTreeMap<String, usize>,
}

impl Sample {
    /// Takes a record in; nothing for one that cannot be read.
    pub(in crate::control_center) fn add(&mut self, record: Option<&Json>) {
        self.records += 1;
        let Some(Json::Object(fields)) = record else {
            self.unreadable += 1;
            return;
        };
        let has_value = |value: &Json| !matches!(value, Json::Plain(text) if text == "null");
        let names: BTreeSet<&str> = fields
            .iter()
            .filter(|(_, value)| has_value(value))
            .map(|(name, _)| name.as_str())
            .collect();
        for name in names {
            if self.arrived.len() < MAX_NAMES || self.arrived.contains_key(name) {
                *self.arrived.entry(name.to_owned()).or_default() += 1;
            }
        }
    }
}

/// One field.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(in crate::control_center) struct Drift {
    pub field: String,
    /// In so many records of the sample.
    pub arrived: usize,
    /// Its type; nothing where the schema has no such field.
    pub schema: Option<String>,
    /// Where its value is stored.
    pub column: Option<&'static str>,
    /// Whether the table has that column.
    pub is_stored: bool,
    pub remark: &'static str,
}

/// The column that a field of the event becomes.
fn column_of(field: &str) -> Option<&'static str> {
    Some(match field {
        "id" => "id",
        "first_name" => "first_name",
        "last_name" => "last_name",
        "gender" => "gender",
        "street_number" | "street_name" | "city" | "state" => "address",
        "post_code" => "post_code",
        "email" => "email",
        "username" => "username",
        "dob" => "dob",
        "registered_date" => "registered_date",
        "phone" => "phone",
        "picture" => "picture",
        "nationality" => "nationality",
        "country" => "country",
        _ => return None,
    })
}

pub(in crate::control_center) fn drift(
    sample: &Sample,
    schema: &[Field],
    columns: Option<&BTreeSet<String>>,
) -> Vec<Drift> {
    let known = schema.iter().map(|it| it.name.as_str());
    let arrived = sample.arrived.keys().map(String::as_str);
    let more = arrived.filter(|name| schema.iter().all(|it| it.name != *name));
    known
        .chain(more)
        .map(|name| {
            let kind = schema.iter().find(|it| it.name == name);
            let arrived = sample.arrived.get(name).copied().unwrap_or(0);
            let column = column_of(name);
            let is_stored = column.is_some_and(|it| columns.is_none_or(|all| all.contains(it)));
            Drift {
                field: visible(&name.chars().take(NAME_CHARACTERS).collect::<String>()),
                arrived,
                schema: kind.map(|it| it.kind.clone()),
                column,
                is_stored,
                remark: remark(sample, arrived, kind.is_some(), is_stored),
            }
        })
        .collect()
}

fn remark(sample: &Sample, arrived: usize, is_in_schema: bool, is_stored: bool) -> &'static str {
    let readable = sample.records - sample.unreadable;
    match (arrived, is_in_schema, is_stored) {
        (0, _, _) if readable > 0 => "never arrives",
        (0, ..) => "",
        (_, _, false) => "arrives, and nobody stores it",
        (_, false, true) => "arrives, and the schema has no such field",
        (_, true, true) => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(records: &[&str]) -> Sample {
        let mut sample = Sample::default();
        for record in records {
            sample.add(Json::parse(record).as_ref());
        }
        sample
    }

    fn field(name: &str) -> Field {
        Field {
            name: name.to_owned(),
            kind: "string".to_owned(),
            default: None,
        }
    }

    #[test]
    fn what_never_arrives_and_what_nobody_stores_is_told() {
        let sample = sample(&[
            r#"{"id":"1","cell":"5","email":null}"#,
            r#"{"id":"2","city":"Oslo"}"#,
            "no JSON",
        ]);
        assert_eq!((sample.records, sample.unreadable), (3, 1));
        let drift = drift(&sample, &[field("id"), field("email")], None);
        let told: Vec<(&str, usize, &str)> = drift
            .iter()
            .map(|it| (it.field.as_str(), it.arrived, it.remark))
            .collect();
        assert_eq!(
            told,
            [
                ("id", 2, ""),
                ("email", 0, "never arrives"),
                ("cell", 1, "arrives, and nobody stores it"),
                ("city", 1, "arrives, and the schema has no such field"),
            ]
        );
    }

    #[test]
    fn a_column_that_is_not_there_stores_nothing() {
        let columns = BTreeSet::from(["id".to_owned()]);
        let drift = drift(
            &sample(&[r#"{"id":"1","email":"a"}"#]),
            &[field("id"), field("email")],
            Some(&columns),
        );
        assert!(drift[0].is_stored && !drift[1].is_stored);
    }

    #[test]
    fn thousands_of_names_are_bounded() {
        let fields: Vec<String> = (0..10_000).map(|it| format!("\"f{it}\":1")).collect();
        let sample = sample(&[&format!("{{{}}}", fields.join(","))]);
        assert_eq!(sample.arrived.len(), MAX_NAMES);
    }
}
