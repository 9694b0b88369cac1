//! Brokers, topics and partitions, with the offsets that they have.

use std::collections::BTreeMap;

use log::debug;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde::Serialize;

use super::ASK_TIMEOUT;
use crate::broker::QuietContext;
use crate::config::Server;
use crate::control_center::count::Count;
use crate::error::{Error, Result};

#[derive(Debug, Serialize)]
pub(in crate::control_center) struct Cluster {
    pub brokers: Vec<Broker>,
    /// By name.
    pub topics: BTreeMap<String, Topic>,
}

#[derive(Debug, Serialize)]
pub(in crate::control_center) struct Broker {
    pub id: i32,
    pub host: String,
    pub port: i32,
}

#[derive(Debug, Clone, Serialize)]
pub(in crate::control_center) struct Topic {
    pub name: String,
    pub partitions: Vec<Partition>,
}

#[derive(Debug, Clone, Serialize)]
pub(in crate::control_center) struct Partition {
    pub id: i32,
    pub leader: i32,
    pub replicas: Vec<i32>,
    pub in_sync: Vec<i32>,
    /// Of the first record, and the one after the last; nothing where the leader did not tell.
    pub first_offset: Option<i64>,
    pub latest_offset: Option<i64>,
}

impl Cluster {
    pub(in crate::control_center) fn under_replicated(&self) -> usize {
        let partitions = self.topics.values().flat_map(|topic| &topic.partitions);
        partitions.filter(|it| it.is_under_replicated()).count()
    }

    pub(in crate::control_center) fn without_leader(&self) -> usize {
        let partitions = self.topics.values().flat_map(|topic| &topic.partitions);
        partitions.filter(|it| it.leader < 0).count()
    }

    pub(in crate::control_center) fn partitions(&self) -> usize {
        self.topics
            .values()
            .map(|topic| topic.partitions.len())
            .sum()
    }
}

impl Topic {
    /// Kafka gives no topic another name.
    pub(in crate::control_center) fn is_legal_name(name: &str) -> bool {
        let is_legal = |it: char| it.is_ascii_alphanumeric() || matches!(it, '.' | '_' | '-');
        (1..=249).contains(&name.len()) && name.chars().all(is_legal) && name != "." && name != ".."
    }

    pub(in crate::control_center) fn under_replicated(&self) -> usize {
        self.partitions
            .iter()
            .filter(|it| it.is_under_replicated())
            .count()
    }

    /// Kafka's own, such as the one of the committed offsets.
    pub(in crate::control_center) fn is_internal(&self) -> bool {
        self.name.starts_with("__")
    }

    /// Offsets between the first and the latest: as many records, where none was compacted away or belongs to a transaction.
    pub(in crate::control_center) fn records(&self) -> Count {
        Count(self.partitions.iter().map(|it| it.records().0).sum())
    }

    pub(in crate::control_center) fn latest(&self) -> i64 {
        self.partitions
            .iter()
            .filter_map(|it| it.latest_offset)
            .sum()
    }
}

impl Partition {
    /// Its leader does not tell its offsets now.
    pub(in crate::control_center) fn is_silent(&self) -> bool {
        self.first_offset.is_none() || self.latest_offset.is_none()
    }

    pub(in crate::control_center) fn is_under_replicated(&self) -> bool {
        self.in_sync.len() < self.replicas.len()
    }

    pub(in crate::control_center) fn records(&self) -> Count {
        Count(
            self.latest_offset
                .unwrap_or(0)
                .saturating_sub(self.first_offset.unwrap_or(0)),
        )
    }
}

fn failed(server: &Server, cause: KafkaError) -> Error {
    Error::unavailable(format!("{server} does not answer"))
        .cause(cause)
        .hint("check that it runs there: `streamflow doctor`, or `make status`")
}

/// The topics with the offsets that they have now.
pub(super) fn with_ends(
    client: &BaseConsumer<QuietContext>,
    server: &Server,
    topics: Vec<Topic>,
) -> Result<Vec<Topic>> {
    let (mut first, mut latest) = (BTreeMap::new(), BTreeMap::new());
    let all: Vec<&Topic> = topics.iter().collect();
    ends(client, &all, Offset::Beginning, &mut first)
        .and_then(|()| ends(client, &all, Offset::End, &mut latest))
        .map_err(|cause| failed(server, cause))?;
    let with_ends = |topic: &Topic| {
        let mut topic = topic.clone();
        for partition in &mut topic.partitions {
            let of = |ends: &BTreeMap<(&str, i32), i64>| {
                ends.get(&(topic.name.as_str(), partition.id)).copied()
            };
            partition.first_offset = of(&first);
            partition.latest_offset = not_before(partition.first_offset, of(&latest));
        }
        topic
    };
    Ok(topics.iter().map(with_ends).collect())
}

/// The two ends are asked for one after the other: retention, or a topic that was made anew, can bring the first one behind the latest.
fn not_before(first: Option<i64>, latest: Option<i64>) -> Option<i64> {
    latest.map(|latest| latest.max(first.unwrap_or(latest)))
}

pub(super) fn look(client: &BaseConsumer<QuietContext>, server: &Server) -> Result<Cluster> {
    let metadata = client
        .fetch_metadata(None, ASK_TIMEOUT)
        .map_err(|cause| failed(server, cause))?;
    let mut topics = Vec::new();
    for topic in metadata.topics() {
        let mut partitions: Vec<Partition> = topic
            .partitions()
            .iter()
            .map(|it| Partition {
                id: it.id(),
                leader: it.leader(),
                replicas: it.replicas().to_vec(),
                in_sync: it.isr().to_vec(),
                first_offset: None,
                latest_offset: None,
            })
            .collect();
        partitions.sort_by_key(|it| it.id);
        let name = topic.name().to_owned();
        topics.push(Topic { name, partitions });
    }
    let topics = with_ends(client, server, topics)?;
    let topics = topics.into_iter().map(|it| (it.name.clone(), it)).collect();
    let brokers = metadata.brokers().iter().map(|it| Broker {
        id: it.id(),
        host: it.host().to_owned(),
        port: it.port(),
    });
    Ok(Cluster {
        brokers: brokers.collect(),
        topics,
    })
}

/// Kafka takes the two ends for times, of which it tells the offsets: one question to a broker for all of its partitions. One topic that
/// comes or goes at this moment spoils the answer for all: so it is looked for by halves, and told to have no offsets.
fn ends<'a>(
    client: &BaseConsumer<QuietContext>,
    topics: &[&'a Topic],
    end: Offset,
    found: &mut BTreeMap<(&'a str, i32), i64>,
) -> Result<(), KafkaError> {
    let mut list = TopicPartitionList::new();
    for topic in topics {
        for partition in topic.partitions.iter().filter(|it| it.leader >= 0) {
            list.add_partition_offset(&topic.name, partition.id, end)?;
        }
    }
    if list.count() == 0 {
        return Ok(());
    }
    // A client that was told by a broker that its view is old has another one the next time.
    let asked =
        client
            .offsets_for_times(list.clone(), ASK_TIMEOUT)
            .or_else(|error| match is_silence(&error) {
                true => Err(error),
                false => client.offsets_for_times(list, ASK_TIMEOUT),
            });
    let told = match asked {
        Ok(told) => told,
        Err(error) if is_silence(&error) => return Err(error),
        Err(error) => {
            debug!(
                "the offsets of {} topics are not told: {error}",
                topics.len()
            );
            if let [_, _, ..] = topics {
                let (some, others) = topics.split_at(topics.len() / 2);
                ends(client, some, end, found)?;
                ends(client, others, end, found)?;
            }
            return Ok(());
        }
    };
    let told = told.elements();
    let names = topics.iter().map(|it| (it.name.as_str(), it.name.as_str()));
    let names: BTreeMap<&str, &'a str> = names.collect();
    for element in &told {
        if let (Ok(()), Offset::Offset(offset), Some(&name)) = (
            element.error(),
            element.offset(),
            names.get(element.topic()),
        ) {
            found.insert((name, element.partition()), offset);
        }
    }
    Ok(())
}

/// No broker has answered at all.
fn is_silence(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        None | Some(
            RDKafkaErrorCode::OperationTimedOut
                | RDKafkaErrorCode::RequestTimedOut
                | RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::Resolve
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_never_ends_before_it_begins() {
        assert_eq!(not_before(Some(3), Some(9)), Some(9));
        assert_eq!(not_before(Some(9), Some(3)), Some(9));
        assert_eq!(not_before(None, Some(3)), Some(3));
        assert_eq!(not_before(Some(3), None), None);
    }

    #[test]
    fn names_that_no_topic_has_are_told() {
        for name in ["user_created", "a.b-c_D9", "...", &"a".repeat(249)] {
            assert!(Topic::is_legal_name(name), "{name}");
        }
        for name in ["", ".", "..", "a/b", "ü", "a b", "<b>", &"a".repeat(250)] {
            assert!(!Topic::is_legal_name(name), "{name}");
        }
    }
}
