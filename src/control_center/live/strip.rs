//! The pipeline as a strip: what each hop shows.

use serde::Serialize;

use super::bottleneck::{Level, Sentence, sentence};
use super::look::{GroupNow, Sample};
use super::points::{Moves, Pick, Points};
use super::probes::plain;
use super::{LastSuccesses, RATE_MS};
use crate::control_center::center::Center;
use crate::control_center::count::Count;
use crate::control_center::moment::{Moment, span};
use crate::control_center::panel::{Panel, Trouble};

#[derive(Debug, Clone, Serialize)]
pub struct Strip {
    pub at: Moment,
    pub sentence: Sentence,
    pub api: Hop,
    pub landing: Hop,
    pub topic: Hop,
    pub transform_store: Hop,
    pub aggregate: Hop,
    pub created_users: Hop,
    pub user_summaries: Hop,
    pub dead_letters: Hop,
}

/// One box.
#[derive(Debug, Clone, Serialize)]
pub struct Hop {
    /// For the page: what keeps the focus when it is shown anew.
    pub id: &'static str,
    pub name: String,
    pub what: &'static str,
    pub href: String,
    pub level: Level,
    /// How many have come so far.
    pub total: Option<Count>,
    pub rate_per_s: Option<f64>,
    pub lag_records: Option<Count>,
    pub lag_seconds: Option<i64>,
    pub last_success: Option<Moment>,
    pub note: Option<String>,
    pub error: Option<Trouble>,
}

impl Hop {
    fn new(id: &'static str, name: impl Into<String>, what: &'static str, href: String) -> Self {
        Self {
            id,
            name: name.into(),
            what,
            href,
            level: Level::Good,
            total: None,
            rate_per_s: None,
            lag_records: None,
            lag_seconds: None,
            last_success: None,
            note: None,
            error: None,
        }
    }

    fn failed(mut self, trouble: &Trouble) -> Self {
        self.level = Level::Bad;
        self.error = Some(trouble.clone());
        self
    }

    /// For reading.
    pub fn rate(&self) -> Option<String> {
        self.rate_per_s.map(rate)
    }

    pub fn lag(&self) -> Option<String> {
        let records = self.lag_records?;
        Some(match self.lag_seconds {
            Some(seconds) if records.0 > 0 => {
                format!("{records}, the oldest {} old", span(seconds))
            }
            _ => records.to_string(),
        })
    }
}

pub(in crate::control_center) fn rate(per_second: f64) -> String {
    match per_second {
        0.0 => "0/s".to_owned(),
        ..10.0 => format!("{per_second:.1}/s"),
        _ => format!("{}/s", Count(per_second.round() as i64)),
    }
}

impl Strip {
    pub(super) fn of(
        center: &Center,
        now: &Sample,
        points: &Points,
        moves: &Moves,
        successes: &LastSuccesses,
    ) -> Self {
        let per_s = |pick: Pick| points.rate(RATE_MS, pick);
        let options = &center.options;
        let store_moved = moves.stored.max(successes.transform_store);
        let aggregate_moved = moves.counted.max(successes.aggregate);
        let job = |mut hop: Hop, group: &Panel<GroupNow>, done: Pick, moved: Option<i64>| {
            hop.last_success = moved.map(Moment::at);
            match group {
                Panel::Missing(trouble) => hop.failed(trouble),
                Panel::Shown(group) => {
                    hop.rate_per_s = per_s(done);
                    hop.total = Some(Count(group.next));
                    hop.lag_records = Some(Count(group.lag));
                    hop.lag_seconds = group.lag_seconds(now.at_ms);
                    let is_at_work = group.members != Some(0) && hop.rate_per_s > Some(0.0);
                    hop.level = match group.lag == 0 || is_at_work {
                        true => Level::Good,
                        false => Level::Warn,
                    };
                    hop.note = Some(match group.members {
                        None => "the broker does not tell its members".to_owned(),
                        Some(0) => "does not run now".to_owned(),
                        Some(1) => "1 member".to_owned(),
                        Some(members) => format!("{members} members"),
                    });
                    hop
                }
            }
        };
        let table = |mut hop: Hop, done: Pick, moved: Option<i64>| {
            hop.last_success = moved.map(Moment::at);
            match &now.tables {
                Panel::Missing(trouble) => hop.failed(trouble),
                Panel::Shown(()) => {
                    hop.rate_per_s = per_s(done);
                    hop
                }
            }
        };
        let group = |name: &str| format!("/groups/{}", encoded(name));
        let transform_store = Hop::new(
            "hop-transform-store",
            "transform-store",
            "cleans and stores",
            group(&options.groups.transform_store),
        );
        let aggregate = Hop::new(
            "hop-aggregate",
            "aggregate",
            "counts",
            group(&options.groups.aggregate),
        );
        let created_users = Hop::new(
            "hop-created-users",
            "created_users",
            "table of Cassandra",
            "/tables/created_users".to_owned(),
        );
        let user_summaries = Hop::new(
            "hop-user-summaries",
            "user_summaries",
            "table of Cassandra",
            "/tables/user_summaries".to_owned(),
        );
        Self {
            at: Moment::at(now.at_ms),
            sentence: sentence(now, points),
            api: api(center, now, successes),
            landing: landing(now, points),
            topic: topic(center, now, points),
            transform_store: job(
                transform_store,
                &now.transform_store,
                |it| it.stored,
                store_moved,
            ),
            aggregate: job(aggregate, &now.aggregate, |it| it.counted, aggregate_moved),
            created_users: table(created_users, |it| it.stored, store_moved),
            user_summaries: table(user_summaries, |it| it.counted, aggregate_moved),
            dead_letters: dead_letters(now, points, moves),
        }
    }

    /// Side by side, and what stands in each place.
    pub fn columns(&self) -> [Vec<&Hop>; 5] {
        [
            vec![&self.api],
            vec![&self.landing],
            vec![&self.topic],
            vec![&self.transform_store, &self.aggregate],
            vec![
                &self.created_users,
                &self.user_summaries,
                &self.dead_letters,
            ],
        ]
    }
}

fn api(center: &Center, now: &Sample, successes: &LastSuccesses) -> Hop {
    let mut hop = Hop::new("hop-api", "API", "gives users", "/runs".to_owned());
    hop.note = center.options.api_url.as_ref().map(plain);
    let landed = now.landing.shown().and_then(|it| it.last_landed_ms);
    hop.last_success = landed.max(successes.fetch_publish).map(Moment::at);
    let health = center.health.all(center);
    if let Some(known) = health.iter().find(|it| it.name == "API")
        && known.answers == Some(false)
        && let Some(error) = &known.last_error
    {
        return hop.failed(&error.trouble);
    }
    hop
}

fn landing(now: &Sample, points: &Points) -> Hop {
    let mut hop = Hop::new(
        "hop-landing",
        "Landing",
        "PostgreSQL keeps every user, raw",
        "/reconcile".to_owned(),
    );
    let landing = match &now.landing {
        Panel::Missing(trouble) => return hop.failed(trouble),
        Panel::Shown(landing) => landing,
    };
    hop.total = Some(Count(landing.landed));
    hop.rate_per_s = points.rate(RATE_MS, |it| it.landed);
    hop.lag_records = Some(Count(landing.unpublished));
    let waiting = landing.waiting_since_ms.map_or(0, |it| now.at_ms - it);
    hop.lag_seconds = Some((waiting / 1000).max(0));
    hop.last_success = landing.last_landed_ms.map(Moment::at);
    if landing.unpublished > 0 {
        hop.level = Level::Warn;
        hop.note = Some("landed and not published".to_owned());
    } else if landing.kept_apart > 0 {
        hop.note = Some(format!("{} kept apart", Count(landing.kept_apart)));
    }
    hop
}

fn topic(center: &Center, now: &Sample, points: &Points) -> Hop {
    let name = center.topic();
    let href = format!(
        "/clusters/{}/topics/{}",
        encoded(&center.options.cluster),
        encoded(name)
    );
    let mut hop = Hop::new("hop-topic", name, "topic of Kafka", href);
    let topic = match &now.topic {
        Panel::Missing(trouble) => return hop.failed(trouble),
        Panel::Shown(topic) => topic,
    };
    hop.total = Some(Count(topic.latest));
    hop.rate_per_s = points.rate(RATE_MS, |it| it.published);
    let published = now.landing.shown().and_then(|it| it.last_published_ms);
    hop.last_success = published.map(Moment::at);
    if topic.records < topic.latest {
        hop.note = Some(format!("{} of them are still there", Count(topic.records)));
    }
    hop
}

fn dead_letters(now: &Sample, points: &Points, moves: &Moves) -> Hop {
    let mut hop = Hop::new(
        "hop-dead-letters",
        "Dead letters",
        "what the jobs cannot use",
        "/dead-letters".to_owned(),
    );
    let topic = match &now.topic {
        Panel::Missing(trouble) => return hop.failed(trouble),
        Panel::Shown(topic) => topic,
    };
    hop.total = Some(Count(topic.dead_letters));
    hop.rate_per_s = points.rate(RATE_MS, |it| it.dead_lettered);
    hop.last_success = moves.dead_lettered.map(Moment::at);
    if topic.dead_letters > 0 {
        hop.level = Level::Warn;
    }
    hop
}

/// One part of a path.
pub(in crate::control_center) fn encoded(text: &str) -> String {
    let mut path = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                path.push(char::from(byte));
            }
            byte => path.push_str(&format!("%{byte:02X}")),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_lags_are_read_easily() {
        assert_eq!(rate(0.0), "0/s");
        assert_eq!(rate(0.25), "0.2/s");
        assert_eq!(rate(12_345.6), "12,346/s");
        let mut hop = Hop::new("x", "x", "x", String::new());
        assert_eq!(hop.lag(), None);
        hop.lag_records = Some(Count(0));
        hop.lag_seconds = Some(0);
        assert_eq!(hop.lag().as_deref(), Some("0"));
        hop.lag_records = Some(Count(1_500));
        hop.lag_seconds = Some(90);
        assert_eq!(hop.lag().as_deref(), Some("1,500, the oldest 1 min old"));
    }

    #[test]
    fn a_name_is_one_part_of_a_path_whatever_it_holds() {
        assert_eq!(
            encoded("manual__2026-11-21T10:00:00+00:00/x"),
            "manual__2026-11-21T10%3A00%3A00%2B00%3A00%2Fx"
        );
    }
}
