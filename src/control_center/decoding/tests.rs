use super::*;

fn plain(value: &[u8], reveal: bool) -> Decoded {
    decode(Some(value), &|_| None, reveal)
}

#[test]
fn json_is_masked_in_every_form_unless_it_may_be_seen() {
    let value = br#"{"id":"1","email":"ada@x.org","n":18446744073709551616}"#;
    let masked = plain(value, false);
    let everything = format!("{masked:?} {} {}", one_line(&masked), hex(&masked.bytes).0);
    assert!(!everything.contains("ada"), "{everything}");
    assert!(one_line(&masked).contains("18446744073709551616"));
    let revealed = plain(value, true);
    assert_eq!(revealed.bytes, value);
    assert!(one_line(&revealed).contains("ada@x.org"));
}

#[test]
fn what_is_no_json_is_masked_by_its_shape_and_says_why() {
    let masked = plain(b"{\"first_name\": \"Ada\"", false);
    assert_eq!(masked.format, "text");
    assert_eq!(masked.failures[0].decoder, "JSON");
    assert!(
        masked.failures[0].why.contains("EOF"),
        "{:?}",
        masked.failures
    );
    assert_eq!(masked.bytes, b"{\"xxxxx_xxxx\": \"xxx\"");
    let masked = plain(b"Ada \xff", false);
    assert_eq!(
        (masked.format.as_str(), masked.bytes.as_slice()),
        ("bytes", &b"xxx \xff"[..])
    );
    assert_eq!(masked.failures[0].why, "the byte at 4 is not of UTF-8");
}

#[test]
fn nothing_is_told_from_an_empty_value() {
    assert_eq!(decode(None, &|_| None, false).format, "null");
    assert_eq!(plain(b"", false).format, "text");
}

#[test]
fn a_schema_that_is_not_known_is_named() {
    let masked = plain(&[0, 0, 0, 0, 7, b'A'], false);
    assert_eq!(masked.failures[0].decoder, "schema 7");
    assert_eq!(masked.bytes, [0, 0, 0, 0, 7, b'x']);
}

#[test]
fn what_hides_is_shown() {
    assert_eq!(visible("a\u{202e}b\u{0}c\n"), "a\\u{202e}b\\u{0}c\n");
    assert_eq!(visible("Ünïcödé"), "Ünïcödé");
}

#[test]
fn our_headers_are_shown_only_with_what_we_write_there() {
    assert!(is_ours(b"streamflow-reason", b"wrong_type"));
    assert!(is_ours(
        b"streamflow-sequence",
        b"0b8a1c5e-35c1-4d5c-8b8f-6b8f3a1d2c3e/17"
    ));
    assert!(is_ours(b"streamflow-replayed", b"2 0:17"));
    assert!(!is_ours(b"streamflow-note", b"anything"));
    assert!(!is_ours(b"streamflow-reason", b"Ada Lovelace"));
    assert!(!is_ours(b"streamflow-replayed", b"Ada Lovelace"));
    assert!(!is_ours(b"streamflow-field", b"ada@example.org"));
}

#[test]
fn long_values_are_cut_and_say_so() {
    let (text, cut_off) = shown_text(&"ä".repeat(VALUE_BYTES));
    assert!(cut_off && text.len() <= VALUE_BYTES);
    assert_eq!(cut(&"ä".repeat(500), 10), format!("{}…", "ä".repeat(10)));
    assert_eq!(hex(b"0123456789abcdef\x00").0.lines().count(), 2);
}
