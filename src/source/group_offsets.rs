//! How far a consumer group has come on a topic, asked for beside the consumer, which may be paused or busy.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::broker::{QuietContext, client_config, offsets_of, refused_settings};
use crate::config::KafkaArguments;
use crate::error::Result;
use crate::metrics::Offsets;

/// One question to a broker.
const ASK_TIMEOUT: Duration = Duration::from_secs(5);

/// A client of its own, which is no member of the group.
pub struct GroupOffsets {
    client: BaseConsumer<QuietContext>,
    topic: String,
}

impl GroupOffsets {
    pub fn of(kafka: &KafkaArguments, group_id: &str) -> Result<Self> {
        let client = client_config(
            kafka,
            &[("group.id", group_id), ("enable.auto.commit", "false")],
        )?
        .create_with_context(QuietContext)
        .map_err(refused_settings)?;
        Ok(Self {
            client,
            topic: kafka.topic.clone(),
        })
    }

    /// Blocks for a few seconds at the most.
    pub fn ask(&self, partitions: &[i32]) -> Result<BTreeMap<i32, Offsets>, KafkaError> {
        if partitions.is_empty() {
            return Ok(BTreeMap::new());
        }
        // First, so that what comes and is settled meanwhile is not taken for a lag.
        let latest = self.ends(partitions, Offset::End)?;
        let committed = self.list(partitions, Offset::Invalid)?;
        let mut next = offsets_of(&self.client.committed_offsets(committed, ASK_TIMEOUT)?)?;
        let never: Vec<i32> = partitions
            .iter()
            .copied()
            .filter(|it| !next.contains_key(it))
            .collect();
        if !never.is_empty() {
            next.extend(self.ends(&never, Offset::Beginning)?);
        }
        let offsets = |(partition, latest)| {
            let next = *next.get(&partition)?;
            Some((partition, Offsets { next, latest }))
        };
        Ok(latest.into_iter().filter_map(offsets).collect())
    }

    /// Kafka takes the two ends for times, of which it tells the offsets: one question to a broker for all of its partitions.
    fn ends(&self, partitions: &[i32], end: Offset) -> Result<BTreeMap<i32, i64>, KafkaError> {
        let list = self.list(partitions, end)?;
        offsets_of(&self.client.offsets_for_times(list, ASK_TIMEOUT)?)
    }

    fn list(&self, partitions: &[i32], offset: Offset) -> Result<TopicPartitionList, KafkaError> {
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for &partition in partitions {
            list.add_partition_offset(&self.topic, partition, offset)?;
        }
        Ok(list)
    }
}
