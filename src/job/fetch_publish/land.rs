//! The second stage: each record of a page is read, and landed or kept apart.

use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use super::progress::Progress;
use crate::error::Result;
use crate::rejection::Rejection;
use crate::sink::postgres::{Apart, Landing, PageOrigin, Readable};
use crate::source::random_user::Page;
use crate::user::api::{RandomUser, id_of};
use crate::user::event::{MAX_EVENT_BYTES, UserCreated};
use crate::user::fingerprint::{self, Fingerprint};

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

/// Lands pages until there are no more. Tells `landed` after each, and drops it at the end.
pub(super) async fn run(
    landing: Landing,
    seed: &str,
    mut pages: mpsc::Receiver<Page>,
    landed: watch::Sender<()>,
    progress: &Progress,
) -> (Counts, Result<()>) {
    let mut counts = Counts::default();
    while let Some(page) = pages.recv().await {
        match land(&landing, seed, &page).await {
            Ok(page) => {
                counts.add(page);
                progress.landed(page, counts.fetched);
            }
            Err(error) => return (counts, Err(error)),
        }
        landed.send_replace(());
    }
    (counts, Ok(()))
}

async fn land(landing: &Landing, seed: &str, page: &Page) -> Result<Counts> {
    let origin = PageOrigin {
        // A text of PostgreSQL cannot hold it.
        seed: seed.replace('\0', ""),
        page: page.number as i32,
    };
    let (mut readable, mut apart) = (Vec::new(), Vec::new());
    for raw in page.records() {
        match read(raw) {
            Ok((id, fingerprint)) => readable.push(Readable {
                id,
                raw,
                fingerprint,
            }),
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
    Ok(Counts {
        fetched: (readable.len() + apart.len()) as u64,
        landed: landed.landed,
        already_landed: landed.already_landed,
        conflicting: landed.conflicting,
        rejected: apart.len() as u64,
    })
}

/// A record is landed when its event can be made of it.
fn read(raw: &str) -> Result<(Uuid, Fingerprint), Rejection> {
    let (id, user) = RandomUser::decode(raw.as_bytes())?;
    // An event repeats texts of its record under names of its own: only a large record can make one that is too large.
    if raw.len() + EVENT_NAMES_BYTES > MAX_EVENT_BYTES {
        UserCreated::of(id, user).encode()?;
    }
    Ok((id, fingerprint::of_record(raw.as_bytes())?))
}
