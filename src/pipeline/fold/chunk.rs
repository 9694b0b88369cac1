//! Some records in their order, copied from the client's buffers, which last only as long as a record is handed over.

use std::ops::{ControlFlow, Range};

use crate::error::Result;
use crate::pipeline::record::Record;
use crate::pipeline::sequence::Sequence;

/// Enough to be worth waking a thread for, few enough that two threads end at about the same time.
const RECORDS: usize = 64;
/// Of large records a chunk has fewer.
const BYTES: usize = 64 * 1024;

#[derive(Default)]
pub(super) struct Chunk {
    /// Of all of them: a job consumes one.
    topic: String,
    bytes: Vec<u8>,
    places: Vec<Place>,
}

/// A record, and where in the bytes of its chunk its texts lie.
struct Place {
    partition: i32,
    offset: i64,
    timestamp_ms: i64,
    key: Option<Range<usize>>,
    value: Option<Range<usize>>,
    sequence: Option<Sequence>,
}

impl Chunk {
    pub(super) fn push(&mut self, record: &Record<'_>) {
        if self.topic != record.topic {
            record.topic.clone_into(&mut self.topic);
        }
        let place = Place {
            partition: record.partition,
            offset: record.offset,
            timestamp_ms: record.timestamp_ms,
            key: record.key.map(|it| self.keep(it)),
            value: record.value.map(|it| self.keep(it)),
            sequence: record.sequence(),
        };
        self.places.push(place);
    }

    fn keep(&mut self, bytes: &[u8]) -> Range<usize> {
        let begin = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        begin..self.bytes.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.places.len() >= RECORDS || self.bytes.len() >= BYTES
    }

    /// Makes it empty. Without the memory of a large record, which hardly another one needs.
    pub(super) fn clear(&mut self) {
        self.places.clear();
        self.bytes.clear();
        self.bytes.shrink_to(2 * BYTES);
    }

    /// Calls `on_record` with each record in its order, until it breaks off or fails.
    pub(super) fn each(
        &self,
        mut on_record: impl FnMut(&Record<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<ControlFlow<()>> {
        let text = |range: &Option<Range<usize>>| Some(&self.bytes[range.clone()?]);
        for place in &self.places {
            let flow = on_record(&Record {
                topic: &self.topic,
                partition: place.partition,
                offset: place.offset,
                timestamp_ms: place.timestamp_ms,
                key: text(&place.key),
                value: text(&place.value),
                read_sequence: &|| place.sequence,
            })?;
            if flow.is_break() {
                return Ok(flow);
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record<'a>(offset: i64, key: Option<&'a [u8]>, value: Option<&'a [u8]>) -> Record<'a> {
        Record {
            topic: "user_created",
            partition: 3,
            offset,
            timestamp_ms: 7,
            key,
            value,
            read_sequence: &|| Sequence::parse(b"00000000-0000-0000-0000-000000000001/42"),
        }
    }

    #[test]
    fn records_come_back_as_they_were_given() {
        let given = [
            (Some("a"), Some("value")),
            (None, Some("")),
            (Some(""), None),
            (None, None),
        ];
        let mut chunk = Chunk::default();
        for round in 0..2 {
            for (offset, &(key, value)) in (round..).zip(&given) {
                chunk.push(&record(
                    offset,
                    key.map(str::as_bytes),
                    value.map(str::as_bytes),
                ));
            }
            let mut seen = Vec::new();
            let told = chunk.each(|record| {
                let same = (record.topic, record.partition, record.timestamp_ms);
                assert_eq!(same, ("user_created", 3, 7));
                assert_eq!(record.sequence().map(|it| it.number), Some(42));
                let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                seen.push((record.offset, record.key.map(text), record.value.map(text)));
                Ok(ControlFlow::Continue(()))
            });
            assert_eq!(told.unwrap(), ControlFlow::Continue(()));
            let text = |it: Option<&str>| it.map(str::to_owned);
            let expected = (round..).zip(given);
            let expected = expected.map(|(offset, (key, value))| (offset, text(key), text(value)));
            assert_eq!(seen, expected.collect::<Vec<_>>());
            chunk.clear();
            assert!(chunk.is_empty());
        }
    }

    #[test]
    fn is_full_of_many_records_or_of_large_ones() {
        let mut chunk = Chunk::default();
        for offset in 0..RECORDS as i64 {
            assert!(!chunk.is_full());
            chunk.push(&record(offset, None, Some(b"value")));
        }
        assert!(chunk.is_full());
        chunk.clear();
        chunk.push(&record(0, None, Some(&vec![0; 16 * BYTES])));
        assert!(chunk.is_full());
        chunk.clear();
        assert!(chunk.bytes.capacity() <= 2 * BYTES);
    }
}
