//! The numbers of one partition in memory, and what of them is not written yet.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::{Advance, Counts, Key, Ledger};
use crate::pipeline::sequence::Sequence;

/// What a changed number takes up in the write, beside its texts.
const CHANGE_OVERHEAD_BYTES: usize = 64;

struct Number {
    users: i64,
    /// Since it was written.
    changed: bool,
}

type NumbersByValue = HashMap<String, Number, RandomState>;

/// By dimension, of which there are few.
#[derive(Default)]
struct Numbers(Vec<(&'static str, NumbersByValue)>);

impl Numbers {
    fn of(&mut self, dimension: &'static str) -> &mut NumbersByValue {
        // The same text at the same place, as a rule.
        let is_it = |name: &'static str| std::ptr::eq(name, dimension) || name == dimension;
        let place = self.0.iter().position(|it| is_it(it.0));
        let place = place.unwrap_or_else(|| {
            self.0.push((dimension, HashMap::default()));
            self.0.len() - 1
        });
        &mut self.0[place].1
    }
}

/// The numbers of one partition since they were loaded.
pub(super) struct Open {
    pub(super) ledger: Ledger,
    /// Offset up to which records are counted in memory.
    pub(super) next_offset: i64,
    numbers: Numbers,
    /// Those that are marked so.
    changed: Vec<Key>,
    pub(super) change_bytes: usize,
    /// Of the records that are not written yet.
    pub(super) unwritten: Counts,
}

impl Open {
    pub(super) fn new(ledger: Ledger, next_offset: i64) -> Self {
        let mut numbers = Numbers::default();
        for ((dimension, value), &users) in &ledger.counts {
            let number = Number {
                users,
                changed: false,
            };
            numbers.of(dimension).insert(value.clone(), number);
        }
        Self {
            ledger,
            next_offset,
            numbers,
            changed: Vec::new(),
            change_bytes: 0,
            unwritten: Counts::default(),
        }
    }

    /// Makes the record part of the next step, whose numbers come back.
    pub(super) fn begin(&mut self, offset: i64, sequence: Option<Sequence>) -> &mut Counts {
        self.next_offset = offset + 1;
        self.ledger.high_water.admit(sequence);
        self.unwritten.consumed += 1;
        &mut self.unwritten
    }

    /// Nearly always one more of a number that has changed already.
    pub(super) fn count(&mut self, dimension: &'static str, value: &str) {
        let numbers = self.numbers.of(dimension);
        let first_change = match numbers.get_mut(value) {
            Some(number) => {
                number.users += 1;
                !std::mem::replace(&mut number.changed, true)
            }
            None => {
                let number = Number {
                    users: 1,
                    changed: true,
                };
                numbers.insert(value.to_owned(), number);
                true
            }
        };
        if first_change {
            self.changed.push((dimension, value.to_owned()));
            self.change_bytes += dimension.len() + value.len() + CHANGE_OVERHEAD_BYTES;
        }
    }

    /// Nothing when nothing has changed.
    pub(super) fn step(&mut self, partition: i32) -> Option<Advance> {
        if self.ledger.next_offset.unwrap_or(0) == self.next_offset {
            return None;
        }
        let changed = self.changed.clone().into_iter();
        Some(Advance {
            partition,
            from: self.ledger.next_offset,
            to: self.next_offset,
            high_water: self.ledger.high_water.clone(),
            counts: changed
                .map(|key| {
                    let users = self.numbers.of(key.0).get(&key.1).map_or(0, |it| it.users);
                    (key, users)
                })
                .collect(),
            records: self.unwritten.consumed,
        })
    }

    pub(super) fn written(&mut self, step: Advance) -> Counts {
        self.ledger.next_offset = Some(step.to);
        for (dimension, value) in std::mem::take(&mut self.changed) {
            if let Some(number) = self.numbers.of(dimension).get_mut(&value) {
                number.changed = false;
            }
        }
        self.change_bytes = 0;
        std::mem::take(&mut self.unwritten)
    }
}
