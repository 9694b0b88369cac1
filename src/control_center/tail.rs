//! Topics as they grow. However many look at a topic, it is read and decoded once: one reader for each topic that somebody looks at, which
//! ends when nobody does. Who is slower than the topic misses records, and is told how many.

mod stream;

pub(super) use stream::events;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use log::{debug, warn};
use tokio::runtime::Handle;
use tokio::sync::broadcast;

use super::center::Center;
use super::decoding::Decoder;
use super::kafka::{Cursor, Follower, Kafka, Message, Topic};
use super::reply::Refusal;
use crate::error;

/// Rows that a slow listener may be behind.
const BUFFERED_ROWS: usize = 1_024;
/// Rows of a topic that are decoded in a second; the others are counted.
const ROWS_PER_SECOND: u32 = 1_000;
const MOST_TOPICS: usize = 16;
const MOST_LISTENERS: usize = 200;
/// How often it is looked whether the topic has more partitions than before.
const LOOK_FOR_PARTITIONS: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(200);
const SECOND: Duration = Duration::from_secs(1);

/// A record as all its listeners get it: masked, whoever listens.
struct Row {
    partition: i32,
    offset: i64,
    /// A line of a list, as JSON.
    json: String,
    /// What a filter looks at, in lower case: what is shown.
    searched: String,
}

impl Row {
    fn of(decoder: &Decoder, message: &Message) -> Self {
        let line = decoder.line(message);
        let key = line.key.as_deref().unwrap_or_default();
        Self {
            partition: message.partition,
            offset: message.offset,
            searched: format!("{key} {}", line.line).to_lowercase(),
            json: serde_json::to_string(&line).unwrap_or_default(),
        }
    }
}

#[derive(Clone)]
enum Told {
    Row(Arc<Row>),
    /// So many were not decoded.
    LeftOut(u64),
}

/// What a topic's reader and its listeners share.
struct Shared {
    sender: broadcast::Sender<Told>,
    /// Everything before it was sent; locked while that changes, so that a listener begins exactly there.
    place: Mutex<Cursor>,
}

fn locked<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Default)]
pub(super) struct Tails {
    open: Mutex<HashMap<String, Arc<Shared>>>,
    listeners: Arc<AtomicUsize>,
}

struct Listener {
    receiver: broadcast::Receiver<Told>,
    /// The first offset of each partition that comes by the receiver.
    place: Cursor,
    _counted: Counted,
}

struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Tails {
    /// How many listen now.
    pub(super) fn listeners(&self) -> usize {
        self.listeners.load(Ordering::Relaxed)
    }

    fn listen(&self, center: &Arc<Center>, topic: &Topic) -> Result<Listener, Refusal> {
        let before = self.listeners.fetch_add(1, Ordering::Relaxed);
        let counted = Counted(self.listeners.clone());
        if before >= MOST_LISTENERS {
            return Err(Refusal::busy(
                format!("{MOST_LISTENERS} live views are open"),
                "close one, or reload the page of the messages from time to time",
            ));
        }
        let mut open = locked(&self.open);
        let shared = match open.get(&topic.name) {
            Some(shared) => shared.clone(),
            None if open.len() >= MOST_TOPICS => {
                return Err(Refusal::busy(
                    format!("{MOST_TOPICS} topics are looked at live"),
                    "close the live view of another topic",
                ));
            }
            None => {
                let place = Kafka::newest(topic);
                let follower = center.kafka.follow(&topic.name, &place)?;
                let shared = Arc::new(Shared {
                    sender: broadcast::Sender::new(BUFFERED_ROWS),
                    place: Mutex::new(place),
                });
                open.insert(topic.name.clone(), shared.clone());
                let (center, name, own) = (center.clone(), topic.name.clone(), shared.clone());
                tokio::task::spawn_blocking(move || read(&center, &name, &own, &follower));
                shared
            }
        };
        // Before the map is free: the reader looks there whether anybody listens.
        let place = locked(&shared.place);
        Ok(Listener {
            receiver: shared.sender.subscribe(),
            place: place.clone(),
            _counted: counted,
        })
    }

    /// Ends the reading when nobody listens, so that nobody can begin to meanwhile.
    fn leave_when_alone(&self, name: &str, shared: &Arc<Shared>) -> bool {
        let mut open = locked(&self.open);
        let is_alone = shared.sender.receiver_count() == 0;
        if is_alone {
            remove(&mut open, name, shared);
        }
        is_alone
    }
}

/// This reader, and not one that has begun after it.
fn remove(open: &mut HashMap<String, Arc<Shared>>, name: &str, shared: &Arc<Shared>) {
    if open.get(name).is_some_and(|it| Arc::ptr_eq(it, shared)) {
        open.remove(name);
    }
}

/// However a reader ends, its topic is free for the next one: whoever still listens comes to the end, and begins anew.
struct Reading<'a> {
    center: &'a Center,
    name: &'a str,
    shared: &'a Arc<Shared>,
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        remove(&mut locked(&self.center.tails.open), self.name, self.shared);
        debug!("the topic {} is followed no longer", self.name);
    }
}

/// The one reader of a topic, on a thread of its own.
fn read(center: &Arc<Center>, name: &str, shared: &Arc<Shared>, follower: &Follower) {
    debug!("the topic {name} is followed");
    let _reading = Reading {
        center,
        name,
        shared,
    };
    let mut decoder = Decoder::new(center.clone(), false);
    let (mut second, mut rows, mut left_out) = (Instant::now(), 0, 0);
    let mut looked_around = Instant::now();
    let mut looked_for_partitions = Instant::now();
    loop {
        if looked_around.elapsed() >= POLL {
            looked_around = Instant::now();
            if center.shutdown.is_requested() || center.tails.leave_when_alone(name, shared) {
                break;
            }
        }
        if looked_for_partitions.elapsed() >= LOOK_FOR_PARTITIONS {
            if let Err(error) = take_in_new_partitions(center, name, shared, follower) {
                debug!("{error}");
            }
            looked_for_partitions = Instant::now();
        }
        if second.elapsed() >= SECOND {
            (second, rows) = (Instant::now(), 0);
            if left_out > 0 {
                // Nobody who listens: nobody who misses it.
                let _ = shared
                    .sender
                    .send(Told::LeftOut(std::mem::take(&mut left_out)));
            }
        }
        let message = match follower.next(POLL) {
            Ok(Some(message)) => message,
            Ok(None) => continue,
            Err(error) => {
                warn!("{error}");
                break;
            }
        };
        let row = (rows < ROWS_PER_SECOND).then(|| {
            decoder.decode_waiting(&message);
            Arc::new(Row::of(&decoder, &message))
        });
        let mut place = locked(&shared.place);
        place.0.insert(message.partition, message.offset + 1);
        match row {
            Some(row) => {
                rows += 1;
                let _ = shared.sender.send(Told::Row(row));
            }
            None => left_out += 1,
        }
    }
}

fn take_in_new_partitions(
    center: &Arc<Center>,
    name: &str,
    shared: &Shared,
    follower: &Follower,
) -> error::Result<()> {
    let cluster = Handle::current().block_on(center.kafka.cluster())?;
    let Some(topic) = cluster.topics.get(name) else {
        return Ok(());
    };
    let mut place = locked(&shared.place);
    let mut with_new = place.clone();
    with_new.take_in(topic);
    if with_new != *place {
        follower.go_on(&with_new)?;
        *place = with_new;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_reader_leaves_the_next_one() {
        let shared = || {
            Arc::new(Shared {
                sender: broadcast::Sender::new(1),
                place: Mutex::new(Cursor::default()),
            })
        };
        let (old, new) = (shared(), shared());
        let mut open = HashMap::from([("users".to_owned(), new.clone())]);
        remove(&mut open, "users", &old);
        assert_eq!(open.len(), 1);
        remove(&mut open, "users", &new);
        assert!(open.is_empty());
    }
}
