//! Nearly all records can be told to have a fingerprint by a look at their bytes.

use memchr::memchr;

/// Objects and lists of a record, at the most: however they are nested, serde_json takes them (its limit is 128).
const MAX_NESTED: usize = 127;
/// Between two texts. A number of so few digits without an exponent is in the range of `f64`.
const MAX_BETWEEN_BYTES: usize = 256;

/// Of JSON: whether it is nested but a little, without escapes (of which a lone surrogate is no text) and without exponents (with which a
/// number can be out of range). Of what is no JSON it says nothing.
pub(super) fn is_plain(raw: &str) -> bool {
    let raw = raw.as_bytes();
    if memchr(b'\\', raw).is_some() {
        return false;
    }
    let (mut nested, mut rest) = (0, raw);
    loop {
        // Without escapes each quotation mark begins or ends a text.
        let begin = memchr(b'"', rest).unwrap_or(rest.len());
        let between = &rest[..begin];
        if between.len() > MAX_BETWEEN_BYTES {
            return false;
        }
        let mut last = 0_u8;
        for &byte in between {
            nested += usize::from(byte == b'{' || byte == b'[');
            if matches!(byte, b'e' | b'E') && last.is_ascii_digit() {
                return false;
            }
            last = byte;
        }
        if begin == rest.len() {
            return nested <= MAX_NESTED;
        }
        rest = &rest[begin + 1..];
        let Some(end) = memchr(b'"', rest) else {
            return false;
        };
        rest = &rest[end + 1..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_have_no_fingerprint_is_not_plain() {
        for raw in [
            r#"{"a":"\ud800"}"#,
            r#"{"a\"":1}"#,
            r#"{"a":1e400}"#,
            r#"{"a":[1E4]}"#,
            r#"{"a":-0.5e+1}"#,
            "{\"a",
        ] {
            assert!(!is_plain(raw), "{raw}");
        }
        let digits = format!(r#"{{"a":{}}}"#, "9".repeat(400));
        assert!(!is_plain(&digits));
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(is_plain(&nested(127)) && !is_plain(&nested(128)));
    }

    #[test]
    fn a_usual_record_is_plain() {
        for raw in [
            r#"{"a":"1e400 {[","b":[true,false,null,-1.5,12],"c":{"e":"é"}}"#,
            "17",
            "\"\"",
            "",
        ] {
            assert!(is_plain(raw), "{raw}");
        }
    }
}
