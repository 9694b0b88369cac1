//! An Avro schema, read from its JSON: as much as the reading of records asks. Defaults, orders, aliases and documentation are left out, and
//! so are logical types, whose encoding is that of the type below them.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::user::format::Unusable;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Type {
    Null,
    Boolean,
    /// `int` or `long`, which have the same encoding.
    Integer,
    /// Encoded as the place of its symbol.
    Enum,
    Float,
    Double,
    /// `bytes` or `string`, which have the same encoding.
    Bytes,
    Fixed(usize),
    Array(Box<Type>),
    Map(Box<Type>),
    Union(Vec<Type>),
    /// A place in [`Schema::records`]: a record can hold itself.
    Record(usize),
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) kind: Type,
}

#[derive(Debug)]
pub(super) struct Schema {
    pub(super) root: Type,
    pub(super) records: Vec<Vec<Field>>,
}

impl Schema {
    pub(super) fn parse(text: &str) -> Result<Self, Unusable> {
        let json = serde_json::from_str(text).map_err(|_| Unusable::Unreadable)?;
        let mut names = Names::default();
        let root = names.read(&json, "").ok_or(Unusable::Unreadable)?;
        Ok(Self {
            root,
            records: names.records,
        })
    }
}

/// What was named so far.
#[derive(Default)]
struct Names {
    named: HashMap<String, Type>,
    records: Vec<Vec<Field>>,
}

impl Names {
    /// `namespace` is that of the surrounding type.
    fn read(&mut self, json: &Value, namespace: &str) -> Option<Type> {
        match json {
            Value::String(name) => self.by_name(name, namespace),
            Value::Array(branches) => {
                let branches = branches.iter().map(|it| self.read(it, namespace));
                Some(Type::Union(branches.collect::<Option<_>>()?))
            }
            Value::Object(object) => match object.get("type")? {
                Value::String(kind) => self.complex(kind, object, namespace),
                inner => self.read(inner, namespace),
            },
            Value::Null | Value::Bool(_) | Value::Number(_) => None,
        }
    }

    fn by_name(&self, name: &str, namespace: &str) -> Option<Type> {
        let primitive = match name {
            "null" => Type::Null,
            "boolean" => Type::Boolean,
            "int" | "long" => Type::Integer,
            "float" => Type::Float,
            "double" => Type::Double,
            "bytes" | "string" => Type::Bytes,
            _ => return self.named.get(&full_name(name, namespace)).cloned(),
        };
        Some(primitive)
    }

    fn complex(
        &mut self,
        kind: &str,
        object: &Map<String, Value>,
        namespace: &str,
    ) -> Option<Type> {
        match kind {
            "array" => {
                let items = self.read(object.get("items")?, namespace)?;
                Some(Type::Array(Box::new(items)))
            }
            "map" => {
                let values = self.read(object.get("values")?, namespace)?;
                Some(Type::Map(Box::new(values)))
            }
            "enum" => {
                self.remember(object, namespace, Type::Enum)?;
                Some(Type::Enum)
            }
            "fixed" => {
                let size = usize::try_from(object.get("size")?.as_u64()?).ok()?;
                self.remember(object, namespace, Type::Fixed(size))?;
                Some(Type::Fixed(size))
            }
            "record" | "error" => self.record(object, namespace),
            name => self.by_name(name, namespace),
        }
    }

    fn record(&mut self, object: &Map<String, Value>, namespace: &str) -> Option<Type> {
        let place = self.records.len();
        self.records.push(Vec::new());
        // Before its fields, which can name it.
        let name = self.remember(object, namespace, Type::Record(place))?;
        let namespace = name.rsplit_once('.').map_or("", |(namespace, _)| namespace);
        let mut fields = Vec::new();
        for field in object.get("fields")?.as_array()? {
            fields.push(Field {
                name: field.get("name")?.as_str()?.to_owned(),
                kind: self.read(field.get("type")?, namespace)?,
            });
        }
        self.records[place] = fields;
        Some(Type::Record(place))
    }

    fn remember(
        &mut self,
        object: &Map<String, Value>,
        surrounding: &str,
        kind: Type,
    ) -> Option<String> {
        let name = object.get("name")?.as_str()?;
        let own = object.get("namespace").and_then(Value::as_str);
        let name = full_name(name, own.unwrap_or(surrounding));
        self.named.insert(name.clone(), kind);
        Some(name)
    }
}

/// A name with a dot has its namespace in it.
fn full_name(name: &str, namespace: &str) -> String {
    if name.contains('.') || namespace.is_empty() {
        name.to_owned()
    } else {
        format!("{namespace}.{name}")
    }
}
