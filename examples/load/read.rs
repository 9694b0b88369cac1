//! How fast the client of Kafka can be: each record is taken with its headers, and nothing is done with it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Headers, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::{Value, json};
use streamflow::pipeline::sequence::{SEQUENCE_HEADER, Sequence};

use crate::produce::Topic;

const PATIENCE: Duration = Duration::from_secs(30);

/// Read the topic to its end, as fast as the client of Kafka can
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    topic: Topic,
}

pub fn run(arguments: Arguments) -> Result<Value> {
    let begun = Instant::now();
    let Topic {
        bootstrap_servers,
        topic,
    } = arguments.topic;
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &bootstrap_servers)
        .set("group.id", "read")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("queued.max.messages.kbytes", "4096")
        .set("fetch.queue.backoff.ms", "10")
        .create()?;
    let metadata = consumer.fetch_metadata(Some(&topic), PATIENCE)?;
    let partitions = metadata.topics().first().context("a topic")?.partitions();
    let mut open: BTreeSet<i32> = partitions.iter().map(|it| it.id()).collect();
    let mut list = TopicPartitionList::new();
    for &partition in &open {
        list.add_partition_offset(&topic, partition, Offset::Beginning)?;
    }
    consumer.assign(&list)?;
    let (mut users, mut bytes, mut sequences) = (0u64, 0, 0u64);
    while !open.is_empty() {
        match consumer.poll(PATIENCE) {
            Some(Ok(message)) => {
                users += 1;
                bytes += message.payload_len();
                let mut headers = message.headers().into_iter().flat_map(Headers::iter);
                let sequence = headers.find(|header| header.key == SEQUENCE_HEADER);
                sequences +=
                    u64::from(sequence.and_then(|it| Sequence::parse(it.value?)).is_some());
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                open.remove(&partition);
            }
            Some(Err(error)) => return Err(error.into()),
            None => bail!("the topic gave no record for {} s", PATIENCE.as_secs()),
        }
    }
    Ok(
        json!({"users": users, "bytes": bytes, "sequences": sequences, "elapsed_ms": begun.elapsed().as_millis() as u64}),
    )
}
