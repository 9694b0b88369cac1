//! What a group has committed of one topic, and committing for it without joining it.

use std::collections::BTreeMap;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::{ASK_TIMEOUT, Kafka};
use crate::broker::{QuietContext, client_config, offsets_of, refused_settings};
use crate::error::{Error, Result};

/// The next offset of each partition.
pub(in crate::control_center) type Offsets = BTreeMap<i32, i64>;

/// What became of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::control_center) enum Commit {
    Done,
    /// The brokers take offsets of who is in the group, and of nobody else.
    HasMembers,
}

impl Kafka {
    /// As the brokers tell it now; partitions of which nothing is committed are left out.
    pub(in crate::control_center) async fn committed(
        &self,
        group: &str,
        topic: &str,
        partitions: Vec<i32>,
    ) -> Result<Offsets> {
        let topic = topic.to_owned();
        self.as_group(group, move |client| {
            let mut list = TopicPartitionList::new();
            for partition in partitions {
                list.add_partition(&topic, partition);
            }
            client
                .committed_offsets(list, ASK_TIMEOUT)
                .and_then(|told| offsets_of(&told))
        })
        .await?
        .map_err(|cause| self.refused(format!("what the group {group} has committed"), cause))
    }

    /// Commits for a group that has no members.
    pub(in crate::control_center) async fn commit(
        &self,
        group: &str,
        topic: &str,
        offsets: Offsets,
    ) -> Result<Commit> {
        let topic = topic.to_owned();
        let done = self
            .as_group(group, move |client| {
                let mut list = TopicPartitionList::new();
                for (partition, offset) in offsets {
                    list.add_partition_offset(&topic, partition, Offset::Offset(offset))?;
                }
                client.commit(&list, CommitMode::Sync)
            })
            .await?;
        self.forget_groups().await;
        match done {
            Ok(()) => Ok(Commit::Done),
            Err(error) if is_of_members(&error) => Ok(Commit::HasMembers),
            Err(cause) => Err(self.refused(format!("new offsets of the group {group}"), cause)),
        }
    }

    /// A client under the group's name, which joins nothing: it subscribes to no topic.
    async fn as_group<T: Send + 'static>(
        &self,
        group: &str,
        work: impl FnOnce(&BaseConsumer<QuietContext>) -> Result<T, KafkaError> + Send + 'static,
    ) -> Result<Result<T, KafkaError>> {
        let config = client_config(
            &self.arguments,
            &[("group.id", group), ("enable.auto.commit", "false")],
        )?;
        self.with_own_client(move || {
            let client: BaseConsumer<QuietContext> = config
                .create_with_context(QuietContext)
                .map_err(refused_settings)?;
            Ok(work(&client))
        })
        .await
    }

    fn refused(&self, what: String, cause: KafkaError) -> Error {
        let message = format!("{} does not take or tell {what}", self.server());
        match cause.rdkafka_error_code() {
            Some(RDKafkaErrorCode::GroupAuthorizationFailed) => Error::denied(message)
                .cause(cause)
                .hint("grant this user READ and DESCRIBE on the group"),
            _ => Error::unavailable(message)
                .cause(cause)
                .hint("check the broker's log, then try again"),
        }
    }
}

fn is_of_members(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::UnknownMemberId
                | RDKafkaErrorCode::IllegalGeneration
                | RDKafkaErrorCode::RebalanceInProgress
                | RDKafkaErrorCode::FencedMemberEpoch
                | RDKafkaErrorCode::StaleMemberEpoch
        )
    )
}
