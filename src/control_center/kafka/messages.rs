//! Records of a topic: the newest first or from a place on, by text, bounded in time and bytes, with a place to go on from.

use std::collections::BTreeMap;
use std::fmt;

use rdkafka::consumer::Consumer;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::reading::{Budget, Effort, find, merge, read};
use super::{ASK_TIMEOUT, Kafka, Topic, on_its_own_thread};
use crate::error::{Error, Result};
use crate::source::kafka::Span;

/// What one request keeps of records.
pub(super) const READ_AT_MOST: usize = 16 << 20;

/// A record, with bytes of its own.
#[derive(Debug, Clone)]
pub(in crate::control_center) struct Message {
    pub partition: i32,
    pub offset: i64,
    /// Nothing when the record carries none.
    pub timestamp_ms: Option<i64>,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Message {
    /// Of key, value and headers, before compression.
    pub(in crate::control_center) fn bytes(&self) -> usize {
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| name.len() + value.as_ref().map_or(0, Vec::len));
        let own = [&self.key, &self.value].into_iter().flatten().map(Vec::len);
        headers.chain(own).sum()
    }
}

/// A place in a topic: an offset for each partition. As text `0:1200,1:1180`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::control_center) struct Cursor(pub BTreeMap<i32, i64>);

impl Cursor {
    pub(in crate::control_center) fn parse(text: &str) -> Option<Self> {
        let place = |part: &str| {
            let (partition, offset) = part.split_once(':')?;
            Some((
                partition.parse().ok()?,
                offset.parse().ok().filter(|&it: &i64| it >= 0)?,
            ))
        };
        text.split(',').map(place).collect::<Option<_>>().map(Self)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (partition, offset)) in self.0.iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            write!(f, "{comma}{partition}:{offset}")?;
        }
        Ok(())
    }
}

impl Cursor {
    /// Partitions that it does not have begin with their first record: what came before they were seen is new, too.
    pub(in crate::control_center) fn take_in(&mut self, topic: &Topic) {
        for partition in &topic.partitions {
            let first = partition.first_offset.unwrap_or(0);
            self.0.entry(partition.id).or_insert(first);
        }
    }

    /// Offsets from this place to a later one.
    pub(in crate::control_center) fn distance(&self, later: &Cursor) -> i64 {
        let each = later.0.iter().map(|(partition, offset)| {
            let from = self.0.get(partition).copied().unwrap_or(*offset);
            offset.saturating_sub(from).max(0)
        });
        each.sum()
    }
}

/// Where to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::control_center) enum Wish {
    /// The records before these offsets, newest first.
    Before(Cursor),
    /// The records from these offsets on, oldest first.
    From(Cursor),
}

/// What a record must have to be shown. Pure, and called on a thread of its own.
pub(in crate::control_center) type Search = Box<dyn Fn(&Message) -> bool + Send>;

pub(in crate::control_center) struct Found {
    /// In the order of the wish.
    pub messages: Vec<Message>,
    /// Where to go on in the same direction; nothing at the end.
    pub next: Option<Wish>,
    /// Offsets that were looked at.
    pub scanned: i64,
    /// Offsets that are left in this direction.
    pub left: i64,
    /// Whether time or bytes ended it.
    pub cut: bool,
}

impl Kafka {
    /// The place behind the newest records, of the partitions that have told it.
    pub(in crate::control_center) fn newest(topic: &Topic) -> Cursor {
        let latest = |it: &super::Partition| Some((it.id, it.latest_offset?));
        Cursor(topic.partitions.iter().filter_map(latest).collect())
    }

    /// Where the records of a time and later begin; behind the last one, where there are none.
    pub(in crate::control_center) async fn since(
        &self,
        topic: &Topic,
        time_ms: i64,
    ) -> Result<Cursor> {
        let newest = Self::newest(topic);
        let name = topic.name.clone();
        self.ask(move |client, server| {
            let failed = |cause: rdkafka::error::KafkaError| {
                Error::unavailable(format!("{server} does not tell the offsets of a time"))
                    .cause(cause)
                    .hint("try again in a moment")
            };
            let mut list = TopicPartitionList::new();
            for &partition in newest.0.keys() {
                // Not below zero, where librdkafka has other meanings.
                list.add_partition_offset(&name, partition, Offset::Offset(time_ms.max(0)))
                    .map_err(failed)?;
            }
            let told = client
                .offsets_for_times(list, ASK_TIMEOUT)
                .map_err(failed)?;
            let mut cursor = newest;
            for element in told.elements() {
                if let Offset::Offset(offset) = element.offset() {
                    cursor.0.insert(element.partition(), offset);
                }
            }
            Ok(cursor)
        })
        .await
    }

    /// One record; nothing where the topic has none at this offset.
    pub(in crate::control_center) async fn message(
        &self,
        topic: &Topic,
        partition: i32,
        offset: i64,
    ) -> Result<Option<Message>> {
        let known = topic.partitions.iter().find(|it| it.id == partition);
        let Some((first, latest)) =
            known.and_then(|it| Some((it.first_offset?, it.latest_offset?)))
        else {
            return Ok(None);
        };
        if offset < first || offset >= latest {
            return Ok(None);
        }
        let reader = self.reader(&topic.name).await?;
        on_its_own_thread(move || {
            let span = Span::from([(partition, (offset, offset + 1))]);
            let step = read(&reader, &span, &mut Budget::new(READ_AT_MOST), |_| true)?;
            Ok(step.messages.into_iter().find(|it| it.offset == offset))
        })
        .await
    }

    /// The records between two places, oldest first, and how far they go: time and bytes are bounded.
    pub(in crate::control_center) async fn between(
        &self,
        topic: &str,
        from: &Cursor,
        to: &Cursor,
    ) -> Result<(Vec<Message>, Cursor)> {
        let span: Span =
            to.0.iter()
                .filter_map(|(&partition, &end)| Some((partition, (*from.0.get(&partition)?, end))))
                .filter(|(_, (begin, end))| begin < end)
                .collect();
        if span.is_empty() {
            return Ok((Vec::new(), from.clone()));
        }
        let (reader, mut reached) = (self.reader(topic).await?, from.clone());
        on_its_own_thread(move || {
            let step = read(&reader, &span, &mut Budget::new(READ_AT_MOST), |_| true)?;
            reached.0.extend(step.reached.0);
            Ok((merge(step.messages, false, usize::MAX).0, reached))
        })
        .await
    }

    /// Up to `limit` records. With a search, only those that it takes.
    pub(in crate::control_center) async fn find(
        &self,
        topic: &Topic,
        wish: Wish,
        limit: usize,
        search: Option<Search>,
    ) -> Result<Found> {
        self.find_by(topic, wish, limit, search, Effort::Thorough)
            .await
    }

    pub(in crate::control_center) async fn find_by(
        &self,
        topic: &Topic,
        wish: Wish,
        limit: usize,
        search: Option<Search>,
        effort: Effort,
    ) -> Result<Found> {
        let ends: Span = topic
            .partitions
            .iter()
            .filter_map(|it| Some((it.id, (it.first_offset?, it.latest_offset?))))
            .collect();
        let reader = self.reader(&topic.name).await?;
        on_its_own_thread(move || find(&reader, &ends, wish, limit, search, effort)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_is_written() {
        let cursor = Cursor(BTreeMap::from([(0, 12), (3, i64::MAX)]));
        assert_eq!(cursor.to_string(), "0:12,3:9223372036854775807");
        assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor));
        for text in [
            "",
            "0",
            "0:",
            ":1",
            "0:-1",
            "0:1,",
            "a:1",
            "0:9223372036854775808",
        ] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_distance_is_that_of_all_partitions_that_both_know() {
        let cursor = |text| Cursor::parse(text).unwrap();
        assert_eq!(cursor("0:5,1:7").distance(&cursor("0:9,1:7,2:100")), 4);
        assert_eq!(cursor("0:5").distance(&cursor("0:2")), 0);
    }
}
