//! What is known of letters that were replayed: the tables `replays` and `replayed_letters` of the landing database.

use std::collections::HashMap;

use serde::Serialize;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};

use super::{Letter, MAX_TIMES, Origin};
use crate::control_center::count::Count;
use crate::control_center::moment::Moment;
use crate::error::{Error, Result};

/// Of the brokers and of PostgreSQL, at most.
const CLOCKS_DIFFER_BY: &str = "10 minutes";

/// How far a letter is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum State {
    /// Not replayed. `times`: how often its record was, before it came to lie here again.
    New { times: i32 },
    /// It was about to be produced when its program ended, or is right now.
    Unknown { replay: i64, since: Moment },
    /// On the topic again, acknowledged.
    Replayed {
        replay: i64,
        times: i32,
        at: Moment,
        partition: i32,
        offset: i64,
        /// The other letter of the same record, by which it was replayed.
        by: Option<String>,
    },
    /// Replayed as often as may be, and rejected again.
    GivenUp { times: i32 },
    /// Not of our jobs, or of another topic: nobody knows where it belongs.
    NotOurs,
}

impl State {
    pub(crate) fn word(&self) -> &'static str {
        match self {
            State::New { .. } => "new",
            State::Unknown { .. } => "unknown",
            State::Replayed { .. } => "replayed",
            State::GivenUp { .. } => "given up",
            State::NotOurs => "not ours",
        }
    }
}

impl State {
    /// What there is to say beside the word.
    pub(crate) fn detail(&self) -> String {
        match self {
            State::New { times: 0 } => String::new(),
            State::New { times } => format!("replayed {times} times before, and rejected again"),
            State::Unknown { since, .. } => format!(
                "written down to be replayed {}, and not acknowledged: look at the topic, or settle it",
                since.ago()
            ),
            State::Replayed {
                partition,
                offset,
                by,
                ..
            } => match by {
                None => format!("now at {partition}:{offset}"),
                Some(by) => {
                    format!("by the letter {by} of the same record, now at {partition}:{offset}")
                }
            },
            State::GivenUp { times } => {
                format!("replayed {times} times, and rejected again each time")
            }
            State::NotOurs => "nobody knows where its record belongs".to_owned(),
        }
    }

    /// Where the record lies now.
    pub(crate) fn place(&self) -> Option<(i32, i64)> {
        match self {
            State::Replayed {
                partition, offset, ..
            } => Some((*partition, *offset)),
            State::New { .. } | State::Unknown { .. } | State::GivenUp { .. } | State::NotOurs => {
                None
            }
        }
    }
}

/// One replay, as far as it has come.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Run {
    pub number: i64,
    pub begun: Moment,
    pub ended: Option<Moment>,
    pub who: String,
    pub letters: Count,
    pub replayed: Count,
    pub unknown: Count,
    pub trouble: Option<String>,
}

/// A row of `replayed_letters`.
struct Known {
    letter: String,
    replay: i64,
    times: i32,
    begun: Moment,
    new: Option<(i32, i64, Moment)>,
}

/// What is known of some letters.
pub(super) struct States {
    topic: String,
    by_origin: HashMap<(i32, i64, i64), Known>,
    /// How often the record at a place was replayed before.
    by_new_place: HashMap<(i32, i64, i64), i32>,
}

impl States {
    /// Of letters whose records came from `topic`.
    pub(super) async fn of(client: &Client, topic: &str, letters: &[&Letter]) -> Result<Self> {
        let origins: Vec<&Origin> = letters
            .iter()
            .filter_map(|it| it.origin.as_ref())
            .filter(|it| it.topic == topic)
            .collect();
        let partitions: Vec<i32> = origins.iter().map(|it| it.partition).collect();
        let offsets: Vec<i64> = origins.iter().map(|it| it.offset).collect();
        let times: Vec<i64> = origins.iter().map(|it| it.timestamp_ms).collect();
        let given: [&(dyn ToSql + Sync); 4] = [&topic, &partitions, &offsets, &times];
        let sql = "SELECT r.origin_partition, r.origin_offset, r.origin_ms, \
                   r.kafka_partition || ':' || r.kafka_offset, r.replay, r.times, \
                   (extract(epoch FROM r.begun_at) * 1000)::bigint, r.new_partition, r.new_offset, \
                   (extract(epoch FROM r.replayed_at) * 1000)::bigint \
                   FROM unnest($2::integer[], $3::bigint[], $4::bigint[]) AS o (p, o, ms) \
                   JOIN replayed_letters AS r ON r.origin_topic = $1 AND r.origin_partition = o.p \
                   AND r.origin_offset = o.o AND r.origin_ms = o.ms";
        let rows = client.query(sql, &given).await.map_err(untold)?;
        let known = |row: &Row| {
            let new: Option<i32> = row.get(7);
            (
                (row.get(0), row.get(1), row.get(2)),
                Known {
                    letter: row.get(3),
                    replay: row.get(4),
                    times: row.get(5),
                    begun: Moment::at(row.get(6)),
                    new: new.map(|partition| (partition, row.get(8), Moment::at(row.get(9)))),
                },
            )
        };
        let by_origin = rows.iter().map(known).collect();
        // The record kept its time, or has that of its writing (LogAppendTime) by the broker's clock. Anything else is a record of a topic
        // that was made anew, which gives its offsets again.
        let sql = format!(
            "SELECT o.p, o.o, o.ms, max(r.times) \
             FROM unnest($2::integer[], $3::bigint[], $4::bigint[]) AS o (p, o, ms) \
             JOIN replayed_letters AS r ON r.origin_topic = $1 AND r.new_partition = o.p AND r.new_offset = o.o \
             WHERE r.origin_ms = o.ms OR to_timestamp(o.ms / 1000.0) \
             BETWEEN r.begun_at - interval '{CLOCKS_DIFFER_BY}' AND r.replayed_at + interval '{CLOCKS_DIFFER_BY}' \
             GROUP BY o.p, o.o, o.ms"
        );
        let rows = client.query(&sql, &given).await.map_err(untold)?;
        let place = |row: &Row| ((row.get(0), row.get(1), row.get(2)), row.get(3));
        Ok(Self {
            topic: topic.to_owned(),
            by_origin,
            by_new_place: rows.iter().map(place).collect(),
        })
    }

    pub(super) fn state(&self, letter: &Letter) -> State {
        let Some(origin) = letter.origin.as_ref().filter(|it| it.topic == self.topic) else {
            return State::NotOurs;
        };
        let place = (origin.partition, origin.offset, origin.timestamp_ms);
        if let Some(known) = self.by_origin.get(&place) {
            return match known.new {
                None => State::Unknown {
                    replay: known.replay,
                    since: known.begun,
                },
                Some((partition, offset, at)) => State::Replayed {
                    replay: known.replay,
                    times: known.times,
                    at,
                    partition,
                    offset,
                    by: (known.letter != letter.place()).then(|| known.letter.clone()),
                },
            };
        }
        match self.by_new_place.get(&place).copied().unwrap_or(0) {
            times if times >= MAX_TIMES => State::GivenUp { times },
            times => State::New { times },
        }
    }
}

/// The newest replays.
pub(super) async fn runs(client: &Client, number: Option<i64>, limit: i64) -> Result<Vec<Run>> {
    let sql = "SELECT r.number, (extract(epoch FROM r.begun_at) * 1000)::bigint, \
               (extract(epoch FROM r.ended_at) * 1000)::bigint, r.who, r.letters::bigint, r.trouble, \
               count(l.replayed_at), count(l.replay) - count(l.replayed_at) \
               FROM replays AS r LEFT JOIN replayed_letters AS l ON l.replay = r.number \
               WHERE $1::bigint IS NULL OR r.number = $1 GROUP BY r.number ORDER BY r.number DESC LIMIT $2";
    let rows = client
        .query(sql, &[&number, &limit])
        .await
        .map_err(untold)?;
    let run = |row: &Row| Run {
        number: row.get(0),
        begun: Moment::at(row.get(1)),
        ended: row.get::<_, Option<i64>>(2).map(Moment::at),
        who: row.get(3),
        letters: Count(row.get(4)),
        trouble: row.get(5),
        replayed: Count(row.get(6)),
        unknown: Count(row.get(7)),
    };
    Ok(rows.iter().map(run).collect())
}

/// How many letters of a topic are neither known to be replayed nor known not to be.
pub(super) async fn unknown(client: &Client, topic: &str) -> Result<Count> {
    let sql = "SELECT count(*) FROM replayed_letters WHERE topic = $1 AND replayed_at IS NULL";
    let row = client.query_one(sql, &[&topic]).await.map_err(untold)?;
    Ok(Count(row.get(0)))
}

pub(super) fn untold(cause: tokio_postgres::Error) -> Error {
    Error::unavailable("PostgreSQL does not tell or take what was replayed")
        .cause(cause)
        .hint("bring PostgreSQL up; `streamflow init` makes the table replayed_letters")
}
