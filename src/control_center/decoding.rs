//! From the bytes of a record to what a page shows: decoded where that works, masked unless it may be seen, and safe to look at.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, timeout_at};

use super::center::Center;
use super::count::Bytes;
use super::exact_json::Json;
use super::kafka::Message;
use super::letters::REPLAYED_HEADER;
use super::masking;
use super::moment::Moment;
use super::registry::{Known, Registry};
use crate::pipeline::dead_letter::header;
use crate::pipeline::sequence::SEQUENCE_HEADER;
use crate::user::clean::{clean, decode_and_clean};
use crate::user::event::UserCreated;
use crate::user::format::wire;

/// How long a page waits for the schemas of its records, all together.
const LEARN_WITHIN: Duration = Duration::from_secs(3);
/// What a list shows of a value.
const LINE_CHARACTERS: usize = 240;
/// What a page shows of a value; the rest is cut off, and the page says so.
const VALUE_BYTES: usize = 64 << 10;
const HEX_BYTES: usize = 4 << 10;
const SHOWN_HEADERS: usize = 100;

/// A value as far as it could be decoded.
#[derive(Debug, Clone)]
pub(super) struct Decoded {
    /// Such as "JSON", "Avro, schema 3".
    pub format: String,
    pub json: Option<Json>,
    /// What stands for the bytes: they themselves, or what masking leaves of them.
    pub bytes: Vec<u8>,
    /// Which decoder did not take it, and why.
    pub failures: Vec<Failure>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    pub decoder: String,
    pub why: String,
}

impl Failure {
    fn of(decoder: impl Into<String>, why: impl ToString) -> Self {
        Self {
            decoder: decoder.into(),
            why: why.to_string(),
        }
    }
}

/// Decodes the records of one request.
pub(super) struct Decoder {
    registry: Arc<Registry>,
    reveal: bool,
    schemas: HashMap<u32, Arc<Known>>,
}

impl Decoder {
    pub(super) fn new(center: Arc<Center>, reveal: bool) -> Self {
        Self::with(center.registry.clone(), reveal)
    }

    pub(super) fn with(registry: Arc<Registry>, reveal: bool) -> Self {
        Self {
            registry,
            reveal,
            schemas: HashMap::new(),
        }
    }

    /// Asks the registry for the schemas of these records.
    pub(super) async fn learn<'a>(&mut self, messages: impl IntoIterator<Item = &'a Message>) {
        let until = Instant::now() + LEARN_WITHIN;
        for message in messages {
            // What the registry has told before is there at once, also after that time.
            let _ = timeout_at(until, self.learn_of(message)).await;
        }
    }

    /// Whether it takes a schema that the registry was not asked for, or did not answer about.
    pub(super) fn lacks_schema(&self, message: &Message) -> bool {
        schema_id(message).is_some_and(|id| {
            self.schemas
                .get(&id)
                .is_none_or(|known| matches!(**known, Known::Silent(_)))
        })
    }

    pub(super) async fn learn_of(&mut self, message: &Message) {
        if let Some(id) = schema_id(message)
            && !self.schemas.contains_key(&id)
        {
            let known = self.registry.schema(id).await;
            self.schemas.insert(id, known);
        }
    }

    /// On a thread that may wait: asks the registry when a schema is met for the first time.
    pub(super) fn decode_waiting(&mut self, message: &Message) -> Decoded {
        if let Some(id) = schema_id(message)
            && !self.schemas.contains_key(&id)
        {
            let known = tokio::runtime::Handle::current().block_on(self.registry.schema(id));
            self.schemas.insert(id, known);
        }
        self.decode(message)
    }

    pub(super) fn decode(&self, message: &Message) -> Decoded {
        let known = |id| self.schemas.get(&id).map(Arc::as_ref);
        decode(message.value.as_deref(), &known, self.reveal)
    }

    /// A line of a list.
    pub(super) fn line(&self, message: &Message) -> Line {
        let decoded = self.decode(message);
        Line {
            partition: message.partition,
            offset: message.offset,
            at: message.timestamp_ms.map(Moment::at),
            key: message.key.as_deref().map(|key| self.key(key)),
            line: one_line(&decoded),
            format: decoded.format,
            size: Bytes(message.value.as_ref().map_or(0, Vec::len) as u64),
        }
    }

    pub(super) fn key(&self, key: &[u8]) -> String {
        cut(
            &visible(&String::from_utf8_lossy(&masking::key(key, self.reveal))),
            LINE_CHARACTERS,
        )
    }

    /// Names and values. What our own headers hold is no secret; of others only the shape is shown.
    pub(super) fn headers(&self, message: &Message) -> Vec<(String, String)> {
        let header = |(name, value): &(Vec<u8>, Option<Vec<u8>>)| {
            let value = match value {
                None => "null".to_owned(),
                Some(value) if self.reveal || is_ours(name, value) => {
                    String::from_utf8_lossy(value).into_owned()
                }
                Some(value) => String::from_utf8_lossy(&masking::key(value, false)).into_owned(),
            };
            let name = match self.reveal || !name.contains(&b'@') {
                true => String::from_utf8_lossy(name).into_owned(),
                false => String::from_utf8_lossy(&masking::shape(name)).into_owned(),
            };
            (
                cut(&visible(&name), LINE_CHARACTERS),
                cut(&visible(&value), LINE_CHARACTERS),
            )
        };
        message
            .headers
            .iter()
            .take(SHOWN_HEADERS)
            .map(header)
            .collect()
    }
}

/// Whether this is a header of ours with what we write there: anybody can write something else under its name.
fn is_ours(name: &[u8], value: &[u8]) -> bool {
    const NAMES: [&str; 10] = [
        header::REASON,
        header::FIELD,
        header::SCHEMA_ID,
        header::JOB,
        header::ORIGIN_TOPIC,
        header::ORIGIN_PARTITION,
        header::ORIGIN_OFFSET,
        header::ORIGIN_TIMESTAMP,
        SEQUENCE_HEADER,
        REPLAYED_HEADER,
    ];
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-[]:/".contains(byte);
    let is_replay = name == REPLAYED_HEADER.as_bytes();
    NAMES.iter().any(|it| it.as_bytes() == name)
        && value.len() <= 249
        && match is_replay {
            true => value
                .iter()
                .all(|it| it.is_ascii_digit() || b": ".contains(it)),
            false => value.iter().all(is_word),
        }
}

/// A record in a list.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    pub partition: i32,
    pub offset: i64,
    pub at: Option<Moment>,
    pub key: Option<String>,
    pub line: String,
    pub format: String,
    pub size: Bytes,
}

/// What the jobs would do with a value.
pub(super) fn verdict(message: &Message, known: Option<&Known>) -> Result<String, String> {
    let Some(value) = &message.value else {
        return Err("it has no value (null_value)".to_owned());
    };
    let user = match wire::split(value) {
        Ok(None) => decode_and_clean(value),
        Ok(Some(framed)) => match known {
            Some(Known::Schema(schema, _)) => schema.decode(framed.payload).and_then(clean),
            Some(other) => return Err(other.why()),
            None => return Err("its schema was not looked up".to_owned()),
        },
        Err(rejection) => Err(rejection),
    };
    user.map(|user| user.id.to_string())
        .map_err(|rejection| rejection.to_string())
}

impl Decoder {
    pub(super) fn verdict(&self, message: &Message) -> Result<String, String> {
        let known = schema_id(message).and_then(|id| self.schemas.get(&id));
        verdict(message, known.map(Arc::as_ref))
    }
}

pub(super) fn schema_id(message: &Message) -> Option<u32> {
    match wire::split(message.value.as_deref()?) {
        Ok(Some(framed)) => Some(framed.schema_id),
        _ => None,
    }
}

fn decode<'a>(
    value: Option<&[u8]>,
    known: &dyn Fn(u32) -> Option<&'a Known>,
    reveal: bool,
) -> Decoded {
    let Some(value) = value else {
        return Decoded {
            format: "null".to_owned(),
            json: None,
            bytes: Vec::new(),
            failures: Vec::new(),
        };
    };
    let (format, decoded) = match wire::split(value) {
        Ok(Some(framed)) => match known(framed.schema_id) {
            Some(Known::Schema(schema, kind)) => {
                let format = format!("{kind}, schema {}", framed.schema_id);
                let event = schema
                    .decode(framed.payload)
                    .map_err(|rejection| Failure::of(format.clone(), rejection));
                let json = event.and_then(|event| as_json(&event));
                (format, json)
            }
            other => {
                let format = format!("schema {}", framed.schema_id);
                let why = other.map_or("the registry was not asked".to_owned(), Known::why);
                (format.clone(), Err(Failure::of(format, why)))
            }
        },
        Ok(None) | Err(_) => match std::str::from_utf8(value) {
            Ok(text) => match Json::parse(text) {
                Some(json) => ("JSON".to_owned(), Ok(json)),
                None => (
                    "text".to_owned(),
                    Err(Failure::of("JSON", why_no_json(text))),
                ),
            },
            Err(error) => {
                let place = error.valid_up_to();
                (
                    "bytes".to_owned(),
                    Err(Failure::of(
                        "UTF-8",
                        format!("the byte at {place} is not of UTF-8"),
                    )),
                )
            }
        },
    };
    match decoded {
        Ok(mut json) => {
            if !reveal {
                masking::json(&mut json);
            }
            let bytes = match reveal {
                true => value.to_vec(),
                false => json.line().into_bytes(),
            };
            Decoded {
                format,
                json: Some(json),
                bytes,
                failures: Vec::new(),
            }
        }
        Err(failure) => Decoded {
            format,
            json: None,
            bytes: if reveal {
                value.to_vec()
            } else {
                masking::shape(value)
            },
            failures: vec![failure],
        },
    }
}

fn as_json(event: &UserCreated<'_>) -> Result<Json, Failure> {
    let text = serde_json::to_string(event).map_err(|cause| Failure::of("event", cause))?;
    Json::parse(&text).ok_or_else(|| Failure::of("event", "it is no JSON"))
}

/// Where it ends to be JSON. The parser's own words hold nothing of the text.
fn why_no_json(text: &str) -> String {
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Ok(_) => "a text in it cannot be read".to_owned(),
        Err(error) => error.to_string(),
    }
}

fn one_line(decoded: &Decoded) -> String {
    let text = match &decoded.json {
        Some(json) => json.line(),
        None => {
            String::from_utf8_lossy(&decoded.bytes[..decoded.bytes.len().min(4 * LINE_CHARACTERS)])
                .into_owned()
        }
    };
    cut(&visible(&text), LINE_CHARACTERS)
}

/// What a page shows of a text, and whether something was cut off.
pub(super) fn shown_text(text: &str) -> (String, bool) {
    let end = text.floor_char_boundary(VALUE_BYTES);
    (visible(&text[..end]), end < text.len())
}

/// Rows of 16 bytes, as `hexdump -C` has them, and whether something was cut off.
pub(super) fn hex(bytes: &[u8]) -> (String, bool) {
    let mut text = String::new();
    for (row, chunk) in bytes[..bytes.len().min(HEX_BYTES)].chunks(16).enumerate() {
        let hex: Vec<String> = chunk.iter().map(|byte| format!("{byte:02x}")).collect();
        let plain = |&byte: &u8| {
            if (0x20..0x7f).contains(&byte) {
                char::from(byte)
            } else {
                '.'
            }
        };
        let plain: String = chunk.iter().map(plain).collect();
        text.push_str(&format!(
            "{:08x}  {:<47}  {plain}\n",
            row * 16,
            hex.join(" ")
        ));
    }
    (text, bytes.len() > HEX_BYTES)
}

fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Characters that change how what stands around them looks are shown as what they are: those that turn the direction of writing
/// (<https://trojansource.codes>), and controls.
pub(super) fn visible(text: &str) -> String {
    let hides = |it: char| {
        (it.is_control() && !matches!(it, '\n' | '\t'))
            || matches!(it, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{61c}')
    };
    if !text.contains(hides) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    for it in text.chars() {
        match hides(it) {
            true => shown.push_str(&format!("\\u{{{:x}}}", it as u32)),
            false => shown.push(it),
        }
    }
    shown
}

#[cfg(test)]
mod tests;
