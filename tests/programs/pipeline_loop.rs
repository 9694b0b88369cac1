//! The loop with events in a written order: when it ends, what it has committed then, and how it waits for a slow store.

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use streamflow::error::{Error, Kind, Result};
use streamflow::pipeline::batch::Limits;
use streamflow::pipeline::bounds::{self, Bounds, End};
use streamflow::pipeline::consume::consume;
use streamflow::pipeline::dead_letter::DeadLetters;
use streamflow::pipeline::outcome::Outcome;
use streamflow::pipeline::record::Record;
use streamflow::pipeline::source::{Event, Source, Start};
use streamflow::pipeline::store::{Flow, Store, StoreEach};
use streamflow::rejection::Rejection;
use streamflow::shutdown::{self, Shutdown};
use tokio::sync::Semaphore;

use crate::pipeline_store::runtime;

/// What the source gives next.
enum Step {
    Tell(Event),
    Record(i64),
    /// Records without end, from this offset on.
    Records(i64),
}

/// What the source was told.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Pause(bool),
    /// It is asked while it is paused: the membership in the group lives on.
    AskedWhilePaused,
}

/// Partition 0 of a topic, given out as written.
struct Script {
    steps: VecDeque<Step>,
    paused: bool,
    told: Sender<Told>,
    committed: Arc<Mutex<Vec<(i32, i64)>>>,
}

impl Source for Script {
    fn next(
        &mut self,
        timeout: Duration,
        on_record: &mut dyn FnMut(&Record<'_>) -> Result<()>,
    ) -> Result<Event> {
        if self.paused {
            let _ = self.told.send(Told::AskedWhilePaused);
            std::thread::sleep(timeout);
            return Ok(Event::Nothing);
        }
        let offset = match self.steps.pop_front() {
            None => {
                std::thread::sleep(timeout);
                return Ok(Event::Nothing);
            }
            Some(Step::Tell(event)) => return Ok(event),
            Some(Step::Record(offset)) => offset,
            Some(Step::Records(offset)) => {
                self.steps.push_front(Step::Records(offset + 1));
                offset
            }
        };
        on_record(&Record {
            topic: "user_created",
            partition: 0,
            offset,
            timestamp_ms: 0,
            key: None,
            value: None,
            sequence: None,
        })?;
        Ok(Event::Record)
    }

    fn take(&mut self, _partitions: &[(i32, Start)]) -> Result<()> {
        Ok(())
    }

    fn release(&mut self, _partitions: &[i32]) -> Result<()> {
        Ok(())
    }

    fn commit(&mut self, positions: &[(i32, i64)], _wait: bool) -> Result<()> {
        self.committed.lock().unwrap().extend(positions);
        Ok(())
    }

    fn pause(&mut self, paused: bool) -> Result<()> {
        self.paused = paused;
        let _ = self.told.send(Told::Pause(paused));
        Ok(())
    }
}

struct NoDeadLetters;

impl DeadLetters for NoDeadLetters {
    fn send(&mut self, _record: &Record<'_>, rejection: &Rejection) -> Result<()> {
        panic!("nothing is rejected here, but {rejection}");
    }

    fn acknowledged(&mut self, wait: Duration) -> Result<Vec<(i32, i64)>> {
        std::thread::sleep(wait);
        Ok(Vec::new())
    }

    fn in_flight(&self) -> usize {
        0
    }
}

/// Needs a permit for each batch, and refuses the one that holds `refused`.
struct Gate {
    permits: Arc<Semaphore>,
    refused: Option<i64>,
    stored: Arc<Mutex<Vec<i64>>>,
}

impl Store<i64> for Gate {
    async fn store(&self, rows: Vec<i64>) -> Result<()> {
        self.permits.acquire().await.unwrap().forget();
        if self.refused.is_some_and(|refused| rows.contains(&refused)) {
            return Err(Error::denied("the store refuses a row"));
        }
        self.stored.lock().unwrap().extend(rows);
        Ok(())
    }
}

const FLOW: Flow = Flow {
    batch: Limits {
        rows: 3,
        bytes: 1_000,
    },
    batches_in_flight: 2,
    dead_letters_in_flight: 2,
};

/// A run, and what can be seen of it from outside.
struct Bench {
    permits: Arc<Semaphore>,
    stored: Arc<Mutex<Vec<i64>>>,
    committed: Arc<Mutex<Vec<(i32, i64)>>>,
    told: Receiver<Told>,
    run: std::thread::JoinHandle<Result<End>>,
}

fn begin(
    steps: impl IntoIterator<Item = Step>,
    (limits, latest): (bounds::Limits, i64),
    (permits, refused): (usize, Option<i64>),
    shutdown: Shutdown,
) -> Bench {
    let permits = Arc::new(Semaphore::new(permits));
    let (stored, committed) = (Arc::default(), Arc::default());
    let (sender, told) = mpsc::channel();
    let mut source = Script {
        steps: steps.into_iter().collect(),
        paused: false,
        told: sender,
        committed: Arc::clone(&committed),
    };
    let store = Gate {
        permits: permits.clone(),
        refused,
        stored: Arc::clone(&stored),
    };
    let read = |record: &Record<'_>| Outcome::Keep((record.offset, 10));
    let mut work = StoreEach::new(runtime().handle().clone(), read, store, NoDeadLetters, FLOW);
    let run = std::thread::spawn(move || {
        let targets = BTreeMap::from([(0, latest)]);
        let mut bounds = Bounds::new(limits, targets, Instant::now());
        consume(&mut source, &mut work, &mut bounds, &shutdown)
    });
    Bench {
        permits,
        stored,
        committed,
        told,
        run,
    }
}

impl Bench {
    fn wait_until_told(&self, what: Told) {
        let patience = Duration::from_secs(20);
        while self
            .told
            .recv_timeout(patience)
            .expect("the source is told more")
            != what
        {}
    }

    /// How it ended, what was stored, and what was committed last.
    fn end(self) -> (Result<End>, Vec<i64>, Option<(i32, i64)>) {
        let end = self.run.join().unwrap();
        let mut stored = self.stored.lock().unwrap().clone();
        stored.sort_unstable();
        let committed = self.committed.lock().unwrap().last().copied();
        (end, stored, committed)
    }
}

const PLENTY: usize = 1_000_000;

fn assigned() -> Step {
    Step::Tell(Event::Assigned(vec![0]))
}

fn until_latest(latest: i64) -> (bounds::Limits, i64) {
    (bounds::Limits::default(), latest)
}

fn following() -> (bounds::Limits, i64) {
    let follow = true;
    (
        bounds::Limits {
            follow,
            ..bounds::Limits::default()
        },
        0,
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
    assert_eq!((stored, committed), (vec![0, 1], Some((0, 2))));
}

#[test]
fn an_empty_partition_ends_a_run() {
    let steps = [assigned(), Step::Tell(Event::EndOfPartition(0))];
    let (end, _, committed) = begin(steps, until_latest(0), (PLENTY, None), never()).end();
    assert_eq!((end.unwrap(), committed), (End::Latest, None));
}

#[test]
fn a_partition_handed_on_is_finished_and_committed_first_and_a_lost_one_is_not_committed() {
    for (lost, expected) in [(false, Some((0, 4))), (true, None)] {
        let partitions = vec![0];
        let records = (0..4).map(Step::Record);
        let steps = [assigned()].into_iter().chain(records);
        let steps = steps.chain([Step::Tell(Event::Revoked { partitions, lost })]);
        let (end, _, committed) = begin(steps, until_latest(9), (PLENTY, None), never()).end();
        assert_eq!(
            (end.unwrap(), committed),
            (End::Latest, expected),
            "lost: {lost}"
        );
    }
}
