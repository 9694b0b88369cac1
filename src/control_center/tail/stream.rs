//! What one listener gets: first what lies between its place and the present, then what comes, never twice and in the order of each
//! partition. What it does not get is counted, and it is told.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};

use super::{Listener, Row, SECOND, Told};
use crate::control_center::center::Center;
use crate::control_center::decoding::Decoder;
use crate::control_center::kafka::{Cursor, Topic};
use crate::control_center::reply::Refusal;

/// Rows that a browser gets in a second.
const EVENTS_PER_SECOND: u32 = 200;
/// Offsets that are read for a listener who comes back; those before them are counted as left out.
const CATCH_UP: i64 = 2_000;
/// Then the browser comes again, and it is asked anew who it is.
const AT_MOST: Duration = Duration::from_secs(600);
const KEEP_ALIVE: Duration = Duration::from_secs(15);

struct Tail {
    center: Arc<Center>,
    topic: String,
    listener: Listener,
    /// The next offset of each partition that this listener has not got.
    cursor: Cursor,
    filter: Filter,
    waiting: VecDeque<Row>,
    caught_up: bool,
    /// The place where it begins has been told.
    greeted: bool,
    events: u32,
    left_out: i64,
    left_out_told: i64,
    seconds: Interval,
    until: Instant,
}

/// Only rows with this text.
struct Filter(Option<String>);

impl Filter {
    fn takes(&self, row: &Row) -> bool {
        self.0
            .as_ref()
            .is_none_or(|text| row.searched.contains(text))
    }
}

/// From a place on, or from now on.
pub(in crate::control_center) fn events(
    center: &Arc<Center>,
    topic: &Topic,
    from: Option<&Cursor>,
    text: &str,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>> + use<>>, Refusal> {
    let listener = center.tails.listen(center, topic)?;
    let (cursor, left_out) = begin(topic, &listener.place, from);
    let text = text.trim().to_lowercase();
    let mut seconds = interval(SECOND);
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let tail = Tail {
        center: center.clone(),
        topic: topic.name.clone(),
        listener,
        cursor,
        filter: Filter((!text.is_empty()).then_some(text)),
        waiting: VecDeque::new(),
        caught_up: false,
        greeted: false,
        events: 0,
        left_out,
        left_out_told: 0,
        seconds,
        until: Instant::now() + AT_MOST,
    };
    let stream = futures_util::stream::unfold(tail, |mut tail| async {
        let shutdown = tail.center.shutdown.clone();
        let event = tokio::select! {
            biased;
            () = shutdown.requested() => None,
            event = tail.next() => event,
        };
        event.map(|event| (Ok(event), tail))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// Where a listener begins who comes from a place, and how many offsets it does not get for being too far behind. A place that the topic
/// does not have is the nearest that it has.
fn begin(topic: &Topic, present: &Cursor, from: Option<&Cursor>) -> (Cursor, i64) {
    let (mut cursor, mut left_out) = (present.clone(), 0);
    let Some(from) = from else {
        return (cursor, 0);
    };
    let most = CATCH_UP / i64::try_from(present.0.len().max(1)).unwrap_or(CATCH_UP);
    for partition in &topic.partitions {
        let (Some(place), Some(&wanted), Some(first), Some(latest)) = (
            cursor.0.get_mut(&partition.id),
            from.0.get(&partition.id),
            partition.first_offset,
            partition.latest_offset,
        ) else {
            continue;
        };
        let wanted = wanted.clamp(first, latest.max(first));
        let nearest = place.saturating_sub(most);
        left_out += (nearest - wanted).max(0);
        *place = wanted.max(nearest);
    }
    (cursor, left_out)
}

impl Tail {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if !self.greeted {
                self.greeted = true;
                return Some(self.event("place", "{}".to_owned()));
            }
            if let Some(row) = self.waiting.pop_front() {
                // Bounded by its own number.
                if let Some(event) = self.row(&row) {
                    return Some(event);
                }
                continue;
            }
            if !self.caught_up {
                self.catch_up().await?;
                continue;
            }
            tokio::select! {
                biased;
                () = sleep_until(self.until) => return None,
                _ = self.seconds.tick() => {
                    self.events = 0;
                    if self.left_out > self.left_out_told {
                        self.left_out_told = self.left_out;
                        return Some(self.event("left-out", self.left_out.to_string()));
                    }
                }
                told = self.listener.receiver.recv() => match told {
                    Ok(Told::Row(row)) => {
                        if self.events >= EVENTS_PER_SECOND && self.filter.takes(&row) && self.is_new(&row) {
                            self.left_out += 1;
                            self.pass(&row);
                        } else if let Some(event) = self.row(&row) {
                            self.events += 1;
                            return Some(event);
                        }
                    }
                    Ok(Told::LeftOut(count)) => self.leave_out(count),
                    Err(RecvError::Lagged(count)) => self.leave_out(count),
                    // The reader has ended: the browser comes again, and learns why.
                    Err(RecvError::Closed) => return None,
                },
            }
        }
    }

    /// Reads what lies between this listener's place and what comes by itself. Nothing when that cannot be read now: the browser comes again.
    async fn catch_up(&mut self) -> Option<()> {
        self.caught_up = true;
        let present = self.listener.place.clone();
        if self.cursor.distance(&present) == 0 {
            return Some(());
        }
        let kafka = &self.center.kafka;
        let (messages, reached) = kafka
            .between(&self.topic, &self.cursor, &present)
            .await
            .inspect_err(|error| log::debug!("{error}"))
            .ok()?;
        self.left_out += reached.distance(&present);
        let mut decoder = Decoder::new(self.center.clone(), false);
        decoder.learn(&messages).await;
        self.waiting = messages.iter().map(|it| Row::of(&decoder, it)).collect();
        Some(())
    }

    fn is_new(&self, row: &Row) -> bool {
        let next = self.cursor.0.get(&row.partition).copied();
        next.is_none_or(|next| row.offset >= next)
    }

    fn pass(&mut self, row: &Row) {
        self.cursor.0.insert(row.partition, row.offset + 1);
    }

    fn row(&mut self, row: &Row) -> Option<Event> {
        if !self.is_new(row) {
            return None;
        }
        self.pass(row);
        self.filter
            .takes(row)
            .then(|| self.event("row", row.json.clone()))
    }

    fn leave_out(&mut self, count: u64) {
        self.left_out = self.left_out.saturating_add_unsigned(count);
    }

    /// With the place after it as its id, which a browser names when it comes again.
    fn event(&self, name: &str, data: String) -> Event {
        Event::default()
            .event(name)
            .id(self.cursor.to_string())
            .data(data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control_center::kafka::Partition;

    fn topic(ends: &[(i64, i64)]) -> Topic {
        let partition = |(id, &(first, latest)): (i32, &(i64, i64))| Partition {
            id,
            leader: 0,
            replicas: vec![0],
            in_sync: vec![0],
            first_offset: Some(first),
            latest_offset: Some(latest),
        };
        Topic {
            name: "t".to_owned(),
            partitions: (0..).zip(ends).map(partition).collect(),
        }
    }

    fn begun(ends: &[(i64, i64)], present: &str, from: &str) -> (String, i64) {
        let cursor = |text| Cursor::parse(text).unwrap();
        let (at, left_out) = begin(&topic(ends), &cursor(present), Some(&cursor(from)));
        (at.to_string(), left_out)
    }

    #[test]
    fn who_comes_back_goes_on_where_it_was() {
        assert_eq!(
            begun(&[(0, 90), (0, 80)], "0:90,1:80", "0:85,1:80"),
            ("0:85,1:80".to_owned(), 0)
        );
    }

    #[test]
    fn who_was_away_too_long_misses_what_is_counted() {
        assert_eq!(
            begun(&[(0, 9_000), (0, 80)], "0:9000,1:80", "0:1000,1:70"),
            ("0:8000,1:70".to_owned(), 7_000)
        );
    }

    #[test]
    fn a_place_that_the_topic_does_not_have_is_the_nearest() {
        // Retention has gone on; the other partition was made anew and is shorter.
        assert_eq!(
            begun(&[(50, 90), (0, 10)], "0:90,1:10", "0:5,1:700,9:1"),
            ("0:50,1:10".to_owned(), 0)
        );
    }

    #[test]
    fn who_is_ahead_of_the_reader_gets_nothing_twice() {
        assert_eq!(begun(&[(0, 95)], "0:90", "0:95"), ("0:95".to_owned(), 0));
    }
}
