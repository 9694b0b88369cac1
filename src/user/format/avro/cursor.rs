//! The bytes of one record, read from the front. Nothing comes back where they end too early or hold no such value.

/// Values that are skipped in one record at the most: an array of nulls has a length and no bytes, so bytes alone do not bound the work.
const MAX_SKIPPED: u32 = 1_000_000;

pub(super) struct Cursor<'a> {
    rest: &'a [u8],
    skips_left: u32,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            skips_left: MAX_SKIPPED,
        }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// An `int` or a `long`: zigzag, seven bits a byte, the low ones first.
    pub(super) fn long(&mut self) -> Option<i64> {
        let mut number = 0u64;
        for place in 0..10 {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            // The tenth byte has room for one bit.
            if place == 9 && byte > 1 {
                return None;
            }
            number |= u64::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                return Some((number >> 1) as i64 ^ -((number & 1) as i64));
            }
        }
        None
    }

    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    /// `bytes`, and what is encoded like it.
    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.long()?;
        self.take(usize::try_from(length).ok()?)
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    /// Nothing when too much was skipped already.
    pub(super) fn count_skip(&mut self) -> Option<()> {
        self.skips_left = self.skips_left.checked_sub(1)?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_the_specification_has_them() {
        for (bytes, number) in [
            (&[0][..], 0),
            (&[1], -1),
            (&[2], 1),
            (&[0x7f], -64),
            (&[0x80, 1], 64),
            (
                &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
                i64::MIN,
            ),
            (
                &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
                i64::MAX,
            ),
        ] {
            assert_eq!(Cursor::new(bytes).long(), Some(number), "{bytes:?}");
        }
    }

    #[test]
    fn what_is_cut_off_or_too_long_is_nothing() {
        assert_eq!(Cursor::new(&[]).long(), None);
        assert_eq!(Cursor::new(&[0x80]).long(), None);
        assert_eq!(Cursor::new(&[0xff; 10]).long(), None);
        assert_eq!(Cursor::new(&[0x80; 11]).long(), None);
        // A length below zero, beyond the end, and of more than all memory.
        assert_eq!(Cursor::new(&[1, b'a']).bytes(), None);
        assert_eq!(Cursor::new(&[4, b'a']).bytes(), None);
        let huge = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        assert_eq!(Cursor::new(&huge).bytes(), None);
        assert_eq!(Cursor::new(&[2, 0xff]).text(), None);
        assert_eq!(Cursor::new(&[2, b'a']).text(), Some("a"));
    }
}
