//! What the API may answer, and whether it can be believed. Pure.

use std::ops::Range;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::error::{Error, Kind};
use crate::user::api_layout;

/// A page of users, raw, as the API sent them.
pub struct Page {
    pub number: u32,
    text: String,
    /// Where each record stands in the text.
    records: Vec<Range<usize>>,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    results: Option<Vec<&'a RawValue>>,
    error: Option<IgnoredAny>,
    info: Option<Info>,
}

#[derive(Deserialize)]
struct Info {
    seed: Option<String>,
    results: Option<u64>,
}

/// An answer that is no page. The texts tell what kind of answer it was, never what was in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Flaw {
    #[error("status {status}: too many users asked for")]
    RateLimited { status: u16 },
    #[error("status {status}")]
    Status { status: u16 },
    #[error("it did not answer in time")]
    TimedOut,
    #[error("the answer broke off")]
    BrokenOff,
    #[error("the answer is larger than {limit_bytes} bytes")]
    TooLarge { limit_bytes: usize },
    #[error("the answer is not JSON{}", if *.html { " but an HTML page, as proxies send" } else { "" })]
    NotJson { html: bool },
    #[error("the answer is an error of the API")]
    ErrorBody,
    #[error("the answer has no list `results`")]
    NoResults,
    #[error("the answer holds no users{}", .claimed.map(|n| format!(" while its info claims {n}")).unwrap_or_default())]
    Empty { claimed: Option<u64> },
    #[error("{asked} users were asked for and {got} came")]
    OtherNumber { asked: u32, got: usize },
}

impl Flaw {
    /// Whether the same question can have another answer later.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Flaw::Status { status } => *status >= 500 || matches!(status, 403 | 408),
            Flaw::TooLarge { .. } => false,
            _ => true,
        }
    }

    pub(super) fn into_error(self, address: &str, tries: u32) -> Error {
        let kind = match &self {
            Flaw::RateLimited { .. } | Flaw::TimedOut | Flaw::BrokenOff => Kind::Unavailable,
            Flaw::Status { status: 401 | 403 } => Kind::Denied,
            Flaw::Status { status } if *status >= 500 => Kind::Unavailable,
            Flaw::Status { .. } => Kind::Configuration,
            _ => Kind::Data,
        };
        let hint = match &self {
            Flaw::RateLimited { .. } => {
                "wait five minutes, or ask slower with --rate; the public API gives 20,000 users in five minutes"
            }
            Flaw::Status { status } if *status < 500 => {
                "check --api-url (STREAMFLOW_API_URL): it must be the address of the API itself, such as https://randomuser.me/api/"
            }
            Flaw::OtherNumber { .. } => {
                "check that --page-size is within what the API gives at once (the public one: 5000)"
            }
            _ => {
                "look at the API's answer with curl, and run the job again when it is well; what was landed so far is kept"
            }
        };
        Error::new(
            kind,
            format!("the API at {address} gave no page of users in {tries} tries"),
        )
        .cause(self)
        .hint(hint)
    }
}

/// Believes an answer with status 200, or says what is wrong with it.
pub(super) fn check(number: u32, asked: u32, seed: &str, body: Vec<u8>) -> Result<Page, Flaw> {
    // All of it must be text, also what is not looked at.
    let text = String::from_utf8(body).map_err(|_| Flaw::NotJson { html: false })?;
    let (records, info) = match in_usual_layout(&text) {
        Some(read) => read,
        None => in_any_layout(&text)?,
    };
    let claimed = info.as_ref().and_then(|info| info.results);
    if records.is_empty() {
        return Err(Flaw::Empty { claimed });
    }
    if records.len() != asked as usize {
        let got = records.len();
        return Err(Flaw::OtherNumber { asked, got });
    }
    if let Some(named) = info.and_then(|info| info.seed)
        && named != seed
    {
        log::debug!("page {number}: the answer names another seed than the one asked for");
    }
    Ok(Page {
        number,
        text,
        records,
    })
}

type Places = Vec<Range<usize>>;

fn in_any_layout(text: &str) -> Result<(Places, Option<Info>), Flaw> {
    let answer: Answer<'_> = serde_json::from_str(text).map_err(|_| flaw_of_unreadable(text))?;
    let results = match (answer.results, answer.error) {
        (Some(results), _) => results,
        (None, Some(_)) => return Err(Flaw::ErrorBody),
        (None, None) => return Err(Flaw::NoResults),
    };
    let begin = text.as_ptr() as usize;
    let place = |record: &RawValue| {
        let at = record.get().as_ptr() as usize - begin;
        at..at + record.get().len()
    };
    Ok((results.into_iter().map(place).collect(), answer.info))
}

/// Several times as fast, of an answer as the API writes it today.
fn in_usual_layout(text: &str) -> Option<(Places, Option<Info>)> {
    const BEGIN: &str = r#"{"results":["#;
    if !text.starts_with(BEGIN) {
        return None;
    }
    let records = api_layout::places(text, BEGIN.len())?;
    // What is around the users is read as it is.
    let rest = text.get(records.last()?.end..)?;
    let answer = format!("{BEGIN}{rest}");
    let answer: Answer<'_> = serde_json::from_str(&answer).ok()?;
    answer.results?.is_empty().then_some((records, answer.info))
}

fn flaw_of_unreadable(text: &str) -> Flaw {
    // JSON of another shape (`results` a text, say) is told apart from what is no JSON at all.
    if serde_json::from_str::<IgnoredAny>(text).is_ok() {
        return Flaw::NoResults;
    }
    Flaw::NotJson {
        html: text.trim_start().starts_with('<'),
    }
}

impl Page {
    /// The raw records, in the order of the answer.
    pub fn records(&self) -> impl Iterator<Item = &str> {
        self.records.iter().map(|place| &self.text[place.clone()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(body: &str) -> Result<usize, Flaw> {
        let page = check(1, 2, "s", body.as_bytes().to_vec())?;
        Ok(page.records().count())
    }

    #[test]
    fn believes_as_many_users_as_were_asked_for() {
        assert_eq!(
            checked(r#"{"results":[{"a":1},{}],"info":{"seed":"s"}}"#),
            Ok(2)
        );
    }

    #[test]
    fn tells_the_flaws_apart() {
        let empty =
            r#"{"results":[],"info":{"seed":"d3adb33f","results":1,"page":1,"version":"1.4"}}"#;
        assert_eq!(checked(empty), Err(Flaw::Empty { claimed: Some(1) }));
        assert_eq!(
            checked(r#"{"results":[{}]}"#),
            Err(Flaw::OtherNumber { asked: 2, got: 1 })
        );
        assert_eq!(
            checked(r#"{"results":[{},{},{}]}"#),
            Err(Flaw::OtherNumber { asked: 2, got: 3 })
        );
        assert_eq!(checked(r#"{"error":"Uh oh"}"#), Err(Flaw::ErrorBody));
        assert_eq!(checked(r#"{"data":[]}"#), Err(Flaw::NoResults));
        assert_eq!(checked(r#"{"results":"x"}"#), Err(Flaw::NoResults));
        assert_eq!(checked("[]"), Err(Flaw::NoResults));
        assert_eq!(checked(" <html>"), Err(Flaw::NotJson { html: true }));
        assert_eq!(
            checked(r#"{"results":[{"a""#),
            Err(Flaw::NotJson { html: false })
        );
        assert_eq!(checked(""), Err(Flaw::NotJson { html: false }));
    }

    #[test]
    fn an_answer_in_the_usual_layout_is_read_as_any_other() {
        let user = crate::user::api_layout::EXAMPLE;
        let page = format!(
            r#"{{"results":[{user},{user}],"info":{{"seed":"s","results":2,"page":1,"version":"1.4"}}}}"#
        );
        let read = |text: &str| {
            let read = in_usual_layout(text);
            read.map(|(places, info)| (places, info.map(|it| (it.seed, it.results))))
        };
        let read_any = |text: &str| {
            let read = in_any_layout(text).ok();
            read.map(|(places, info)| (places, info.map(|it| (it.seed, it.results))))
        };
        assert!(read(&page).is_some());
        for place in (0..page.len()).filter(|&it| page.is_char_boundary(it)) {
            for with in ["", "x", "\"", ",", "]", "}", "\\", "[", " ", "0"] {
                let end = page.ceil_char_boundary(place + 1);
                let other = format!("{}{with}{}", &page[..place], &page[end..]);
                for text in [&other[..], &page[..place]] {
                    let quickly = read(text);
                    assert!(quickly.is_none() || quickly == read_any(text), "{text}");
                }
            }
        }
    }

    #[test]
    fn a_record_that_is_no_object_is_still_a_record() {
        assert_eq!(checked(r#"{"results":[1,null]}"#), Ok(2));
    }
}
