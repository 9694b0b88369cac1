//! The users of the bundled API, by seed and number, as they stand on the topic.

use anyhow::{Context, Error, Result, bail};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use streamflow::random_user_api::{Answer, Surroundings, Version, answer};
use streamflow::user::api::RandomUser;
use streamflow::user::event::UserCreated;
use uuid::Uuid;

const PAGE: u32 = 1_000;

/// Which users, and how many.
#[derive(clap::Args, Clone)]
pub struct Which {
    #[arg(long)]
    pub users: u32,
    #[arg(long, default_value = "bench")]
    pub seed: String,
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    results: Vec<&'a RawValue>,
}

impl Which {
    /// Hands each event over, in order.
    pub fn each(
        &self,
        mut on_event: impl FnMut(Uuid, UserCreated<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut left = self.users;
        let mut number = 0;
        while left > 0 {
            number += 1;
            let count = left.min(PAGE);
            left -= count;
            let query = format!("results={count}&page={number}&seed={}", self.seed);
            // Ages are not on the topic: any clock will do.
            let surroundings = Surroundings {
                now: Timestamp::UNIX_EPOCH,
                fresh_seed: 0,
            };
            let Answer::Body(body) = answer(&query, Version::V1_4, surroundings) else {
                bail!("the bundled API has no answer to {query}");
            };
            let page: Page<'_> = serde_json::from_slice(&body).context("a page")?;
            for raw in page.results {
                let (id, user) = RandomUser::decode(raw.get().as_bytes()).map_err(Error::msg)?;
                on_event(id, UserCreated::of(id, user))?;
            }
        }
        Ok(())
    }
}
