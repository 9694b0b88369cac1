//! The groups that have passed a record, the row that came of it, and the time between the hops.

use serde::Serialize;

use super::landing::Landing;
use super::topic::{Letters, OnTopic, Place, Trace};
use crate::control_center::center::Center;
use crate::control_center::kafka::GroupLag;
use crate::control_center::moment::{Moment, span};
use crate::error::Result;
use crate::reconcile::Position;
use crate::sink::cassandra::StoredUser;

/// How far a job's group has come on the partition of the user's record.
#[derive(Debug, Serialize)]
pub(in crate::control_center) struct Passage {
    pub job: &'static str,
    pub group: String,
    /// The next offset that the group reads; nothing where it has read none yet.
    pub committed: Option<i64>,
    pub partition: i32,
    pub offset: i64,
    pub passed: bool,
}

/// That of `transform-store` first. None without a record.
pub(super) async fn passages(center: &Center, position: Option<Position>) -> Result<Vec<Passage>> {
    let Some(Position { partition, offset }) = position else {
        return Ok(Vec::new());
    };
    let options = &center.options;
    let groups = [
        ("transform-store", &options.groups.transform_store),
        ("aggregate", &options.groups.aggregate),
    ];
    let mut passages = Vec::new();
    for (job, group) in groups {
        let lag = center.kafka.lag_of(group).await?;
        let committed = committed(&lag, center.topic(), partition);
        passages.push(Passage {
            job,
            group: group.clone(),
            committed,
            partition,
            offset,
            passed: committed.is_some_and(|committed| committed > offset),
        });
    }
    Ok(passages)
}

fn committed(lag: &GroupLag, topic: &str, partition: i32) -> Option<i64> {
    let mut committed = lag.on(topic).filter(|it| it.has_committed);
    let on_partition = committed.find(|it| it.partition == partition)?;
    Some(on_partition.committed)
}

/// The user's row. Its columns stand among the fields.
#[derive(Debug, Serialize)]
pub(in crate::control_center) struct Row {
    /// The write time, which is the time of the record that the row came from.
    pub written: Option<Moment>,
    /// The record of that time.
    pub written_by: Option<Position>,
    /// Whether a column is null without which no user is stored.
    pub is_damaged: bool,
}

impl Row {
    pub(super) fn of(stored: &StoredUser, topic: Option<&OnTopic>) -> Self {
        let written = stored.written_us.map(|us| Moment::at(us.div_euclid(1000)));
        let by = |trace: &&Trace| {
            let same = |at: Moment| written.is_some_and(|written| written.ms() == at.ms());
            trace.is_of_this_user && trace.at.is_some_and(same)
        };
        Self {
            written,
            written_by: topic.and_then(|it| traces(it).find(by)).map(|it| Position {
                partition: it.partition,
                offset: it.offset,
            }),
            is_damaged: stored.user.is_none(),
        }
    }
}

fn traces(topic: &OnTopic) -> impl Iterator<Item = &Trace> {
    let published = match &topic.published {
        Some(Place::Here(trace)) => Some(&**trace),
        _ => None,
    };
    published.into_iter().chain(&topic.records)
}

/// A moment of the journey.
#[derive(Debug, Serialize)]
pub(in crate::control_center) struct Step {
    pub what: String,
    pub at: Moment,
    /// Since the step before; nothing for the first.
    pub after: Option<String>,
}

pub(super) fn steps(
    landing: Option<&Landing>,
    topic: Option<&OnTopic>,
    letters: Option<&Letters>,
) -> Vec<Step> {
    let mut moments: Vec<(Moment, String)> = Vec::new();
    for apart in landing.into_iter().flat_map(|it| &it.kept_apart) {
        moments.push((apart.at, format!("kept apart: {}", apart.why)));
    }
    let landed = landing.and_then(|it| it.landed.as_ref());
    if let Some(landed) = landed {
        moments.push((landed.at, "landed in PostgreSQL".to_owned()));
        if let Some(published) = &landed.published {
            let text = "Kafka's acknowledgement is marked in published_users";
            moments.push((published.at, text.to_owned()));
        }
    }
    for trace in topic.into_iter().flat_map(traces) {
        // The publisher gives a record the time of landing.
        let is_landing = landed.is_some_and(|it| trace.at.is_some_and(|at| at.ms() == it.at.ms()));
        if let (Some(at), true, false) = (trace.at, trace.is_of_this_user, is_landing) {
            let text = format!(
                "time of the record at partition {}, offset {}",
                trace.partition, trace.offset
            );
            moments.push((at, text));
        }
    }
    for letter in letters.into_iter().flat_map(|it| &it.letters) {
        if let Some(at) = letter.at {
            let job = letter.job.as_deref().unwrap_or("another program");
            moments.push((at, format!("dead letter by {job}: {}", letter.why)));
        }
    }
    moments.sort_by_key(|(at, _)| at.ms());
    let mut before: Option<i64> = None;
    let step = |(at, what): (Moment, String)| {
        let since = before.replace(at.ms()).map(|before| at.ms() - before);
        Step {
            what,
            at,
            after: since.map(between),
        }
    };
    moments.into_iter().map(step).collect()
}

fn between(ms: i64) -> String {
    match ms {
        ..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        _ => span(ms / 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control_center::kafka::PartitionLag;

    #[test]
    fn where_a_group_would_begin_is_not_committed() {
        let partition = |partition, has_committed| PartitionLag {
            topic: "users".to_owned(),
            partition,
            committed: 5,
            has_committed,
            first: 5,
            latest: 9,
        };
        let lag = GroupLag {
            partitions: vec![partition(0, true), partition(1, false)],
        };
        assert_eq!(committed(&lag, "users", 0), Some(5));
        assert_eq!(committed(&lag, "users", 1), None);
        assert_eq!(committed(&lag, "others", 0), None);
    }

    #[test]
    fn short_times_are_told_in_small_units() {
        assert_eq!(between(12), "12 ms");
        assert_eq!(between(1_250), "1.2 s");
        assert_eq!(between(120_000), "2 min");
    }
}
