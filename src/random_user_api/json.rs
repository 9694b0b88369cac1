//! JSON written straight into bytes: five thousand users are five megabytes, and building a tree of them first would
//! cost more than making them.

pub struct Json {
    pub out: Vec<u8>,
}

impl Json {
    pub fn with_capacity(bytes: usize) -> Self {
        Self {
            out: Vec::with_capacity(bytes),
        }
    }

    /// A comma, unless this is the first thing in its object or array. A string always ends with a quotation mark, so that
    /// what it holds cannot be mistaken for an opening bracket.
    fn separate(&mut self) {
        if !matches!(self.out.last(), None | Some(b'{' | b'[' | b':')) {
            self.out.push(b',');
        }
    }

    pub fn open(&mut self, bracket: u8) {
        self.separate();
        self.out.push(bracket);
    }

    pub fn close(&mut self, bracket: u8) {
        self.out.push(bracket);
    }

    /// A key that needs no escaping: all of the API's keys.
    pub fn key(&mut self, key: &str) {
        self.separate();
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    pub fn object(&mut self, key: &str) {
        self.key(key);
        self.out.push(b'{');
    }

    pub fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        self.string(value);
    }

    /// A text that `write` puts together from parts that need no escaping.
    pub fn made(&mut self, key: &str, write: impl FnOnce(&mut Vec<u8>)) {
        self.key(key);
        self.out.push(b'"');
        write(&mut self.out);
        self.out.push(b'"');
    }

    pub fn number(&mut self, key: &str, value: u64) {
        self.key(key);
        push_number(value, 1, &mut self.out);
    }

    fn string(&mut self, value: &str) {
        self.out.push(b'"');
        if value
            .bytes()
            .all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\')
        {
            self.out.extend_from_slice(value.as_bytes());
        } else {
            escape(value, &mut self.out);
        }
        self.out.push(b'"');
    }
}

fn escape(value: &str, out: &mut Vec<u8>) {
    for byte in value.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            control if control < b' ' => {
                out.extend_from_slice(b"\\u00");
                push_hex(&[control], out);
            }
            other => out.push(other),
        }
    }
}

/// A whole number with at least `width` digits.
pub fn push_number(mut value: u64, width: usize, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 20];
    let mut at = digits.len();
    while value > 0 || digits.len() - at < width.min(digits.len()) {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
    }
    out.extend_from_slice(&digits[at..]);
}

pub fn push_hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
}

/// The same JSON with two spaces a level, as `format=pretty` gives it.
pub fn indented(compact: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(compact.len() * 3 / 2);
    let mut depth = 0;
    let mut in_string = false;
    let mut escaped = false;
    for (at, &byte) in compact.iter().enumerate() {
        if in_string {
            out.push(byte);
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'{' | b'[' => {
                out.push(byte);
                // Empty objects and arrays stay on their line.
                if !matches!(compact.get(at + 1), Some(b'}' | b']')) {
                    depth += 1;
                    new_line(depth, &mut out);
                }
            }
            b'}' | b']' => {
                if !matches!(out.last(), Some(b'{' | b'[')) {
                    depth -= 1;
                    new_line(depth, &mut out);
                }
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                new_line(depth, &mut out);
            }
            b':' => out.extend_from_slice(b": "),
            other => {
                in_string = other == b'"';
                out.push(other);
            }
        }
    }
    out
}

fn new_line(depth: usize, out: &mut Vec<u8>) {
    out.push(b'\n');
    out.resize(out.len() + 2 * depth, b' ');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(text: &str) -> Vec<u8> {
        let mut json = Json::with_capacity(16);
        json.open(b'{');
        json.text("key", text);
        json.object("inner");
        json.close(b'}');
        json.number("n", 0);
        json.close(b'}');
        json.out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_text_is_read_back(text in any::<String>()) {
            let expected = serde_json::json!({"key": text, "inner": {}, "n": 0});
            let compact: serde_json::Value = serde_json::from_slice(&written(&text)).unwrap();
            prop_assert_eq!(&compact, &expected);
            let pretty: serde_json::Value = serde_json::from_slice(&indented(&written(&text))).unwrap();
            prop_assert_eq!(&pretty, &expected);
        }

        #[test]
        fn numbers_are_written_as_rust_writes_them(value in any::<u64>()) {
            let mut out = Vec::new();
            push_number(value, 1, &mut out);
            prop_assert_eq!(String::from_utf8(out).unwrap(), value.to_string());
        }
    }

    #[test]
    fn indented_json_looks_as_a_person_expects() {
        let pretty =
            String::from_utf8(indented(br#"{"a":[{"b":1},{}],"c":[],"d":"{,}\"[:"}"#)).unwrap();
        let expected = "{\n  \"a\": [\n    {\n      \"b\": 1\n    },\n    {}\n  ],\n  \"c\": [],\n  \"d\": \"{,}\\\"[:\"\n}";
        assert_eq!(pretty, expected);
    }
}
