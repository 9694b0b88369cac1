//! Looking through the letters: a bounded number of them at a time, counted and filtered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Desk, Kafka, Letter};
use crate::control_center::count::Count;
use crate::control_center::kafka::{Cursor, Message, Topic, Wish};
use crate::error::Result;

/// Letters that one look reads at the most.
const MOST: usize = 5_000;

/// Which letters; empty texts take all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Filter {
    #[serde(default)]
    pub reason: String,
    /// `-` takes those where the whole record is to blame.
    #[serde(default)]
    pub field: String,
    #[serde(default)]
    pub job: String,
}

impl Filter {
    pub(super) fn takes(&self, letter: &Letter) -> bool {
        let is = |wanted: &str, found: &Option<String>| match wanted {
            "" => true,
            "-" => found.is_none(),
            wanted => found.as_deref() == Some(wanted),
        };
        is(&self.reason, &letter.reason)
            && is(&self.field, &letter.field)
            && is(&self.job, &letter.job)
    }
}

/// Letters of one reason, field and job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Sum {
    pub reason: Option<String>,
    pub field: Option<String>,
    pub job: Option<String>,
    pub letters: Count,
}

/// What was found, newest first.
pub(crate) struct Look {
    pub(in crate::control_center) found: Vec<(Letter, Message)>,
    pub sums: Vec<Sum>,
    pub looked_at: Count,
    /// Letters that the topic has.
    pub all: Count,
    /// Where older ones are.
    pub older: Option<String>,
    /// Time or bytes ended it.
    pub cut: bool,
}

impl Desk<'_> {
    /// The newest letters before a place, up to `show` of them that the filter takes.
    pub(in crate::control_center) async fn look(
        &self,
        filter: &Filter,
        before: Option<Cursor>,
        show: usize,
    ) -> Result<Option<Look>> {
        let Some(topic) = self.known(&self.topic()).await? else {
            return Ok(None);
        };
        let before = before.unwrap_or_else(|| Kafka::newest(&topic));
        let read = self
            .kafka
            .find(&topic, Wish::Before(before.clone()), MOST, None)
            .await?;
        let mut look = Look {
            looked_at: Count(read.messages.len() as i64),
            all: topic.records(),
            older: read.next.as_ref().map(|it| place_of(it).to_string()),
            cut: read.cut,
            found: Vec::new(),
            sums: Vec::new(),
        };
        let mut sums = BTreeMap::new();
        let mut shown_up_to = None;
        let mut reached = BTreeMap::new();
        for message in read.messages {
            let letter = Letter::of(&message);
            let kind = (
                letter.reason.clone(),
                letter.field.clone(),
                letter.job.clone(),
            );
            *sums.entry(kind).or_insert(0) += 1;
            if shown_up_to.is_some() {
                continue;
            }
            reached.insert(letter.partition, letter.offset);
            if filter.takes(&letter) {
                look.found.push((letter, message));
                if look.found.len() == show {
                    shown_up_to = Some(reached.clone());
                }
            }
        }
        if let Some(reached) = shown_up_to
            && (read.next.is_some() || look.looked_at.0 > look.found.len() as i64)
        {
            // Partitions of which nothing was shown stay where they are.
            let mut place = before;
            place.0.extend(reached);
            look.older = Some(place.to_string());
        }
        let sum = |((reason, field, job), letters)| Sum {
            reason,
            field,
            job,
            letters: Count(letters),
        };
        look.sums = sums.into_iter().map(sum).collect();
        look.sums.sort_by_key(|it| -it.letters.0);
        Ok(Some(look))
    }

    /// One letter.
    pub(in crate::control_center) async fn letter(
        &self,
        partition: i32,
        offset: i64,
    ) -> Result<Option<(Letter, Message)>> {
        let Some(topic) = self.known(&self.topic()).await? else {
            return Ok(None);
        };
        let found = self.kafka.message(&topic, partition, offset).await?;
        Ok(found.map(|message| (Letter::of(&message), message)))
    }

    /// Letters from a place on, oldest first, and where more of them are.
    pub(super) async fn from(
        &self,
        topic: &Topic,
        place: Cursor,
    ) -> Result<(Vec<(Letter, Message)>, Option<Cursor>)> {
        let read = self
            .kafka
            .find(topic, Wish::From(place), MOST, None)
            .await?;
        let next = read.next.as_ref().map(|it| place_of(it).clone());
        let letters = read.messages.into_iter();
        Ok((letters.map(|it| (Letter::of(&it), it)).collect(), next))
    }
}

fn place_of(wish: &Wish) -> &Cursor {
    match wish {
        Wish::Before(cursor) | Wish::From(cursor) => cursor,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_takes_what_it_names() {
        let letter = Letter {
            partition: 0,
            offset: 0,
            written_ms: 0,
            reason: Some("missing_field".to_owned()),
            field: Some("id".to_owned()),
            schema_id: None,
            job: Some("aggregate".to_owned()),
            origin: None,
            sequence: None,
        };
        let takes = |reason: &str, field: &str, job: &str| {
            let own = |text: &str| text.to_owned();
            Filter {
                reason: own(reason),
                field: own(field),
                job: own(job),
            }
            .takes(&letter)
        };
        assert!(takes("", "", "") && takes("missing_field", "id", "aggregate"));
        assert!(
            !takes("missing", "", "") && !takes("", "-", "") && !takes("", "", "transform-store")
        );
    }
}
