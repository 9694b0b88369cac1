//! The third stage: what is landed and not yet published goes to the topic, in the order of landing, and is marked when acknowledged.

use std::time::Duration;

use log::{info, warn};
use tokio::sync::watch;
use tokio::task::block_in_place;

use super::progress::Progress;
use crate::error::{Error, Result};
use crate::pipeline::sequence::Sequence;
use crate::shutdown::Shutdown;
use crate::sink::kafka::{Event, Publisher};
use crate::sink::postgres::{Outbox, Unpublished};
use crate::user::api::RandomUser;
use crate::user::event::UserCreated;
use crate::user::format::Encoder;

/// Records that are published together.
const CHUNK: i64 = 2_000;

/// Publishes until the landing has ended and nothing is left, or a stop is asked for. The number counts also what an earlier run left.
pub(super) async fn run(
    outbox: Outbox,
    publisher: Publisher,
    encoder: Encoder,
    mut landed: watch::Receiver<()>,
    within: Duration,
    progress: &Progress,
    shutdown: &Shutdown,
) -> (u64, Result<()>) {
    let mut published = 0;
    let mut above = i64::MIN;
    loop {
        // Asked before the outbox is read, so that what lands in between is not missed.
        let landing_ended = landed.has_changed().is_err();
        landed.mark_unchanged();
        let chunk = match outbox.next(above, CHUNK).await {
            Ok(chunk) => chunk,
            Err(error) => return (published, Err(error)),
        };
        let Some(last) = chunk.last() else {
            if landing_ended {
                return (published, Ok(()));
            }
            // An error means that the landing has ended: one more look.
            let _ = landed.changed().await;
            continue;
        };
        above = last.sequence;
        let (number, outcome) = publish(&outbox, &publisher, encoder, &chunk, within).await;
        published += number;
        progress.published(number, published);
        if outcome.is_err() {
            return (published, outcome);
        }
        if shutdown.is_requested() {
            info!("stopped; what is landed and not yet published is published by the next run");
            return (published, Ok(()));
        }
    }
}

async fn publish(
    outbox: &Outbox,
    publisher: &Publisher,
    encoder: Encoder,
    chunk: &[Unpublished],
    within: Duration,
) -> (u64, Result<()>) {
    let events: Result<Vec<Event>> = chunk
        .iter()
        .map(|record| event(outbox, encoder, record))
        .collect();
    let events = match events {
        Ok(events) => events,
        Err(error) => return (0, Err(error)),
    };
    let (published, outcome) = block_in_place(|| publisher.publish(&events, within));
    let places: Vec<(i64, i32, i64)> = published
        .iter()
        .map(|it| (it.sequence, it.partition, it.offset))
        .collect();
    if let Err(error) = outbox.mark(&places).await {
        warn!(
            "{} records are published and not marked: the next run publishes them again, and they count once",
            places.len()
        );
        return (0, outcome.and(Err(error)));
    }
    (places.len() as u64, outcome)
}

fn event(outbox: &Outbox, encoder: Encoder, record: &Unpublished) -> Result<Event> {
    // It was readable when it was landed.
    let unreadable = |rejection| {
        Error::data(format!(
            "the landed record {} cannot be published: {rejection}",
            record.sequence
        ))
        .hint("it was landed by another version; look at it in landed_users by its sequence")
    };
    let (id, user) = RandomUser::decode(record.raw.as_bytes()).map_err(unreadable)?;
    debug_assert_eq!(id, record.id);
    let value = encoder
        .encode(&UserCreated::of(id, user))
        .map_err(unreadable)?;
    Ok(Event {
        key: id.to_string(),
        sequence: Sequence {
            landing: outbox.landing,
            number: record.sequence,
        },
        timestamp_ms: record.landed_at_ms,
        value,
    })
}
