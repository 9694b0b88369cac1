//! Work on a thread of its own: it meets what the loop told in its order, up to a failure or a stop, and holds no more than some records.

use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use streamflow::error::{Error, Kind, Result};
use streamflow::pipeline::beside::Beside;
use streamflow::pipeline::record::Record;
use streamflow::pipeline::source::Start;
use streamflow::pipeline::tally::Tally;
use streamflow::pipeline::work::{Account, Room, Work};
use streamflow::rejection::{Reason, Rejection};
use streamflow::shutdown::{self, Shutdown};

const PATIENCE: Duration = Duration::from_secs(20);

/// Keeps what it is told, and waits for a permit before each record where it is given some.
#[derive(Default)]
struct Noted {
    told: Arc<Mutex<Vec<String>>>,
    permits: Option<mpsc::Receiver<()>>,
    fails_at: Option<i64>,
    rejects: bool,
    full: bool,
    next_offset: i64,
    tally: Tally,
}

impl Noted {
    fn note(&self, what: String) {
        self.told.lock().unwrap().push(what);
    }
}

impl Work for Noted {
    fn assigned(&mut self, partitions: &[i32]) -> Result<Vec<(i32, Start)>> {
        self.note(format!("assigned {partitions:?}"));
        Ok(vec![(partitions[0], Start::Beginning)])
    }

    fn record(&mut self, record: &Record<'_>) -> Result<()> {
        if let Some(permits) = &self.permits {
            permits.recv_timeout(PATIENCE).expect("a permit");
        }
        if self.fails_at == Some(record.offset) {
            return Err(Error::unavailable("the registry is away"));
        }
        self.note(format!("record {}", record.offset));
        self.next_offset = record.offset + 1;
        self.tally.consumed();
        if self.rejects {
            let rejection = Rejection::of(Reason::InvalidJson);
            self.tally.rejected(record, &rejection);
        }
        Ok(())
    }

    fn end_of_partition(&mut self, partition: i32, offset: i64) {
        self.note(format!("end of {partition} at {offset}"));
    }

    fn room(&self) -> Room {
        if self.full { Room::Full } else { Room::Free }
    }

    fn turn(&mut self, _idle: bool, _wait: bool) -> Result<Room> {
        std::thread::sleep(Duration::from_millis(1));
        Ok(self.room())
    }

    fn finish(&mut self, give_up: &dyn Fn() -> bool) -> Result<()> {
        let begun = Instant::now();
        while self.full && !give_up() {
            assert!(begun.elapsed() < PATIENCE, "nobody gives up");
            std::thread::sleep(Duration::from_millis(1));
        }
        self.note("finish".to_owned());
        Ok(())
    }

    fn positions(&self) -> Vec<(i32, i64)> {
        vec![(0, self.next_offset)]
    }

    fn kept(&self, _partitions: &[i32]) -> Result<Option<Vec<(i32, i64)>>> {
        Ok(Some(self.positions()))
    }

    fn revoked(&mut self, partitions: &[i32]) {
        self.note(format!("revoked {partitions:?}"));
    }

    fn tally(&self) -> &Tally {
        &self.tally
    }

    fn progress(&self) -> String {
        format!("up to {}", self.next_offset)
    }

    fn account(&self) -> Account {
        Account {
            in_flight: self.next_offset.unsigned_abs(),
            ..Account::default()
        }
    }
}

/// Says what room there is behind it.
fn tell<W: Work>(beside: &mut Beside<W>, offset: i64) -> Result<Room> {
    beside.record(&Record {
        topic: "user_created",
        partition: 0,
        offset,
        timestamp_ms: 0,
        key: None,
        value: Some(b"{}"),
        read_sequence: &|| None,
    })?;
    Ok(beside.room())
}

fn never() -> Shutdown {
    shutdown::channel().1
}

#[test]
fn everything_is_met_in_the_order_in_which_it_was_told() {
    let work = Noted::default();
    let told = Arc::clone(&work.told);
    let mut beside = Beside::start(work, None, &never()).unwrap();
    let starts = beside.assigned(&[0]).unwrap();
    assert_eq!(starts, [(0, Start::Beginning)]);
    for offset in 0..300 {
        while beside.room() == Room::Full {
            beside.turn(false, true).unwrap();
        }
        tell(&mut beside, offset).unwrap();
    }
    beside.end_of_partition(0, 310);
    beside.finish(&|| false).unwrap();
    assert_eq!(beside.positions(), [(0, 300)]);
    assert_eq!(beside.progress(), "up to 300");
    assert_eq!(beside.account().in_flight, 300);
    assert_eq!(beside.kept(&[0]).unwrap(), Some(vec![(0, 300)]));
    beside.revoked(&[0]);
    let mut expected = vec!["assigned [0]".to_owned()];
    expected.extend((0..300).map(|offset| format!("record {offset}")));
    expected.extend(["end of 0 at 310", "finish", "revoked [0]"].map(str::to_owned));
    assert_eq!(*told.lock().unwrap(), expected);
    assert_eq!(beside.into_inner().unwrap().next_offset, 300);
}

#[test]
fn a_few_records_are_not_kept_waiting_for_more() {
    let work = Noted::default();
    let told = Arc::clone(&work.told);
    let mut beside = Beside::start(work, None, &never()).unwrap();
    tell(&mut beside, 0).unwrap();
    beside.turn(true, false).unwrap();
    let begun = Instant::now();
    while told.lock().unwrap().is_empty() {
        assert!(begun.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn there_is_no_room_while_the_work_is_slow() {
    let (permit, permits) = mpsc::channel();
    let work = Noted {
        permits: Some(permits),
        ..Noted::default()
    };
    let mut beside = Beside::start(work, None, &never()).unwrap();
    let mut offset = 0;
    while tell(&mut beside, offset).unwrap() == Room::Free {
        offset += 1;
        assert!(offset < 1_000, "it takes whatever it is given");
    }
    assert_eq!(beside.turn(false, true).unwrap(), Room::Full);
    for _ in 0..=offset {
        permit.send(()).unwrap();
    }
    let begun = Instant::now();
    while beside.turn(false, true).unwrap() == Room::Full {
        assert!(begun.elapsed() < PATIENCE);
    }
    beside.finish(&|| false).unwrap();
    assert_eq!(beside.positions(), [(0, offset + 1)]);
}

#[test]
fn nothing_is_taken_behind_a_record_that_failed() {
    let work = Noted {
        fails_at: Some(3),
        ..Noted::default()
    };
    let told = Arc::clone(&work.told);
    let mut beside = Beside::start(work, None, &never()).unwrap();
    for offset in 0..10 {
        tell(&mut beside, offset).unwrap();
    }
    let error = beside.finish(&|| false).unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    // The failure is told once, and what was done before it can still be finished.
    tell(&mut beside, 10).unwrap();
    beside.finish(&|| false).unwrap();
    assert_eq!(beside.positions(), [(0, 3)]);
    let expected = ["record 0", "record 1", "record 2", "finish", "finish"];
    assert_eq!(*told.lock().unwrap(), expected);
}

#[test]
fn the_loop_learns_of_a_failure_when_it_turns() {
    let work = Noted {
        fails_at: Some(0),
        ..Noted::default()
    };
    let mut beside = Beside::start(work, None, &never()).unwrap();
    tell(&mut beside, 0).unwrap();
    let begun = Instant::now();
    while beside.turn(true, false).is_ok() {
        assert!(begun.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_limit_of_dead_letters_is_met_to_the_record() {
    let work = Noted {
        rejects: true,
        ..Noted::default()
    };
    let max = Some("5".parse().unwrap());
    let mut beside = Beside::start(work, max, &never()).unwrap();
    for offset in 0..100 {
        tell(&mut beside, offset).unwrap();
    }
    let error = beside.finish(&|| false).unwrap_err();
    assert_eq!(error.kind(), Kind::Data);
    assert!(
        error.to_string().starts_with("6 of the 6 records"),
        "{error}"
    );
    assert_eq!(beside.positions(), [(0, 6)]);
    assert!(beside.tally().check(max, true).is_err());
}

#[test]
fn a_stop_is_met_between_two_records() {
    let (trigger, shutdown) = shutdown::channel();
    let (permit, permits) = mpsc::channel();
    let work = Noted {
        permits: Some(permits),
        ..Noted::default()
    };
    let told = Arc::clone(&work.told);
    let mut beside = Beside::start(work, None, &shutdown).unwrap();
    for offset in 0..10 {
        tell(&mut beside, offset).unwrap();
    }
    beside.turn(true, false).unwrap();
    permit.send(()).unwrap();
    let begun = Instant::now();
    while told.lock().unwrap().is_empty() {
        assert!(begun.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(1));
    }
    trigger.request();
    for _ in 1..10 {
        permit.send(()).unwrap();
    }
    beside.finish(&|| false).unwrap();
    // The second one had begun, maybe.
    let position = beside.positions()[0].1;
    assert!(position <= 2, "{position}");
}

#[test]
fn whoever_asks_does_not_wait_for_room() {
    let work = Noted {
        full: true,
        ..Noted::default()
    };
    let mut beside = Beside::start(work, None, &never()).unwrap();
    for offset in 0..10 {
        tell(&mut beside, offset).unwrap();
    }
    beside.turn(true, false).unwrap();
    let begun = Instant::now();
    let soon = || begun.elapsed() > Duration::from_millis(50);
    beside.finish(&soon).unwrap();
    assert_eq!(beside.positions(), [(0, 10)]);
    assert!(begun.elapsed() < PATIENCE);
}
