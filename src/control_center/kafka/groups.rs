//! Consumer groups: who is in them, and how far they have come.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Instant;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde::Serialize;

use super::{ASK_TIMEOUT, Kafka, REMEMBER_GROUPS};
use crate::broker::{QuietContext, client_config, refused_settings};
use crate::control_center::count::Count;
use crate::error::{Error, Result};

#[derive(Debug, Clone, Serialize)]
pub(in crate::control_center) struct Group {
    pub name: String,
    /// As the broker tells it: Stable, Empty, PreparingRebalance, CompletingRebalance, Dead.
    pub state: String,
    pub members: Vec<Member>,
}

impl Group {
    /// The broker lists a group of the newer protocol (KIP-848), and calls it dead to who asks by the older one, which is what this client does.
    pub(in crate::control_center) fn is_of_the_newer_protocol(&self) -> bool {
        self.state == "Dead" && self.members.is_empty()
    }
}

#[derive(Debug, Clone, Serialize)]
pub(in crate::control_center) struct Member {
    pub id: String,
    pub client_id: String,
    pub host: String,
}

/// How far a group has come on the topics that it has committed offsets of.
#[derive(Debug, Clone, Serialize)]
pub(in crate::control_center) struct GroupLag {
    pub partitions: Vec<PartitionLag>,
}

#[derive(Debug, Clone, Serialize)]
pub(in crate::control_center) struct PartitionLag {
    pub topic: String,
    pub partition: i32,
    /// The next offset that the group reads: the first one where it has committed nothing, as our jobs begin there.
    pub committed: i64,
    pub has_committed: bool,
    pub first: i64,
    pub latest: i64,
}

impl PartitionLag {
    /// Records that are there and not read.
    pub(in crate::control_center) fn lag(&self) -> Count {
        Count(
            self.latest
                .saturating_sub(self.committed.max(self.first))
                .max(0),
        )
    }
}

impl GroupLag {
    pub(in crate::control_center) fn total(&self) -> Count {
        Count(self.partitions.iter().map(|it| it.lag().0).sum())
    }

    pub(in crate::control_center) fn on<'a>(
        &'a self,
        topic: &'a str,
    ) -> impl Iterator<Item = &'a PartitionLag> {
        self.partitions.iter().filter(move |it| it.topic == topic)
    }
}

impl Kafka {
    /// All groups of the cluster, by name.
    pub(in crate::control_center) async fn groups(&self) -> Result<Arc<Vec<Group>>> {
        let server = self.server();
        self.groups
            .get(|| {
                self.ask(move |client, _| {
                    list(client).map_err(|cause| {
                        Error::unavailable(format!("{server} does not tell its consumer groups"))
                            .cause(cause)
                            .hint("check the broker's log, and the right DESCRIBE on groups")
                    })
                })
            })
            .await
    }

    pub(in crate::control_center) async fn forget_groups(&self) {
        self.groups.forget().await;
        self.known_lags().clear();
    }

    /// What a group has committed, of all topics, as it was a moment ago. The group is not joined.
    pub(in crate::control_center) async fn lag_of(&self, group: &str) -> Result<GroupLag> {
        let known = self.known_lags().get(group).cloned();
        if let Some((at, lag)) = known
            && at.elapsed() < REMEMBER_GROUPS
        {
            return Ok(lag);
        }
        let lag = self.ask_lag_of(group).await?;
        let mut known = self.known_lags();
        known.retain(|_, (at, _)| at.elapsed() < REMEMBER_GROUPS);
        known.insert(group.to_owned(), (Instant::now(), lag.clone()));
        Ok(lag)
    }

    fn known_lags(&self) -> MutexGuard<'_, HashMap<String, (Instant, GroupLag)>> {
        self.lags.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask_lag_of(&self, group: &str) -> Result<GroupLag> {
        let cluster = self.cluster().await?;
        let config = client_config(
            &self.arguments,
            &[("group.id", group), ("enable.auto.commit", "false")],
        )?;
        let (server, group) = (self.server(), group.to_owned());
        self.with_own_client(move || {
            let client: BaseConsumer<QuietContext> = config
                .create_with_context(QuietContext)
                .map_err(refused_settings)?;
            let mut list = TopicPartitionList::new();
            for topic in cluster.topics.values().filter(|it| !it.is_internal()) {
                for partition in &topic.partitions {
                    list.add_partition(&topic.name, partition.id);
                }
            }
            if list.count() == 0 {
                return Ok(GroupLag {
                    partitions: Vec::new(),
                });
            }
            let told = client
                .committed_offsets(list, ASK_TIMEOUT)
                .map_err(|cause| {
                    Error::unavailable(format!(
                        "{server} does not tell what the group {group} has committed"
                    ))
                    .cause(cause)
                    .hint("check the broker's log, and the right DESCRIBE on the group")
                })?;
            let ends: BTreeMap<(&str, i32), (i64, i64)> = cluster
                .topics
                .values()
                .flat_map(|topic| topic.partitions.iter().map(move |it| (topic, it)))
                .filter_map(|(topic, it)| {
                    Some((
                        (topic.name.as_str(), it.id),
                        (it.first_offset?, it.latest_offset?),
                    ))
                })
                .collect();
            let mut partitions = Vec::new();
            for element in told.elements() {
                let place = (element.topic(), element.partition());
                if let (Ok(()), Some(&(first, latest))) = (element.error(), ends.get(&place)) {
                    let committed = match element.offset() {
                        Offset::Offset(committed) => Some(committed),
                        _ => None,
                    };
                    partitions.push(PartitionLag {
                        topic: element.topic().to_owned(),
                        partition: element.partition(),
                        committed: committed.unwrap_or(first),
                        has_committed: committed.is_some(),
                        first,
                        latest,
                    });
                }
            }
            // A topic is the group's when it has committed something there.
            let own: BTreeSet<String> = partitions
                .iter()
                .filter(|it| it.has_committed)
                .map(|it| it.topic.clone())
                .collect();
            partitions.retain(|it| own.contains(&it.topic));
            Ok(GroupLag { partitions })
        })
        .await
    }
}

fn list(client: &BaseConsumer<QuietContext>) -> Result<Vec<Group>, KafkaError> {
    let told = client.fetch_group_list(None, ASK_TIMEOUT)?;
    let mut groups: Vec<Group> = told
        .groups()
        .iter()
        .map(|group| Group {
            name: group.name().to_owned(),
            state: group.state().to_owned(),
            members: group
                .members()
                .iter()
                .map(|member| Member {
                    id: member.id().to_owned(),
                    client_id: member.client_id().to_owned(),
                    host: member.client_host().to_owned(),
                })
                .collect(),
        })
        .collect();
    groups.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(groups)
}
