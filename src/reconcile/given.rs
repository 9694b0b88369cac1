//! What the API gives for a seed.

use std::time::Instant;

use uuid::Uuid;

use super::digest::{Digest, first_half};
use crate::error::Result;
use crate::shutdown::Shutdown;
use crate::source::random_user::{Api, Pace};
use crate::user::api::id_of;
use crate::user::fingerprint;

/// The users that a run of `fetch-publish` with the same settings is given.
pub struct Given {
    pub api: Api,
    pub users: u64,
    pub page_size: u32,
    /// Users a second.
    pub rate: Option<u32>,
}

impl Given {
    /// Hands over the id and the fingerprint of each record. Ends early when a stop is asked for.
    pub(super) async fn each(
        &self,
        shutdown: &Shutdown,
        mut on_record: impl FnMut(Uuid, Digest) -> Result<()>,
    ) -> Result<()> {
        let pace = Pace::new(self.rate.map(f64::from), Instant::now());
        let mut asked = 0;
        for number in 1.. {
            let users = (self.users - asked).min(u64::from(self.page_size)) as u32;
            if users == 0 {
                break;
            }
            tokio::time::sleep(pace.wait(asked, Instant::now())).await;
            let Some(page) = self.api.page(number, users, shutdown).await? else {
                break;
            };
            asked += u64::from(users);
            for raw in page.records() {
                let raw = raw.as_bytes();
                // As the landing has it, for records that can be read and for the others.
                let digest = first_half(&fingerprint::of_anything(raw));
                on_record(id_of(raw).unwrap_or_else(|| stand_in(digest)), digest)?;
            }
        }
        Ok(())
    }
}

/// The key of a record without an id.
pub(super) fn stand_in(fingerprint: Digest) -> Uuid {
    Uuid::from_bytes(fingerprint)
}
