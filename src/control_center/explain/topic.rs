//! What the topic and its dead letters hold of a user: the record at the place where it was published, and others that a bounded search meets.

use std::sync::Arc;

use memchr::memmem::Finder;
use serde::Serialize;
use uuid::Uuid;

use super::Asked;
use super::outcome::{Found, Why};
use crate::control_center::center::Center;
use crate::control_center::count::Count;
use crate::control_center::decoding::Decoder;
use crate::control_center::kafka::{Cluster, Effort, Kafka, Message, Search, Topic, Wish};
use crate::control_center::letters;
use crate::control_center::moment::Moment;
use crate::error::{Error, Result};
use crate::pipeline::dead_letter::header;
use crate::reconcile::Position;

/// Records of one user that are shown.
const SHOWN: usize = 20;

#[derive(Debug, Serialize)]
pub(in crate::control_center) struct OnTopic {
    pub topic: String,
    /// Where PostgreSQL says that it was published.
    pub published: Option<Place>,
    /// Records of this user that the search met, newest first.
    pub records: Vec<Trace>,
    pub searched: Searched,
    #[serde(skip)]
    messages: Vec<Message>,
    #[serde(skip)]
    begins_late: bool,
    #[serde(skip)]
    effort: Effort,
}

/// How much of a topic was looked at, in offsets.
#[derive(Debug, Clone, Copy, Serialize)]
pub(in crate::control_center) struct Searched {
    pub offsets: Count,
    pub left: Count,
}

/// What lies at a place.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub(in crate::control_center) enum Place {
    Here(Box<Trace>),
    /// Retention has removed it.
    Removed,
    /// The topic has the offset, and no record there.
    Empty,
    /// The topic does not reach as far.
    BeyondEnd,
}

/// A record, as far as it tells of the user.
#[derive(Debug, Clone, Serialize)]
pub(in crate::control_center) struct Trace {
    pub partition: i32,
    pub offset: i64,
    pub at: Option<Moment>,
    pub is_of_this_user: bool,
    pub format: String,
    /// Why the jobs cannot use it; nothing when they can.
    pub unusable: Option<String>,
    /// Masked, unless personal data may be told.
    pub value: String,
}

impl Trace {
    fn position(&self) -> Position {
        Position {
            partition: self.partition,
            offset: self.offset,
        }
    }
}

impl OnTopic {
    /// Of all records of the user.
    pub(super) fn positions(&self) -> Vec<Position> {
        self.of_this_user().map(Trace::position).collect()
    }

    fn of_this_user(&self) -> impl Iterator<Item = &Trace> {
        let published = match &self.published {
            Some(Place::Here(trace)) => Some(&**trace),
            _ => None,
        };
        published
            .into_iter()
            .chain(&self.records)
            .filter(|it| it.is_of_this_user)
    }

    /// The newest record of the user, by which the table is judged, or else where it was published.
    pub(super) fn decisive(&self, published: Option<Position>) -> Option<Position> {
        // A record that was replayed has the time of the one before it.
        let newest = self
            .of_this_user()
            .max_by_key(|it| (it.at.map(|at| at.ms()), it.offset));
        newest.map(Trace::position).or(published)
    }

    pub(super) fn is_brief(&self) -> bool {
        self.effort == Effort::Brief && self.searched.left.0 > 0
    }

    pub(super) fn time_of(&self, place: Position) -> Option<Moment> {
        self.of_this_user().find(|it| it.position() == place)?.at
    }

    pub(super) fn message(&self) -> Option<&Message> {
        let Position { partition, offset } = self.decisive(None)?;
        self.messages
            .iter()
            .find(|it| it.partition == partition && it.offset == offset)
    }

    pub(super) fn found(&self, published: Option<Position>) -> Found {
        if let Some(position) = self.decisive(None) {
            let usable = self
                .of_this_user()
                .any(|it| it.position() == position && it.unusable.is_none());
            return Found::Here { usable };
        }
        match (&self.published, published) {
            (Some(Place::Removed), _) => Found::Removed,
            (Some(Place::Here(_) | Place::Empty | Place::BeyondEnd), _) => Found::NotThere,
            (None, _) => Found::Nowhere {
                all_seen: self.searched.left.0 == 0 && !self.begins_late,
            },
        }
    }
}

pub(super) async fn look(
    center: &Arc<Center>,
    cluster: &Cluster,
    asked: &Asked,
    published: Option<Position>,
) -> Result<OnTopic> {
    let topic = topic_of(cluster, center.topic())?;
    let id = asked.id;
    let place = match published {
        Some(position) => Some(place(center, topic, position).await?),
        None => None,
    };
    // What else is there of a user whose record is known is seldom worth the wait.
    let effort = match &place {
        Some(At::Message(_)) if !asked.thorough => Effort::Brief,
        _ => Effort::Thorough,
    };
    let wish = Wish::Before(Kafka::newest(topic));
    let search = Some(search(id, Vec::new()));
    let found = center
        .kafka
        .find_by(topic, wish, SHOWN, search, effort)
        .await?;
    let mut messages = found.messages;
    let at_place = match place {
        Some(At::Message(message)) => {
            let (partition, offset) = (message.partition, message.offset);
            messages.retain(|it| (it.partition, it.offset) != (partition, offset));
            messages.push(*message);
            Some(Err(messages.len() - 1))
        }
        Some(At::Nothing(place)) => Some(Ok(place)),
        None => None,
    };
    let mut decoder = Decoder::new(center.clone(), asked.reveal);
    decoder.learn(&messages).await;
    let mut traces: Vec<Trace> = messages
        .iter()
        .map(|message| trace(&decoder, message, id))
        .collect();
    let published = match at_place {
        Some(Err(_)) => traces.pop().map(|trace| Place::Here(Box::new(trace))),
        Some(Ok(place)) => Some(place),
        None => None,
    };
    Ok(OnTopic {
        topic: topic.name.clone(),
        published,
        records: traces,
        searched: Searched {
            offsets: Count(found.scanned),
            left: Count(found.left),
        },
        messages,
        begins_late: begins_late(topic),
        effort,
    })
}

enum At {
    Message(Box<Message>),
    Nothing(Place),
}

async fn place(center: &Center, topic: &Topic, position: Position) -> Result<At> {
    let Position { partition, offset } = position;
    let ends = topic.partitions.iter().find(|it| it.id == partition);
    let ends = ends.and_then(|it| Some((it.first_offset?, it.latest_offset?)));
    Ok(match ends {
        Some((first, _)) if offset < first => At::Nothing(Place::Removed),
        Some((_, latest)) if offset < latest => {
            match center.kafka.message(topic, partition, offset).await? {
                Some(message) => At::Message(Box::new(message)),
                None => At::Nothing(Place::Empty),
            }
        }
        _ => At::Nothing(Place::BeyondEnd),
    })
}

fn trace(decoder: &Decoder, message: &Message, id: Uuid) -> Trace {
    let decoded = decoder.decode(message);
    let verdict = decoder.verdict(message);
    let is_of_this_user = match &verdict {
        Ok(of) => *of == id.to_string(),
        Err(_) => mentions(message, &Finder::new(id.to_string().as_bytes())),
    };
    Trace {
        partition: message.partition,
        offset: message.offset,
        at: message.timestamp_ms.map(Moment::at),
        is_of_this_user,
        value: decoder.line(message).line,
        format: decoded.format,
        unusable: verdict.err(),
    }
}

/// By the key, or by the id in the value, which stands there as text in every format.
fn mentions(message: &Message, id: &Finder<'_>) -> bool {
    [&message.key, &message.value]
        .into_iter()
        .flatten()
        .any(|bytes| id.find(bytes).is_some())
}

fn search(id: Uuid, origins: Vec<Position>) -> Search {
    let id = Finder::new(id.to_string().as_bytes()).into_owned();
    Box::new(move |message| {
        mentions(message, &id) || origin(message).is_some_and(|it| origins.contains(&it))
    })
}

#[derive(Debug, Serialize)]
pub(in crate::control_center) struct Letters {
    pub topic: String,
    /// Newest first.
    pub letters: Vec<Letter>,
    pub searched: Searched,
    #[serde(skip)]
    begins_late: bool,
}

#[derive(Debug, Serialize)]
pub(in crate::control_center) struct Letter {
    pub partition: i32,
    pub offset: i64,
    pub at: Option<Moment>,
    pub why: Why,
    pub job: Option<String>,
    pub origin: Option<Position>,
}

impl Letters {
    /// Why the user's newest record was rejected; where none is known, why any was. What came of a record before it is settled by a replay.
    pub(super) fn why(&self, record: Option<Position>) -> Option<Why> {
        let mut letters = self.letters.iter();
        let letter = letters.find(|it| record.is_none() || it.origin == record)?;
        Some(letter.why.clone())
    }

    pub(super) fn all_seen(&self) -> bool {
        self.searched.left.0 == 0 && !self.begins_late
    }
}

pub(super) async fn letters(
    center: &Center,
    cluster: &Cluster,
    id: Uuid,
    origins: &[Position],
) -> Result<Letters> {
    let topic = topic_of(cluster, &center.kafka.arguments().dead_letter_topic())?;
    let wish = Wish::Before(Kafka::newest(topic));
    let search = search(id, origins.to_vec());
    let found = center.kafka.find(topic, wish, SHOWN, Some(search)).await?;
    Ok(Letters {
        topic: topic.name.clone(),
        letters: found.messages.iter().map(letter).collect(),
        searched: Searched {
            offsets: Count(found.scanned),
            left: Count(found.left),
        },
        begins_late: begins_late(topic),
    })
}

fn letter(message: &Message) -> Letter {
    // Others write to the topic, too: only what is a word of ours is told.
    let said = letters::Letter::of(message);
    Letter {
        partition: message.partition,
        offset: message.offset,
        at: message.timestamp_ms.map(Moment::at),
        why: Why {
            reason: said
                .reason
                .unwrap_or_else(|| "no reason of ours".to_owned()),
            field: said.field,
        },
        job: said.job,
        origin: origin(message),
    }
}

fn origin(message: &Message) -> Option<Position> {
    Some(Position {
        partition: raw_text(message, header::ORIGIN_PARTITION)?.parse().ok()?,
        offset: raw_text(message, header::ORIGIN_OFFSET)?.parse().ok()?,
    })
}

fn raw_text<'a>(message: &'a Message, name: &str) -> Option<&'a str> {
    let (_, value) = message
        .headers
        .iter()
        .find(|(it, _)| it == name.as_bytes())?;
    std::str::from_utf8(value.as_deref()?).ok()
}

fn topic_of<'a>(cluster: &'a Cluster, name: &str) -> Result<&'a Topic> {
    cluster.topics.get(name).ok_or_else(|| {
        Error::configuration(format!("Kafka has no topic {name}"))
            .hint("make it with `streamflow init`, or name another with STREAMFLOW_TOPIC")
    })
}

fn begins_late(topic: &Topic) -> bool {
    topic
        .partitions
        .iter()
        .any(|it| it.first_offset.is_none_or(|first| first > 0))
}

#[cfg(test)]
mod tests;
