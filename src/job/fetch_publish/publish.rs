//! The fourth stage: what is landed and not yet published goes to the topic, in the order of landing, and is marked when acknowledged.
//!
//! What this run lands comes from memory. What an earlier run has left, or another one lands meanwhile, comes from the database: a page
//! tells what was landed before it.

use std::time::Duration;

use log::{info, warn};
use tokio::sync::mpsc;
use tokio::task::block_in_place;
use tokio_postgres::Client;

use super::landed_page::LandedPage;
use super::progress::Progress;
use crate::error::{Error, Result};
use crate::pipeline::sequence::Sequence;
use crate::shutdown::Shutdown;
use crate::sink::kafka::{Event, Publisher};
use crate::sink::postgres::{Outbox, Unpublished};
use crate::user::api::RandomUser;
use crate::user::event::UserCreated;
use crate::user::format::Encoder;

/// Records that are published together, and as many as come with the last page of them.
const CHUNK: usize = 2_000;
/// Pages that are landed and wait to be published.
pub(super) const PAGES_AHEAD: usize = 4;

pub(super) struct Publish<'a> {
    pub publisher: Publisher,
    pub encoder: Encoder,
    pub within: Duration,
    pub progress: &'a Progress,
    pub shutdown: &'a Shutdown,
}

impl Publish<'_> {
    /// Publishes until the landing has ended and nothing is left, or a stop is asked for. The number counts also what an earlier run left.
    pub(super) async fn run(
        self,
        outbox: Client,
        mut pages: mpsc::Receiver<LandedPage>,
    ) -> (u64, Result<()>) {
        let outbox = match lock(outbox, &mut pages, self.shutdown).await {
            Ok(Some(outbox)) => outbox,
            Ok(None) => return (0, Ok(())),
            Err(error) => return (0, Err(error)),
        };
        let mut running = Running {
            above: outbox.published_up_to,
            outbox,
            means: self,
            published: 0,
            stopped: false,
        };
        let outcome = running.all(pages).await;
        (running.published, outcome)
    }
}

/// While another run publishes, pages are left to the database: landing is not held up.
async fn lock(
    client: Client,
    pages: &mut mpsc::Receiver<LandedPage>,
    shutdown: &Shutdown,
) -> Result<Option<Outbox>> {
    let mut locked = std::pin::pin!(Outbox::lock(client, shutdown));
    loop {
        tokio::select! {
            biased;
            outbox = &mut locked => return outbox,
            Some(_) = pages.recv() => {}
        }
    }
}

struct Running<'a> {
    means: Publish<'a>,
    outbox: Outbox,
    /// Everything landed up to here is published.
    above: i64,
    published: u64,
    stopped: bool,
}

impl Running<'_> {
    async fn all(&mut self, mut pages: mpsc::Receiver<LandedPage>) -> Result<()> {
        self.landed_up_to(i64::MAX).await?;
        let mut waiting = Vec::with_capacity(PAGES_AHEAD);
        while !self.stopped && pages.recv_many(&mut waiting, PAGES_AHEAD).await > 0 {
            self.pages(&mut waiting).await?;
        }
        self.landed_up_to(i64::MAX).await?;
        if self.stopped {
            info!("stopped; what is landed and not yet published is published by the next run");
        }
        Ok(())
    }

    async fn pages(&mut self, waiting: &mut Vec<LandedPage>) -> Result<()> {
        let mut events = Vec::new();
        for page in waiting.drain(..) {
            // Others have landed in between.
            let gap = page.before > events.last().map_or(self.above, number);
            if gap || events.len() >= CHUNK {
                self.publish(std::mem::take(&mut events)).await?;
            }
            if gap {
                self.landed_up_to(page.before).await?;
            }
            if self.stopped {
                return Ok(());
            }
            if gap {
                self.above = self.above.max(page.before);
            }
            events.extend(self.events(page));
        }
        self.publish(events).await
    }

    fn events(&self, page: LandedPage) -> impl Iterator<Item = Event> {
        let (landing, above) = (self.outbox.landing, self.above);
        let users = page.users.into_iter();
        let unpublished = users.filter(move |user| user.sequence > above);
        unpublished.map(move |user| Event {
            key: user.id,
            sequence: Sequence {
                landing,
                number: user.sequence,
            },
            timestamp_ms: page.landed_at_ms,
            value: user.event,
        })
    }

    /// Publishes from the database: what is there up to a sequence, and what came after it meanwhile.
    async fn landed_up_to(&mut self, up_to: i64) -> Result<()> {
        while !self.stopped && self.above < up_to {
            let chunk = self.outbox.next(self.above, CHUNK).await?;
            let all = chunk.len() < CHUNK;
            let events: Result<Vec<Event>> = chunk.iter().map(|it| self.event(it)).collect();
            self.publish(events?).await?;
            if all {
                break;
            }
        }
        Ok(())
    }

    fn event(&self, record: &Unpublished) -> Result<Event> {
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
        let event = UserCreated::of(id, user);
        Ok(Event {
            key: id,
            sequence: Sequence {
                landing: self.outbox.landing,
                number: record.sequence,
            },
            timestamp_ms: record.landed_at_ms,
            value: self.means.encoder.encode(&event).map_err(unreadable)?,
        })
    }

    /// Events that follow what is published: everything landed between the first and the last of them is among them, or was published before.
    async fn publish(&mut self, events: Vec<Event>) -> Result<()> {
        let Some(last) = events.last().map(number) else {
            return Ok(());
        };
        let Publish {
            publisher, within, ..
        } = &self.means;
        let (mut published, outcome) = block_in_place(|| publisher.publish(&events, *within));
        // They come by partitions. In order an index takes them for less.
        published.sort_unstable_by_key(|it| it.sequence);
        let up_to = outcome.is_ok().then_some(last);
        if let Err(error) = self.outbox.mark(&published, up_to).await {
            warn!(
                "{} records are published and not marked: the next run publishes them again, and they count once",
                published.len()
            );
            return outcome.and(Err(error));
        }
        self.above = last;
        self.published += published.len() as u64;
        let progress = self.means.progress;
        progress.published(published.len() as u64, self.published);
        progress.placed(&published);
        self.stopped = self.means.shutdown.is_requested();
        outcome
    }
}

fn number(event: &Event) -> i64 {
    event.sequence.number
}
