//! Which records of a page are new, and what is to be done with the others. Pure.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use uuid::Uuid;

use super::landing::Readable;
use crate::user::fingerprint;

/// Records by their id: those that are landed, and those of the page that will be.
pub(super) type Known<'a> = HashMap<Uuid, &'a str>;

#[derive(Default)]
pub(super) struct Sorted<'a> {
    /// In the order of the page.
    pub(super) new: Vec<&'a Readable<'a>>,
    pub(super) already_landed: u64,
    /// Another record under a known id.
    pub(super) conflicting: Vec<&'a Readable<'a>>,
}

impl<'a> Sorted<'a> {
    /// As is expected: the database refuses the page when it is not so.
    pub(super) fn all_new(readable: &'a [Readable<'a>]) -> Self {
        Self {
            new: readable.iter().collect(),
            ..Self::default()
        }
    }

    pub(super) fn of(readable: &'a [Readable<'a>], mut known: Known<'a>) -> Self {
        let mut sorted = Self::default();
        for record in readable {
            match known.entry(record.id) {
                Entry::Vacant(place) => {
                    place.insert(record.raw);
                    sorted.new.push(record);
                }
                Entry::Occupied(place) if fingerprint::are_same(place.get(), record.raw) => {
                    sorted.already_landed += 1;
                }
                Entry::Occupied(_) => sorted.conflicting.push(record),
            }
        }
        sorted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(known: &[(u128, &'static str)], page: &[(u128, &'static str)]) -> [Vec<String>; 3] {
        let known = known.iter().map(|&(id, raw)| (Uuid::from_u128(id), raw));
        let readable = |&(id, raw): &(u128, &'static str)| Readable {
            id: Uuid::from_u128(id),
            raw,
        };
        let page: Vec<_> = page.iter().map(readable).collect();
        let sorted = Sorted::of(&page, known.collect());
        let raws =
            |records: Vec<&Readable<'_>>| records.iter().map(|it| it.raw.to_owned()).collect();
        let already_landed = vec![String::new(); sorted.already_landed as usize];
        [raws(sorted.new), already_landed, raws(sorted.conflicting)]
    }

    const ONE: &str = r#"{"a":1,"dob":{"age":30}}"#;
    const ONE_LATER: &str = r#"{"dob":{"age":31}, "a":1}"#;
    const OTHER: &str = r#"{"a":2,"dob":{"age":30}}"#;

    #[test]
    fn beside_what_is_landed() {
        let page = [(1, ONE), (2, ONE), (3, ONE)];
        let [new, already_landed, conflicting] = sorted(&[(1, ONE_LATER), (3, OTHER)], &page);
        assert_eq!((new.len(), already_landed.len()), (1, 1));
        assert_eq!(conflicting, [ONE]);
    }

    #[test]
    fn of_one_id_within_a_page_the_first_is_landed() {
        let page = [
            (1, ONE),
            (1, ONE_LATER),
            (2, OTHER),
            (1, OTHER),
            (1, ONE),
            (2, ONE),
        ];
        let [new, already_landed, conflicting] = sorted(&[], &page);
        assert_eq!(new, [ONE, OTHER]);
        assert_eq!(already_landed.len(), 2);
        assert_eq!(conflicting, [OTHER, ONE]);
    }
}
