//! A consumer of Kafka, on a topic and in a group.
//!
//! Rebalances are handed to the loop as events instead of being answered inside librdkafka's callback, so that what is in flight can be
//! finished and committed before a partition moves on.

mod span;

pub use span::{RecordHeaders, Records, Span, SpanReader};

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use log::{debug, warn};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;

use crate::broker::{client_config, refused_settings};
use crate::config::KafkaArguments;
use crate::error::{Error, Result};
use crate::pipeline::record::Record;
use crate::pipeline::sequence::{SEQUENCE_HEADER, Sequence};
use crate::pipeline::source::{Event, Source, Start};

/// What librdkafka may fetch ahead, of all partitions together: bounds the memory whatever the backlog.
const FETCH_AHEAD_KBYTES: &str = "8192";

/// One question to a broker.
const ASK_TIMEOUT: Duration = Duration::from_secs(10);

pub struct KafkaSource {
    consumer: BaseConsumer<Rebalances>,
    topic: String,
    paused: bool,
}

/// Keeps the rebalances that librdkafka announces until the loop asks.
#[derive(Default)]
struct Rebalances {
    announced: Mutex<VecDeque<Event>>,
    closing: AtomicBool,
}

impl ClientContext for Rebalances {
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, message: &str) {
        debug!(target: "librdkafka", "{facility} {message}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        debug!(target: "librdkafka", "{error}: {reason}");
    }
}

impl ConsumerContext for Rebalances {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        error: RDKafkaRespErr,
        list: &mut TopicPartitionList,
    ) {
        let partitions: Vec<i32> = list.elements().iter().map(|it| it.partition()).collect();
        let event = match error {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Event::Assigned(partitions),
            _ if self.closing.load(Ordering::Acquire) => {
                // The loop is over: nobody else will answer.
                if let Err(error) = release(consumer, list) {
                    debug!("leaving the group: {error}");
                }
                return;
            }
            _ => Event::Revoked {
                partitions,
                lost: consumer.assignment_lost(),
            },
        };
        if let Ok(mut announced) = self.announced.lock() {
            announced.push_back(event);
        }
    }

    fn commit_callback(&self, result: Result<(), KafkaError>, _offsets: &TopicPartitionList) {
        if let Err(error) = result {
            warn!("offsets are not committed, the next commit covers them: {error}");
        }
    }
}

fn release(
    consumer: &BaseConsumer<Rebalances>,
    list: &TopicPartitionList,
) -> Result<(), KafkaError> {
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_unassign(list),
        _ => consumer.unassign(),
    }
}

impl KafkaSource {
    pub fn subscribe(kafka: &KafkaArguments, group_id: &str) -> Result<Self> {
        let config = client_config(
            kafka,
            &[
                ("group.id", group_id),
                // A member that was killed holds its partitions for so long; the default of 45 s would hold up the next run.
                ("session.timeout.ms", "10000"),
                // How soon a member hears that the group shares its partitions out anew.
                ("heartbeat.interval.ms", "1000"),
                ("enable.auto.commit", "false"),
                ("enable.auto.offset.store", "false"),
                ("auto.offset.reset", "earliest"),
                ("enable.partition.eof", "true"),
                ("isolation.level", "read_committed"),
                ("queued.max.messages.kbytes", FETCH_AHEAD_KBYTES),
                ("fetch.message.max.bytes", "1048576"),
                ("fetch.wait.max.ms", "100"),
                // An empty queue is looked at again soon: the default of a second would hold up a run that has just paused.
                ("fetch.queue.backoff.ms", "10"),
            ],
        )?;
        let consumer: BaseConsumer<Rebalances> = config
            .create_with_context(Rebalances::default())
            .map_err(refused_settings)?;
        consumer
            .subscribe(&[&kafka.topic])
            .map_err(|cause| failed(&kafka.topic, "cannot be subscribed to", cause))?;
        Ok(Self {
            consumer,
            topic: kafka.topic.clone(),
            paused: false,
        })
    }

    fn announced(&self) -> Option<Event> {
        self.consumer.context().announced.lock().ok()?.pop_front()
    }

    fn list(
        &self,
        positions: impl IntoIterator<Item = (i32, Offset)>,
    ) -> Result<TopicPartitionList> {
        let mut list = TopicPartitionList::new();
        for (partition, offset) in positions {
            list.add_partition_offset(&self.topic, partition, offset)
                .map_err(|cause| {
                    failed(&self.topic, "has an offset that cannot be named", cause)
                })?;
        }
        Ok(list)
    }
}

impl KafkaSource {
    /// The offsets of the first record and after the last one.
    fn watermarks(&self, partition: i32) -> Result<(i64, i64)> {
        self.consumer
            .fetch_watermarks(&self.topic, partition, ASK_TIMEOUT)
            .map_err(|cause| failed(&self.topic, "does not tell its offsets", cause))
    }

    fn set_paused(&self, partitions: &TopicPartitionList, paused: bool) -> Result<()> {
        match paused {
            true => self.consumer.pause(partitions),
            false => self.consumer.resume(partitions),
        }
        .map_err(|cause| failed(&self.topic, "cannot be paused or resumed", cause))
    }

    /// The offset, when the partition reaches as far. librdkafka would silently begin anew where it does not.
    fn existing(&self, partition: i32, offset: i64) -> Result<Offset> {
        let topic = &self.topic;
        let (low, high) = self.watermarks(partition)?;
        if offset > high {
            return Err(Error::configuration(format!(
                "partition {partition} of the topic {topic} ends at offset {high}, and its records are counted up to {offset} already: \
                 this is another topic of the same name"
            ))
            .hint("count it under another --group-id, or remove the old numbers from user_summaries"));
        }
        if offset < low {
            warn!(
                "partition {partition} of the topic {topic}: its retention has removed the records from offset {offset} to {} before they \
                 were worked on",
                low - 1
            );
        }
        Ok(Offset::Offset(offset))
    }
}

impl Source for KafkaSource {
    fn next(
        &mut self,
        timeout: Duration,
        on_record: &mut dyn FnMut(&Record<'_>) -> Result<()>,
    ) -> Result<Event> {
        if let Some(event) = self.announced() {
            return Ok(event);
        }
        match self.consumer.poll(timeout) {
            None => Ok(self.announced().unwrap_or(Event::Nothing)),
            Some(Ok(message)) => {
                on_record(&record(&message))?;
                Ok(Event::Record)
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => Ok(Event::EndOfPartition(partition)),
            Some(Err(error)) => match error.rdkafka_error_code() {
                Some(code) if is_final(code) => {
                    Err(failed(&self.topic, "cannot be consumed", error))
                }
                // librdkafka goes on by itself.
                _ => {
                    debug!("the topic {}: {error}", self.topic);
                    Ok(Event::Nothing)
                }
            },
        }
    }

    fn take(&mut self, partitions: &[(i32, Start)]) -> Result<()> {
        let mut starts = Vec::with_capacity(partitions.len());
        for &(partition, start) in partitions {
            starts.push((
                partition,
                match start {
                    Start::Committed => Offset::Stored,
                    Start::Beginning => Offset::Beginning,
                    Start::At(offset) => self.existing(partition, offset)?,
                },
            ));
        }
        let list = self.list(starts)?;
        match self.consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => self.consumer.incremental_assign(&list),
            _ => self.consumer.assign(&list),
        }
        .map_err(|cause| failed(&self.topic, "gives no partitions", cause))?;
        // librdkafka pauses partitions, and these are new ones.
        match self.paused {
            true => self.set_paused(&list, true),
            false => Ok(()),
        }
    }

    fn release(&mut self, partitions: &[i32]) -> Result<()> {
        let list = self.list(
            partitions
                .iter()
                .map(|&partition| (partition, Offset::Invalid)),
        )?;
        // librdkafka's pause outlives the assignment: a partition that comes back later would stay silent.
        self.set_paused(&list, false)?;
        release(&self.consumer, &list)
            .map_err(|cause| failed(&self.topic, "keeps its partitions", cause))
    }

    fn commit(&mut self, positions: &[(i32, i64)], wait: bool) -> Result<()> {
        if positions.is_empty() {
            return Ok(());
        }
        let list = self.list(
            positions
                .iter()
                .map(|&(partition, offset)| (partition, Offset::Offset(offset))),
        )?;
        let mode = if wait {
            CommitMode::Sync
        } else {
            CommitMode::Async
        };
        match self.consumer.commit(&list, mode) {
            Ok(()) => Ok(()),
            Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::NoOffset) => Ok(()),
            Err(error) if !wait => {
                warn!("offsets are not committed, the next commit covers them: {error}");
                Ok(())
            }
            Err(cause) => Err(failed(
                &self.topic,
                "did not take the last commit; the records since then will be worked on again, which changes nothing",
                cause,
            )),
        }
    }

    fn committed(&mut self, partitions: &[i32]) -> Result<Vec<(i32, i64)>> {
        let list = self.list(partitions.iter().map(|&it| (it, Offset::Invalid)))?;
        let untold = |cause| {
            failed(
                &self.topic,
                "does not tell what its group has committed",
                cause,
            )
        };
        let told = self
            .consumer
            .committed_offsets(list, ASK_TIMEOUT)
            .map_err(untold)?;
        let mut committed = Vec::with_capacity(partitions.len());
        for element in told.elements() {
            element.error().map_err(untold)?;
            if let Offset::Offset(offset) = element.offset() {
                committed.push((element.partition(), offset));
            }
        }
        Ok(committed)
    }

    fn tell_end_again(&mut self, partition: i32) -> Result<()> {
        let list = self.list([(partition, Offset::Invalid)])?;
        // librdkafka begins to fetch anew from where it is, and forgets that it has told the end.
        self.set_paused(&list, true)?;
        self.set_paused(&list, self.paused)
    }

    fn latest(&mut self, partition: i32) -> Result<i64> {
        self.watermarks(partition).map(|(_, latest)| latest)
    }

    fn pause(&mut self, paused: bool) -> Result<()> {
        let assigned = self
            .consumer
            .assignment()
            .map_err(|cause| failed(&self.topic, "tells no assignment", cause))?;
        self.paused = paused;
        self.set_paused(&assigned, paused)
    }
}

impl Drop for KafkaSource {
    fn drop(&mut self) {
        self.consumer
            .context()
            .closing
            .store(true, Ordering::Release);
        // A revocation that was announced and not answered would hold up the leaving of the group.
        if let Err(error) = self.consumer.unassign() {
            debug!("leaving the group: {error}");
        }
    }
}

fn record<'a>(message: &'a BorrowedMessage<'_>) -> Record<'a> {
    let sequence = message.headers().and_then(|headers| {
        headers
            .iter()
            .filter(|header| header.key == SEQUENCE_HEADER)
            .find_map(|header| Sequence::parse(header.value?))
    });
    Record {
        topic: message.topic(),
        partition: message.partition(),
        offset: message.offset(),
        timestamp_ms: message.timestamp().to_millis().unwrap_or(0).max(0),
        key: message.key(),
        value: message.payload(),
        sequence,
    }
}

/// Errors that no waiting mends.
fn is_final(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::Fatal
            | RDKafkaErrorCode::Authentication
            | RDKafkaErrorCode::SaslAuthenticationFailed
            | RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::GroupAuthorizationFailed
            | RDKafkaErrorCode::UnknownTopicOrPartition
            | RDKafkaErrorCode::UnknownTopic
    )
}

fn failed(topic: &str, what: &str, cause: KafkaError) -> Error {
    let message = format!("the topic {topic} {what}");
    match cause.rdkafka_error_code() {
        Some(
            RDKafkaErrorCode::Authentication
            | RDKafkaErrorCode::SaslAuthenticationFailed
            | RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::GroupAuthorizationFailed,
        ) => Error::denied(message)
            .cause(cause)
            .hint("grant this user READ on the topic and on the consumer group"),
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
            Error::configuration(message)
                .cause(cause)
                .hint("make the topic with `streamflow init`")
        }
        _ => Error::unavailable(message)
            .cause(cause)
            .hint("run the job again: it goes on from the committed offsets"),
    }
}
