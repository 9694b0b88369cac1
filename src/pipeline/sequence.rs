//! The order of landing, which tells a record published twice from a new one without remembering every id.
//!
//! A landing database numbers its records, and publishes them in that order with one request in flight, so within a partition the numbers
//! only grow: a number that is not above the highest one seen is a repetition. The database's identity is part of it, so that a new
//! database, which starts at 1 again, is not taken for a repetition. docs/decisions/0003-count-once.md has the proof.

use std::collections::BTreeMap;
use std::ffi::CStr;

use memchr::memchr;
use uuid::Uuid;

/// The header of a record that holds its sequence.
pub const SEQUENCE_HEADER: &str = match SEQUENCE_HEADER_NAME.to_str() {
    Ok(name) => name,
    Err(_) => panic!("the name is ASCII"),
};
/// The same, as librdkafka takes it.
pub const SEQUENCE_HEADER_NAME: &CStr = c"streamflow-sequence";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sequence {
    /// The identity of the landing database.
    pub landing: Uuid,
    /// From 1, growing in the order of landing.
    pub number: i64,
}

impl Sequence {
    /// `<uuid>/<number>`
    pub fn to_header(self) -> String {
        format!("{}/{}", self.landing, self.number)
    }

    pub fn parse(header: &[u8]) -> Option<Self> {
        let place = memchr(b'/', header)?;
        let number = std::str::from_utf8(&header[place + 1..]).ok()?;
        Some(Self {
            landing: Uuid::try_parse_ascii(&header[..place]).ok()?,
            number: number.parse().ok()?,
        })
    }
}

/// The highest number seen of each landing database, in one partition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HighWater(pub BTreeMap<Uuid, i64>);

impl HighWater {
    /// Whether the record is new. One without a sequence always is.
    pub fn is_new(&self, sequence: Option<Sequence>) -> bool {
        sequence.is_none_or(|Sequence { landing, number }| {
            self.0.get(&landing).is_none_or(|&highest| number > highest)
        })
    }

    /// Whether the record is new; if so, it is remembered.
    pub fn admit(&mut self, sequence: Option<Sequence>) -> bool {
        let Some(Sequence { landing, number }) = sequence else {
            return true;
        };
        let highest = self.0.entry(landing).or_insert(i64::MIN);
        let new = number > *highest;
        *highest = number.max(*highest);
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_the_header() {
        let sequence = Sequence {
            landing: Uuid::from_u128(7),
            number: 42,
        };
        assert_eq!(
            Sequence::parse(sequence.to_header().as_bytes()),
            Some(sequence)
        );
        assert_eq!(Sequence::parse(b"42"), None);
        assert_eq!(Sequence::parse(b"\xff/1"), None);
    }

    #[test]
    fn admits_each_number_once_and_each_landing_database_on_its_own() {
        let mut seen = HighWater::default();
        let of = |landing: u128, number| {
            Some(Sequence {
                landing: Uuid::from_u128(landing),
                number,
            })
        };
        assert!(seen.admit(of(1, 5)));
        assert!(!seen.admit(of(1, 5)));
        assert!(!seen.admit(of(1, 4)));
        assert!(seen.admit(of(1, 6)));
        assert!(seen.admit(of(2, 1)));
        assert!(seen.admit(None));
        assert!(seen.admit(None));
    }
}
