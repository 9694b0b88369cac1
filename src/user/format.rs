//! How an event looks as the value of a record: plain JSON, or one of the formats of a Schema Registry, in Confluent's [`wire`] format.
//!
//! Pure: what a registry knows of a schema comes in as a text, and is compiled once into a [`WriterSchema`], which then reads any number of
//! records. The schemas that this program writes by lie in the folder `schemas/`.

mod avro;
mod json;
mod protobuf;
pub mod wire;

use serde_json::Value;

use super::event::{MAX_EVENT_BYTES, UserCreated};
use crate::rejection::{Reason, Rejection};

/// A format that needs a Schema Registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaFormat {
    Avro,
    JsonSchema,
    Protobuf,
}

impl SchemaFormat {
    pub const ALL: [SchemaFormat; 3] = [
        SchemaFormat::Avro,
        SchemaFormat::JsonSchema,
        SchemaFormat::Protobuf,
    ];

    /// The schema by which this program writes.
    pub fn schema(self) -> &'static str {
        match self {
            SchemaFormat::Avro => include_str!("../../schemas/user_created.avsc"),
            SchemaFormat::JsonSchema => include_str!("../../schemas/user_created.schema.json"),
            SchemaFormat::Protobuf => include_str!("../../schemas/user_created.proto"),
        }
    }

    /// The registry's word for it.
    pub fn schema_type(self) -> &'static str {
        match self {
            SchemaFormat::Avro => "AVRO",
            SchemaFormat::JsonSchema => "JSON",
            SchemaFormat::Protobuf => "PROTOBUF",
        }
    }

    /// The format of a schema's text, where that says it without doubt. Apicurio knows one type for a subject, and tells it for every version
    /// in it, whatever that is.
    fn or_by_text(self, schema: &str) -> Self {
        match serde_json::from_str::<Value>(schema) {
            Ok(json) if json["type"] == "record" => SchemaFormat::Avro,
            Ok(json) if json["type"] == "object" => SchemaFormat::JsonSchema,
            Ok(_) => self,
            // Avro and JSON Schema are JSON.
            Err(_) if schema.contains("message") => SchemaFormat::Protobuf,
            Err(_) => self,
        }
    }
}

/// Makes the value of a record of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoder {
    /// JSON in UTF-8 and nothing else.
    Json,
    /// In the wire format, with the id that the registry gave to [`SchemaFormat::schema`].
    Registered {
        format: SchemaFormat,
        schema_id: u32,
    },
}

impl Encoder {
    pub fn encode(self, event: &UserCreated<'_>) -> Result<Vec<u8>, Rejection> {
        let Encoder::Registered { format, schema_id } = self else {
            return event.encode();
        };
        let value = match format {
            SchemaFormat::Avro => avro::encode(event, wire::header(schema_id)),
            SchemaFormat::JsonSchema => json::encode(event, wire::header(schema_id))?,
            SchemaFormat::Protobuf => protobuf::encode(event, wire::header(schema_id)),
        };
        if value.len() - wire::HEADER_BYTES > MAX_EVENT_BYTES {
            return Err(Rejection::of(Reason::TooLarge));
        }
        Ok(value)
    }
}

/// The schema by which a record was written, made ready for reading.
#[derive(Debug)]
pub enum WriterSchema {
    Avro(avro::Plan),
    /// The names in the payload say all: it is read like plain JSON.
    JsonSchema,
    /// The numbers in the payload say all.
    Protobuf,
}

/// A schema by which no user can be read, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    #[error("schemas of its type are not known here")]
    UnknownType,
    #[error("it refers to other schemas")]
    References,
    #[error("it cannot be read")]
    Unreadable,
    #[error("it is not of a record")]
    NoRecord,
}

impl WriterSchema {
    /// `schema_type` is the registry's word for the format, which the text can overrule. `references`: whether the schema needs others to be complete.
    pub fn compile(schema_type: &str, schema: &str, references: bool) -> Result<Self, Unusable> {
        let told = SchemaFormat::ALL
            .into_iter()
            .find(|format| format.schema_type() == schema_type)
            .ok_or(Unusable::UnknownType)?;
        match told.or_by_text(schema) {
            SchemaFormat::Avro if references => Err(Unusable::References),
            SchemaFormat::Avro => avro::Plan::compile(schema).map(WriterSchema::Avro),
            SchemaFormat::JsonSchema => Ok(WriterSchema::JsonSchema),
            SchemaFormat::Protobuf => Ok(WriterSchema::Protobuf),
        }
    }

    /// The event in what follows the header of the wire format. Fields that the event does not know are skipped, those that the writer does
    /// not know are absent.
    pub fn decode<'a>(&self, payload: &'a [u8]) -> Result<UserCreated<'a>, Rejection> {
        match self {
            WriterSchema::Avro(plan) => plan.decode(payload),
            WriterSchema::JsonSchema => UserCreated::decode(payload),
            WriterSchema::Protobuf => protobuf::decode(payload),
        }
    }
}
