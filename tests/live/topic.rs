//! Records as they lie on a topic: put there, read back, and how far a group has come.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use rdkafka::Offset;
use rdkafka::admin::NewPartitions;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::message::{Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::future_producer::DeliveryFuture;
use rdkafka::producer::{BaseProducer, BaseRecord, FutureProducer, FutureRecord, Producer};
use rdkafka::topic_partition_list::TopicPartitionList;

use crate::servers::{Servers, until, wait};
use crate::world::World;

const ASK: Duration = Duration::from_secs(20);

/// A record to be produced.
#[derive(Clone, Default)]
pub struct Given {
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    /// By the key, as the publisher does it, when nothing is given.
    pub partition: Option<i32>,
    pub timestamp_ms: Option<i64>,
    /// `<landing database>/<number>`
    pub sequence: Option<String>,
    /// A header of another program's, before ours: any bytes may be its name.
    pub foreign_header: Option<Vec<u8>>,
}

/// A record as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub partition: i32,
    pub offset: i64,
    pub timestamp_ms: i64,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: BTreeMap<String, String>,
}

impl Found {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(&format!("streamflow-{name}"))
            .map(String::as_str)
    }

    pub fn key_text(&self) -> &str {
        std::str::from_utf8(self.key.as_deref().expect("a key")).expect("a key in UTF-8")
    }
}

fn producer(servers: &Servers) -> &'static FutureProducer {
    static PRODUCER: OnceLock<FutureProducer> = OnceLock::new();
    PRODUCER.get_or_init(|| {
        servers
            .kafka_client()
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .set("linger.ms", "5")
            // The same partition for the same key as the publisher chooses.
            .set("partitioner", "murmur2_random")
            .create()
            .expect("a producer")
    })
}

impl World {
    /// Puts records on the topic, in order, and returns partition and offset of each.
    pub fn produce(&self, records: &[Given]) -> Vec<(i32, i64)> {
        let producer = producer(self.base.servers);
        let mut deliveries = Vec::with_capacity(records.len());
        for record in records {
            let mut message = FutureRecord::<[u8], [u8]>::to(&self.topic);
            message.key = record.key.as_deref();
            message.payload = record.value.as_deref();
            message.partition = record.partition;
            message.timestamp = record.timestamp_ms;
            message.headers = headers(record);
            let delivery = producer.send_result(message).map_err(|(error, _)| error);
            deliveries.push(delivery.expect("room for a record"));
        }
        let delivered = |delivery: DeliveryFuture| {
            let delivery = wait(delivery).expect("an answer");
            let delivery = delivery.map_err(|(error, _)| error).expect("acknowledged");
            (delivery.partition, delivery.offset)
        };
        deliveries.into_iter().map(delivered).collect()
    }

    /// Puts records on the topic in one transaction, which leaves an offset without a record at the end of each partition that it touches;
    /// when it is aborted, the offsets of its records, too. The producer is told of the end before the broker has written it to each partition,
    /// and until then a reader of committed records is shown none of it: waits for that.
    pub fn produce_in_a_transaction(&self, records: &[Given], commit: bool) {
        let mut client = self.base.servers.kafka_client();
        let id = format!("{}-{commit}", self.topic);
        let producer: BaseProducer = client
            .set("transactional.id", id)
            .create()
            .expect("a producer");
        producer.init_transactions(ASK).expect("transactions");
        producer.begin_transaction().expect("a transaction");
        for record in records {
            let mut message = BaseRecord::<[u8], [u8]>::to(&self.topic);
            message.key = record.key.as_deref();
            message.payload = record.value.as_deref();
            message.partition = record.partition;
            producer
                .send(message)
                .map_err(|(error, _)| error)
                .expect("room for a record");
        }
        producer.flush(ASK).expect("all records are there");
        match commit {
            true => producer.commit_transaction(ASK),
            false => producer.abort_transaction(ASK),
        }
        .expect("the end of the transaction");
        until("the transaction's end on the topic", ASK, || {
            let ends = ["read_committed", "read_uncommitted"].map(|it| self.ends(it));
            (ends[0] == ends[1]).then_some(())
        });
    }

    /// The end of each partition for a reader of this isolation level.
    fn ends(&self, isolation_level: &str) -> Vec<i64> {
        let mut client = self.base.servers.kafka_client();
        let consumer: BaseConsumer = client
            .set("isolation.level", isolation_level)
            .create()
            .expect("a consumer");
        let all = spans(&consumer, &self.topic);
        all.into_iter().map(|(_, _, end)| end).collect()
    }

    /// All records of the topic, by partition and offset.
    pub fn records(&self) -> Vec<Found> {
        read(self.base.servers, &self.topic)
    }

    /// How many records the topic has now.
    pub fn record_count(&self) -> u64 {
        let consumer: BaseConsumer = self
            .base
            .servers
            .kafka_client()
            .create()
            .expect("a consumer");
        spans(&consumer, &self.topic)
            .into_iter()
            .map(|(_, begin, end)| (end - begin).unsigned_abs())
            .sum()
    }

    pub fn dead_letters(&self) -> Vec<Found> {
        read(self.base.servers, &self.dead_letter_topic())
    }

    /// The committed offset of each partition that has one, for a program's group.
    pub fn committed(&self, program: &str) -> BTreeMap<i32, i64> {
        let consumer: BaseConsumer = self
            .base
            .servers
            .kafka_client()
            .set("group.id", self.group(program))
            .create()
            .expect("a consumer");
        let mut list = TopicPartitionList::new();
        for partition in partitions(&consumer, &self.topic) {
            list.add_partition(&self.topic, partition);
        }
        let committed = consumer.committed_offsets(list, ASK).expect("offsets");
        let offset =
            |it: &rdkafka::topic_partition_list::TopicPartitionListElem<'_>| match it.offset() {
                Offset::Offset(offset) => Some((it.partition(), offset)),
                _ => None,
            };
        committed.elements().iter().filter_map(offset).collect()
    }

    /// The sum of the committed offsets, which on a fresh topic is a number of records.
    pub fn committed_records(&self, program: &str) -> u64 {
        self.committed(program).values().sum::<i64>().unsigned_abs()
    }

    /// Commits an offset for a group that has no members.
    pub fn commit(&self, group: &str, partition: i32, offset: i64) {
        let mut client = self.base.servers.kafka_client();
        let consumer: BaseConsumer = client.set("group.id", group).create().expect("a consumer");
        let list = self.at(partition, offset);
        consumer.commit(&list, CommitMode::Sync).expect("committed");
    }

    /// A member of a program's group that only joins: it has partitions as soon as it is polled long enough.
    pub fn join(&self, program: &str) -> BaseConsumer {
        let member: BaseConsumer = self
            .base
            .servers
            .kafka_client()
            .set("group.id", self.group(program))
            .set("enable.auto.commit", "false")
            .set("heartbeat.interval.ms", "500")
            .create()
            .expect("a consumer");
        member.subscribe(&[&self.topic]).expect("subscribed");
        member
    }

    /// One more partition, whose number is returned.
    #[allow(dead_code, reason = "the tests of the control center need it")]
    pub fn add_partition(&self) -> i32 {
        let client = producer(self.base.servers).client();
        let partitions = || {
            let told = client.fetch_metadata(Some(&self.topic), ASK);
            told.expect("an answer").topics()[0].partitions().len()
        };
        let before = partitions();
        let admin = self.base.servers.kafka_admin();
        let more = [NewPartitions::new(&self.topic, before + 1)];
        let added = wait(admin.create_partitions(&more, &Servers::admin_options()));
        let added = added.expect("an answer");
        assert!(added.iter().all(Result::is_ok), "{added:?}");
        // The producer does not send to a partition that it has not heard of.
        until("the partition is there", ASK, || {
            (partitions() > before).then_some(())
        });
        before as i32
    }

    /// Removes the records below an offset, as retention does.
    pub fn remove_records_before(&self, partition: i32, offset: i64) {
        let admin = self.base.servers.kafka_admin();
        let list = self.at(partition, offset);
        let options = Servers::admin_options();
        wait(admin.delete_records(&list, &options)).expect("removed");
    }

    fn at(&self, partition: i32, offset: i64) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.topic, partition, Offset::Offset(offset))
            .expect("an offset");
        list
    }

    /// Forgets how far a program's group has come. A member that was killed is still in the group until its session is over.
    pub fn forget_group(&self, program: &str) {
        self.forget(&self.group(program));
    }

    pub fn forget(&self, group: &str) {
        let admin = self.base.servers.kafka_admin();
        until("the group is deleted", Duration::from_secs(60), || {
            let options = Servers::admin_options();
            let results = wait(admin.delete_groups(&[group], &options)).expect("an answer");
            results.iter().all(Result::is_ok).then_some(())
        });
    }
}

fn headers(record: &Given) -> Option<OwnedHeaders> {
    let mut headers = OwnedHeaders::new();
    if let Some(name) = &record.foreign_header {
        // SAFETY: the client copies the bytes and looks at none of them.
        let key = unsafe { std::str::from_utf8_unchecked(name) };
        let value = Some("foreign");
        headers = headers.insert(Header { key, value });
    }
    if let Some(sequence) = &record.sequence {
        headers = headers.insert(Header {
            key: "streamflow-sequence",
            value: Some(sequence),
        });
    }
    (headers.count() > 0).then_some(headers)
}

fn partitions(consumer: &BaseConsumer, topic: &str) -> Vec<i32> {
    let metadata = consumer
        .fetch_metadata(Some(topic), ASK)
        .expect("the topic");
    let topic = metadata.topics().first().expect("the topic");
    topic.partitions().iter().map(|it| it.id()).collect()
}

/// Each partition with its first offset and its end.
fn spans(consumer: &BaseConsumer, topic: &str) -> Vec<(i32, i64, i64)> {
    let span = |partition| {
        let ends = consumer.fetch_watermarks(topic, partition, ASK);
        let (begin, end) = ends.expect("the ends of the partition");
        (partition, begin, end)
    };
    partitions(consumer, topic).into_iter().map(span).collect()
}

fn read(servers: &Servers, topic: &str) -> Vec<Found> {
    let consumer: BaseConsumer = servers
        .kafka_client()
        .set("group.id", "nobody")
        .set("enable.auto.commit", "false")
        .create()
        .expect("a consumer");
    let mut list = TopicPartitionList::new();
    let mut expected = 0;
    for (partition, begin, end) in spans(&consumer, topic) {
        expected += usize::try_from(end - begin).expect("a number of records");
        list.add_partition_offset(topic, partition, Offset::Beginning)
            .expect("an offset");
    }
    consumer.assign(&list).expect("partitions");
    let mut found = Vec::with_capacity(expected);
    while found.len() < expected {
        let message = consumer.poll(ASK).expect("a record");
        let message = message.expect("a record");
        let header = |header: Header<'_, &[u8]>| {
            let value = header.value.expect("a header's value");
            let value = std::str::from_utf8(value).expect("a header in UTF-8");
            (header.key.to_owned(), value.to_owned())
        };
        found.push(Found {
            partition: message.partition(),
            offset: message.offset(),
            timestamp_ms: message.timestamp().to_millis().unwrap_or(-1),
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            headers: message
                .headers()
                .map(|it| it.iter().map(header).collect())
                .unwrap_or_default(),
        });
    }
    found.sort_by_key(|it| (it.partition, it.offset));
    found
}
