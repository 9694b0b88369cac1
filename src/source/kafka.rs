//! A consumer of Kafka, on a topic and in a group.
//!
//! Rebalances are handed to the loop as events instead of being answered inside librdkafka's callback, so that what is in flight can be
//! finished and committed before a partition moves on.

mod failure;
mod headers;
mod queue;
mod reach;
mod rebalances;
mod span;

pub use headers::RecordHeaders;
pub use span::{Records, Span, SpanReader};

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use log::{debug, warn};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, RebalanceProtocol};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::broker::{CONNECT_SOON, client_config, offsets_of, refused_settings};
use crate::config::KafkaArguments;
use crate::error::{Error, Result};
use crate::pipeline::record::Record;
use crate::pipeline::sequence::{SEQUENCE_HEADER_NAME, Sequence};
use crate::pipeline::source::{Event, Source, Start};
use failure::{failed, is_final, is_of_a_rebalance};
use queue::RecordQueue;
use reach::{KeptBy, Reach};
use rebalances::Rebalances;

/// What librdkafka may fetch ahead, of all partitions together: bounds the memory whatever the backlog.
const FETCH_AHEAD_KBYTES: &str = "4096";

/// One question to a broker.
const ASK_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a commit that is waited for is tried again while the group shares its partitions out anew. Short: it is also part of a stop.
const COMMIT_WITHIN: Duration = Duration::from_millis(1_500);
const COMMIT_AGAIN_AFTER: Duration = Duration::from_millis(50);
const CLOSING_POLL: Duration = Duration::from_millis(2);

pub struct KafkaSource {
    /// Before the consumer, which must be there until it is gone.
    records: RecordQueue,
    consumer: BaseConsumer<Rebalances>,
    topic: String,
    /// Where a partition is begun of which the group has committed nothing.
    fresh: Offset,
    /// Where the partitions were begun that are ours now, as far as it was a known offset.
    begun: BTreeMap<i32, i64>,
    paused: bool,
}

impl KafkaSource {
    /// A client that begins to reach the brokers, in the background, and has not joined its group.
    pub fn new(kafka: &KafkaArguments, group_id: &str) -> Result<Self> {
        let mut settings = vec![
            ("group.id", group_id),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            // What is not there any more is told: librdkafka would go on elsewhere without a word.
            ("auto.offset.reset", "error"),
            ("enable.partition.eof", "true"),
            ("isolation.level", "read_committed"),
            ("queued.max.messages.kbytes", FETCH_AHEAD_KBYTES),
            ("fetch.message.max.bytes", "1048576"),
            ("fetch.wait.max.ms", "100"),
            // An empty queue is looked at again soon: the default of a second would hold up a run that has just paused.
            ("fetch.queue.backoff.ms", "10"),
            queue::MAX_MESSAGES,
            CONNECT_SOON,
        ];
        let options = kafka.options()?;
        let given = |key: &str| options.iter().rev().find(|it| it.0 == key);
        let protocol = given("group.protocol").map_or("classic", |it| &it.1);
        // With the protocol of KIP-848 these two are the broker's, and librdkafka refuses them.
        if !protocol.eq_ignore_ascii_case("consumer") {
            settings.extend([
                // A member that was killed holds its partitions for so long; the default of 45 s would hold up the next run.
                ("session.timeout.ms", "10000"),
                // How soon a member hears that the group shares its partitions out anew.
                ("heartbeat.interval.ms", "1000"),
            ]);
        }
        let config = client_config(kafka, &settings)?;
        let fresh = given("auto.offset.reset").map_or(Offset::Beginning, |_| Offset::Stored);
        let consumer: BaseConsumer<Rebalances> = config
            .create_with_context(Rebalances::default())
            .map_err(refused_settings)?;
        // SAFETY: the queue is dropped before the consumer.
        let records = unsafe { RecordQueue::of(consumer.client().native_ptr(), &kafka.topic) }?;
        Ok(Self {
            records,
            consumer,
            topic: kafka.topic.clone(),
            fresh,
            begun: BTreeMap::new(),
            paused: false,
        })
    }

    /// Joins the group.
    pub fn subscribe(&self) -> Result<()> {
        self.consumer
            .subscribe(&[&self.topic])
            .map_err(|cause| failed(&self.topic, "cannot be subscribed to", cause))
    }

    fn announced(&self) -> Option<Event> {
        self.consumer.context().announced()
    }

    fn named(&self, partitions: &[i32]) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for &partition in partitions {
            list.add_partition(&self.topic, partition);
        }
        list
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
    fn reach(&self, partition: i32) -> Result<Reach> {
        self.consumer
            .fetch_watermarks(&self.topic, partition, ASK_TIMEOUT)
            .map(|(first, end)| Reach { first, end })
            .map_err(|cause| failed(&self.topic, "does not tell its offsets", cause))
    }

    fn set_paused(&self, partitions: &TopicPartitionList, paused: bool) -> Result<()> {
        match paused {
            true => self.consumer.pause(partitions),
            false => self.consumer.resume(partitions),
        }
        .map_err(|cause| failed(&self.topic, "cannot be paused or resumed", cause))
    }

    fn begin(&mut self, partition: i32, offset: i64, kept_by: KeptBy) -> Result<Offset> {
        let reach = self.reach(partition)?;
        let offset = reach::begin(&self.topic, partition, offset, reach, kept_by)?;
        self.begun.insert(partition, offset);
        Ok(Offset::Offset(offset))
    }

    /// librdkafka tells that the next offset of a partition is not there, and not of which one.
    fn broken_off(&self) -> Result<Error> {
        let positions = self
            .consumer
            .position()
            .map_err(|cause| failed(&self.topic, "does not tell what is read", cause))?;
        for element in positions.elements() {
            let partition = element.partition();
            let next = match element.offset() {
                Offset::Offset(next) => Some(next),
                // Nothing was read of it yet.
                _ => self.begun.get(&partition).copied(),
            };
            let Some(next) = next else { continue };
            let reach = self.reach(partition)?;
            if let Some(error) = reach::broken_off(&self.topic, partition, next, reach) {
                return Ok(error);
            }
        }
        Ok(Error::unavailable(format!(
            "the topic {} does not have the record that is the next of one of its partitions",
            self.topic
        ))
        .hint("run the job again: it goes on from the committed offsets, and tells what is gone"))
    }

    /// What concerns the whole group or client comes by rdkafka's consumer: rebalances are kept until the loop asks, and no record comes.
    fn hear_the_group(&self, timeout: Duration) -> Result<()> {
        match self.consumer.poll(timeout) {
            None => Ok(()),
            Some(Err(error)) => self.told(error),
            Some(Ok(_)) => Err(Error::bug("a record came by another queue than its own")),
        }
    }

    /// Most of what librdkafka tells it mends by itself.
    fn told(&self, error: KafkaError) -> Result<()> {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::AutoOffsetReset) => Err(self.broken_off()?),
            Some(code) if is_final(code) => Err(failed(&self.topic, "cannot be consumed", error)),
            _ => {
                debug!("the topic {}: {error}", self.topic);
                Ok(())
            }
        }
    }

    fn answer_what_is_announced(&self) -> Result<(), KafkaError> {
        while let Some(event) = self.announced() {
            match (self.consumer.rebalance_protocol(), event) {
                (RebalanceProtocol::Cooperative, Event::Assigned(partitions)) => {
                    self.consumer.incremental_assign(&self.named(&partitions))?;
                }
                (RebalanceProtocol::Cooperative, Event::Revoked { partitions, .. }) => {
                    self.consumer
                        .incremental_unassign(&self.named(&partitions))?;
                }
                _ => self.consumer.unassign()?,
            }
            self.consumer.context().answered();
        }
        Ok(())
    }
}

impl Source for KafkaSource {
    fn next(
        &mut self,
        timeout: Duration,
        on_record: &mut dyn FnMut(&Record<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<Event> {
        if let Some(event) = self.announced() {
            return Ok(event);
        }
        // With no partition of ours there is nothing to wait for but the group.
        let led = self.records.is_led();
        self.hear_the_group(if led { Duration::ZERO } else { timeout })?;
        if let Some(event) = self.announced() {
            return Ok(event);
        }
        if !led {
            return Ok(Event::Nothing);
        }
        let topic = &self.topic;
        let mut met = Ok(Event::Nothing);
        let mut trouble = None;
        self.records.take(timeout, &mut |message| {
            met = match message.error() {
                None => match on_record(&Record {
                    topic,
                    partition: message.partition(),
                    offset: message.offset(),
                    timestamp_ms: message.timestamp_ms().max(0),
                    key: message.key(),
                    value: message.value(),
                    read_sequence: &|| sequence_in(&message.headers()),
                }) {
                    Ok(go_on) => {
                        met = Ok(Event::Records);
                        return go_on;
                    }
                    Err(error) => Err(error),
                },
                Some(RDKafkaErrorCode::PartitionEOF) => {
                    Ok(Event::EndOfPartition(message.partition()))
                }
                Some(code) => {
                    trouble = Some(code);
                    return ControlFlow::Break(());
                }
            };
            ControlFlow::Break(())
        });
        match trouble {
            Some(code) => self
                .told(KafkaError::MessageConsumption(code))
                .map(|()| met)?,
            None => met,
        }
    }

    fn take(&mut self, partitions: &[(i32, Start)]) -> Result<()> {
        let by_the_group = partitions.iter().filter(|it| it.1 == Start::Committed);
        let by_the_group: Vec<i32> = by_the_group.map(|it| it.0).collect();
        let committed: BTreeMap<i32, i64> = match by_the_group.is_empty() {
            true => BTreeMap::new(),
            false => self.committed(&by_the_group)?.into_iter().collect(),
        };
        let mut starts = Vec::with_capacity(partitions.len());
        for &(partition, start) in partitions {
            self.begun.remove(&partition);
            let offset = match (start, committed.get(&partition)) {
                (Start::Committed, Some(&offset)) => {
                    self.begin(partition, offset, KeptBy::Group)?
                }
                (Start::Committed, None) => self.fresh,
                (Start::Beginning, _) => Offset::Beginning,
                (Start::At(offset), _) => self.begin(partition, offset, KeptBy::Summary)?,
            };
            starts.push((partition, offset));
        }
        for &(partition, _) in partitions {
            self.records.lead(partition)?;
        }
        let list = self.list(starts)?;
        match self.consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => self.consumer.incremental_assign(&list),
            _ => self.consumer.assign(&list),
        }
        .map_err(|cause| failed(&self.topic, "gives no partitions", cause))?;
        self.consumer.context().answered();
        // librdkafka pauses partitions, and these are new ones.
        match self.paused {
            true => self.set_paused(&list, true),
            false => Ok(()),
        }
    }

    fn release(&mut self, partitions: &[i32]) -> Result<()> {
        let list = self.named(partitions);
        // librdkafka's pause outlives the assignment: a partition that comes back later would stay silent.
        self.set_paused(&list, false)?;
        match self.consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => self.consumer.incremental_unassign(&list),
            _ => self.consumer.unassign(),
        }
        .map_err(|cause| failed(&self.topic, "keeps its partitions", cause))?;
        for &partition in partitions {
            self.records.leave(partition);
        }
        self.consumer.context().answered();
        Ok(())
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
        if !wait {
            match self.consumer.commit(&list, CommitMode::Async) {
                Err(error) if !is_nothing_to_commit(&error) => {
                    warn!("offsets are not committed, the next commit covers them: {error}");
                }
                _ => {}
            }
            return Ok(());
        }
        let begun = Instant::now();
        loop {
            match self.consumer.commit(&list, CommitMode::Sync) {
                Ok(()) => return Ok(()),
                Err(error) if is_nothing_to_commit(&error) => return Ok(()),
                Err(error) if is_of_a_rebalance(&error) => {
                    if begun.elapsed() >= COMMIT_WITHIN {
                        // Another member has the partitions now. What is done twice changes nothing.
                        warn!(
                            "the group has gone on without this member, and does not take its last commit; the records since the one before \
                             will be worked on again: {error}"
                        );
                        return Ok(());
                    }
                    debug!("the group shares its partitions out anew, committing again: {error}");
                    std::thread::sleep(COMMIT_AGAIN_AFTER);
                }
                Err(cause) => {
                    return Err(failed(
                        &self.topic,
                        "did not take the last commit; the records since then will be worked on again, which changes nothing",
                        cause,
                    ));
                }
            }
        }
    }

    fn committed(&mut self, partitions: &[i32]) -> Result<Vec<(i32, i64)>> {
        let list = self.named(partitions);
        let untold = |cause| {
            failed(
                &self.topic,
                "does not tell what its group has committed",
                cause,
            )
        };
        let told = self.consumer.committed_offsets(list, ASK_TIMEOUT);
        let committed = told.and_then(|told| offsets_of(&told)).map_err(untold)?;
        Ok(committed.into_iter().collect())
    }

    fn tell_end_again(&mut self, partition: i32) -> Result<()> {
        let list = self.named(&[partition]);
        // librdkafka begins to fetch anew from where it is, and forgets that it has told the end.
        self.set_paused(&list, true)?;
        self.set_paused(&list, self.paused)
    }

    fn latest(&mut self, partition: i32) -> Result<i64> {
        self.reach(partition).map(|reach| reach.end)
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
        // A rebalance that was announced and not answered would hold up the leaving of the group for ever.
        if let Err(error) = self.answer_what_is_announced() {
            debug!("leaving the group: {error}");
        }
        self.consumer.context().close();
        // The consumer's own drop does the same, but looks only every 100 ms.
        match self.consumer.close_queue() {
            Ok(()) => {
                while !self.consumer.closed() {
                    drop(self.consumer.poll(CLOSING_POLL));
                }
            }
            Err(error) => debug!("leaving the group: {error}"),
        }
    }
}

/// All that could be committed is committed already.
fn is_nothing_to_commit(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::NoOffset)
}

fn sequence_in(headers: &RecordHeaders<'_>) -> Option<Sequence> {
    headers
        .values(SEQUENCE_HEADER_NAME)
        .find_map(Sequence::parse)
}
