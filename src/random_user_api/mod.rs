//! An offline stand-in of the public randomuser.me API, for the local stack, tests and benchmarks.
//!
//! It answers what the public service answers: the same parameters with the same lenience, the same shapes by nationality,
//! the same people for the same seed and page. On request it also fails as the public service does (see [`trouble`]).
//!
//! What a request goes through: [`server`] → [`query`] → [`person`] (→ [`nationality`], [`identity`], [`moment`]) → [`json`].
//!
//! Where it differs, on purpose:
//! - Versions 1.3 and 1.4 only; the older ones get 404.
//! - JSON only: `format=pretty` indents it, and csv, yaml and xml get compact JSON. `lego` is ignored.
//! - A seed gives other people than the public service gives for it, with names and places of the crate `fake`; where that has no
//!   first names by gender, they go with either.
//! - A field left out changes no other field, two seeds never share their people, and leaving the name out while asking for the
//!   id of a German does not leave the request without an answer.
//! - No ETag. Compression only with `--gzip`: over loopback it costs more than it saves.

mod ascii;
mod draw;
mod identity;
mod json;
mod limit;
mod moment;
mod names;
mod nationality;
mod password;
mod person;
mod query;
mod replies;
mod server;
mod trouble;
mod vocabulary;

use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::Offset;

use json::{Json, indented};
use person::Page;
use query::{Pairs, Query};

pub use server::serve;
pub use trouble::{Mode, Trouble};

/// The versions of the API that are spoken here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Version {
    V1_3,
    V1_4,
}

impl Version {
    fn name(self) -> &'static str {
        match self {
            Self::V1_3 => "1.3",
            Self::V1_4 => "1.4",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gender {
    Male,
    Female,
}

impl Gender {
    fn name(self) -> &'static str {
        match self {
            Self::Male => "male",
            Self::Female => "female",
        }
    }
}

// The program's flags. Not a doc comment: clap would show it as the program's description.
#[derive(clap::Args, Debug, Clone)]
pub struct Arguments {
    /// Address and port to listen on. The API is at /api/, the health check at /healthz
    #[arg(
        long,
        env = "STREAMFLOW_API_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8100"
    )]
    pub listen: SocketAddr,

    /// Fail as the public API does: the first TIMES requests (all, where TIMES is left out), after AFTER good ones
    ///
    /// MODE is one of: rate-limit, rate-limit-retry-after, server-error, error-body, empty, html, html-ok, forbidden,
    /// truncated, cut, hang, slow, fewer, more, not-json, wrong-shape, invalid-utf8. A request can ask for it itself:
    /// /api/?trouble=MODE&trouble_times=2&trouble_after=1, counted apart for each trouble_key=NAME.
    #[arg(
        long,
        env = "STREAMFLOW_API_TROUBLE",
        value_name = "MODE[:TIMES[:AFTER]]"
    )]
    pub trouble: Option<Trouble>,

    /// Answer 429 to a client address that has had this many users within the window (the public API: 20000). Off by default
    #[arg(long, env = "STREAMFLOW_API_LIMIT_USERS", value_name = "USERS")]
    pub limit_users: Option<u64>,

    /// How long the window of --limit-users is
    #[arg(long, env = "STREAMFLOW_API_LIMIT_WINDOW", value_name = "DURATION", default_value = "300s", value_parser = duration)]
    pub limit_window: Duration,

    /// Compress answers for clients that ask for gzip, as the public API does. Over loopback this costs more than it saves
    #[arg(long, env = "STREAMFLOW_API_GZIP")]
    pub gzip: bool,
}

impl Arguments {
    pub fn config(&self) -> Config {
        Config {
            trouble: self.trouble,
            limit: self.limit_users.map(|users| Limit {
                users,
                window: self.limit_window,
            }),
            gzip: self.gzip,
        }
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let parsed: Result<jiff::SignedDuration, _> = text.parse();
    parsed
        .ok()
        .and_then(|signed| Duration::try_from(signed).ok())
        .ok_or_else(|| "a duration such as 300s or 5m is needed".into())
}

/// How a server behaves. The default is a server that always answers, at once and to everyone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Config {
    pub trouble: Option<Trouble>,
    pub limit: Option<Limit>,
    pub gzip: bool,
}

/// At most so many users per client address and window.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    pub users: u64,
    pub window: Duration,
}

/// What the answer depends on besides the request.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings {
    /// The ages follow it.
    pub now: Timestamp,
    /// The seed of a request that names none.
    pub fresh_seed: u64,
}

/// What a request gets.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    Body(Vec<u8>),
    /// The public service would leave the connection open and never answer, for this reason.
    Silence(&'static str),
}

/// The answer to a query string such as `results=10&seed=abc`: the same for the same arguments, always.
pub fn answer(query: &str, version: Version, surroundings: Surroundings) -> Answer {
    let query = Query::parse(&Pairs::of(query), version);
    match query.silence {
        Some(reason) => Answer::Silence(reason),
        None => Answer::Body(body(&query, query.results, version, surroundings)),
    }
}

/// The body with `count` users, which is not what was asked for where trouble is wanted.
fn body(query: &Query, count: usize, version: Version, surroundings: Surroundings) -> Vec<u8> {
    const BYTES_PER_USER: usize = 1200;
    let seed = query
        .seed
        .clone()
        .unwrap_or_else(|| format!("{:016x}", surroundings.fresh_seed));
    let now = Offset::UTC.to_datetime(surroundings.now);
    let page = Page::new(query, &seed, version, now);
    let mut json = Json::with_capacity(count * BYTES_PER_USER + 200);
    if let Some(name) = &query.callback {
        json.out.extend_from_slice(name.as_bytes());
        json.out.push(b'(');
    }
    let from = json.out.len();
    json.out.extend_from_slice(b"{\"results\":[");
    for position in 0..u32::try_from(count).unwrap_or(u32::MAX) {
        page.write_user(position, &mut json);
    }
    json.close(b']');
    if query.info {
        json.object("info");
        json.text("seed", &(seed + &query.seed_suffix));
        json.number("results", query.results as u64);
        json.key("page");
        json.out
            .extend_from_slice(query.page.to_string().as_bytes());
        json.text("version", version.name());
        json.close(b'}');
    }
    json.close(b'}');
    let mut body = json.out;
    if query.pretty {
        let pretty = indented(&body[from..]);
        body.truncate(from);
        body.extend_from_slice(&pretty);
    }
    if query.callback.is_some() {
        body.extend_from_slice(b");");
    }
    body
}

#[cfg(test)]
mod tests;
