//! One look at the landing, the topics, the two groups and the tables. Cheap: no table is counted, no group is joined.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use log::debug;

use super::latency::{Buckets, Latencies};
use super::points::Point;
use super::probes;
use crate::config::{GroupArguments, KafkaArguments, Server};
use crate::control_center::center::{self, Center};
use crate::control_center::kafka::{Cluster, Cursor, Topic, Wish};
use crate::control_center::panel::Panel;
use crate::error::{Error, Result};
use crate::metrics::Offsets;
use crate::source::group_offsets::GroupOffsets;

/// What is counted at the most of what waits for publishing.
const COUNTED: i64 = 100_000;
const LOOK_WITHIN: Duration = Duration::from_secs(8);

/// Two clients of Kafka that are members of no group.
pub(in crate::control_center) struct Looker {
    transform_store: Arc<GroupOffsets>,
    aggregate: Arc<GroupOffsets>,
    latencies: Latencies,
}

pub(in crate::control_center) struct Sample {
    pub at_ms: i64,
    pub landing: Panel<LandingNow>,
    pub topic: Panel<TopicNow>,
    pub transform_store: Panel<GroupNow>,
    pub aggregate: Panel<GroupNow>,
    pub tables: Panel<()>,
    /// Nothing where no job answers.
    pub latencies: Option<Buckets>,
}

#[derive(Debug, Clone, Default)]
pub(in crate::control_center) struct LandingNow {
    /// The highest number given; numbers can be left out.
    pub landed: i64,
    pub last_landed_ms: Option<i64>,
    pub last_published_ms: Option<i64>,
    pub unpublished: i64,
    /// When the first of them landed.
    pub waiting_since_ms: Option<i64>,
    pub kept_apart: i64,
}

impl LandingNow {
    pub(in crate::control_center) fn is_more(&self) -> bool {
        self.unpublished >= COUNTED
    }
}

#[derive(Debug, Clone, Default)]
pub(in crate::control_center) struct TopicNow {
    /// Latest offsets, added up.
    pub latest: i64,
    pub records: i64,
    pub dead_letters_latest: i64,
    pub dead_letters: i64,
}

#[derive(Debug, Clone, Default)]
pub(in crate::control_center) struct GroupNow {
    /// Next offsets, added up.
    pub next: i64,
    pub lag: i64,
    /// Records that were removed before the group had read them.
    pub removed: i64,
    /// Somewhere it stands where the topic has not come to.
    pub beyond: bool,
    /// The time of the oldest record that is not read.
    pub oldest_ms: Option<i64>,
    /// Nothing where the broker did not tell.
    pub members: Option<usize>,
}

impl Looker {
    pub(in crate::control_center) fn new(
        kafka: &KafkaArguments,
        groups: &GroupArguments,
    ) -> Result<Self> {
        Ok(Self {
            transform_store: Arc::new(GroupOffsets::of(kafka, &groups.transform_store)?),
            aggregate: Arc::new(GroupOffsets::of(kafka, &groups.aggregate)?),
            latencies: Latencies::default(),
        })
    }

    pub(super) async fn look(&self, center: &Arc<Center>) -> Sample {
        let at_ms = Timestamp::now().as_millisecond();
        let jobs = &center.options.job_metrics;
        let (landing, tables, latencies, (topic, transform_store, aggregate)) = tokio::join!(
            in_time("PostgreSQL", Box::pin(landing(center))),
            in_time("Cassandra", Box::pin(probes::cassandra(center))),
            self.latencies.look(&center.http, jobs),
            Box::pin(self.kafka(center))
        );
        Sample {
            at_ms,
            landing: Panel::of(landing),
            topic,
            transform_store,
            aggregate,
            tables: Panel::of(tables.map(drop)),
            latencies,
        }
    }

    async fn kafka(
        &self,
        center: &Arc<Center>,
    ) -> (Panel<TopicNow>, Panel<GroupNow>, Panel<GroupNow>) {
        let found = match center.kafka.cluster().await {
            Ok(cluster) => {
                users(center, &cluster).map(|(topic, now)| (cluster.clone(), topic, now))
            }
            Err(error) => Err(error),
        };
        let (cluster, name, now) = match found {
            Ok(found) => found,
            Err(error) => {
                let missing = || Panel::of(Err(same(&error)));
                return (Panel::of(Err(same(&error))), missing(), missing());
            }
        };
        let options = &center.options;
        let of = |offsets, group| self.group(center, &cluster, &name, offsets, group);
        let (store, aggregate) = tokio::join!(
            of(&self.transform_store, &options.groups.transform_store),
            of(&self.aggregate, &options.groups.aggregate)
        );
        (Panel::Shown(now), Panel::of(store), Panel::of(aggregate))
    }

    async fn group(
        &self,
        center: &Arc<Center>,
        cluster: &Cluster,
        topic: &str,
        offsets: &Arc<GroupOffsets>,
        group: &str,
    ) -> Result<GroupNow> {
        let Some(topic) = cluster.topics.get(topic) else {
            return Err(Error::bug("a topic is gone that was just there"));
        };
        let partitions: Vec<i32> = topic.partitions.iter().map(|it| it.id).collect();
        let told = ask(center, offsets, group, partitions.clone()).await?;
        // The ends are asked for first, and a job that runs may have passed them by then: only those of a second time tell.
        let beyond = match is_beyond(&told, &told) {
            true => is_beyond(&told, &ask(center, offsets, group, partitions).await?),
            false => false,
        };
        let unread = unread(topic, &told);
        let lag = unread.values().map(|(_, lag)| lag).sum();
        let oldest_ms = match lag {
            0 => None,
            _ => oldest(center, topic, &unread).await,
        };
        let members = center.kafka.groups().await.ok().map(|groups| {
            let found = groups.iter().find(|it| it.name == group);
            found.map_or(0, |it| it.members.len())
        });
        Ok(GroupNow {
            next: told.values().map(|it| it.next).sum(),
            lag,
            removed: removed(topic, &told),
            beyond,
            oldest_ms,
            members,
        })
    }
}

impl Sample {
    pub(in crate::control_center) fn point(&self) -> Point {
        let landing = self.landing.shown();
        let topic = self.topic.shown();
        let (store, aggregate) = (self.transform_store.shown(), self.aggregate.shown());
        Point {
            at_ms: self.at_ms,
            landed: landing.map(|it| it.landed),
            unpublished: landing.map(|it| it.unpublished),
            published: topic.map(|it| it.latest),
            stored: store.map(|it| it.next),
            counted: aggregate.map(|it| it.next),
            dead_lettered: topic.map(|it| it.dead_letters_latest),
            store_lag: store.map(|it| it.lag),
            aggregate_lag: aggregate.map(|it| it.lag),
            store_lag_s: store.and_then(|it| it.lag_seconds(self.at_ms)),
            aggregate_lag_s: aggregate.and_then(|it| it.lag_seconds(self.at_ms)),
            latencies: self.latencies,
        }
    }
}

impl GroupNow {
    /// How old the oldest unread record is: 0 where none is unread, nothing where its time is not known.
    pub(in crate::control_center) fn lag_seconds(&self, now_ms: i64) -> Option<i64> {
        match self.lag {
            0 => Some(0),
            _ => Some((now_ms.saturating_sub(self.oldest_ms?) / 1000).max(0)),
        }
    }
}

async fn ask(
    center: &Center,
    offsets: &Arc<GroupOffsets>,
    group: &str,
    partitions: Vec<i32>,
) -> Result<BTreeMap<i32, Offsets>> {
    let offsets = offsets.clone();
    let told = tokio::task::spawn_blocking(move || offsets.ask(&partitions)).await;
    told.map_err(|cause| Error::bug("a thread broke off").cause(cause))?
        .map_err(|cause| {
            Error::unavailable(format!(
                "{} does not tell what the group {group} has committed",
                Server::kafka(&center.kafka.arguments().bootstrap_servers)
            ))
            .cause(cause)
            .hint("check the broker's log, and the right DESCRIBE on the group")
        })
}

/// The name of the topic of the users, and what it and its dead letters hold.
fn users(center: &Center, cluster: &Cluster) -> Result<(String, TopicNow)> {
    let arguments = center.kafka.arguments();
    let server = Server::kafka(&arguments.bootstrap_servers);
    let Some(topic) = cluster.topics.get(center.topic()) else {
        return Err(
            Error::configuration(format!("{server} has no topic {}", center.topic()))
                .hint("make it with `streamflow init`"),
        );
    };
    let told = |topic: &Topic| topic.partitions.iter().all(|it| it.latest_offset.is_some());
    if !told(topic) {
        return Err(Error::unavailable(format!(
            "partitions of the topic {} have no leader that tells their offsets",
            topic.name
        ))
        .hint("check the brokers' logs: /clusters shows which partitions have no leader"));
    }
    let letters = cluster.topics.get(&arguments.dead_letter_topic());
    let now = TopicNow {
        latest: topic.latest(),
        records: topic.records().0,
        dead_letters_latest: letters.map_or(0, Topic::latest),
        dead_letters: letters.map_or(0, |it| it.records().0),
    };
    Ok((topic.name.clone(), now))
}

/// Where the group goes on in each partition that has something unread, and how much that is.
fn unread(topic: &Topic, told: &BTreeMap<i32, Offsets>) -> BTreeMap<i32, (i64, i64)> {
    let mut unread = BTreeMap::new();
    for partition in &topic.partitions {
        let Some(offsets) = told.get(&partition.id) else {
            continue;
        };
        // Retention may have removed what the group had not read.
        let next = offsets.next.max(partition.first_offset.unwrap_or(0));
        if offsets.latest > next {
            unread.insert(partition.id, (next, offsets.latest - next));
        }
    }
    unread
}

/// How many records were removed that the group had not read. A partition where it has committed nothing is told to begin where it begins now.
fn removed(topic: &Topic, told: &BTreeMap<i32, Offsets>) -> i64 {
    let of = |(partition, offsets): (&i32, &Offsets)| {
        let known = topic.partitions.iter().find(|it| it.id == *partition)?;
        Some(known.first_offset?.saturating_sub(offsets.next).max(0))
    };
    told.iter().filter_map(of).sum()
}

/// Whether the group stands behind the end that a partition has, or had later.
fn is_beyond(told: &BTreeMap<i32, Offsets>, later: &BTreeMap<i32, Offsets>) -> bool {
    told.iter()
        .any(|(partition, it)| later.get(partition).is_some_and(|end| it.next > end.latest))
}

async fn oldest(
    center: &Arc<Center>,
    topic: &Topic,
    unread: &BTreeMap<i32, (i64, i64)>,
) -> Option<i64> {
    let cursor = Cursor(unread.iter().map(|(&it, &(next, _))| (it, next)).collect());
    let found = center.kafka.find(topic, Wish::From(cursor), 1, None);
    match found.await {
        Ok(found) => found.messages.first()?.timestamp_ms,
        Err(error) => {
            debug!("the age of the oldest unread record is not known: {error}");
            None
        }
    }
}

async fn landing(center: &Center) -> Result<LandingNow> {
    let client = center.landing.client().await?;
    let row = client
        .query_one(
            "WITH waiting AS MATERIALIZED ( \
                 SELECT sequence, landed_at FROM landed_users \
                 WHERE sequence > (SELECT published_up_to FROM landing) \
                 AND (SELECT p.sequence FROM published_users AS p WHERE p.sequence = landed_users.sequence) IS NULL \
                 ORDER BY sequence LIMIT $1 \
             ) SELECT coalesce((SELECT max(sequence) FROM landed_users), 0), \
                 (SELECT (extract(epoch FROM landed_at) * 1000)::bigint FROM landed_users ORDER BY sequence DESC LIMIT 1), \
                 (SELECT (extract(epoch FROM published_at) * 1000)::bigint FROM published_users ORDER BY sequence DESC LIMIT 1), \
                 (SELECT count(*) FROM waiting), \
                 (SELECT (extract(epoch FROM min(landed_at)) * 1000)::bigint FROM waiting), \
                 coalesce((SELECT max(number) FROM kept_apart_users), 0)",
            &[&COUNTED],
        )
        .await
        .map_err(|cause| {
            Error::unavailable(format!(
                "PostgreSQL at {} does not tell what has landed",
                center.landing.address()
            ))
            .cause(cause)
            .hint("`streamflow init` makes the landing tables; `streamflow doctor` tells more")
        })?;
    Ok(LandingNow {
        landed: row.get(0),
        last_landed_ms: row.get(1),
        last_published_ms: row.get(2),
        unpublished: row.get(3),
        waiting_since_ms: row.get(4),
        kept_apart: row.get(5),
    })
}

/// A server that answers nothing at all holds up no look.
pub(super) async fn in_time<T>(server: &str, answer: impl Future<Output = Result<T>>) -> Result<T> {
    center::in_time(server, LOOK_WITHIN, answer).await
}

/// The same failure for each panel that it empties.
fn same(error: &Error) -> Error {
    let trouble = crate::control_center::panel::Trouble::from(error);
    Error::new(error.kind(), trouble.message).hint(trouble.hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control_center::kafka::Partition;

    #[test]
    fn what_is_unread_begins_no_earlier_than_the_partition() {
        let partition = |id, first, latest| Partition {
            id,
            leader: 1,
            replicas: vec![1],
            in_sync: vec![1],
            first_offset: Some(first),
            latest_offset: Some(latest),
        };
        let topic = Topic {
            name: "users".to_owned(),
            partitions: vec![partition(0, 5, 9), partition(1, 0, 9), partition(2, 0, 0)],
        };
        let offsets = |next, latest| Offsets { next, latest };
        let told = BTreeMap::from([(0, offsets(2, 9)), (1, offsets(9, 9)), (2, offsets(0, 0))]);
        assert_eq!(unread(&topic, &told), BTreeMap::from([(0, (5, 4))]));
        assert_eq!(removed(&topic, &told), 3);
    }

    #[test]
    fn a_group_that_goes_on_while_it_is_asked_for_is_not_beyond_the_end() {
        let told = |next, latest| BTreeMap::from([(0, Offsets { next, latest })]);
        let now = told(12, 9);
        assert!(is_beyond(&now, &now) && is_beyond(&now, &told(12, 9)));
        assert!(!is_beyond(&now, &told(14, 14)) && !is_beyond(&told(9, 9), &told(9, 9)));
    }

    #[test]
    fn the_lag_in_seconds_is_the_age_of_the_oldest_unread_record() {
        let mut group = GroupNow::default();
        assert_eq!(group.lag_seconds(10_000), Some(0));
        group.lag = 7;
        assert_eq!(group.lag_seconds(10_000), None, "not known");
        group.oldest_ms = Some(4_000);
        assert_eq!(group.lag_seconds(10_999), Some(6));
        assert_eq!(group.lag_seconds(0), Some(0), "a clock that is behind");
    }
}
