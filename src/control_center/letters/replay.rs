//! Replaying: what is about to be produced is written down first, and where it came to lie afterwards.

use std::collections::HashMap;

use log::warn;
use serde::Serialize;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use super::letter::header_text;
use super::plan::{Entry, Fate, Plan};
use super::states::untold;
use super::{Desk, Kafka, State};
use crate::config::KafkaArguments;
use crate::control_center::kafka::{Cursor, Wish};
use crate::control_center::landing::in_time;
use crate::error::{Error, Result};
use crate::pipeline::sequence::SEQUENCE_HEADER;
use crate::shutdown::Shutdown;
use crate::sink::kafka::{Again, Replayer};

/// How often, and the letter: `2 0:17`. It lets a record be found whose replay broke off.
pub(in crate::control_center) const REPLAYED_HEADER: &str = "streamflow-replayed";
/// Letters that are written down and produced together.
const STEP: usize = 100;
/// Longer than the producer tries to deliver.
const NOT_SENT_AFTER_MS: i64 = 60_000;
/// Records that are read together while a lost one is looked for.
const SEARCH_STEP: usize = 2_000;

/// Held by who replays or settles letters of a topic: one at a time, in whatever program.
pub(crate) struct Lock(Client, String);

impl Lock {
    /// At once: that of a connection that is only closed is free a moment later.
    pub(crate) async fn release(&self) {
        let sql =
            "SELECT pg_advisory_unlock(hashtext('streamflow'), hashtext('replaying ' || $1::text))";
        if let Err(error) = self.0.query_one(sql, &[&self.1]).await {
            warn!("the lock of replays is let go by the end of its connection: {error}");
        }
    }
}

/// One replay.
pub(crate) struct Replay {
    lock: Lock,
    kafka: KafkaArguments,
    pub number: i64,
    entries: Vec<Entry>,
    partitions: Vec<i32>,
    begun_after: String,
}

/// What was found out of replays that broke off.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Settled {
    pub replayed: u64,
    pub not_sent: u64,
    pub still_unknown: u64,
}

impl Desk<'_> {
    /// Waits for nothing: where another replay runs, it is refused.
    pub(in crate::control_center) async fn lock(&self) -> Result<Lock> {
        let client = self.landing.open().await?;
        let sql = "SELECT pg_try_advisory_lock(hashtext('streamflow'), hashtext('replaying ' || $1::text))";
        let topic = self.topic();
        let locked = async { client.query_one(sql, &[&topic]).await.map_err(untold) };
        let row = in_time(locked).await?;
        match row.get(0) {
            true => Ok(Lock(client, topic)),
            false => Err(Error::unavailable("another replay is running")
                .hint("wait for its end: /dead-letters shows how far it is")),
        }
    }

    /// Keeps those that pass.
    pub(in crate::control_center) async fn begin(
        &self,
        lock: Lock,
        plan: Plan,
        who: &str,
    ) -> Result<Replay> {
        let passes = |it: &Entry| matches!(it.fate, Fate::Passes(_));
        let entries: Vec<Entry> = plan.entries.into_iter().filter(passes).collect();
        // First, so that no replay is written down that cannot begin.
        let kafka = self.kafka.arguments().clone();
        let topic = self.known(&kafka.topic).await?.ok_or_else(|| {
            Error::configuration(format!("there is no topic {}", kafka.topic))
                .hint("make it with `streamflow init`")
        })?;
        let row = lock
            .0
            .query_one(
                "INSERT INTO replays (who, letters) VALUES ($1, $2) RETURNING number",
                &[&who.replace('\0', "\u{fffd}"), &(entries.len() as i32)],
            )
            .await
            .map_err(untold)?;
        Ok(Replay {
            lock,
            kafka,
            number: row.get(0),
            entries,
            partitions: topic.partitions.iter().map(|it| it.id).collect(),
            begun_after: Kafka::newest(&topic).to_string(),
        })
    }

    /// Looks on the topic for the records of replays that broke off: those that are there are replayed, the others are new again.
    pub(in crate::control_center) async fn settle(&self, lock: &Lock) -> Result<Settled> {
        let client = &lock.0;
        let letters = self.topic();
        let sql = "SELECT kafka_partition || ':' || kafka_offset, begun_after, \
                   (extract(epoch FROM now() - begun_at) * 1000)::bigint, times \
                   FROM replayed_letters WHERE topic = $1 AND replayed_at IS NULL";
        let rows = client.query(sql, &[&letters]).await.map_err(untold)?;
        let mut settled = Settled::default();
        if rows.is_empty() {
            return Ok(settled);
        }
        let mut wanted: HashMap<String, (String, i64)> = HashMap::new();
        let mut from = Cursor::default();
        for row in &rows {
            let (letter, after): (String, String) = (row.get(0), row.get(1));
            let times: i32 = row.get(3);
            wanted.insert(format!("{times} {letter}"), (letter, row.get(2)));
            for (partition, offset) in Cursor::parse(&after).unwrap_or_default().0 {
                let place = from.0.entry(partition).or_insert(offset);
                *place = offset.min(*place);
            }
        }
        for (header, place) in self.find_replayed(from, &wanted).await? {
            let Some((letter, _)) = wanted.remove(&header) else {
                continue;
            };
            acknowledge(client, &letters, &[(letter, place)]).await?;
            settled.replayed += 1;
        }
        for (letter, age_ms) in wanted.into_values() {
            if age_ms < NOT_SENT_AFTER_MS {
                settled.still_unknown += 1;
                continue;
            }
            let sql = "DELETE FROM replayed_letters WHERE topic = $1 \
                       AND kafka_partition || ':' || kafka_offset = $2 AND replayed_at IS NULL";
            client
                .execute(sql, &[&letters, &letter])
                .await
                .map_err(untold)?;
            settled.not_sent += 1;
        }
        Ok(settled)
    }

    async fn find_replayed(
        &self,
        from: Cursor,
        wanted: &HashMap<String, (String, i64)>,
    ) -> Result<Vec<(String, (i32, i64))>> {
        let mut found = Vec::new();
        let Some(topic) = self.known(&self.kafka.arguments().topic).await? else {
            return Ok(found);
        };
        let mut next = Some(Wish::From(from));
        while let Some(wish) = next {
            let read = self
                .kafka
                .find(&topic, wish.clone(), SEARCH_STEP, None)
                .await?;
            for message in &read.messages {
                if let Some(header) = header_text(message, REPLAYED_HEADER)
                    && wanted.contains_key(header)
                {
                    found.push((header.to_owned(), (message.partition, message.offset)));
                }
            }
            if read.messages.is_empty() && read.next.as_ref() == Some(&wish) {
                return Err(
                    Error::unavailable("the topic gives no records to look through")
                        .hint("try again when Kafka is well"),
                );
            }
            next = read.next;
        }
        Ok(found)
    }
}

impl Replay {
    pub(crate) fn letters(&self) -> usize {
        self.entries.len()
    }

    /// Produces all of them, in their order, unless a stop is asked for. What has happened stands in the tables at any time.
    pub(crate) async fn run(self, shutdown: &Shutdown, told: impl Fn(usize)) -> Result<usize> {
        let done = self.produce(shutdown, &told).await;
        let trouble = match &done {
            Ok(done) if *done < self.entries.len() => Some(
                "not all were replayed: it was stopped, or somebody else has replayed them"
                    .to_owned(),
            ),
            Ok(_) => None,
            Err(error) => Some(error.to_string()),
        };
        self.lock.release().await;
        let sql = "UPDATE replays SET ended_at = now(), trouble = $2 WHERE number = $1";
        if let Err(error) = self.lock.0.execute(sql, &[&self.number, &trouble]).await {
            warn!(
                "the end of the replay {} is not written down: {error}",
                self.number
            );
        }
        done
    }

    async fn produce(&self, shutdown: &Shutdown, told: &impl Fn(usize)) -> Result<usize> {
        let replayer = std::sync::Arc::new(std::sync::Mutex::new(Replayer::new(&self.kafka)?));
        let letters = self.kafka.dead_letter_topic();
        let mut done = 0;
        for step in self.entries.chunks(STEP) {
            if shutdown.is_requested() {
                break;
            }
            let mine = self.write_down(&letters, step).await?;
            let (places, records): (Vec<String>, Vec<Again>) = step
                .iter()
                .filter(|it| mine.contains(&it.letter.place()))
                .map(|it| (it.letter.place(), self.again(it)))
                .unzip();
            let replayer = replayer.clone();
            let (acknowledged, outcome) = tokio::task::spawn_blocking(move || {
                let replayer = replayer
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                replayer.send(&records)
            })
            .await
            .map_err(|cause| Error::bug("a thread broke off").cause(cause))?;
            let acknowledged: Vec<(String, (i32, i64))> = acknowledged
                .into_iter()
                .map(|(number, place)| (places[number].clone(), place))
                .collect();
            acknowledge(&self.lock.0, &letters, &acknowledged).await?;
            done += acknowledged.len();
            told(done);
            outcome?;
        }
        Ok(done)
    }

    /// Those that nobody else has replayed meanwhile come back.
    async fn write_down(&self, letters: &str, step: &[Entry]) -> Result<Vec<String>> {
        let mut partitions = Vec::new();
        let mut offsets = Vec::new();
        let mut written = Vec::new();
        let mut origin_partitions = Vec::new();
        let mut origin_offsets = Vec::new();
        let mut origin_times = Vec::new();
        let mut times = Vec::new();
        for entry in step {
            let Some(origin) = &entry.letter.origin else {
                continue;
            };
            partitions.push(entry.letter.partition);
            offsets.push(entry.letter.offset);
            written.push(entry.letter.written_ms);
            origin_partitions.push(origin.partition);
            origin_offsets.push(origin.offset);
            origin_times.push(origin.timestamp_ms);
            times.push(times_of(entry));
        }
        let sql = "INSERT INTO replayed_letters (topic, kafka_partition, kafka_offset, written_ms, origin_topic, \
                   origin_partition, origin_offset, origin_ms, times, replay, begun_after) \
                   SELECT $1, p, o, w, $2, op, oo, ow, t, $10, $11 \
                   FROM unnest($3::integer[], $4::bigint[], $5::bigint[], $6::integer[], $7::bigint[], $8::bigint[], $9::integer[]) \
                   AS it (p, o, w, op, oo, ow, t) ON CONFLICT DO NOTHING \
                   RETURNING kafka_partition || ':' || kafka_offset";
        let given: [&(dyn ToSql + Sync); 11] = [
            &letters,
            &self.kafka.topic,
            &partitions,
            &offsets,
            &written,
            &origin_partitions,
            &origin_offsets,
            &origin_times,
            &times,
            &self.number,
            &self.begun_after,
        ];
        let rows = self.lock.0.query(sql, &given).await.map_err(untold)?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// The record as it was: key, value, time and place in the order of landing.
    fn again(&self, entry: &Entry) -> Again {
        let letter = &entry.letter;
        let mut headers = Vec::new();
        if let Some(sequence) = &letter.sequence {
            headers.push((SEQUENCE_HEADER, sequence.clone()));
        }
        headers.push((
            REPLAYED_HEADER,
            format!("{} {}", times_of(entry), letter.place()),
        ));
        let origin = letter.origin.as_ref();
        Again {
            // Where it was, so that the ledger of that partition judges it.
            partition: origin
                .map(|it| it.partition)
                .filter(|it| self.partitions.contains(it)),
            key: entry.message.key.clone(),
            value: entry.message.value.clone(),
            timestamp_ms: origin.map(|it| it.timestamp_ms).filter(|&it| it > 0),
            headers,
        }
    }
}

fn times_of(entry: &Entry) -> i32 {
    match entry.state {
        State::New { times } => times + 1,
        State::Unknown { .. } | State::Replayed { .. } | State::GivenUp { .. } | State::NotOurs => {
            1
        }
    }
}

async fn acknowledge(
    client: &Client,
    letters: &str,
    acknowledged: &[(String, (i32, i64))],
) -> Result<()> {
    let places: Vec<&str> = acknowledged.iter().map(|it| it.0.as_str()).collect();
    let partitions: Vec<i32> = acknowledged.iter().map(|it| it.1.0).collect();
    let offsets: Vec<i64> = acknowledged.iter().map(|it| it.1.1).collect();
    let sql = "UPDATE replayed_letters AS r SET new_partition = it.p, new_offset = it.o, replayed_at = now() \
               FROM unnest($2::text[], $3::integer[], $4::bigint[]) AS it (letter, p, o) \
               WHERE r.topic = $1 AND r.kafka_partition || ':' || r.kafka_offset = it.letter AND r.replayed_at IS NULL";
    client
        .execute(sql, &[&letters, &places, &partitions, &offsets])
        .await
        .map_err(untold)?;
    Ok(())
}
