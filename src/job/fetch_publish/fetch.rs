//! The first stage: which pages to ask for, and asking for them.

use std::time::{Duration, Instant};

use log::info;
use reqwest::Url;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::Arguments;
use crate::config::Server;
use crate::error::{Error, Result};
use crate::metrics::{Operation, Watch};
use crate::shutdown::Shutdown;
use crate::source::random_user::{Api, ApiSettings, MAX_PAGE, Pace, Page};

const DEFAULT_USERS: u64 = 1_000;
/// 18,000 users in five minutes, where the public API takes 20,000.
const PUBLIC_RATE: u32 = 60;

/// Users a second that the API takes without complaint, where that is known.
pub(in crate::job) fn allowed_rate(url: &Url) -> Option<u32> {
    (url.host_str() == Some("randomuser.me")).then_some(PUBLIC_RATE)
}

pub(super) struct Fetch {
    api: Api,
    seed: String,
    page_size: u32,
    /// Nothing: as many as come within the duration.
    users: Option<u64>,
    duration: Option<Duration>,
    rate: Option<u32>,
}

impl Fetch {
    pub(super) fn new(arguments: &Arguments) -> Result<Self> {
        let users = match (arguments.users, arguments.duration) {
            (None, None) => Some(DEFAULT_USERS),
            (users, _) => users,
        };
        let most = u64::from(arguments.page_size) * u64::from(MAX_PAGE);
        if users.is_some_and(|users| users > most) {
            return Err(Error::configuration(format!(
                "the API has {MAX_PAGE} pages of a seed, which is {most} users with --page-size {}",
                arguments.page_size
            ))
            .hint("raise --page-size (up to 5000), or fetch with several seeds"));
        }
        let seed = arguments
            .seed
            .clone()
            .unwrap_or_else(|| Uuid::new_v4().simple().to_string()[..16].to_owned());
        let url = arguments.api_url()?;
        let rate = arguments.rate.or(allowed_rate(&url));
        let api = Api::new(ApiSettings {
            url,
            seed: seed.clone(),
            nationalities: arguments.nationalities.clone(),
            timeout: arguments.api_timeout,
            retries: arguments.api_retries,
            connect_timeout: arguments.patience.connect_timeout,
        })?;
        Ok(Self {
            api,
            seed,
            page_size: arguments.page_size,
            users,
            duration: arguments.duration,
            rate,
        })
    }

    #[must_use]
    pub(super) fn watched(self, watch: &Watch) -> Self {
        let server = Server::api(self.api.address());
        Self {
            api: self.api.watched(watch.requests(&server, Operation::Fetch)),
            ..self
        }
    }

    pub(super) fn seed(&self) -> &str {
        &self.seed
    }

    pub(super) fn api_address(&self) -> String {
        self.api.address()
    }

    pub(super) fn users(&self) -> Option<u64> {
        self.users
    }

    pub(super) fn wanted(&self) -> String {
        self.users
            .map_or("all".to_owned(), |users| users.to_string())
    }

    /// Sends pages until there are enough, the time is over, or a stop is asked for.
    pub(super) async fn run(&self, pages: mpsc::Sender<Page>, shutdown: &Shutdown) -> Result<()> {
        let begun = Instant::now();
        let pace = Pace::new(self.rate.map(f64::from), begun);
        let mut asked = 0;
        for number in 1..=MAX_PAGE {
            let users = self.page_users(asked);
            let wait = pace.wait(asked, Instant::now());
            if users == 0 || shutdown.is_requested() {
                return Ok(());
            }
            let page = async {
                tokio::select! {
                    () = tokio::time::sleep(wait) => self.api.page(number, users, shutdown).await,
                    () = shutdown.requested() => Ok(None),
                }
            };
            let left = self.duration.map_or(Duration::MAX, |duration| {
                duration.saturating_sub(begun.elapsed())
            });
            let Ok(page) = tokio::time::timeout(left, page).await else {
                return match asked {
                    0 => Err(self.no_page_in_time()),
                    _ => Ok(()),
                };
            };
            let Some(page) = page? else { return Ok(()) };
            asked += u64::from(users);
            if pages.send(page).await.is_err() {
                // The next stage has failed, and says why itself.
                return Ok(());
            }
        }
        if self.users.is_none() {
            info!("the API has no more pages of this seed");
        }
        Ok(())
    }

    /// A run that fetched nothing is not a good one.
    fn no_page_in_time(&self) -> Error {
        Error::unavailable(format!("the API at {} gave no page of users within --duration", self.api.address()))
            .hint("the lines above say what it gave instead; a longer --duration leaves room for the retries")
    }

    /// Users of the next page: a whole one, or what is left.
    fn page_users(&self, asked: u64) -> u32 {
        let left = self
            .users
            .map_or(u64::MAX, |users| users - asked.min(users));
        left.min(u64::from(self.page_size)) as u32
    }
}
