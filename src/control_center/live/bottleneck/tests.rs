use super::super::look::{LandingNow, TopicNow};
use super::*;
use crate::error::Error;

const NOW: i64 = 1_000_000;

/// All 500 users that landed are published, stored and counted.
fn well() -> Sample {
    let group = || {
        Panel::Shown(GroupNow {
            next: 500,
            members: Some(0),
            ..GroupNow::default()
        })
    };
    Sample {
        at_ms: NOW,
        landing: Panel::Shown(LandingNow {
            landed: 500,
            ..LandingNow::default()
        }),
        topic: Panel::Shown(TopicNow {
            latest: 500,
            records: 500,
            ..TopicNow::default()
        }),
        transform_store: group(),
        aggregate: group(),
        tables: Panel::Shown(()),
        latencies: None,
    }
}

fn waiting(lag: i64, members: usize) -> Panel<GroupNow> {
    Panel::Shown(GroupNow {
        lag,
        members: Some(members),
        oldest_ms: Some(NOW - 90_000),
        next: 500 - lag,
        ..GroupNow::default()
    })
}

/// As it looked before, and as it looks now.
fn seen(before: &Sample, now: &Sample) -> Points {
    let mut points = Points::default();
    let mut earlier = before.point();
    earlier.at_ms = NOW - 30_000;
    points.push(earlier);
    points.push(now.point());
    points
}

fn still(now: &Sample) -> Sentence {
    sentence(now, &seen(now, now))
}

fn down<T>(message: &str) -> Panel<T> {
    Panel::of(Err(Error::unavailable(message).hint("start it")))
}

#[test]
fn all_is_well_also_at_the_first_look() {
    assert_eq!(sentence(&well(), &Points::default()).level, Level::Good);
    let told = still(&well());
    assert!(told.text.starts_with("All is well"), "{told:?}");
}

#[test]
fn an_empty_pipeline_names_the_command_that_fills_it() {
    let mut empty = well();
    empty.landing = Panel::Shown(LandingNow::default());
    empty.topic = Panel::Shown(TopicNow::default());
    let told = still(&empty);
    assert_eq!(told.text, "Nothing has landed yet.");
    assert!(told.next.unwrap().contains("make demo"));
}

#[test]
fn a_server_that_is_down_comes_first_and_two_are_both_named() {
    let mut sample = well();
    sample.transform_store = waiting(5, 0);
    sample.tables = down("Cassandra at x did not answer");
    assert_eq!(still(&sample).text, "Cassandra at x did not answer.");
    sample.topic = down("Kafka at x does not answer");
    sample.transform_store = down("Kafka at x does not answer");
    let told = still(&sample);
    assert_eq!(told.level, Level::Bad);
    assert!(told.text.contains("Kafka and Cassandra"), "{told:?}");
}

#[test]
fn landed_and_unpublished_is_told_unless_it_is_being_published() {
    let mut sample = well();
    sample.landing = Panel::Shown(LandingNow {
        landed: 500,
        unpublished: 1_200,
        waiting_since_ms: Some(NOW - 180_000),
        ..LandingNow::default()
    });
    let told = still(&sample);
    assert_eq!(told.level, Level::Warn);
    assert!(
        told.text
            .starts_with("1,200 users have landed and are not published, for 3 min"),
        "{told:?}"
    );
    let mut before = well();
    before.topic = Panel::Shown(TopicNow {
        latest: 100,
        ..TopicNow::default()
    });
    let told = sentence(&sample, &seen(&before, &sample));
    assert_eq!(told.level, Level::Good);
    assert!(told.text.contains("1,200 to go"), "{told:?}");
    // More of them than before, while nothing is published.
    let told = sentence(&sample, &seen(&well(), &sample));
    assert_eq!(told.level, Level::Bad, "{told:?}");
}

#[test]
fn records_that_wait_for_a_job_that_does_not_run() {
    let mut sample = well();
    sample.aggregate = waiting(2_000, 0);
    let told = still(&sample);
    assert_eq!(
        told.text,
        "2,000 records wait for aggregate, which does not run; the oldest for 1 min."
    );
    assert!(told.next.unwrap().contains("sparking_flow"));
    let mut less = well();
    less.aggregate = waiting(1_000, 0);
    // The group has committed less, so it did not go on; its lag has grown.
    let mut points = Points::default();
    let mut earlier = less.point();
    (earlier.at_ms, earlier.counted) = (NOW - 30_000, sample.point().counted);
    points.push(earlier);
    points.push(sample.point());
    assert_eq!(sentence(&sample, &points).level, Level::Bad);
}

#[test]
fn a_job_that_runs_and_does_not_go_on_is_worse_than_one_that_is_at_work() {
    let mut sample = well();
    sample.transform_store = waiting(200, 1);
    let told = still(&sample);
    assert_eq!(told.level, Level::Bad);
    assert!(
        told.text.contains("has 1 member and does not go on"),
        "{told:?}"
    );
    let mut before = well();
    before.transform_store = waiting(400, 1);
    let told = sentence(&sample, &seen(&before, &sample));
    assert_eq!(told.level, Level::Good);
    assert!(told.text.contains("200 records to go"), "{told:?}");
}

#[test]
fn what_was_seen_once_is_not_told_to_stand_still() {
    let mut sample = well();
    sample.transform_store = waiting(200, 1);
    let mut once = Points::default();
    once.push(sample.point());
    let told = sentence(&sample, &once);
    assert!(!told.text.contains("does not go on"), "{told:?}");
    // That nobody is in the group is known at once.
    sample.transform_store = waiting(200, 0);
    let told = sentence(&sample, &once);
    assert!(told.text.contains("which does not run"), "{told:?}");
}

#[test]
fn members_that_are_not_told_are_not_told_to_be_none() {
    let mut sample = well();
    sample.aggregate = Panel::Shown(GroupNow {
        lag: 7,
        next: 493,
        ..GroupNow::default()
    });
    let told = still(&sample);
    assert_eq!(
        told.text,
        "7 records wait for aggregate, which does not go on; the broker does not tell its members."
    );
}

#[test]
fn users_that_are_lost_to_a_job_are_not_well() {
    let group = |removed, beyond| {
        Panel::Shown(GroupNow {
            next: 500,
            members: Some(0),
            removed,
            beyond,
            ..GroupNow::default()
        })
    };
    let mut sample = well();
    sample.transform_store = group(1_500, false);
    let told = still(&sample);
    assert_eq!(told.level, Level::Warn);
    assert_eq!(
        told.text,
        "1,500 records were removed from the topic before transform-store read them."
    );
    sample.aggregate = group(0, true);
    let told = still(&sample);
    assert_eq!(told.level, Level::Bad);
    assert!(
        told.text.contains("aggregate stands beyond the end"),
        "{told:?}"
    );
    assert!(told.next.unwrap().contains("--group-id"));
}

#[test]
fn dead_letters_that_rise_are_told_and_old_ones_are_counted() {
    let mut sample = well();
    sample.topic = Panel::Shown(TopicNow {
        latest: 500,
        records: 500,
        dead_letters_latest: 12,
        dead_letters: 12,
    });
    let told = sentence(&sample, &seen(&well(), &sample));
    assert_eq!(told.level, Level::Warn);
    assert!(told.text.starts_with("12 dead letters came"), "{told:?}");
    let told = still(&sample);
    assert_eq!(told.level, Level::Good);
    assert!(told.text.contains("12 dead letters lie there"), "{told:?}");
    assert_eq!(told.link, Some("/dead-letters"));
}

#[test]
fn what_a_group_has_committed_may_not_be_seen() {
    let mut sample = well();
    sample.aggregate = down("Kafka does not tell what the group aggregate has committed");
    let told = still(&sample);
    assert_eq!((told.level, told.link), (Level::Bad, Some("/groups")));
}
