//! The loop with events in a written order: when it ends, what it has committed then, and how it waits for a slow store.

use std::time::{Duration, Instant};

use streamflow::error::Kind;
use streamflow::pipeline::bounds::{self, End};
use streamflow::pipeline::source::Event;
use streamflow::shutdown::{self, Shutdown};

use crate::pipeline_script::{Latest, Step, Told, begin, begin_on, begin_settled};

const PLENTY: usize = 1_000_000;

fn assigned() -> Step {
    Step::Tell(Event::Assigned(vec![0]))
}

fn until_latest(latest: i64) -> (bounds::Limits, Latest) {
    (bounds::Limits::default(), Latest::from([(0, latest)]))
}

/// Partition 1 belongs to another member.
fn until_latest_of_two(latest: [i64; 2]) -> (bounds::Limits, Latest) {
    (bounds::Limits::default(), (0..).zip(latest).collect())
}

fn following() -> (bounds::Limits, Latest) {
    let follow = true;
    (
        bounds::Limits {
            follow,
            ..bounds::Limits::default()
        },
        Latest::from([(0, 0)]),
    )
}

fn never() -> Shutdown {
    shutdown::channel().1
}

#[test]
fn a_store_slower_than_the_topic_pauses_it_and_room_resumes_it() {
    let (trigger, shutdown) = shutdown::channel();
    let bench = begin(
        [assigned(), Step::Records(0)],
        following(),
        (0, None),
        shutdown,
    );
    bench.wait_until_told(Told::Pause(true));
    bench.wait_until_told(Told::AskedWhilePaused);
    bench.wait_until_told(Told::AskedWhilePaused);
    assert_eq!(*bench.stored.lock().unwrap(), Vec::<i64>::new());
    bench.permits.add_permits(PLENTY);
    bench.wait_until_told(Told::Pause(false));
    trigger.request();
    let (end, stored, committed) = bench.end();
    assert_eq!(end.unwrap(), End::Stopped);
    assert_eq!(stored, (0..stored.len() as i64).collect::<Vec<_>>());
    assert_eq!(committed, Some((0, stored.len() as i64)));
}

#[test]
fn what_is_read_ahead_of_a_slow_store_is_bounded() {
    let (trigger, shutdown) = shutdown::channel();
    let bench = begin(
        [assigned(), Step::Records(0)],
        following(),
        (0, None),
        shutdown,
    );
    bench.wait_until_told(Told::Pause(true));
    trigger.request();
    bench.permits.add_permits(PLENTY);
    let (_, stored, _) = bench.end();
    // Two batches in flight, one or two that wait, and one that is gathered.
    assert!(stored.len() <= 3 * 5, "{} records", stored.len());
}

#[test]
fn a_stop_finishes_and_commits_what_has_begun() {
    let (trigger, shutdown) = shutdown::channel();
    let records = (0..7).map(Step::Record);
    let bench = begin(
        [assigned()].into_iter().chain(records),
        following(),
        (2, None),
        shutdown,
    );
    trigger.request();
    bench.permits.add_permits(PLENTY);
    let (end, stored, committed) = bench.end();
    assert_eq!(end.unwrap(), End::Stopped);
    assert_eq!(committed.map_or(0, |it| it.1), stored.len() as i64);
}

#[test]
fn a_store_that_never_answers_does_not_hold_up_a_stop_for_more_than_ten_seconds() {
    let (trigger, shutdown) = shutdown::channel();
    let bench = begin(
        [assigned(), Step::Records(0)],
        following(),
        (0, None),
        shutdown,
    );
    bench.wait_until_told(Told::Pause(true));
    let asked = Instant::now();
    trigger.request();
    let (end, stored, committed) = bench.end();
    assert!(
        asked.elapsed() < Duration::from_secs(10),
        "{:?}",
        asked.elapsed()
    );
    assert!(end.is_ok() && stored.is_empty());
    assert!(committed.is_none_or(|it| it.1 == 0), "{committed:?}");
}

#[test]
fn a_store_that_fails_ends_the_run_with_everything_settled_committed() {
    let records = (0..30).map(Step::Record);
    let steps = [assigned()].into_iter().chain(records);
    let bench = begin(steps, until_latest(30), (PLENTY, Some(16)), never());
    let (end, stored, committed) = bench.end();
    assert_eq!(end.unwrap_err().kind(), Kind::Denied);
    assert_eq!(stored[..15], (0..15).collect::<Vec<_>>());
    assert_eq!(
        committed,
        Some((0, 15)),
        "the batch of 15, 16 and 17 is open"
    );
}

#[test]
fn a_run_ends_at_the_offset_that_was_the_latest() {
    let records = (0..9).map(Step::Record);
    let steps = [assigned()].into_iter().chain(records);
    let (end, stored, committed) = begin(steps, until_latest(5), (PLENTY, None), never()).end();
    assert_eq!(end.unwrap(), End::Latest);
    assert_eq!((stored, committed), ((0..5).collect(), Some((0, 5))));
}

/// A busy topic: records go on coming, and the end of the partition is never met.
#[test]
fn a_run_with_nothing_to_read_ends_though_newer_records_come() {
    let steps = [assigned(), Step::Records(5)];
    let (end, stored, _) = begin(steps, until_latest(5), (PLENTY, None), never()).end();
    assert_eq!(end.unwrap(), End::Latest);
    assert_eq!(stored, Vec::<i64>::new());
}

/// The last offsets of a partition can be those of transaction markers, or removed by compaction.
#[test]
fn a_run_ends_though_no_record_has_its_last_offsets() {
    let steps = [
        assigned(),
        Step::Record(0),
        Step::Record(1),
        Step::Records(9),
    ];
    let (end, stored, committed) = begin(steps, until_latest(5), (PLENTY, None), never()).end();
    assert_eq!(end.unwrap(), End::Latest);
    assert_eq!(
        (stored, committed),
        (vec![0, 1], Some((0, 5))),
        "other members wait for it"
    );
}

#[test]
fn an_empty_partition_ends_a_run() {
    let steps = [assigned(), Step::Tell(Event::EndOfPartition(0))];
    let (end, _, committed) = begin(steps, until_latest(0), (PLENTY, None), never()).end();
    assert_eq!((end.unwrap(), committed), (End::Latest, None));
}

/// Another run, that began later, has read on beyond the end that this one knows.
#[test]
fn what_the_group_has_committed_is_never_taken_back() {
    let steps = [assigned(), Step::Tell(Event::EndOfPartition(0))];
    let bench = begin_settled(steps, until_latest(5), Latest::from([(0, 7)]));
    let (end, _, committed) = bench.end();
    assert_eq!((end.unwrap(), committed), (End::Latest, None));
}

/// The record after the end that this run knows comes first, or the end of the partition.
#[test]
fn a_record_beyond_the_run_takes_nothing_back_either() {
    let steps = [assigned(), Step::Records(7)];
    let bench = begin(steps, until_latest(5), (PLENTY, None), never());
    let (end, _, committed) = bench.end();
    assert_eq!((end.unwrap(), committed), (End::Latest, Some((0, 5))));
    let steps = [assigned(), Step::Records(7)];
    let bench = begin_settled(steps, until_latest(5), Latest::from([(0, 7)]));
    let (end, _, committed) = bench.end();
    assert_eq!((end.unwrap(), committed), (End::Latest, None));
}

/// A broker that has just become the leader may not know the end yet.
#[test]
fn an_end_below_the_target_is_believed_only_when_it_comes_again() {
    let end = || Step::Tell(Event::EndOfPartition(0));
    let steps = [
        assigned(),
        Step::Record(0),
        end(),
        Step::Record(1),
        Step::Record(2),
    ];
    let (end, stored, committed) = begin(steps, until_latest(3), (PLENTY, None), never()).end();
    assert_eq!(end.unwrap(), End::Latest);
    assert_eq!((stored, committed), (vec![0, 1, 2], Some((0, 3))));
}

#[test]
fn a_partition_handed_on_is_finished_and_committed_first_and_a_lost_one_is_not_committed() {
    for (lost, expected) in [(false, Some((0, 4))), (true, None)] {
        let partitions = vec![0];
        let records = (0..4).map(Step::Record);
        let steps = [assigned()].into_iter().chain(records);
        let steps = steps.chain([
            Step::Tell(Event::Revoked { partitions, lost }),
            Step::Tell(Event::Assigned(Vec::new())),
        ]);
        let bench = begin(steps, until_latest(9), (PLENTY, None), never());
        bench.wait_until_told(Told::WhatIsCommitted(vec![0]));
        bench.by_others.lock().unwrap().insert(0, 9);
        let (end, _, committed) = bench.end();
        assert_eq!(
            (end.unwrap(), committed),
            (End::Latest, expected),
            "lost: {lost}"
        );
    }
}

/// A member that died while it joined holds partitions for a while, and nobody reads them.
#[test]
fn a_run_ends_when_the_other_members_have_settled_their_part() {
    let steps = [
        assigned(),
        Step::Record(0),
        Step::Tell(Event::EndOfPartition(0)),
    ];
    let bench = begin(steps, until_latest_of_two([1, 4]), (PLENTY, None), never());
    bench.by_others.lock().unwrap().insert(1, 3);
    for _ in 0..3 {
        bench.wait_until_told(Told::WhatIsCommitted(vec![1]));
    }
    assert_eq!(bench.committed(), [(0, 1)], "they may wait for ours, too");
    bench.by_others.lock().unwrap().insert(1, 4);
    let (end, stored, _) = bench.end();
    assert_eq!((end.unwrap(), stored), (End::Latest, vec![0]));
}

#[test]
fn what_a_dead_member_held_is_read_by_the_next_one() {
    let steps = [
        Step::Tell(Event::Assigned(vec![1])),
        Step::Tell(Event::EndOfPartition(1)),
        Step::Tell(Event::Revoked {
            partitions: vec![1],
            lost: false,
        }),
        Step::Tell(Event::Assigned(vec![0, 1])),
        Step::Record(0),
        Step::Record(1),
        Step::Tell(Event::EndOfPartition(1)),
    ];
    let bench = begin(steps, until_latest_of_two([2, 1]), (PLENTY, None), never());
    let (end, stored, _) = bench.end();
    assert_eq!((end.unwrap(), stored), (End::Latest, vec![0, 1]));
}

#[test]
fn a_stop_ends_the_waiting_for_other_members() {
    let (trigger, shutdown) = shutdown::channel();
    let steps = [assigned(), Step::Record(0)];
    let bench = begin(steps, until_latest_of_two([1, 4]), (PLENTY, None), shutdown);
    bench.wait_until_told(Told::WhatIsCommitted(vec![1]));
    trigger.request();
    let (end, _, committed) = bench.end();
    assert_eq!((end.unwrap(), committed), (End::Stopped, Some((0, 1))));
}

#[test]
fn a_partition_that_became_shorter_ends_the_run_with_an_error() {
    let steps = [
        Step::Tell(Event::Assigned(vec![0, 1])),
        Step::Tell(Event::EndOfPartition(0)),
    ];
    let (limits, mut latest) = until_latest_of_two([5, 0]);
    let targets = latest.clone();
    latest.insert(0, 3);
    let bench = begin_on(latest, steps, (limits, targets), (PLENTY, None), never());
    let (end, _, committed) = bench.end();
    let error = end.unwrap_err();
    assert_eq!(error.kind(), Kind::Configuration);
    assert!(error.to_string().contains("partition 0"), "{error}");
    assert_eq!(committed, None);
}
