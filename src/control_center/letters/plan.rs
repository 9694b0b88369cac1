//! What a replay would do: which letters today's code can read, and why not the others. Produces nothing.

use std::collections::HashSet;

use serde::Serialize;

use super::scan::Filter;
use super::states::{self, Run, States};
use super::{Desk, Kafka, Letter, MAX_LIMIT, Origin, State};
use crate::control_center::count::Count;
use crate::control_center::decoding::Decoder;
use crate::control_center::kafka::{Cursor, Message};
use crate::control_center::landing::in_time;
use crate::control_center::moment::{Moment, span};
use crate::error::{Error, Result};

/// Which letters a replay is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    pub filter: Filter,
    /// These alone, `partition:offset`.
    pub letters: Vec<(i32, i64)>,
    /// From here on, and before there: by default all there are.
    pub from: Option<String>,
    pub until: Option<String>,
    /// How many may be produced.
    pub limit: usize,
}

/// What becomes of a letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "fate", content = "detail", rename_all = "snake_case")]
pub(crate) enum Fate {
    /// Today's code reads it, as the user of this id.
    Passes(String),
    /// It would be rejected again.
    Fails(String),
    /// It is left alone, for this reason.
    Left(String),
}

impl Fate {
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Fate::Passes(_) => "passes",
            Fate::Fails(_) => "fails",
            Fate::Left(_) => "left alone",
        }
    }

    pub(crate) fn detail(&self) -> &str {
        match self {
            Fate::Passes(detail) | Fate::Fails(detail) | Fate::Left(detail) => detail,
        }
    }
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Entry {
    pub letter: Letter,
    pub state: State,
    #[serde(flatten)]
    pub fate: Fate,
    #[serde(skip)]
    pub(in crate::control_center) message: Message,
}

#[derive(Debug, Serialize)]
pub(crate) struct Plan {
    /// Oldest first, which is the order in which they are produced.
    pub entries: Vec<Entry>,
    pub looked_at: Count,
    pub passes: Count,
    pub fails: Count,
    pub left: Count,
    /// Where the letters ended when it was made.
    pub until: String,
    /// Where letters begin that were not looked at.
    pub more_from: Option<String>,
}

impl Desk<'_> {
    pub(in crate::control_center) async fn plan(&self, scope: &Scope) -> Result<Plan> {
        let name = self.topic();
        let topic = self.known(&name).await?.ok_or_else(|| {
            Error::configuration(format!("there is no topic {name}"))
                .hint("make it with `streamflow init`")
        })?;
        let cursor = |text: &Option<String>, default: Cursor| match text {
            None => Ok(default),
            Some(text) => Cursor::parse(text)
                .ok_or_else(|| Error::data("a place among the letters cannot be read")),
        };
        let earliest = topic
            .partitions
            .iter()
            .map(|it| (it.id, it.first_offset.unwrap_or(0)));
        let from = cursor(&scope.from, Cursor(earliest.collect()))?;
        let until = cursor(&scope.until, Kafka::newest(&topic))?;
        let (read, next) = match scope.letters.is_empty() {
            true => self.from(&topic, from).await?,
            false => (self.these(&scope.letters).await?, None),
        };
        let limit = scope.limit.min(MAX_LIMIT);
        let read = read.into_iter().filter(|(letter, _)| {
            until
                .0
                .get(&letter.partition)
                .is_none_or(|&end| letter.offset < end)
        });
        let read: Vec<(Letter, Message)> = read.collect();
        // What lies behind the end of the plan is no part of it.
        let next = next.filter(|it| it.distance(&until) > 0);
        let looked_at = Count(read.len() as i64);
        let chosen: Vec<(Letter, Message)> = read
            .into_iter()
            .filter(|(letter, _)| scope.filter.takes(letter))
            .collect();
        let mut plan = Plan {
            entries: Vec::with_capacity(chosen.len()),
            looked_at,
            passes: Count(0),
            fails: Count(0),
            left: Count(0),
            until: until.to_string(),
            more_from: next.as_ref().map(|it| it.to_string()),
        };
        let mut judged = self.judged(chosen).await?.into_iter();
        while let Some(entry) = judged.next() {
            if plan.passes.0 as usize >= limit {
                let rest = std::iter::once(entry).chain(judged);
                let rest = rest.map(|it| (it.letter.partition, it.letter.offset));
                plan.more_from = Some(first_of(next.unwrap_or(until), rest).to_string());
                break;
            }
            match entry.fate {
                Fate::Passes(_) => plan.passes.0 += 1,
                Fate::Fails(_) => plan.fails.0 += 1,
                Fate::Left(_) => plan.left.0 += 1,
            }
            plan.entries.push(entry);
        }
        Ok(plan)
    }

    async fn these(&self, places: &[(i32, i64)]) -> Result<Vec<(Letter, Message)>> {
        let mut found = Vec::with_capacity(places.len());
        for &(partition, offset) in places {
            found.extend(self.letter(partition, offset).await?);
        }
        Ok(found)
    }

    async fn judged(&self, chosen: Vec<(Letter, Message)>) -> Result<Vec<Entry>> {
        let topic = &self.kafka.arguments().topic;
        let retention_ms = self.retention_ms(topic).await?;
        let client = self.landing.client().await?;
        let letters: Vec<&Letter> = chosen.iter().map(|it| &it.0).collect();
        let states = in_time(States::of(&client, topic, &letters)).await?;
        let mut decoder = Decoder::with(self.registry.clone(), false);
        let messages: Vec<&Message> = chosen.iter().map(|it| &it.1).collect();
        decoder.learn(messages).await;
        let mut seen: HashSet<Origin> = HashSet::new();
        let judged = chosen.into_iter().map(|(letter, message)| {
            let state = states.state(&letter);
            let is_first = letter.origin.clone().is_none_or(|it| seen.insert(it));
            let fate = match (&state, is_first) {
                (State::New { .. }, true) => match too_old(&letter, retention_ms) {
                    Some(why) => Fate::Fails(why),
                    None if decoder.lacks_schema(&message) => {
                        Fate::Left("the registry did not answer".to_owned())
                    }
                    None => match decoder.verdict(&message) {
                        Ok(id) => Fate::Passes(id),
                        Err(why) => Fate::Fails(why),
                    },
                },
                (State::New { .. }, false) => {
                    Fate::Left("another letter of the same record comes before it".to_owned())
                }
                (State::GivenUp { times }, _) => Fate::Left(format!(
                    "given up: replayed {times} times, and rejected again each time"
                )),
                (State::Replayed { .. }, _) => Fate::Left("replayed already".to_owned()),
                (State::Unknown { .. }, _) => {
                    Fate::Left("unknown: a replay broke off, or is at it".to_owned())
                }
                (State::NotOurs, _) => {
                    Fate::Left("no letter of our jobs for this topic".to_owned())
                }
            };
            Entry {
                letter,
                state,
                fate,
                message,
            }
        });
        Ok(judged.collect())
    }

    /// What is known of these letters.
    pub(in crate::control_center) async fn states_of(
        &self,
        letters: &[&Letter],
    ) -> Result<Vec<State>> {
        let client = self.landing.client().await?;
        let topic = &self.kafka.arguments().topic;
        let states = in_time(States::of(&client, topic, letters)).await?;
        Ok(letters.iter().map(|it| states.state(it)).collect())
    }

    pub(in crate::control_center) async fn runs(
        &self,
        number: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Run>> {
        in_time(states::runs(&*self.landing.client().await?, number, limit)).await
    }

    pub(in crate::control_center) async fn unknown(&self) -> Result<Count> {
        let client = self.landing.client().await?;
        in_time(states::unknown(&client, &self.topic())).await
    }
}

/// Where to go on so that none of these letters is left out: at the first one of each partition, or else where reading has ended.
fn first_of(ended: Cursor, rest: impl Iterator<Item = (i32, i64)>) -> Cursor {
    let mut first = ended;
    for (partition, offset) in rest {
        let place = first.0.entry(partition).or_insert(offset);
        *place = offset.min(*place);
    }
    first
}

fn too_old(letter: &Letter, retention_ms: Option<i64>) -> Option<String> {
    let origin = letter.origin.as_ref()?;
    let age_ms = Moment::now().ms().saturating_sub(origin.timestamp_ms);
    let retention_ms = retention_ms?;
    (age_ms > retention_ms).then(|| {
        format!(
            "its time is {} ago, and the topic keeps records for {}: Kafka could remove it before it is read",
            span(age_ms / 1000),
            span(retention_ms / 1000)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_that_its_limit_ended_goes_on_in_each_partition() {
        let ended = Cursor([(0, 20), (1, 30), (2, 9)].into());
        let rest = [(1, 12), (0, 15), (1, 13), (0, 16)];
        let first = first_of(ended, rest.into_iter());
        assert_eq!(first.to_string(), "0:15,1:12,2:9");
    }
}
