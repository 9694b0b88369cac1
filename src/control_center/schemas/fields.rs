//! The fields of a schema in Avro, JSON Schema or Protobuf, as far as a look at its text tells them, and what changed between two.

use serde::Serialize;
use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::control_center) struct Field {
    pub name: String,
    /// As the schema has it.
    pub kind: String,
    pub default: Option<String>,
}

/// What is different in a field.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub(in crate::control_center) enum Change {
    Added {
        field: Field,
    },
    Removed {
        field: Field,
    },
    Type {
        name: String,
        from: String,
        to: String,
    },
    Default {
        name: String,
        from: Option<String>,
        to: Option<String>,
    },
}

/// Nothing where the schema is none of a record.
pub(in crate::control_center) fn fields_of(schema_type: &str, schema: &str) -> Option<Vec<Field>> {
    match serde_json::from_str::<Value>(schema) {
        Ok(json) if json["type"] == "record" => avro(&json),
        Ok(json) if json["properties"].is_object() => json_schema(&json),
        Ok(_) => None,
        Err(_) if schema_type == "PROTOBUF" || schema.contains("message") => Some(protobuf(schema)),
        Err(_) => None,
    }
}

fn avro(schema: &Value) -> Option<Vec<Field>> {
    let field = |field: &Value| {
        Some(Field {
            name: field["name"].as_str()?.to_owned(),
            kind: avro_kind(&field["type"]),
            default: field.get("default").map(Value::to_string),
        })
    };
    Some(
        schema["fields"]
            .as_array()?
            .iter()
            .filter_map(field)
            .collect(),
    )
}

fn avro_kind(kind: &Value) -> String {
    match kind {
        Value::String(name) => name.clone(),
        Value::Array(branches) => {
            let names: Vec<String> = branches.iter().map(avro_kind).collect();
            names.join(" or ")
        }
        Value::Object(it) => {
            let name = it.get("logicalType").or_else(|| it.get("name"));
            let name = name.or_else(|| it.get("type")).and_then(Value::as_str);
            name.map_or_else(|| kind.to_string(), str::to_owned)
        }
        other => other.to_string(),
    }
}

fn json_schema(schema: &Value) -> Option<Vec<Field>> {
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let field = |(name, property): (&String, &Value)| {
        let kind = match &property["type"] {
            Value::String(kind) => kind.clone(),
            Value::Array(kinds) => {
                let kinds: Vec<&str> = kinds.iter().filter_map(Value::as_str).collect();
                kinds.join(" or ")
            }
            _ => "any".to_owned(),
        };
        let needed = if required.contains(&name.as_str()) {
            ", required"
        } else {
            ""
        };
        Field {
            name: name.clone(),
            kind: format!("{kind}{needed}"),
            default: property.get("default").map(Value::to_string),
        }
    };
    Some(
        schema["properties"]
            .as_object()?
            .iter()
            .map(field)
            .collect(),
    )
}

/// The fields of the first message: `LABEL TYPE NAME = NUMBER;`, without those of messages within it.
fn protobuf(schema: &str) -> Vec<Field> {
    let mut fields = Vec::new();
    let mut depth = 0;
    let mut begun = false;
    for line in schema.lines() {
        let line = line.split("//").next().unwrap_or_default().trim();
        if !begun {
            begun = line.starts_with("message ");
        } else if depth == 1 {
            fields.extend(protobuf_field(line));
        }
        if begun {
            depth += line.matches('{').count() as i64 - line.matches('}').count() as i64;
            if depth <= 0 && line.contains('}') {
                break;
            }
        }
    }
    fields
}

fn protobuf_field(line: &str) -> Option<Field> {
    let (declared, number) = line.strip_suffix(';')?.split_once('=')?;
    let number = number.split_whitespace().next()?;
    number.parse::<u32>().ok()?;
    let (kind, name) = declared.trim().rsplit_once(char::is_whitespace)?;
    let is_option = matches!(kind.split_whitespace().next()?, "option" | "reserved");
    (!is_option).then(|| Field {
        name: name.to_owned(),
        kind: format!("{} = {number}", kind.trim()),
        default: None,
    })
}

/// In the order of the newer schema; what is gone comes last.
pub(in crate::control_center) fn compare(from: &[Field], to: &[Field]) -> Vec<Change> {
    let mut changes = Vec::new();
    for field in to {
        let Some(before) = from.iter().find(|it| it.name == field.name) else {
            changes.push(Change::Added {
                field: field.clone(),
            });
            continue;
        };
        let name = || field.name.clone();
        if before.kind != field.kind {
            changes.push(Change::Type {
                name: name(),
                from: before.kind.clone(),
                to: field.kind.clone(),
            });
        }
        if before.default != field.default {
            changes.push(Change::Default {
                name: name(),
                from: before.default.clone(),
                to: field.default.clone(),
            });
        }
    }
    let gone = from
        .iter()
        .filter(|it| to.iter().all(|now| now.name != it.name));
    changes.extend(gone.map(|field| Change::Removed {
        field: field.clone(),
    }));
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user::format::SchemaFormat;

    #[test]
    fn our_three_schemas_have_the_same_fields() {
        let names = |format: SchemaFormat| {
            let fields = fields_of(format.schema_type(), format.schema()).unwrap();
            let mut names: Vec<String> = fields.into_iter().map(|it| it.name).collect();
            names.sort();
            names
        };
        let avro = names(SchemaFormat::Avro);
        assert_eq!(avro.len(), 17, "{avro:?}");
        assert_eq!(names(SchemaFormat::JsonSchema), avro);
        assert_eq!(names(SchemaFormat::Protobuf), avro);
    }

    #[test]
    fn each_kind_of_change_is_told() {
        let of = |fields: &str| {
            let text = format!(r#"{{"type":"record","name":"A","fields":[{fields}]}}"#);
            fields_of("AVRO", &text).unwrap()
        };
        let from = of(
            r#"{"name":"a","type":"int"},{"name":"b","type":"string"},{"name":"c","type":["null","int"],"default":null}"#,
        );
        let to = of(
            r#"{"name":"a","type":"long"},{"name":"c","type":["null","int"],"default":1},{"name":"d","type":"string"}"#,
        );
        let changes = compare(&from, &to);
        assert!(
            matches!(&changes[0], Change::Type { name, from, to } if name == "a" && from == "int" && to == "long")
        );
        assert!(
            matches!(&changes[1], Change::Default { name, from: Some(from), to: Some(to) } if name == "c" && from == "null" && to == "1")
        );
        assert!(matches!(&changes[2], Change::Added { field } if field.name == "d"));
        assert!(matches!(&changes[3], Change::Removed { field } if field.name == "b"));
        assert_eq!(compare(&from, &from), []);
    }

    #[test]
    fn what_is_no_record_has_no_fields() {
        assert_eq!(fields_of("AVRO", r#""string""#), None);
        assert_eq!(fields_of("AVRO", "<script>"), None);
        let nested = "message A {\n  message B {\n    int32 inner = 1;\n  }\n  B b = 1; // a comment\n  option x = 1;\n}\nmessage C { int32 d = 1; }";
        let fields = fields_of("PROTOBUF", nested).unwrap();
        let names: Vec<&str> = fields.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["b"]);
    }
}
