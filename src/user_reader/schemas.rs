//! The schemas that a run has met, so that the registry is asked once for each. No I/O and no clock.

use std::time::{Duration, Instant};

use crate::rejection::Rejection;
use crate::user::format::WriterSchema;

/// A schema can be registered later than its first record is read.
const REMEMBER_UNKNOWN: Duration = Duration::from_secs(10);
/// Far more than a topic has; ids that mean nothing must not fill the memory.
const MAX_KNOWN: usize = 1_000;

/// What is known of an id.
pub(super) enum Known {
    Schema(WriterSchema),
    /// Every record of this schema is a dead letter.
    Unusable(Rejection),
    /// The registry does not know it; this is forgotten after a short time.
    Unknown(Rejection),
}

#[derive(Default)]
pub(super) struct KnownSchemas {
    entries: Vec<Entry>,
    /// The place of the one that was asked for last: neighbours on a topic mostly have the same schema.
    last: usize,
}

struct Entry {
    id: u32,
    known: Known,
    forget_at: Option<Instant>,
}

impl KnownSchemas {
    /// `now` is asked only for what can be forgotten.
    pub(super) fn place(&mut self, id: u32, now: impl FnOnce() -> Instant) -> Option<usize> {
        let is_last = self.entries.get(self.last).is_some_and(|it| it.id == id);
        if !is_last {
            self.last = self.entries.iter().position(|it| it.id == id)?;
        }
        match self.entries[self.last].forget_at {
            Some(forget_at) if forget_at <= now() => {
                self.entries.swap_remove(self.last);
                None
            }
            _ => Some(self.last),
        }
    }

    pub(super) fn at(&self, place: usize) -> &Known {
        &self.entries[place].known
    }

    /// Keeps what the registry has said, and gives its place.
    pub(super) fn keep(&mut self, id: u32, known: Known, now: Instant) -> usize {
        if self.entries.len() >= MAX_KNOWN {
            self.entries.clear();
        }
        let forget_at = match known {
            Known::Schema(_) | Known::Unusable(_) => None,
            Known::Unknown(_) => Some(now + REMEMBER_UNKNOWN),
        };
        self.entries.push(Entry {
            id,
            known,
            forget_at,
        });
        self.last = self.entries.len() - 1;
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rejection::Reason;

    fn unknown() -> Known {
        Known::Unknown(Rejection::of(Reason::UnknownSchema))
    }

    fn schema() -> Known {
        Known::Schema(WriterSchema::JsonSchema)
    }

    #[test]
    fn each_schema_is_found_in_whatever_order_it_is_asked_for() {
        let now = Instant::now();
        let mut known = KnownSchemas::default();
        assert_eq!(known.place(1, || now), None);
        for id in 1..=3 {
            known.keep(id, schema(), now);
        }
        let later = || now + Duration::from_secs(1_000_000);
        for (id, place) in [(1, 0), (3, 2), (3, 2), (2, 1), (1, 0)] {
            assert_eq!(known.place(id, later), Some(place), "{id}");
        }
        assert_eq!(known.place(4, later), None);
    }

    #[test]
    fn that_a_schema_is_unknown_is_soon_forgotten() {
        let now = Instant::now();
        let mut known = KnownSchemas::default();
        known.keep(1, unknown(), now);
        known.keep(2, schema(), now);
        assert_eq!(known.place(1, || now + REMEMBER_UNKNOWN / 2), Some(0));
        assert_eq!(known.place(1, || now + REMEMBER_UNKNOWN), None);
        assert_eq!(known.place(1, || now), None, "it is gone");
        assert_eq!(known.place(2, || now + REMEMBER_UNKNOWN), Some(0));
    }

    #[test]
    fn ids_without_end_do_not_fill_the_memory() {
        let now = Instant::now();
        let mut known = KnownSchemas::default();
        for id in 0..5_000 {
            known.keep(id, unknown(), now);
            assert!(known.entries.len() <= MAX_KNOWN);
            assert!(known.place(id, || now).is_some());
        }
    }
}
