//! The public service's bad days, on request: which one, for how many requests, and what is sent.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use super::query::Pairs;

/// What goes wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// 429 with the public service's body, and no word of when to come back.
    RateLimit,
    /// The same with `Retry-After: 1`.
    RateLimitRetryAfter,
    /// 500 in plain text.
    ServerError,
    /// 200 with the object `error`, as the public service documents it.
    ErrorBody,
    /// The empty mode of 2026: no user, though `info` claims one, whatever was asked.
    Empty,
    /// 503 with a page of HTML from a proxy.
    Html,
    /// The same page with 200.
    HtmlOk,
    /// 403 with a page of HTML, as hosting networks get it.
    Forbidden,
    /// The connection closes in the middle of the body that Content-Length promised.
    Truncated,
    /// Half of the JSON, with the Content-Length of that half.
    Cut,
    /// No answer until the client gives up.
    Hang,
    /// A good answer that trickles in over `trouble_ms` (3000).
    Slow,
    /// Half of the users asked for, while `info` claims all.
    Fewer,
    /// One user more than asked for.
    More,
    /// 200 and application/json, but plain words.
    NotJson,
    /// Good JSON of another shape.
    WrongShape,
    /// The good answer with one byte that no UTF-8 text can hold.
    InvalidUtf8,
}

pub const MODES: [(&str, Mode); 17] = [
    ("rate-limit", Mode::RateLimit),
    ("rate-limit-retry-after", Mode::RateLimitRetryAfter),
    ("server-error", Mode::ServerError),
    ("error-body", Mode::ErrorBody),
    ("empty", Mode::Empty),
    ("html", Mode::Html),
    ("html-ok", Mode::HtmlOk),
    ("forbidden", Mode::Forbidden),
    ("truncated", Mode::Truncated),
    ("cut", Mode::Cut),
    ("hang", Mode::Hang),
    ("slow", Mode::Slow),
    ("fewer", Mode::Fewer),
    ("more", Mode::More),
    ("not-json", Mode::NotJson),
    ("wrong-shape", Mode::WrongShape),
    ("invalid-utf8", Mode::InvalidUtf8),
];

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        MODES
            .iter()
            .find(|(name, _)| *name == text)
            .map(|&(_, mode)| mode)
            .ok_or_else(|| {
                let names = MODES.map(|(name, _)| name).join(", ");
                format!("there is no trouble `{text}`; there are {names}")
            })
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(
            MODES
                .iter()
                .find(|(_, mode)| mode == self)
                .map_or("", |(name, _)| name),
        )
    }
}

/// A mode, and the requests that meet it: `times` of them (None: all) after `after` good ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trouble {
    pub mode: Mode,
    pub times: Option<u64>,
    pub after: u64,
}

impl FromStr for Trouble {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let count = |part: &str| {
            part.parse::<u64>().map_err(|_| {
                format!(
                    "`{part}` is not a number of requests; write MODE:TIMES:AFTER, such as html:2:1"
                )
            })
        };
        let mut parts = text.splitn(3, ':');
        let mode = parts.next().unwrap_or_default().parse()?;
        let times = parts.next().map(count).transpose()?;
        let after = parts.next().map(count).transpose()?.unwrap_or(0);
        Ok(Self { mode, times, after })
    }
}

impl Trouble {
    /// What a request asks for by `trouble`, `trouble_times` and `trouble_after`. An error for a mode that does not exist: unlike
    /// the API's own parameters, these are for tests, and a test with a slip in it must not pass.
    pub fn of_request(pairs: &Pairs) -> Result<Option<Self>, String> {
        let Some(mode) = pairs.last("trouble") else {
            return Ok(None);
        };
        let count = |name: &str| {
            let number = |text: &str| {
                text.parse::<u64>()
                    .map_err(|_| format!("{name} needs a number, not `{text}`"))
            };
            pairs.last(name).map(number).transpose()
        };
        Ok(Some(Self {
            mode: mode.parse()?,
            times: count("trouble_times")?,
            after: count("trouble_after")?.unwrap_or(0),
        }))
    }

    /// Whether the request with this number, counted from 0, meets it.
    fn meets(self, number: u64) -> bool {
        number >= self.after && self.times.is_none_or(|times| number - self.after < times)
    }
}

/// How many requests have come to each trouble.
#[derive(Default)]
pub struct Counters(Mutex<HashMap<String, u64>>);

impl Counters {
    /// Counts the request, and says whether it meets the trouble. Each `key` is counted apart.
    pub fn meet(&self, trouble: Trouble, key: &str) -> bool {
        const MOST_KEYS: usize = 10_000;
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counters.len() >= MOST_KEYS {
            counters.clear();
        }
        let number = counters
            .entry(format!("{} {key}", trouble.mode))
            .or_default();
        let met = trouble.meets(*number);
        *number += 1;
        met
    }
}

/// The body of 429.
pub fn rate_limit_body(users: u64) -> String {
    format!(
        r#"{{"error":"Whoa, ease up there cowboy. You have asked for {users} users in the last few minutes. Wait a little before you ask for more."}}"#
    )
}

pub const ERROR_BODY: &str =
    r#"{"error":"Uh oh, something has gone wrong. Please try again in a while."}"#;

/// What the public service gave for weeks in 2026, whatever it was asked.
pub const EMPTY_BODY: &str =
    r#"{"results":[],"info":{"seed":"d3adb33f","results":1,"page":1,"version":"1.4"}}"#;

pub const WRONG_SHAPE_BODY: &str =
    r#"{"users":{"0":{"name":"A name in one piece"}},"meta":{"total":"1"}}"#;

pub const NOT_JSON_BODY: &str = "The service is being moved. Nothing to see here.";

/// A page as a proxy in front of the service makes it.
pub fn html_page(status: u16, title: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html><head><title>{status} {title}</title></head>\n<body><center><h1>{status} {title}</h1></center></body></html>\n"
    )
}

/// Puts one byte that is never part of UTF-8 into the last string of the body.
pub fn break_utf8(body: &mut [u8]) {
    let strings_end = body.iter().rposition(|byte| byte.is_ascii_alphanumeric());
    if let Some(byte) = strings_end.and_then(|at| body.get_mut(at)) {
        *byte = 0xFF;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn troubles_are_read_from_a_flag_and_from_a_request() {
        let trouble = |mode, times, after| Trouble { mode, times, after };
        assert_eq!("html".parse(), Ok(trouble(Mode::Html, None, 0)));
        assert_eq!("hang:2".parse(), Ok(trouble(Mode::Hang, Some(2), 0)));
        assert_eq!(
            "rate-limit:2:3".parse(),
            Ok(trouble(Mode::RateLimit, Some(2), 3))
        );
        assert!(
            "html:two"
                .parse::<Trouble>()
                .is_err_and(|error| error.contains("`two`"))
        );
        assert!(
            "sunshine"
                .parse::<Trouble>()
                .is_err_and(|error| error.contains("rate-limit, "))
        );
        let request = |query| Trouble::of_request(&Pairs::of(query));
        assert_eq!(request("results=5"), Ok(None));
        assert_eq!(
            request("trouble=more&trouble_times=1&trouble_after=4"),
            Ok(Some(trouble(Mode::More, Some(1), 4)))
        );
        assert!(
            request("trouble=hnag").is_err() && request("trouble=hang&trouble_times=x").is_err()
        );
    }

    #[test]
    fn every_mode_is_named_once() {
        for (name, mode) in MODES {
            assert_eq!((mode.to_string().as_str(), name.parse()), (name, Ok(mode)));
        }
    }

    #[test]
    fn requests_are_counted_by_key() {
        let counters = Counters::default();
        let trouble = Trouble {
            mode: Mode::Html,
            times: Some(2),
            after: 1,
        };
        let met: Vec<bool> = (0..5).map(|_| counters.meet(trouble, "a")).collect();
        assert_eq!(met, [false, true, true, false, false]);
        assert!(!counters.meet(trouble, "b") && counters.meet(trouble, "b"));
    }

    #[test]
    fn broken_utf8_is_broken_within_its_last_text() {
        let mut body = br#"{"version":"1.4"}"#.to_vec();
        break_utf8(&mut body);
        assert_eq!(body, b"{\"version\":\"1.\xFF\"}");
    }
}
