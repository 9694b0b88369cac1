//! Copies of some records, one behind the other.

use std::ops::Range;

use crate::pipeline::record::Record;
use crate::pipeline::sequence::Sequence;

/// As many as librdkafka hands over at once.
const MAX_RECORDS: usize = 128;
const MAX_BYTES: usize = 256 * 1024;

#[derive(Default)]
pub(super) struct Chunk {
    /// Of all of them: a run reads one.
    topic: String,
    records: Vec<Place>,
    /// Keys and values.
    bytes: Vec<u8>,
}

struct Place {
    partition: i32,
    offset: i64,
    timestamp_ms: i64,
    key: Option<Range<usize>>,
    value: Option<Range<usize>>,
    sequence: Option<Sequence>,
}

impl Chunk {
    pub(super) fn add(&mut self, record: &Record<'_>) {
        if self.topic != record.topic {
            record.topic.clone_into(&mut self.topic);
        }
        let place = Place {
            partition: record.partition,
            offset: record.offset,
            timestamp_ms: record.timestamp_ms,
            key: self.copy(record.key),
            value: self.copy(record.value),
            sequence: record.sequence(),
        };
        self.records.push(place);
    }

    fn copy(&mut self, bytes: Option<&[u8]>) -> Option<Range<usize>> {
        let begin = self.bytes.len();
        self.bytes.extend_from_slice(bytes?);
        Some(begin..self.bytes.len())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.records.len() >= MAX_RECORDS || self.bytes.len() >= MAX_BYTES
    }

    /// Hands the records over in their order, until one fails.
    pub(super) fn each<E>(
        &self,
        mut take: impl FnMut(&Record<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let bytes = |range: &Option<Range<usize>>| self.bytes.get(range.clone()?);
        self.records.iter().try_for_each(|place| {
            take(&Record {
                topic: &self.topic,
                partition: place.partition,
                offset: place.offset,
                timestamp_ms: place.timestamp_ms,
                key: bytes(&place.key),
                value: bytes(&place.value),
                read_sequence: &|| place.sequence,
            })
        })
    }

    pub(super) fn clear(&mut self) {
        self.records.clear();
        self.bytes.clear();
        // What one large record has taken is given back.
        self.bytes.shrink_to(2 * MAX_BYTES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_out_as_they_went_in() {
        let sequence = Sequence::parse(b"12f65339-35f4-4a32-beeb-2ae479e41cb8/7");
        let mut chunk = Chunk::default();
        for round in 0..2 {
            let records = [
                (Some(&b"key"[..]), Some(&b"value"[..]), sequence),
                (None, Some(&b""[..]), None),
                (Some(&b""[..]), None, None),
            ];
            for (offset, (key, value, sequence)) in (round..).zip(records) {
                chunk.add(&Record {
                    topic: "users",
                    partition: 3,
                    offset,
                    timestamp_ms: 5,
                    key,
                    value,
                    read_sequence: &|| sequence,
                });
            }
            let mut expected = (round..).zip(records);
            let told: Result<(), ()> = chunk.each(|it| {
                let (offset, (key, value, sequence)) = expected.next().unwrap();
                assert_eq!((it.topic, it.partition, it.timestamp_ms), ("users", 3, 5));
                assert_eq!((it.offset, it.key, it.value), (offset, key, value));
                assert_eq!(it.sequence(), sequence);
                Ok(())
            });
            assert_eq!(told, Ok(()));
            assert_eq!(expected.next(), None);
            chunk.clear();
            assert!(chunk.is_empty());
        }
    }

    #[test]
    fn is_full_by_records_and_by_bytes() {
        for (bytes, most) in [(0, MAX_RECORDS), (MAX_BYTES / 4, 4), (MAX_BYTES * 3, 1)] {
            let value = vec![0; bytes];
            let mut chunk = Chunk::default();
            for number in 1.. {
                chunk.add(&Record {
                    topic: "users",
                    partition: 0,
                    offset: 0,
                    timestamp_ms: 0,
                    key: None,
                    value: Some(&value),
                    read_sequence: &|| None,
                });
                if chunk.is_full() {
                    assert_eq!(number, most);
                    break;
                }
            }
            chunk.clear();
            assert!(chunk.bytes.capacity() <= 2 * MAX_BYTES);
        }
    }
}
