//! An explanation for people at a terminal.

use std::fmt::Write;

use super::Explanation;
use super::topic::{Place, Searched, Trace};
use crate::control_center::moment::Moment;
use crate::control_center::panel::Panel;

pub(super) fn write(it: &Explanation) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(out, "{}", it.sentence);
    if let Some(next) = &it.next {
        let _ = writeln!(out, "  what to do: {next}");
    }
    let mut line = |name: &str, text: String| {
        let _ = writeln!(out, "{name:<14} {text}");
    };
    line("\nid", it.id.to_string());
    match &it.landing {
        Panel::Missing(trouble) => line("landed", trouble.message.clone()),
        Panel::Shown(landing) => {
            match &landing.landed {
                None => line("landed", "no".to_owned()),
                Some(user) => {
                    line(
                        "landed",
                        format!(
                            "{}, as number {}, seed {}, page {}",
                            time(user.at),
                            user.sequence,
                            user.seed,
                            user.page
                        ),
                    );
                    line(
                        "published",
                        match &user.published {
                            None => "no".to_owned(),
                            Some(place) => format!(
                                "{}, at partition {}, offset {}",
                                time(place.at),
                                place.partition,
                                place.offset
                            ),
                        },
                    );
                }
            }
            for apart in &landing.kept_apart {
                line("kept apart", format!("{}: {}", time(apart.at), apart.why));
            }
        }
    }
    match &it.topic {
        Panel::Missing(trouble) => line("record", trouble.message.clone()),
        Panel::Shown(topic) => {
            match &topic.published {
                None => {}
                Some(Place::Here(trace)) => line("record", record(trace)),
                Some(Place::Removed) => line("record", "removed by retention".to_owned()),
                Some(Place::Empty) => line("record", "none at this offset".to_owned()),
                Some(Place::BeyondEnd) => line("record", "the topic ends before".to_owned()),
            }
            for trace in &topic.records {
                line("also", record(trace));
            }
            line("searched", searched(topic.searched, &topic.topic));
        }
    }
    if let Panel::Shown(groups) = &it.groups {
        for group in groups {
            let done = if group.passed { "beyond it" } else { "not yet" };
            let committed = group
                .committed
                .map_or("nothing".to_owned(), |it| format!("offset {it}"));
            line(
                group.job,
                format!(
                    "{done}: the group {} has committed {committed}",
                    group.group
                ),
            );
        }
    }
    match &it.letters {
        Panel::Missing(trouble) => line("dead letter", trouble.message.clone()),
        Panel::Shown(letters) if letters.letters.is_empty() => line(
            "dead letter",
            format!("none; {}", searched(letters.searched, &letters.topic)),
        ),
        Panel::Shown(letters) => {
            for letter in &letters.letters {
                let job = letter.job.as_deref().unwrap_or("another program");
                line(
                    "dead letter",
                    format!(
                        "{} by {job}, at partition {}, offset {}",
                        letter.why, letter.partition, letter.offset
                    ),
                );
            }
        }
    }
    match &it.row {
        Panel::Missing(trouble) => line("row", trouble.message.clone()),
        Panel::Shown(None) => line("row", "none".to_owned()),
        Panel::Shown(Some(row)) => {
            let written = row.written.map_or("at no known time".to_owned(), time);
            let by = row
                .written_by
                .map_or_else(String::new, |it| format!(", that of the record at {it}"));
            line("row", format!("there, with the write time {written}{by}"));
        }
    }
    for field in &it.fields {
        let empty = || "(nothing)".to_owned();
        if field.changed {
            let of = |it: &Option<String>| it.clone().unwrap_or_else(empty);
            let text = match field.hidden {
                true => format!("{}, which is personal (--reveal)", field.name),
                false => format!(
                    "{}: {} → {}",
                    field.name,
                    of(&field.event),
                    of(&field.cleaned)
                ),
            };
            line("cleaned", text);
        }
        if field.differs {
            line("differs", format!("the table has another {}", field.name));
        }
    }
    for step in &it.steps {
        let after = step
            .after
            .as_ref()
            .map_or_else(String::new, |it| format!(" (after {it})"));
        line("time", format!("{}  {}{after}", time(step.at), step.what));
    }
    out
}

fn time(at: Moment) -> String {
    format!("{} ({})", at.utc(), at.ago())
}

fn record(trace: &Trace) -> String {
    let whose = match trace.is_of_this_user {
        true => "of this user",
        false => "of another user",
    };
    let usable = trace
        .unusable
        .as_ref()
        .map_or_else(String::new, |why| format!(", cannot be used: {why}"));
    format!(
        "partition {}, offset {}: {whose}, {}{usable}",
        trace.partition, trace.offset, trace.format
    )
}

fn searched(it: Searched, topic: &str) -> String {
    match it.left.0 {
        0 => format!("all of {topic}"),
        _ => format!(
            "the newest {} offsets of {topic}; {} were not looked at",
            it.offsets, it.left
        ),
    }
}
