//! The second stage: of each record of a page its event is made, while the page before is landed.

use tokio::sync::mpsc;
use uuid::Uuid;

use crate::rejection::Rejection;
use crate::source::random_user::Page;
use crate::user::api::{RandomUser, id_of};
use crate::user::event::{MAX_EVENT_BYTES, UserCreated};
use crate::user::fingerprint;
use crate::user::format::Encoder;

/// More than the names and the punctuation of an event take up.
const EVENT_NAMES_BYTES: usize = 1_000;

pub(super) struct ReadPage {
    pub page: Page,
    /// In the order of [`Page::records`].
    pub records: Vec<Result<Read, Unreadable>>,
}

/// A record that can be published.
pub(super) struct Read {
    pub id: Uuid,
    /// Encoded.
    pub event: Vec<u8>,
}

pub(super) struct Unreadable {
    pub id: Option<Uuid>,
    pub rejection: Rejection,
}

/// Reads pages until there are no more.
pub(super) async fn run(
    encoder: Encoder,
    mut pages: mpsc::Receiver<Page>,
    read_pages: mpsc::Sender<ReadPage>,
) {
    while let Some(page) = pages.recv().await {
        let records = page.records().map(|raw| read(raw, encoder)).collect();
        // Nobody takes it when the next stage has failed, which it says itself.
        if read_pages.send(ReadPage { page, records }).await.is_err() {
            return;
        }
    }
}

fn read(raw: &str, encoder: Encoder) -> Result<Read, Unreadable> {
    readable(raw, encoder).map_err(|rejection| Unreadable {
        id: id_of(raw.as_bytes()),
        rejection,
    })
}

/// A record is landed when its event can be made of it.
fn readable(raw: &str, encoder: Encoder) -> Result<Read, Rejection> {
    let (id, user) = RandomUser::decode(raw.as_bytes())?;
    let event = UserCreated::of(id, user);
    // An event repeats texts of its record under names of its own: only a large record can make one that is too large. The limit is that of
    // JSON in every format: what is landed does not depend on how it is published.
    if encoder != Encoder::Json && raw.len() + EVENT_NAMES_BYTES > MAX_EVENT_BYTES {
        event.encode()?;
    }
    // What has none could not be compared with another record of its id.
    fingerprint::check(raw)?;
    Ok(Read {
        id,
        event: encoder.encode(&event)?,
    })
}
