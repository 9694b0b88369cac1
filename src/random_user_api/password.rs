//! The `password` parameter: which characters a password is made of, and how many.

use super::draw::Draw;

pub struct PasswordRule {
    characters: Vec<u8>,
    least: u64,
    most: u64,
}

const CHARACTER_SETS: [(&str, &[u8]); 4] = [
    ("special", b" !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
    ("upper", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ("lower", b"abcdefghijklmnopqrstuvwxyz"),
    ("number", b"0123456789"),
];

impl PasswordRule {
    /// Reads a list such as `upper,lower,8-16`. None where it names no known set: passwords then come from the usual list.
    pub fn parse(list: &str) -> Option<Self> {
        let mut characters = Vec::new();
        for (name, set) in CHARACTER_SETS {
            if list.split(',').any(|part| part.trim() == name) {
                characters.extend_from_slice(set);
            }
        }
        let (least, most) = list
            .split(',')
            .find_map(|part| length(part.trim()))
            .unwrap_or((8, 64));
        let allowed = 1..=64;
        let least = if allowed.contains(&least) { least } else { 8 };
        let most = if allowed.contains(&most) && most >= least {
            most
        } else {
            64
        };
        (!characters.is_empty()).then_some(Self {
            characters,
            least,
            most,
        })
    }

    pub fn make(&self, draw: &mut Draw) -> String {
        let length = draw.between(self.least, self.most);
        (0..length)
            .map(|_| char::from(draw.one_of(&self.characters)))
            .collect()
    }
}

/// `n`, or `min-max`.
fn length(part: &str) -> Option<(u64, u64)> {
    match part.split_once('-') {
        Some((least, most)) => Some((least.parse().ok()?, most.parse().ok()?)),
        None => part.parse().ok().map(|length| (length, length)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(list: &str) -> (usize, u64, u64) {
        PasswordRule::parse(list).map_or((0, 0, 0), |rule| {
            (rule.characters.len(), rule.least, rule.most)
        })
    }

    #[test]
    fn sets_and_lengths_are_read_as_the_api_reads_them() {
        assert_eq!(rule("upper,lower,8-16"), (52, 8, 16));
        assert_eq!(rule("number,5"), (10, 5, 5));
        assert_eq!(rule("special,upper,lower,number"), (95, 8, 64), "no length");
        assert_eq!(rule("number,0-20"), (10, 8, 20), "a minimum out of range");
        assert_eq!(rule("number,10-65"), (10, 10, 64), "a maximum out of range");
        assert_eq!(
            rule("number,10-4"),
            (10, 10, 64),
            "a maximum below the minimum"
        );
        assert_eq!(rule("nothing,4"), (0, 0, 0), "no known set");
    }

    #[test]
    fn passwords_follow_their_rule() {
        let rule = PasswordRule::parse("number,3-6").unwrap();
        for key in 0..50 {
            let password = rule.make(&mut Draw::new(key, 0));
            assert!(
                (3..=6).contains(&password.len()) && password.bytes().all(|b| b.is_ascii_digit()),
                "{password}"
            );
        }
    }
}
