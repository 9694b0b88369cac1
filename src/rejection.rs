//! Why a record cannot be used. Names the field, never what it holds.

use std::borrow::Cow;
use std::fmt;

/// The closed list of reasons; the text of each is a header of the dead letter and a column in PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The record has no value (on a compacted topic, a deletion).
    NullValue,
    /// The value has no bytes.
    EmptyValue,
    /// The bytes are not UTF-8.
    InvalidUtf8,
    /// The text is not JSON.
    InvalidJson,
    /// JSON, but not an object of the expected shape.
    WrongShape,
    /// A field is there with another type than the expected one.
    WrongType,
    /// A field without which the record cannot be used is absent, null or blank.
    MissingField,
    /// The id is not a UUID.
    MalformedId,
    /// A time that is not ISO 8601 with an offset, or that no calendar has.
    ImpossibleDate,
    /// A text of more characters than [`crate::user::clean::MAX_CHARACTERS`].
    TooLong,
    /// The event made of it would not fit into a Kafka record.
    TooLarge,
    /// It begins like Confluent's wire format and is too short for the schema's id.
    InvalidWireFormat,
    /// The Schema Registry does not know the schema by which it was written.
    UnknownSchema,
    /// No user can be read by the schema by which it was written: another format, or no record.
    UnsupportedSchema,
    /// The payload does not fit the schema by which it claims to be written.
    SchemaMismatch,
    /// In Protobuf, a message that is not the first one of its schema.
    OtherMessage,
}

impl Reason {
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::NullValue => "null_value",
            Reason::EmptyValue => "empty_value",
            Reason::InvalidUtf8 => "invalid_utf8",
            Reason::InvalidJson => "invalid_json",
            Reason::WrongShape => "wrong_shape",
            Reason::WrongType => "wrong_type",
            Reason::MissingField => "missing_field",
            Reason::MalformedId => "malformed_id",
            Reason::ImpossibleDate => "impossible_date",
            Reason::TooLong => "too_long",
            Reason::TooLarge => "too_large",
            Reason::InvalidWireFormat => "invalid_wire_format",
            Reason::UnknownSchema => "unknown_schema",
            Reason::UnsupportedSchema => "unsupported_schema",
            Reason::SchemaMismatch => "schema_mismatch",
            Reason::OtherMessage => "other_message",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A record that cannot be used: why, and which field of it (a dotted path) where one is to blame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    pub reason: Reason,
    pub field: Option<Cow<'static, str>>,
    /// The schema by which it was written, where the record names one.
    pub schema_id: Option<u32>,
}

impl Rejection {
    pub fn of(reason: Reason) -> Self {
        Self {
            reason,
            field: None,
            schema_id: None,
        }
    }

    pub fn field(reason: Reason, field: impl Into<Cow<'static, str>>) -> Self {
        Self {
            reason,
            field: Some(field.into()),
            schema_id: None,
        }
    }

    #[must_use]
    pub fn schema_id(mut self, schema_id: u32) -> Self {
        self.schema_id = Some(schema_id);
        self
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(f, "{} ({field})", self.reason),
            None => write!(f, "{}", self.reason),
        }
    }
}
