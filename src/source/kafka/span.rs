//! A topic read once, from one offset of each partition to another, in no group: nothing is committed, and no member loses a partition.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use log::debug;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::task::block_in_place;

use super::headers::RecordHeaders;
use super::{ASK_TIMEOUT, FETCH_AHEAD_KBYTES, failed, is_final, sequence_in};
use crate::broker::{QuietContext, client_config, refused_settings};
use crate::config::KafkaArguments;
use crate::error::{Error, Result};
use crate::pipeline::record::Record;

const POLL: Duration = Duration::from_millis(200);

/// The offset of the first record and the one after the last, by partition.
pub type Span = BTreeMap<i32, (i64, i64)>;

/// Which records an end counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Records {
    /// Those that a consuming job is given: before the first transaction that is still open.
    Committed,
    /// All that the brokers have acknowledged.
    Acknowledged,
}

impl Records {
    fn isolation_level(self) -> &'static str {
        match self {
            Records::Committed => "read_committed",
            Records::Acknowledged => "read_uncommitted",
        }
    }
}

pub struct SpanReader {
    consumer: BaseConsumer<QuietContext>,
    topic: String,
}

impl SpanReader {
    pub fn open(kafka: &KafkaArguments, topic: &str, records: Records) -> Result<Self> {
        let config = client_config(
            kafka,
            &[
                // Never joined: librdkafka wants a name for every consumer.
                ("group.id", "streamflow-reads-alone"),
                ("enable.auto.commit", "false"),
                ("enable.auto.offset.store", "false"),
                // Where retention overtakes the reading, it goes on with what is left.
                ("auto.offset.reset", "earliest"),
                ("enable.partition.eof", "true"),
                ("isolation.level", records.isolation_level()),
                ("queued.max.messages.kbytes", FETCH_AHEAD_KBYTES),
                ("fetch.message.max.bytes", "1048576"),
                // At the end of one partition the broker waits so long, and those that were not asked for yet wait with it.
                ("fetch.wait.max.ms", "10"),
                ("fetch.queue.backoff.ms", "10"),
            ],
        )?;
        let consumer = config
            .create_with_context(QuietContext)
            .map_err(refused_settings)?;
        Ok(Self {
            consumer,
            topic: topic.to_owned(),
        })
    }

    /// Goes on with another topic, by the connections that are open.
    pub fn turn_to(&mut self, topic: &str) {
        topic.clone_into(&mut self.topic);
    }

    /// Fetches nothing until the next reading.
    pub fn rest(&self) -> Result<()> {
        let let_go = || {
            let last = self.consumer.assignment()?;
            if last.count() > 0 {
                // librdkafka remembers of a partition that it is paused, also when it is assigned again.
                self.consumer.resume(&last)?;
            }
            self.consumer.unassign()
        };
        let_go().map_err(|cause| failed(&self.topic, "cannot be let go", cause))
    }

    /// What the topic has now.
    pub fn span(&self, partitions: &[i32]) -> Result<Span> {
        let ends = |&partition: &i32| Ok((partition, self.ends(partition)?));
        block_in_place(|| partitions.iter().map(ends).collect())
    }

    fn ends(&self, partition: i32) -> Result<(i64, i64)> {
        self.consumer
            .fetch_watermarks(&self.topic, partition, ASK_TIMEOUT)
            .map_err(|cause| failed(&self.topic, "does not tell its offsets", cause))
    }

    /// Hands each record of the span over, in the order of its partition. Blocks its thread. `go_on` is asked again and again; when it says
    /// no, the rest is left. A broker that gives nothing for as long as `patience` ends it with an error.
    pub fn read(
        &self,
        span: &Span,
        patience: Duration,
        go_on: &dyn Fn() -> bool,
        on_record: &mut dyn FnMut(&Record<'_>, RecordHeaders<'_>) -> Result<()>,
    ) -> Result<()> {
        // The offset of the next record, and the end.
        let mut open: Span = span.clone();
        open.retain(|_, (begin, end)| begin < end);
        self.assign(&open)?;
        let mut ends_doubted = BTreeSet::new();
        let mut last_news = Instant::now();
        while !open.is_empty() && go_on() {
            let message = match self.consumer.poll(POLL) {
                None => {
                    if last_news.elapsed() >= patience {
                        return Err(silent(&self.topic, patience));
                    }
                    continue;
                }
                Some(Ok(message)) => message,
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    last_news = Instant::now();
                    if let Some(&(_, end)) = open.get(&partition)
                        && self.is_end(partition, end, &mut ends_doubted)?
                    {
                        open.remove(&partition);
                    }
                    continue;
                }
                Some(Err(error)) => match error.rdkafka_error_code() {
                    Some(code) if is_final(code) => {
                        return Err(failed(&self.topic, "cannot be read", error));
                    }
                    // librdkafka goes on by itself.
                    _ => {
                        debug!("the topic {}: {error}", self.topic);
                        continue;
                    }
                },
            };
            last_news = Instant::now();
            let (partition, offset) = (message.partition(), message.offset());
            let Some((next, end)) = open.get_mut(&partition) else {
                continue;
            };
            // Delivered again after a pause.
            if offset < *next {
                continue;
            }
            *next = offset + 1;
            let is_last = offset + 1 >= *end;
            if offset < *end {
                with_record(&self.topic, &message, |record| {
                    on_record(record, RecordHeaders::of(&message))
                })?;
            }
            if is_last {
                open.remove(&partition);
                self.set_paused(partition, true)?;
            }
        }
        Ok(())
    }

    fn assign(&self, open: &Span) -> Result<()> {
        self.rest()?;
        let mut list = TopicPartitionList::new();
        for (&partition, &(begin, _)) in open {
            list.add_partition_offset(&self.topic, partition, Offset::Offset(begin))
                .map_err(|cause| {
                    failed(&self.topic, "has an offset that cannot be named", cause)
                })?;
        }
        self.consumer
            .assign(&list)
            .map_err(|cause| failed(&self.topic, "gives no partitions", cause))
    }

    /// The last offsets may belong to no record. A broker that has just become the leader may tell an end that is too low, so it is believed
    /// when it comes again after the leader has told its own.
    fn is_end(&self, partition: i32, end: i64, doubted: &mut BTreeSet<i32>) -> Result<bool> {
        if doubted.remove(&partition) {
            return Ok(true);
        }
        let (_, latest) = self.ends(partition)?;
        if latest < end {
            return Err(shorter(&self.topic, partition, end, latest));
        }
        doubted.insert(partition);
        // librdkafka begins to fetch anew from where it is, and forgets that it has told the end.
        self.set_paused(partition, true)?;
        self.set_paused(partition, false)?;
        Ok(false)
    }

    fn set_paused(&self, partition: i32, paused: bool) -> Result<()> {
        let mut list = TopicPartitionList::new();
        list.add_partition(&self.topic, partition);
        match paused {
            true => self.consumer.pause(&list),
            false => self.consumer.resume(&list),
        }
        .map_err(|cause| failed(&self.topic, "cannot be paused or resumed", cause))
    }
}

fn silent(topic: &str, patience: Duration) -> Error {
    Error::unavailable(format!(
        "the topic {topic} gave no record for {} s, and has some left",
        patience.as_secs_f64()
    ))
    .hint("check the brokers' logs, then run it again; --retry-timeout sets how long to wait")
}

fn shorter(topic: &str, partition: i32, end: i64, latest: i64) -> Error {
    Error::configuration(format!(
        "partition {partition} of the topic {topic} ended at offset {end} and ends at {latest} now: the topic was made anew, or its broker \
         lost records"
    ))
    .hint("find out which of the two, then run it again")
}

/// Hands the message over as a record of the topic.
fn with_record<T>(
    topic: &str,
    message: &BorrowedMessage<'_>,
    on_record: impl FnOnce(&Record<'_>) -> T,
) -> T {
    on_record(&Record {
        topic,
        partition: message.partition(),
        offset: message.offset(),
        timestamp_ms: message.timestamp().to_millis().unwrap_or(0).max(0),
        key: message.key(),
        value: message.payload(),
        read_sequence: &|| sequence_in(&RecordHeaders::of(message)),
    })
}
