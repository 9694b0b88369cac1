//! Gathers rows into requests that a server takes: bounded in rows and in bytes.

/// The largest request. A row above the limit on bytes goes alone.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub rows: usize,
    pub bytes: usize,
}

/// Rows in the order in which they came, each with the partition and offset that settle when it is stored.
#[derive(Debug)]
pub struct Batch<T> {
    limits: Limits,
    bytes: usize,
    rows: Vec<T>,
    origins: Vec<(i32, i64)>,
}

/// What leaves a batch: rows, and where each came from.
#[derive(Debug, PartialEq, Eq)]
pub struct Full<T> {
    pub rows: Vec<T>,
    pub origins: Vec<(i32, i64)>,
}

impl<T> Batch<T> {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            bytes: 0,
            rows: Vec::new(),
            origins: Vec::new(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Adds a row; what was gathered before it comes back when there is no more room beside it.
    pub fn add(&mut self, row: T, bytes: usize, origin: (i32, i64)) -> Option<Full<T>> {
        let full = !self.rows.is_empty()
            && (self.rows.len() >= self.limits.rows || self.bytes + bytes > self.limits.bytes);
        let out = if full { self.take() } else { None };
        self.bytes += bytes;
        self.rows.push(row);
        self.origins.push(origin);
        out
    }

    /// What is gathered, if anything.
    pub fn take(&mut self) -> Option<Full<T>> {
        if self.rows.is_empty() {
            return None;
        }
        self.bytes = 0;
        let room = self.limits.rows.min(1_024);
        Some(Full {
            rows: std::mem::replace(&mut self.rows, Vec::with_capacity(room)),
            origins: std::mem::replace(&mut self.origins, Vec::with_capacity(room)),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn keeps_every_row_in_order_and_within_the_limits(
            sizes in prop::collection::vec(0usize..50, 0..200),
            rows in 1usize..20,
            bytes in 1usize..100,
        ) {
            let mut batch = Batch::new(Limits { rows, bytes });
            let mut out = Vec::new();
            for (number, &size) in sizes.iter().enumerate() {
                out.extend(batch.add((number, size), size, (0, number as i64)));
            }
            out.extend(batch.take());
            prop_assert!(batch.is_empty());
            let all: Vec<_> = out.iter().flat_map(|full| full.rows.iter().map(|row| row.0)).collect();
            prop_assert_eq!(all, (0..sizes.len()).collect::<Vec<_>>());
            for full in out {
                let total: usize = full.rows.iter().map(|row| row.1).sum();
                prop_assert!(full.rows.len() == 1 || (full.rows.len() <= rows && total <= bytes));
                prop_assert_eq!(full.rows.len(), full.origins.len());
            }
        }
    }
}
