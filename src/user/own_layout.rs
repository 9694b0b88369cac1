//! An event exactly as [`UserCreated::encode`] writes it: every field in its order, nothing between them, no escapes. Nearly all records are
//! of this kind, and are read several times as fast as by a reader of any JSON, which the rest is left to.

use std::borrow::Cow;

use memchr::memchr;
use wide::u8x16;

use super::event::UserCreated;

/// Nothing comes back for a text of any other layout, whether it is an event or not.
pub(super) fn read(text: &str) -> Option<UserCreated<'_>> {
    let mut rest = Rest::of(text)?;
    let event = UserCreated {
        id: rest.text(b"{\"id\":")?,
        first_name: rest.text(b",\"first_name\":")?,
        last_name: rest.text(b",\"last_name\":")?,
        gender: rest.text(b",\"gender\":")?,
        street_number: rest.number(b",\"street_number\":")?,
        street_name: rest.text(b",\"street_name\":")?,
        city: rest.text(b",\"city\":")?,
        state: rest.text(b",\"state\":")?,
        country: rest.text(b",\"country\":")?,
        post_code: rest.text(b",\"post_code\":")?,
        email: rest.text(b",\"email\":")?,
        username: rest.text(b",\"username\":")?,
        dob: rest.text(b",\"dob\":")?,
        registered_date: rest.text(b",\"registered_date\":")?,
        phone: rest.text(b",\"phone\":")?,
        picture: rest.text(b",\"picture\":")?,
        nationality: rest.text(b",\"nationality\":")?,
    };
    (rest.bytes() == b"}").then_some(event)
}

/// What is not read yet of a text in a layout that is known to the byte.
pub(super) struct Rest<'a> {
    text: &'a str,
    at: usize,
    quotes: Quotes,
}

/// Where the quotation marks stand in the block of a text that was looked at last: a bit for each byte, the first one lowest.
struct Quotes {
    block: usize,
    marks: u64,
}

impl Quotes {
    /// Most texts are shorter than a block, so that a look at one serves several of them.
    const BLOCK_BYTES: usize = 64;

    // Once for several texts: kept out of each of them.
    #[inline(never)]
    fn of(bytes: &[u8], block: usize) -> Option<Self> {
        let begin = block * Self::BLOCK_BYTES;
        let rest = bytes.get(begin..)?;
        let marks = match rest.first_chunk() {
            Some(whole) => marks(whole),
            None if rest.is_empty() => return None,
            None => {
                let mut padded = [0; Self::BLOCK_BYTES];
                padded[..rest.len()].copy_from_slice(rest);
                marks(&padded)
            }
        };
        Some(Self { block, marks })
    }

    /// The place of the first one from `from` on.
    #[inline(always)]
    fn next(&mut self, bytes: &[u8], mut from: usize) -> Option<usize> {
        loop {
            let block = from / Self::BLOCK_BYTES;
            if block != self.block {
                *self = Self::of(bytes, block)?;
            }
            let marks = self.marks >> (from % Self::BLOCK_BYTES);
            if marks != 0 {
                return Some(from + marks.trailing_zeros() as usize);
            }
            from = (block + 1) * Self::BLOCK_BYTES;
        }
    }
}

#[inline(always)]
fn marks(block: &[u8; Quotes::BLOCK_BYTES]) -> u64 {
    let (sixteens, _) = block.as_chunks::<16>();
    sixteens.iter().rev().fold(0, |marks, sixteen| {
        let found = u8x16::new(*sixteen).simd_eq(u8x16::splat(b'"'));
        marks << 16 | u64::from(found.to_bitmask())
    })
}

impl<'a> Rest<'a> {
    /// A text with neither an escape nor a control character, which no text of JSON may hold: then the next quotation mark ends one.
    pub(super) fn of(text: &'a str) -> Option<Self> {
        Self::from(text, 0)
    }

    pub(super) fn from(text: &'a str, at: usize) -> Option<Self> {
        let bytes = text.as_bytes();
        // Of all of them, without a way out on the way: processors do that many bytes at a time.
        let lowest = bytes.iter().fold(u8::MAX, |lowest, &byte| lowest.min(byte));
        let plain = lowest >= b' ' && memchr(b'\\', bytes).is_none();
        let quotes = Quotes::of(bytes, at / Quotes::BLOCK_BYTES)?;
        plain.then_some(Self { text, at, quotes })
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    // Each name is compared in a step or two, as its length is known where it is written.
    #[inline(always)]
    pub(super) fn skip<const LENGTH: usize>(&mut self, known: &[u8; LENGTH]) -> Option<()> {
        if self.bytes().first_chunk() != Some(known) {
            return None;
        }
        self.at += LENGTH;
        Some(())
    }

    #[inline(always)]
    pub(super) fn text<const LENGTH: usize>(
        &mut self,
        name: &[u8; LENGTH],
    ) -> Option<Option<Cow<'a, str>>> {
        let (first, rest) = self.bytes().split_first_chunk()?;
        if first != name {
            return None;
        }
        self.at += LENGTH;
        if rest.first() != Some(&b'"') {
            return self.skip(b"null").map(|()| None);
        }
        let begin = self.at + 1;
        let end = self.quotes.next(self.text.as_bytes(), begin)?;
        self.at = end + 1;
        Some(Some(Cow::Borrowed(self.text.get(begin..end)?)))
    }

    pub(super) fn number<const LENGTH: usize>(
        &mut self,
        name: &[u8; LENGTH],
    ) -> Option<Option<i64>> {
        match self.digits(name)? {
            Some(digits) => Some(Some(digits.parse().ok()?)),
            None => Some(None),
        }
    }

    /// A text, or the digits of a number.
    pub(super) fn text_or_digits<const LENGTH: usize>(
        &mut self,
        name: &[u8; LENGTH],
    ) -> Option<Option<Cow<'a, str>>> {
        if self.bytes().get(LENGTH) == Some(&b'"') {
            return self.text(name);
        }
        Some(self.digits(name)?.map(Cow::Borrowed))
    }

    /// A whole number of up to 18 digits: any of those fits.
    fn digits<const LENGTH: usize>(&mut self, name: &[u8; LENGTH]) -> Option<Option<&'a str>> {
        self.skip(name)?;
        let sign = usize::from(self.bytes().first() == Some(&b'-'));
        let unsigned = &self.bytes()[sign..];
        let digits = unsigned.iter().take_while(|it| it.is_ascii_digit()).count();
        if digits == 0 {
            return self.skip(b"null").map(|()| None);
        }
        // JSON has no leading zeros, and −0 is no whole number there.
        if digits > 18 || (unsigned.starts_with(b"0") && digits + sign > 1) {
            return None;
        }
        let end = self.at + sign + digits;
        let number = self.text.get(self.at..end)?;
        self.at = end;
        Some(Some(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = r#"{"id":"12f65339-35f4-4a32-beeb-2ae479e41cb8","first_name":"Ada","last_name":"Löve","gender":"female","street_number":12,"street_name":"A B","city":"","state":null,"country":"C","post_code":"1","email":"a@b","username":"u","dob":"1944-12-10T12:00:00.250Z","registered_date":"x","phone":"1","picture":null,"nationality":"GB"}"#;

    #[test]
    fn an_event_as_it_is_written_is_read_as_by_any_reader() {
        let event = read(FULL).unwrap();
        assert_eq!(event, serde_json::from_str(FULL).unwrap());
        assert_eq!(event.encode().unwrap(), FULL.as_bytes());
    }

    #[test]
    fn wherever_in_a_block_a_text_ends_it_is_found() {
        for letter in ["a", "é"] {
            for letters in 0..3 * Quotes::BLOCK_BYTES {
                let text = FULL.replacen("A B", &letter.repeat(letters), 1);
                let event = read(&text).unwrap();
                assert_eq!(event, serde_json::from_str(&text).unwrap(), "{text}");
            }
        }
    }

    #[test]
    fn every_other_layout_is_left_to_others() {
        for (from, to) in [
            ("{\"id\"", "{ \"id\""),
            ("Ada", "A\\u0064a"),
            ("Ada", "A\nda"),
            ("12,", "012,"),
            ("12,", "-0,"),
            ("12,", "-,"),
            ("12,", "1.5,"),
            ("12,", "12e1,"),
            ("12,", "1234567890123456789,"),
            ("\"1\"", "1"),
            ("null", "nul"),
            (",\"gender\":\"female\"", ""),
            ("GB\"}", "GB\"} "),
            ("GB\"}", "GB\",\"new\":1}"),
            ("GB\"}", "GB}"),
            ("GB\"}", "GB\""),
        ] {
            let other = FULL.replacen(from, to, 1);
            assert_ne!(other, FULL);
            assert_eq!(read(&other), None, "{other}");
        }
        for number in ["-12,", "0,", "null,"] {
            let other = FULL.replace("12,", number);
            assert_eq!(read(&other).unwrap(), serde_json::from_str(&other).unwrap());
        }
    }

    #[test]
    fn whatever_is_cut_off_or_exchanged_it_reads_what_any_reader_reads_or_nothing() {
        for place in 0..FULL.len() {
            for byte in [b'"', b'\\', b'}', b',', b'-', b'0', 0x1f, 0x7f] {
                let mut bytes = FULL.as_bytes().to_vec();
                bytes[place] = byte;
                let texts = [&bytes[..], &bytes[..=place], &FULL.as_bytes()[..place]];
                for text in texts.iter().filter_map(|it| std::str::from_utf8(it).ok()) {
                    let known = serde_json::from_str::<UserCreated<'_>>(text).ok();
                    let read = read(text);
                    assert!(read.is_none() || read == known, "{text}");
                }
            }
        }
    }
}
