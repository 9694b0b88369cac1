//! A topic followed from a place on, without an end: in no group, and nothing is committed.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::{Cursor, Kafka, Message};
use crate::broker::{QuietContext, client_config, refused_settings};
use crate::error::{Error, Result};

pub(in crate::control_center) struct Follower {
    consumer: BaseConsumer<QuietContext>,
    topic: String,
}

impl Kafka {
    pub(in crate::control_center) fn follow(&self, topic: &str, from: &Cursor) -> Result<Follower> {
        let own = [
            // Never joined: librdkafka wants a name for every consumer.
            ("group.id", "streamflow-reads-alone"),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            // Where retention overtakes the reading, it goes on with what is left.
            ("auto.offset.reset", "earliest"),
            ("isolation.level", "read_uncommitted"),
            ("queued.max.messages.kbytes", "2048"),
            ("fetch.message.max.bytes", "1048576"),
            ("fetch.wait.max.ms", "500"),
        ];
        let consumer: BaseConsumer<QuietContext> = client_config(&self.arguments, &own)?
            .create_with_context(QuietContext)
            .map_err(refused_settings)?;
        let follower = Follower {
            consumer,
            topic: topic.to_owned(),
        };
        follower.go_on(from)?;
        Ok(follower)
    }
}

impl Follower {
    /// From these places on, and in these partitions alone.
    pub(in crate::control_center) fn go_on(&self, from: &Cursor) -> Result<()> {
        let topic = &self.topic;
        let mut list = TopicPartitionList::new();
        for (&partition, &offset) in &from.0 {
            list.add_partition_offset(topic, partition, Offset::Offset(offset))
                .map_err(|cause| gone(topic, cause))?;
        }
        let assigned = self.consumer.assign(&list);
        assigned.map_err(|cause| gone(topic, cause))
    }

    /// The next record, without its headers; nothing when none comes in this time. Blocks its thread. An error says that the topic cannot be
    /// followed any more; while brokers are away it waits.
    pub(in crate::control_center) fn next(&self, within: Duration) -> Result<Option<Message>> {
        let message = match self.consumer.poll(within) {
            None => return Ok(None),
            Some(Ok(message)) => message,
            Some(Err(error)) => {
                return match error.rdkafka_error_code() {
                    Some(
                        RDKafkaErrorCode::UnknownTopic
                        | RDKafkaErrorCode::UnknownTopicOrPartition
                        | RDKafkaErrorCode::UnknownPartition
                        | RDKafkaErrorCode::TopicAuthorizationFailed,
                    ) => Err(gone(&self.topic, error)),
                    // librdkafka goes on by itself.
                    _ => Ok(None),
                };
            }
        };
        Ok(Some(Message {
            partition: message.partition(),
            offset: message.offset(),
            timestamp_ms: message.timestamp().to_millis().filter(|&it| it > 0),
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            headers: Vec::new(),
        }))
    }
}

fn gone(topic: &str, cause: KafkaError) -> Error {
    Error::unavailable(format!("the topic {topic} cannot be followed"))
        .cause(cause)
        .hint("check that it is still there, and the right READ on it")
}
