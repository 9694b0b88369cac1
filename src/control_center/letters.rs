//! Dead letters: read, counted, and replayed. For the pages and for the command line alike.
//!
//! The way of a replay: [`plan`] reads letters and says what today's code makes of each, [`replay`] writes down what it is about to do
//! ([`states`]), produces, and writes down where the records came to lie.

mod letter;
mod plan;
mod replay;
mod retention;
mod scan;
mod states;
mod view;

pub(crate) use letter::{Letter, Origin};
pub(crate) use plan::{Entry, Plan, Scope};
pub(super) use replay::REPLAYED_HEADER;
pub(crate) use replay::{Lock, Settled};
pub(crate) use scan::{Filter, Sum};
pub(crate) use states::{Run, State};
pub(crate) use view::{Row, Whole};

use std::sync::Arc;

use super::kafka::{Kafka, Partition, Topic};
use super::landing::Landing;
use super::registry::Registry;
use crate::error::{Error, Result};

/// How often a record is replayed before it is given up.
pub(crate) const MAX_TIMES: i32 = 3;
/// Letters in one replay, unless another number is given.
pub(crate) const DEFAULT_LIMIT: usize = 1_000;
/// A replay holds its letters in memory.
pub(crate) const MAX_LIMIT: usize = 5_000;

/// The servers that hold the letters and what is known of them.
#[derive(Clone, Copy)]
pub(crate) struct Desk<'a> {
    pub(super) kafka: &'a Kafka,
    pub(super) landing: &'a Landing,
    pub(super) registry: &'a Arc<Registry>,
}

impl Desk<'_> {
    pub(super) fn topic(&self) -> String {
        self.kafka.arguments().dead_letter_topic()
    }

    /// A topic of which every end is known: an end that is not told must not look like an empty partition.
    async fn known(&self, name: &str) -> Result<Option<Topic>> {
        let Some(topic) = self.kafka.topic(name).await? else {
            return Ok(None);
        };
        let is_known = |it: &Partition| it.first_offset.is_some() && it.latest_offset.is_some();
        match topic.partitions.iter().all(is_known) {
            true => Ok(Some(topic)),
            false => Err(Error::unavailable(format!(
                "Kafka does not tell the offsets of the topic {name}"
            ))
            .hint("try again in a moment: a partition has no leader, or is moving")),
        }
    }
}
