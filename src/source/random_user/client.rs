use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBuilder};
use log::warn;
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, Response, StatusCode, Url};

use super::answer::{Flaw, Page, check};
use crate::capped_body;
use crate::config::Server;
use crate::error::{Error, Result};
use crate::metrics::Requests;
use crate::shutdown::Shutdown;

/// A page of 5,000 users is about 5.4 MB.
const MAX_ANSWER_BYTES: usize = 64 << 20;
/// A longer wait is not worth the task's time: it fails, and Airflow tries again later.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(600);

#[derive(Debug, Clone)]
pub struct ApiSettings {
    pub url: Url,
    pub seed: String,
    /// Two-letter codes; empty means all.
    pub nationalities: Vec<String>,
    /// For one answer.
    pub timeout: Duration,
    pub retries: u32,
    pub connect_timeout: Duration,
}

/// One seed of the API.
pub struct Api {
    client: Client,
    settings: ApiSettings,
    requests: Requests,
}

/// A question without a page for an answer.
enum Miss {
    Unreachable(reqwest::Error),
    Flawed(Flaw, Option<Duration>),
}

impl Api {
    pub fn new(settings: ApiSettings) -> Result<Self> {
        let client = Client::builder()
            .user_agent(concat!("streamflow/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(5))
            .timeout(settings.timeout)
            .build()
            .map_err(|cause| {
                Error::configuration("the HTTP client cannot be made").cause(cause.without_url())
            })?;
        Ok(Self {
            client,
            settings,
            requests: Requests::default(),
        })
    }

    #[must_use]
    pub fn watched(self, requests: Requests) -> Self {
        Self { requests, ..self }
    }

    /// Asks for a page until it is one. Nothing comes back when a stop is asked for meanwhile.
    pub async fn page(&self, number: u32, users: u32, shutdown: &Shutdown) -> Result<Option<Page>> {
        let begun = Instant::now();
        let mut delays = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(250))
            .with_max_delay(Duration::from_secs(30))
            .with_jitter()
            .without_max_times()
            .build();
        let mut flawed = 0;
        let request = self.requests.begin(users as usize);
        loop {
            let miss = tokio::select! {
                answer = request.attempt(self.ask(number, users)) => match answer {
                    Ok(page) => return Ok(Some(page)),
                    Err(miss) => miss,
                },
                () = shutdown.requested() => return Ok(None),
            };
            let mut delay = delays.next().unwrap_or_default();
            match miss {
                Miss::Unreachable(cause) => {
                    let left = self
                        .settings
                        .connect_timeout
                        .saturating_sub(begun.elapsed());
                    if left.is_zero() {
                        let server = Server::api(self.address());
                        return Err(server
                            .unreachable(self.settings.connect_timeout)
                            .cause(cause.without_url()));
                    }
                    delay = delay.min(Duration::from_secs(5)).min(left);
                    warn!(
                        "waiting for the API at {}; next try in {:.1} s",
                        self.address(),
                        delay.as_secs_f64()
                    );
                }
                Miss::Flawed(flaw, retry_after) => {
                    flawed += 1;
                    let too_long = retry_after.is_some_and(|wait| wait > LONGEST_RETRY_AFTER);
                    if flawed > self.settings.retries || !flaw.is_passing() || too_long {
                        return Err(flaw.into_error(&self.address(), flawed));
                    }
                    delay = retry_after.unwrap_or(delay);
                    warn!(
                        "page {number}: {flaw}; try {} of {} in {:.1} s",
                        flawed + 1,
                        self.settings.retries + 1,
                        delay.as_secs_f64()
                    );
                }
            }
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = shutdown.requested() => return Ok(None),
            }
        }
    }

    async fn ask(&self, number: u32, users: u32) -> Result<Page, Miss> {
        let nationalities = self.settings.nationalities.join(",").to_lowercase();
        let mut parameters = vec![
            ("results", users.to_string()),
            ("page", number.to_string()),
            ("seed", self.settings.seed.clone()),
        ];
        if !nationalities.is_empty() {
            parameters.push(("nat", nationalities));
        }
        let request = self
            .client
            .get(self.settings.url.clone())
            .query(&parameters);
        let response = request.send().await.map_err(miss)?;
        let status = response.status();
        if status != StatusCode::OK {
            let wait = retry_after(&response);
            let status = status.as_u16();
            return Err(match status {
                429 => Miss::Flawed(Flaw::RateLimited { status }, wait),
                503 => Miss::Flawed(Flaw::Status { status }, wait),
                _ => Miss::Flawed(Flaw::Status { status }, None),
            });
        }
        let body = read(response).await?;
        check(number, users, &self.settings.seed, body).map_err(|flaw| Miss::Flawed(flaw, None))
    }

    /// Scheme, host, port and path: without user, password and query.
    pub fn address(&self) -> String {
        let mut url = self.settings.url.clone();
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_query(None);
        url.to_string()
    }
}

async fn read(response: Response) -> Result<Vec<u8>, Miss> {
    let limit_bytes = MAX_ANSWER_BYTES;
    let body = capped_body::read(response, limit_bytes).await;
    body.map_err(miss)?
        .ok_or(Miss::Flawed(Flaw::TooLarge { limit_bytes }, None))
}

fn miss(error: reqwest::Error) -> Miss {
    if error.is_timeout() && !error.is_connect() {
        Miss::Flawed(Flaw::TimedOut, None)
    } else if error.is_body() || error.is_decode() {
        Miss::Flawed(Flaw::BrokenOff, None)
    } else {
        Miss::Unreachable(error)
    }
}

/// The header in its form of seconds (RFC 9110, 10.2.3).
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response
        .headers()
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds))
}
