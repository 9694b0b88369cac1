//! Batches and the watermark of a partition beside a plain set of open offsets, in any order of what begins, goes out and settles.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use streamflow::pipeline::batch::{Batch, Full, Limits};
use streamflow::pipeline::watermark::Watermark;

/// What is known of a partition without any cleverness.
struct Model {
    next: i64,
    open: BTreeSet<i64>,
}

fuzz_target!(|steps: &[u8]| {
    let limits = Limits {
        rows: 5,
        bytes: 100,
    };
    let mut batch = Batch::new(limits);
    let mut mark = Watermark::starting_at(0);
    let mut model = Model {
        next: 0,
        open: BTreeSet::new(),
    };
    let mut sent: Vec<(i32, i64)> = Vec::new();
    let mut expected = 0;
    let mut out = |full: Full<(usize, usize)>, sent: &mut Vec<(i32, i64)>| {
        let bytes: usize = full.rows.iter().map(|row| row.1).sum();
        assert!(full.rows.len() == 1 || (full.rows.len() <= limits.rows && bytes <= limits.bytes));
        for (row, origin) in full.rows.iter().zip(&full.origins) {
            assert_eq!(
                row.0, expected,
                "rows leave in the order in which they came"
            );
            expected += 1;
            sent.push(*origin);
        }
    };
    let mut rows = 0;
    for step in steps.chunks_exact(2) {
        let argument = usize::from(step[1]);
        match step[0] % 6 {
            // A record begins, after a gap.
            0 | 1 => {
                let offset = model.next + (argument as i64 % 4);
                assert!(mark.begin(offset));
                model.next = offset + 1;
                model.open.insert(offset);
                let gone = batch.add((rows, argument), argument, (0, offset));
                rows += 1;
                gone.into_iter().for_each(|full| out(full, &mut sent));
            }
            // One that was begun before comes again.
            2 => assert_eq!(mark.begin(argument as i64), {
                let begins = argument as i64 >= model.next;
                if begins {
                    model.next = argument as i64 + 1;
                    model.open.insert(argument as i64);
                    sent.push((0, argument as i64));
                }
                begins
            }),
            3 => batch
                .take()
                .into_iter()
                .for_each(|full| out(full, &mut sent)),
            // The offsets up to here held no record.
            4 => {
                let end = model.next + (argument as i64 % 3) - 1;
                mark.end(end);
                model.next = model.next.max(end);
            }
            // Any that was sent is acknowledged, as often as it likes.
            _ => {
                if !sent.is_empty() {
                    let (_, offset) = sent[argument % sent.len()];
                    mark.settle(offset);
                    model.open.remove(&offset);
                }
            }
        }
        assert_eq!(
            mark.position(),
            model.open.first().copied().unwrap_or(model.next)
        );
        assert_eq!(mark.is_settled(), model.open.is_empty());
    }
    batch
        .take()
        .into_iter()
        .for_each(|full| out(full, &mut sent));
    assert_eq!(expected, rows, "every row has left");
});
