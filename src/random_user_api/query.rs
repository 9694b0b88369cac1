//! The query string, read as the public API reads it: nothing in it is ever an error, and what makes no sense is replaced by
//! its default without a word.

use std::borrow::Cow;

use super::nationality::{self, Nationality};
use super::password::PasswordRule;
use super::{Gender, Version};

/// What one request asks for.
pub struct Query {
    pub results: usize,
    /// A fraction is taken as it is; that is why this is not an integer.
    pub page: f64,
    /// None: the server chooses one and names it in the answer.
    pub seed: Option<String>,
    /// Always None together with a seed.
    pub gender: Option<Gender>,
    /// Those to choose from, never empty.
    pub nationalities: Vec<&'static Nationality>,
    pub fields: Fields,
    pub info: bool,
    pub pretty: bool,
    pub download: bool,
    pub callback: Option<String>,
    pub password: Option<PasswordRule>,
    /// What the public service appends to the seed that it echoes.
    pub seed_suffix: String,
    /// Why the public service would never answer this request: it dies of it inside and leaves the connection open.
    pub silence: Option<&'static str>,
}

/// The parts of a user that are wanted, one bit each in the order in which they are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fields(u16);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field {
    Gender,
    Name,
    Location,
    Email,
    Login,
    Dob,
    Registered,
    Phone,
    Cell,
    Id,
    Picture,
    Nat,
}

const FIELDS: [(&str, Field); 12] = [
    ("gender", Field::Gender),
    ("name", Field::Name),
    ("location", Field::Location),
    ("email", Field::Email),
    ("login", Field::Login),
    ("dob", Field::Dob),
    ("registered", Field::Registered),
    ("phone", Field::Phone),
    ("cell", Field::Cell),
    ("id", Field::Id),
    ("picture", Field::Picture),
    ("nat", Field::Nat),
];

impl Fields {
    const ALL: Self = Self(0xFFF);

    pub fn has(self, field: Field) -> bool {
        self.0 & (1 << field as u16) != 0
    }

    /// Those named in a comma list, in any case and with spaces around them. Unknown names select nothing.
    fn named(list: &str) -> Self {
        let bits = list.split(',').filter_map(|name| {
            let name = name.trim();
            FIELDS
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|&(_, field)| 1 << field as u16)
        });
        Self(bits.fold(0, |all, bit: u16| all | bit))
    }

    fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// The decoded name-value pairs of a query string.
pub struct Pairs<'q>(Vec<(Cow<'q, str>, Cow<'q, str>)>);

impl<'q> Pairs<'q> {
    pub fn of(query: &'q str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).collect())
    }

    /// The last value given for a name, where it is not empty.
    pub fn last(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_ref())
            .filter(|v| !v.is_empty())
    }

    fn count(&self, name: &str) -> usize {
        self.0.iter().filter(|(key, _)| key == name).count()
    }
}

impl Query {
    pub fn parse(pairs: &Pairs, version: Version) -> Self {
        let seed = pairs.last("seed").map(str::to_owned);
        let (mut nationalities, mut silence) = nationalities(pairs, version);
        let mut seed_suffix = String::new();
        match seed
            .as_deref()
            .map(|seed| nationality_in_seed(seed, version))
        {
            Some(NationalityInSeed::Named(nationality, suffix)) => {
                nationalities = vec![nationality];
                seed_suffix = suffix;
                silence = None;
            }
            Some(NationalityInSeed::Unknown) => {
                silence = Some("a seed of 18 characters must end in the index of a nationality");
            }
            Some(NationalityInSeed::Absent) | None => {}
        }
        Self {
            results: results(pairs),
            page: page(pairs),
            gender: if seed.is_some() { None } else { gender(pairs) },
            seed,
            nationalities,
            fields: fields(pairs),
            info: pairs.count("noinfo") == 0,
            pretty: pretty(pairs),
            download: pairs.count("dl") + pairs.count("download") > 0,
            callback: pairs.last("callback").map(str::to_owned),
            password: pairs.last("password").and_then(PasswordRule::parse),
            seed_suffix,
            silence,
        }
    }
}

fn results(pairs: &Pairs) -> usize {
    let asked = match pairs.count("results") {
        1 => pairs.last("results").and_then(number),
        _ => None,
    };
    asked
        .filter(|n| n.fract() == 0.0 && (1.0..=5000.0).contains(n))
        .map_or(1, |n| n as usize)
}

fn page(pairs: &Pairs) -> f64 {
    pairs
        .last("page")
        .and_then(number)
        .filter(|page| (1.0..=10_000.0).contains(page))
        .unwrap_or(1.0)
}

/// A number as JavaScript reads one, which is what the public service is written in: spaces around it, `1e1`, `0x10`.
fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let of_radix = |prefixes: [&str; 2], radix| {
        let digits = prefixes
            .iter()
            .find_map(|prefix| text.strip_prefix(prefix))?;
        // from_str_radix would take a sign here, which JavaScript does not.
        (!digits.starts_with(['+', '-']))
            .then(|| u32::from_str_radix(digits, radix).ok())
            .flatten()
            .map(f64::from)
    };
    of_radix(["0x", "0X"], 16)
        .or_else(|| of_radix(["0o", "0O"], 8))
        .or_else(|| of_radix(["0b", "0B"], 2))
        .or_else(
            // Keeps out the words that Rust takes for numbers, such as `inf`.
            || {
                text.parse()
                    .ok()
                    .filter(|_| !text.contains(|c: char| c.is_alphabetic() && c != 'e' && c != 'E'))
            },
        )
}

fn gender(pairs: &Pairs) -> Option<Gender> {
    match pairs.last("gender") {
        Some("male") => Some(Gender::Male),
        Some("female") => Some(Gender::Female),
        _ => None,
    }
}

fn nationalities(
    pairs: &Pairs,
    version: Version,
) -> (Vec<&'static Nationality>, Option<&'static str>) {
    let all = || nationality::of_version(version).collect();
    let Some(list) = pairs.last("nat").or_else(|| pairs.last("nationality")) else {
        return (all(), None);
    };
    if list.bytes().all(|byte| byte == b',') {
        return (
            all(),
            Some("a list of nationalities that holds commas only"),
        );
    }
    // One unknown code, or one with a space, and the whole list counts for nothing.
    let asked: Option<Vec<_>> = list
        .split(',')
        .map(|code| nationality::find(version, code))
        .collect();
    (asked.unwrap_or_else(all), None)
}

enum NationalityInSeed {
    Absent,
    Named(&'static Nationality, String),
    Unknown,
}

/// A seed of exactly 18 characters is taken for one that the service made itself: 16 characters and the index of a
/// nationality in hex.
fn nationality_in_seed(seed: &str, version: Version) -> NationalityInSeed {
    // Characters as JavaScript counts them.
    if seed.encode_utf16().count() != 18 {
        return NationalityInSeed::Absent;
    }
    let named = seed.char_indices().nth_back(1).and_then(|(at, _)| {
        let suffix = seed.get(at..)?;
        let index = usize::from_str_radix(suffix, 16).ok()?;
        Some((
            nationality::of_version(version).nth(index)?,
            suffix.to_owned(),
        ))
    });
    named.map_or(NationalityInSeed::Unknown, |(nationality, suffix)| {
        NationalityInSeed::Named(nationality, suffix)
    })
}

fn fields(pairs: &Pairs) -> Fields {
    let wanted = pairs.last("inc").map_or(Fields::ALL, Fields::named);
    pairs
        .last("exc")
        .map_or(wanted, |list| wanted.without(Fields::named(list)))
}

fn pretty(pairs: &Pairs) -> bool {
    let format = pairs
        .last("format")
        .or_else(|| pairs.last("fmt"))
        .unwrap_or_default();
    format.eq_ignore_ascii_case("pretty") || format.eq_ignore_ascii_case("prettyjson")
}

#[cfg(test)]
#[path = "query_tests.rs"]
mod tests;
