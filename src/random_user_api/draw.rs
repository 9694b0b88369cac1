//! Repeatable draws: the same key gives the same choices on every machine and in every release.
//!
//! SplitMix64 written out rather than a generator of the crate `rand`, because `rand` promises the bits of a generator but not
//! what its ranges make of them, and an update of it must not change every user of every seed. (An update of `fake` that adds a name
//! still changes who is called what; ids, coordinates, dates and numbers stay.)

/// A stream of choices, named by a key and the part of the user it is for. Each part has its own stream, so that leaving
/// one field out leaves the others as they are.
pub struct Draw(u64);

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// Scrambles a word so that keys which differ in one bit give unrelated streams.
pub fn scramble(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

impl Draw {
    pub fn new(key: u64, part: u64) -> Self {
        Self(scramble(
            key ^ scramble(part.wrapping_add(1).wrapping_mul(GOLDEN)),
        ))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        scramble(self.0)
    }

    /// A number from 0 up to, but not including, `bound`; 0 when the bound is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    /// One of the choices. The lists are constants of this module's neighbours and none is empty.
    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    /// Writes `pattern` with a digit for each `#`, a capital letter for each `@`, and one of the characters for each `[…]`.
    pub fn fill(&mut self, pattern: &str, out: &mut Vec<u8>) {
        let mut rest = pattern.as_bytes();
        while let Some((&first, tail)) = rest.split_first() {
            rest = tail;
            match first {
                b'#' => out.push(b'0' + self.below(10) as u8),
                b'@' => out.push(b'A' + self.below(26) as u8),
                b'[' => {
                    let end = rest
                        .iter()
                        .position(|&byte| byte == b']')
                        .unwrap_or(rest.len());
                    if end > 0 {
                        out.push(self.one_of(&rest[..end]));
                    }
                    rest = rest.get(end + 1..).unwrap_or_default();
                }
                literal => out.push(literal),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_key_and_part_give_the_same_choices_and_others_do_not() {
        let words = |key, part| {
            let mut draw = Draw::new(key, part);
            [
                draw.below(1 << 40),
                draw.below(1 << 40),
                draw.below(1 << 40),
            ]
        };
        assert_eq!(words(7, 1), words(7, 1));
        assert_ne!(words(7, 1), words(7, 2));
        assert_ne!(words(7, 1), words(8, 1));
        // Pinned: a change here changes every user of every seed.
        assert_eq!(Draw::new(1, 1).below(1_000_000), 401_966);
    }

    #[test]
    fn bounds_are_kept_and_reached() {
        let mut draw = Draw::new(3, 3);
        let seen: std::collections::BTreeSet<u64> = (0..200).map(|_| draw.between(5, 9)).collect();
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [5, 6, 7, 8, 9]);
        assert_eq!(draw.below(0), 0);
    }

    #[test]
    fn patterns_become_text_of_their_shape() {
        let mut out = Vec::new();
        Draw::new(1, 2).fill("(0[67]) @#-x[", &mut out);
        let text = String::from_utf8(out).unwrap();
        let bytes = text.as_bytes();
        assert!(
            text.starts_with("(06) ") || text.starts_with("(07) "),
            "{text}"
        );
        assert!(
            bytes[5].is_ascii_uppercase() && bytes[6].is_ascii_digit() && text.ends_with("-x"),
            "{text}"
        );
    }
}
