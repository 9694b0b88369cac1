//! The third stage: the records of a page are landed or kept apart. What is landed goes on to the fourth stage with its event.

use tokio::sync::mpsc;

use super::landed_page::LandedPage;
use super::progress::Progress;
use super::read::{Read, ReadPage, Unreadable};
use crate::error::Result;
use crate::sink::postgres::{Apart, Landing, PageOrigin, Readable};

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
    mut landing: Landing,
    seed: &str,
    mut pages: mpsc::Receiver<ReadPage>,
    landed: mpsc::Sender<LandedPage>,
    progress: &Progress,
) -> (Counts, Result<()>) {
    let mut counts = Counts::default();
    while let Some(page) = pages.recv().await {
        match land(&mut landing, seed, page).await {
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
    landing: &mut Landing,
    seed: &str,
    ReadPage { page, records }: ReadPage,
) -> Result<(Counts, LandedPage)> {
    let origin = PageOrigin {
        // A text of PostgreSQL cannot hold it.
        seed: seed.replace('\0', ""),
        page: page.number as i32,
    };
    let (mut readable, mut events, mut apart) = (Vec::new(), Vec::new(), Vec::new());
    for (raw, record) in page.records().zip(records) {
        match record {
            Ok(Read { id, event }) => {
                readable.push(Readable { id, raw });
                events.push((id, event));
            }
            Err(Unreadable { id, rejection }) => apart.push(Apart { id, raw, rejection }),
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
