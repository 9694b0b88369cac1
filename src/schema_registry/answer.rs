//! What a registry may answer, and what it means. Pure.

use serde::{Deserialize, Serialize};

use super::failure::Miss;

/// A schema as the registry tells it and is told it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Schema {
    pub schema: String,
    /// `AVRO` where the registry tells none.
    #[serde(default = "avro")]
    pub schema_type: String,
    /// Other schemas that this one needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    references: Vec<serde_json::Value>,
}

/// A schema as a version of a subject.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Version {
    pub id: u32,
    pub version: u32,
    #[serde(flatten)]
    pub schema: Schema,
}

fn avro() -> String {
    "AVRO".to_owned()
}

impl Schema {
    pub fn new(schema_type: &str, schema: &str) -> Self {
        Self {
            schema: schema.to_owned(),
            schema_type: schema_type.to_owned(),
            references: Vec::new(),
        }
    }

    pub fn has_references(&self) -> bool {
        !self.references.is_empty()
    }
}

#[derive(Deserialize)]
struct Identified {
    id: u32,
}

/// Asked for, it is `compatibilityLevel`; some registries say it as it is set.
#[derive(Deserialize)]
struct Level {
    #[serde(rename = "compatibilityLevel", alias = "compatibility")]
    level: String,
}

#[derive(Deserialize)]
struct Refusal {
    error_code: u32,
    #[serde(default)]
    message: String,
}

/// Codes of the registry's own, below the status 404.
const SUBJECT_NOT_FOUND: u32 = 40401;
const VERSION_NOT_FOUND: u32 = 40402;
const SCHEMA_NOT_FOUND: u32 = 40403;
const NO_LEVEL_OF_ITS_OWN: u32 = 40408;

/// The longest part of a refusal that is told.
const MAX_TOLD_CHARACTERS: usize = 600;

pub(super) fn types(status: u16, body: &[u8]) -> Result<(), Miss> {
    expect_ok(status)?;
    // Which formats it knows shows when a schema is registered.
    let types = serde_json::from_slice::<Vec<String>>(body);
    types.map(drop).map_err(|_| Miss::NotUnderstood)
}

pub(super) fn schema(status: u16, body: &[u8]) -> Result<Option<Schema>, Miss> {
    unless(&[SCHEMA_NOT_FOUND], status, body)
}

/// Nothing where the subject has no version.
pub(super) fn latest(status: u16, body: &[u8]) -> Result<Option<Schema>, Miss> {
    unless(&[SUBJECT_NOT_FOUND, VERSION_NOT_FOUND], status, body)
}

pub(super) fn names(status: u16, body: &[u8]) -> Result<Vec<String>, Miss> {
    list(status, body)
}

/// Nothing where there is no such subject.
pub(super) fn numbers(status: u16, body: &[u8]) -> Result<Option<Vec<u32>>, Miss> {
    match is_missing(&[SUBJECT_NOT_FOUND, VERSION_NOT_FOUND], status, body) {
        true => Ok(None),
        false => list(status, body).map(Some),
    }
}

/// Nothing where the subject has not this version.
pub(super) fn version(status: u16, body: &[u8]) -> Result<Option<Version>, Miss> {
    unless(&[SUBJECT_NOT_FOUND, VERSION_NOT_FOUND], status, body)
}

/// Nothing where the subject has not this schema.
pub(super) fn known_id(status: u16, body: &[u8]) -> Result<Option<u32>, Miss> {
    let found: Option<Identified> = unless(&[SUBJECT_NOT_FOUND, SCHEMA_NOT_FOUND], status, body)?;
    Ok(found.map(|it| it.id))
}

pub(super) fn new_id(status: u16, body: &[u8]) -> Result<u32, Miss> {
    match status {
        409 => Err(Miss::Incompatible(told(body))),
        422 => Err(Miss::Refused(told(body))),
        _ => read::<Identified>(status, body).map(|it| it.id),
    }
}

/// Nothing where the subject has no level of its own.
pub(super) fn level(status: u16, body: &[u8]) -> Result<Option<String>, Miss> {
    let level: Option<Level> = unless(&[SUBJECT_NOT_FOUND, NO_LEVEL_OF_ITS_OWN], status, body)?;
    Ok(level.map(|it| it.level))
}

pub(super) fn new_level(status: u16, body: &[u8]) -> Result<(), Miss> {
    match status {
        422 => Err(Miss::Refused(told(body))),
        _ => read::<Level>(status, body).map(drop),
    }
}

/// Nothing when the answer is 404 with one of these codes. A bare 404 is that of another server, or of a wrong path.
fn unless<'a, T: Deserialize<'a>>(
    codes: &[u32],
    status: u16,
    body: &'a [u8],
) -> Result<Option<T>, Miss> {
    match is_missing(codes, status, body) {
        true => Ok(None),
        false => read(status, body).map(Some),
    }
}

fn is_missing(codes: &[u32], status: u16, body: &[u8]) -> bool {
    status == 404
        && serde_json::from_slice::<Refusal>(body)
            .is_ok_and(|refusal| codes.contains(&refusal.error_code))
}

fn list<'a, T: Deserialize<'a>>(status: u16, body: &'a [u8]) -> Result<Vec<T>, Miss> {
    expect_ok(status)?;
    serde_json::from_slice(body).map_err(|_| Miss::NotUnderstood)
}

fn read<'a, T: Deserialize<'a>>(status: u16, body: &'a [u8]) -> Result<T, Miss> {
    expect_ok(status)?;
    // serde would also read an array as a struct, field by field.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(Miss::NotUnderstood);
    }
    serde_json::from_slice(body).map_err(|_| Miss::NotUnderstood)
}

fn expect_ok(status: u16) -> Result<(), Miss> {
    match status {
        200 => Ok(()),
        401 | 403 => Err(Miss::Denied { status }),
        _ => Err(Miss::Status { status }),
    }
}

/// The registry's own words, which are about schemas, in one line.
fn told(body: &[u8]) -> String {
    let message = serde_json::from_slice::<Refusal>(body).map(|refusal| refusal.message);
    let message = message.unwrap_or_default();
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(MAX_TOLD_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_avro_where_nothing_else_is_told() {
        let avro = schema(200, br#"{"schema":"\"string\""}"#).unwrap().unwrap();
        assert_eq!(
            (avro.schema_type.as_str(), avro.has_references()),
            ("AVRO", false)
        );
        let body = br#"{"schema":"{}","schemaType":"JSON","references":[{"name":"a","subject":"b","version":1}],"version":3}"#;
        let json = schema(200, body).unwrap().unwrap();
        assert_eq!(
            (json.schema_type.as_str(), json.has_references()),
            ("JSON", true)
        );
    }

    #[test]
    fn what_is_not_there_is_told_apart_from_another_server() {
        let unknown = br#"{"error_code":40403,"message":"Schema 7 not found"}"#;
        assert_eq!(schema(404, unknown), Ok(None));
        assert_eq!(known_id(404, unknown), Ok(None));
        assert_eq!(
            known_id(404, br#"{"error_code":40401,"message":""}"#),
            Ok(None)
        );
        assert_eq!(level(404, br#"{"error_code":40408}"#), Ok(None));
        for body in [&b""[..], b"<html>", br#"{"error_code":404}"#, b"[]"] {
            assert_eq!(schema(404, body), Err(Miss::Status { status: 404 }));
        }
    }

    #[test]
    fn subjects_and_versions_are_lists_and_a_version_has_its_number() {
        assert_eq!(
            names(200, br#"["a-value"]"#),
            Ok(vec!["a-value".to_owned()])
        );
        assert_eq!(numbers(200, b"[1,3]"), Ok(Some(vec![1, 3])));
        assert_eq!(numbers(404, br#"{"error_code":40401}"#), Ok(None));
        assert_eq!(numbers(404, b""), Err(Miss::Status { status: 404 }));
        assert_eq!(names(200, b"{}"), Err(Miss::NotUnderstood));
        let body = br#"{"subject":"a-value","version":2,"id":7,"schema":"\"string\"","schemaType":"AVRO"}"#;
        let found = version(200, body).unwrap().unwrap();
        assert_eq!((found.version, found.id), (2, 7));
        assert_eq!(found.schema.schema, "\"string\"");
        assert_eq!(version(404, br#"{"error_code":40402}"#), Ok(None));
    }

    #[test]
    fn an_answer_of_another_shape_is_not_understood() {
        for body in [
            &b""[..],
            b"<html>",
            b"{}",
            b"\xff\0",
            b"[1]",
            br#"{"id":-1}"#,
        ] {
            assert_eq!(schema(200, body), Err(Miss::NotUnderstood));
            assert_eq!(known_id(200, body), Err(Miss::NotUnderstood));
            assert_eq!(types(200, body), Err(Miss::NotUnderstood));
            assert_eq!(level(200, body), Err(Miss::NotUnderstood));
        }
        assert_eq!(types(200, br#"["AVRO","JSON"]"#), Ok(()));
        assert_eq!(types(403, b""), Err(Miss::Denied { status: 403 }));
        assert_eq!(types(503, b""), Err(Miss::Status { status: 503 }));
    }

    #[test]
    fn a_refusal_is_told_in_the_words_of_the_registry() {
        let body = br#"{"error_code":409,"message":"Schema being registered\n is incompatible"}"#;
        let told = "Schema being registered is incompatible".to_owned();
        assert_eq!(new_id(409, body), Err(Miss::Incompatible(told)));
        assert_eq!(new_id(422, b"?"), Err(Miss::Refused(String::new())));
        assert_eq!(new_id(200, br#"{"id":7}"#), Ok(7));
        assert_eq!(new_level(200, br#"{"compatibility":"NONE"}"#), Ok(()));
    }
}
