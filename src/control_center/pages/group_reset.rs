//! `/groups/{group}/reset`: where to, what that would change, and doing it. Only for a group that nobody is in.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::{Deserialize, Serialize};

use super::groups::{job_of, known};
use crate::control_center::ask::Ask;
use crate::control_center::count::Count;
use crate::control_center::kafka::{Commit, Cursor, Group, Member, Partition, Topic};
use crate::control_center::moment::Moment;
use crate::control_center::panel::Panel;
use crate::control_center::reply::{Refusal, Section};
use crate::control_center::reset::{self, Before, Step, Target};

/// Where to, as the address says it.
#[derive(Deserialize, Serialize, Clone, Default)]
pub(super) struct Wish {
    #[serde(default)]
    topic: String,
    /// earliest, latest, time, offsets or shift; nothing before anything is chosen.
    #[serde(default)]
    to: String,
    #[serde(default)]
    time: String,
    #[serde(default)]
    offsets: String,
    #[serde(default)]
    shift: String,
}

#[derive(Serialize, Template)]
#[template(path = "pages/group_reset.html")]
struct Reset {
    group: String,
    job: Option<&'static str>,
    members: Vec<Member>,
    topics: Vec<String>,
    wish: Wish,
    steps: Option<Vec<Step>>,
    /// What travels with the form.
    old: String,
    new: String,
    /// The offsets have changed since the preview that was confirmed.
    changed: bool,
    may_change: bool,
}

impl Reset {
    fn is_clamped(&self) -> bool {
        self.steps.iter().flatten().any(|it| it.asked.is_some())
    }
}

pub(super) async fn show(
    Path(group): Path<String>,
    Query(wish): Query<Wish>,
    ask: Ask,
) -> Result<Response, Refusal> {
    let view = view(&ask, &group, wish).await?;
    Ok(ask.page(format!("Reset {group}"), Section::Groups, &view))
}

async fn view(ask: &Ask, group: &str, mut wish: Wish) -> Result<Reset, Refusal> {
    let lag = ask.center.kafka.lag_of(group).await?;
    let members = members(known(ask, group, !lag.partitions.is_empty()).await?)?;
    let mut topics: BTreeSet<String> = lag.partitions.iter().map(|it| it.topic.clone()).collect();
    topics.insert(ask.center.topic().to_owned());
    if wish.topic.is_empty() {
        let first = lag.partitions.first().map(|it| it.topic.clone());
        wish.topic = first.unwrap_or_else(|| ask.center.topic().to_owned());
    }
    let steps = match wish.to.is_empty() {
        true => None,
        false => Some(steps(ask, group, &wish).await?),
    };
    let given = steps.as_deref().unwrap_or_default();
    Ok(Reset {
        group: group.to_owned(),
        job: job_of(ask, group),
        members,
        topics: topics.into_iter().collect(),
        old: Before::of(given).to_string(),
        new: reset::after(given).to_string(),
        wish,
        steps,
        changed: false,
        may_change: ask.may_change(),
    })
}

fn members(group: Panel<Group>) -> Result<Vec<Member>, Refusal> {
    match group {
        Panel::Shown(group) => Ok(group.members),
        Panel::Missing(trouble) => Err(Refusal::bad_gateway(trouble)),
    }
}

/// One of which every end is known: a partition that is silent would be left out.
async fn topic(ask: &Ask, name: &str) -> Result<Topic, Refusal> {
    let topic = ask.center.kafka.topic(name).await?.ok_or_else(|| {
        Refusal::not_found(
            format!("there is no topic {name:?}"),
            "choose one of those that the form names",
        )
    })?;
    match tells_all(&topic) {
        true => Ok(topic),
        false => Err(Refusal::conflict(
            format!("not all partitions of the topic {name} tell their offsets"),
            "try again in a moment: a partition has no leader, or is moving",
        )),
    }
}

fn tells_all(topic: &Topic) -> bool {
    !topic.partitions.iter().any(Partition::is_silent)
}

async fn steps(ask: &Ask, group: &str, wish: &Wish) -> Result<Vec<Step>, Refusal> {
    let kafka = &ask.center.kafka;
    let topic = topic(ask, &wish.topic).await?;
    let ends = ends(&topic);
    let partitions = ends.keys().copied().collect();
    let old = kafka.committed(group, &wish.topic, partitions).await?;
    let unreadable = |what: &str, form: &str| {
        Refusal::bad(format!("{what} cannot be read"), format!("give {form}"))
    };
    let target = match wish.to.as_str() {
        "earliest" => Target::Earliest,
        "latest" => Target::Latest,
        "time" => {
            let time = time_of(&wish.time).ok_or_else(|| {
                unreadable("the time", "it as 2026-11-21T10:00:00Z, or with an offset")
            })?;
            Target::Time(kafka.since(&topic, time.ms()).await?.0)
        }
        "offsets" => Target::Offsets(
            Cursor::parse(&wish.offsets.replace(' ', ""))
                .ok_or_else(|| {
                    unreadable(
                        "the offsets",
                        "them as PARTITION:OFFSET,…, such as 0:1200,1:1180",
                    )
                })?
                .0,
        ),
        "shift" => Target::Shift(
            wish.shift
                .trim()
                .parse()
                .map_err(|_| unreadable("the shift", "a whole number, such as -1000"))?,
        ),
        other => {
            return Err(Refusal::bad(
                format!("nobody knows how to reset to {other:?}"),
                "choose earliest, latest, time, offsets or shift",
            ));
        }
    };
    reset::steps(&target, &ends, &old).map_err(|why| Refusal::bad(why, "look at the topic's page"))
}

fn ends(topic: &Topic) -> BTreeMap<i32, (i64, i64)> {
    let ends = topic
        .partitions
        .iter()
        .filter_map(|it| Some((it.id, (it.first_offset?, it.latest_offset?))));
    ends.collect()
}

/// Without an offset, in UTC.
fn time_of(text: &str) -> Option<Moment> {
    let text = text.trim();
    let with_t = text.replacen(' ', "T", 1);
    [
        text.to_owned(),
        with_t.clone(),
        format!("{with_t}Z"),
        format!("{with_t}T00:00Z"),
    ]
    .iter()
    .find_map(|text| Moment::parse(text))
}

#[derive(Deserialize)]
pub(super) struct Confirmed {
    topic: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    time: String,
    #[serde(default)]
    offsets: String,
    #[serde(default)]
    shift: String,
    old: String,
    new: String,
}

pub(super) async fn confirm(
    Path(group): Path<String>,
    ask: Ask,
    Form(form): Form<Confirmed>,
) -> Result<Response, Refusal> {
    let kafka = &ask.center.kafka;
    let (Some(old), Some(new)) = (Before::parse(&form.old), Cursor::parse(&form.new)) else {
        return Err(Refusal::bad(
            "the offsets of the preview cannot be read",
            "make the preview anew",
        ));
    };
    kafka.forget_groups().await;
    let lag = kafka.lag_of(&group).await?;
    let members = members(known(&ask, &group, !lag.partitions.is_empty()).await?)?;
    if !members.is_empty() {
        return Err(has_members(&group, &members));
    }
    // Before it is asked for by its name, which may be none. It may have changed, too: nothing is committed that it does not have.
    let topic = topic(&ask, &form.topic).await?;
    let now = kafka
        .committed(&group, &form.topic, old.0.keys().copied().collect())
        .await?;
    if !old.is_still(&now) {
        let wish = Wish {
            topic: form.topic,
            to: form.to,
            time: form.time,
            offsets: form.offsets,
            shift: form.shift,
        };
        let mut view = view(&ask, &group, wish).await?;
        view.changed = true;
        let title = format!("Reset {group}");
        return Ok(ask.page_with(StatusCode::CONFLICT, title, Section::Groups, &view));
    }
    let steps = reset::steps(&Target::Offsets(new.0), &ends(&topic), &now)
        .map_err(|why| Refusal::bad(why, "make the preview anew"))?;
    let new = reset::after(&steps);
    let detail = format!("topic {} from {old} to {new}", form.topic);
    ask.record("reset group", &group, &detail).await?;
    if kafka.commit(&group, &form.topic, new.0.clone()).await? == Commit::HasMembers {
        return Err(has_members(&group, &members));
    }
    let read_back = kafka
        .committed(&group, &form.topic, new.0.keys().copied().collect())
        .await?;
    if read_back != new.0 {
        return Err(Refusal::conflict(
            format!(
                "the group {group} does not stand where it was put: somebody else has moved it meanwhile"
            ),
            format!("look at /groups/{group}"),
        ));
    }
    let to: String = form_urlencoded::Serializer::new(String::new())
        .append_pair("topic", &form.topic)
        .append_pair("was", &old.to_string())
        .finish();
    let group = super::encoded(&group);
    Ok(Redirect::to(&format!("/groups/{group}?{to}")).into_response())
}

fn has_members(group: &str, members: &[Member]) -> Refusal {
    let named: Vec<String> = members
        .iter()
        .map(|it| format!("{} at {}", it.id, it.host))
        .collect();
    let named = match named.is_empty() {
        true => "one has just joined".to_owned(),
        false => named.join(", "),
    };
    Refusal::conflict(
        format!("the group {group} has members, which would go on where they are: {named}"),
        "stop the job, wait until its members have left (10 s after a kill), then make the preview anew",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_with_a_silent_partition_does_not_tell_all() {
        let partition = |id, latest_offset| Partition {
            id,
            leader: 1,
            replicas: vec![1],
            in_sync: vec![1],
            first_offset: Some(0),
            latest_offset,
        };
        let mut topic = Topic {
            name: "users".to_owned(),
            partitions: vec![partition(0, Some(9)), partition(1, None)],
        };
        assert!(!tells_all(&topic));
        topic.partitions.pop();
        assert!(tells_all(&topic));
    }

    #[test]
    fn a_time_may_be_written_as_people_write_it() {
        let expected = Moment::parse("2026-11-21T10:00:00Z").map(|it| it.ms());
        for text in [
            "2026-11-21T10:00:00Z",
            "2026-11-21 10:00",
            " 2026-11-21T10:00:00 ",
            "2026-11-21T12:00:00+02:00",
        ] {
            assert_eq!(time_of(text).map(|it| it.ms()), expected, "{text}");
        }
        assert!(time_of("2026-11-21").is_some());
        assert!(time_of("yesterday").is_none());
    }
}
