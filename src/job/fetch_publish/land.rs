//! The second stage: each record of a page is read, and landed or kept apart. What is landed goes on to the third stage with its event.

use tokio::sync::mpsc;
use uuid::Uuid;

use super::landed_page::LandedPage;
use super::progress::Progress;
use crate::error::Result;
use crate::rejection::Rejection;
use crate::sink::postgres::{Apart, Landing, PageOrigin, Readable};
use crate::source::random_user::Page;
use crate::user::api::{RandomUser, id_of};
use crate::user::event::{MAX_EVENT_BYTES, UserCreated};
use crate::user::fingerprint::{self, Fingerprint};
use crate::user::format::Encoder;

/// More than the names and the punctuation of an event take up.
const EVENT_NAMES_BYTES: usize = 1_000;

/// `fetched` is the sum of the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub fetched: u64,
    pub landed: u64,
    pub already_landed: u64,
    pub conflicting: u64,
    pub rejected: u64,
}

impl Counts {
    fn add(&mut self, page: Counts) {
        let Counts {
            fetched,
            landed,
            already_landed,
            conflicting,
            rejected,
        } = page;
        self.fetched += fetched;
        self.landed += landed;
        self.already_landed += already_landed;
        self.conflicting += conflicting;
        self.rejected += rejected;
    }
}

/// Lands pages until there are no more, and hands each on.
pub(super) async fn run(
    landing: Landing,
    encoder: Encoder,
    seed: &str,
    mut pages: mpsc::Receiver<Page>,
    landed: mpsc::Sender<LandedPage>,
    progress: &Progress,
) -> (Counts, Result<()>) {
    let mut counts = Counts::default();
    while let Some(page) = pages.recv().await {
        match land(&landing, encoder, seed, &page).await {
            Ok((page, users)) => {
                counts.add(page);
                progress.landed(page, counts.fetched);
                // The publishing has ended when nobody takes it: the next run publishes it.
                let _ = landed.send(users).await;
            }
            Err(error) => return (counts, Err(error)),
        }
    }
    (counts, Ok(()))
}

async fn land(
    landing: &Landing,
    encoder: Encoder,
    seed: &str,
    page: &Page,
) -> Result<(Counts, LandedPage)> {
    let origin = PageOrigin {
        // A text of PostgreSQL cannot hold it.
        seed: seed.replace('\0', ""),
        page: page.number as i32,
    };
    let (mut readable, mut events, mut apart) = (Vec::new(), Vec::new(), Vec::new());
    for raw in page.records() {
        match read(raw, encoder) {
            Ok((id, fingerprint, event)) => {
                readable.push(Readable {
                    id,
                    raw,
                    fingerprint,
                });
                events.push((id, event));
            }
            Err(rejection) => apart.push(Apart {
                id: id_of(raw.as_bytes()),
                raw,
                fingerprint: fingerprint::of_record(raw.as_bytes())
                    .unwrap_or_else(|_| fingerprint::of_bytes(raw.as_bytes())),
                rejection,
            }),
        }
    }
    let landed = landing.land(&origin, &readable, &apart).await?;
    let counts = Counts {
        fetched: (readable.len() + apart.len()) as u64,
        landed: landed.landed,
        already_landed: landed.already_landed,
        conflicting: landed.conflicting,
        rejected: apart.len() as u64,
    };
    Ok((counts, LandedPage::of(landed, events)?))
}

/// A record is landed when its event can be made of it.
fn read(raw: &str, encoder: Encoder) -> Result<(Uuid, Fingerprint, Vec<u8>), Rejection> {
    let (id, user) = RandomUser::decode(raw.as_bytes())?;
    let event = UserCreated::of(id, user);
    // An event repeats texts of its record under names of its own: only a large record can make one that is too large. The limit is that of
    // JSON in every format: what is landed does not depend on how it is published.
    if encoder != Encoder::Json && raw.len() + EVENT_NAMES_BYTES > MAX_EVENT_BYTES {
        event.encode()?;
    }
    let event = encoder.encode(&event)?;
    Ok((id, fingerprint::of_record(raw.as_bytes())?, event))
}
