//! The rebalances that librdkafka announces, kept until the loop has answered them.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use log::{debug, warn};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;

use crate::pipeline::source::Event;

#[derive(Default)]
pub(super) struct Rebalances {
    /// The first one stays until it is answered: librdkafka waits for that, also before it lets the member leave.
    announced: Mutex<VecDeque<Event>>,
    closing: AtomicBool,
}

impl Rebalances {
    pub(super) fn announced(&self) -> Option<Event> {
        self.announced.lock().ok()?.front().cloned()
    }

    pub(super) fn answered(&self) {
        if let Ok(mut announced) = self.announced.lock() {
            announced.pop_front();
        }
    }

    /// The loop is over: what is announced from now on is answered here.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }
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
        if self.closing.load(Ordering::Acquire) {
            // A member that leaves answers all alike, by whatever protocol.
            if let Err(error) = consumer.unassign() {
                debug!("leaving the group: {error}");
            }
            return;
        }
        let partitions: Vec<i32> = list.elements().iter().map(|it| it.partition()).collect();
        let event = match error {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Event::Assigned(partitions),
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
