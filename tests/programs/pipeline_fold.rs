//! The loop with numbers that are kept together with their offset: exact after any crash, failure or rebalance.

use std::collections::BTreeMap;
use std::time::Instant;

use proptest::prelude::*;
use streamflow::error::{Error, Kind, Result};
use streamflow::pipeline::bounds::{self, Bounds, End};
use streamflow::pipeline::consume::consume;
use streamflow::pipeline::fold::{self, Advance, Counts, FoldEach, Key, Ledger, Ledgers};
use streamflow::pipeline::outcome::Outcome;
use streamflow::pipeline::record::Record;
use streamflow::pipeline::sequence::{HighWater, Sequence};
use streamflow::rejection::{Reason, Rejection};
use streamflow::shutdown;

use crate::pipeline_store::runtime;
use crate::pipeline_twin::{TwinDeadLetters, TwinSource, Weather};
use crate::pipeline_world::{Die, Fate, Kept, World, fate_of};

/// Compare and set, and sometimes no answer: then the step was taken or not, and the run ends without knowing.
struct TwinLedgers {
    world: World,
    seed: u64,
    failure_one_in: u64,
}

impl Ledgers for TwinLedgers {
    async fn load(&self, partition: i32) -> Result<Ledger> {
        let ledger = self.world.lock().ledgers.get(&partition).cloned();
        Ok(ledger.unwrap_or_default())
    }

    async fn next_offset(&self, partition: i32) -> Result<Option<i64>> {
        Ok(self.load(partition).await?.next_offset)
    }

    async fn advance(&self, step: &Advance) -> Result<bool> {
        let mut die = Die(self.seed ^ step.to as u64);
        let fails = die.one_in(self.failure_one_in);
        let mut servers = self.world.lock();
        if servers.crashed || (fails && die.one_in(2)) {
            return Err(Error::unavailable("the step is not taken"));
        }
        let ledger = servers.ledgers.entry(step.partition).or_default();
        if ledger.next_offset != step.from {
            return Ok(false);
        }
        ledger.next_offset = Some(step.to);
        ledger.high_water = step.high_water.clone();
        ledger.counts.extend(step.counts.iter().cloned());
        match fails {
            true => Err(Error::unavailable(
                "the step was taken and the answer is lost",
            )),
            false => Ok(true),
        }
    }
}

fn values_of(partition: i32, offset: i64) -> [Key; 2] {
    [
        ("parity", (offset % 2).to_string()),
        ("bucket", format!("{partition}-{}", offset % 7)),
    ]
}

struct Values(Vec<Key>);

impl fold::Values for Values {
    fn each(&self, count: &mut dyn FnMut(&'static str, &str)) {
        for (dimension, value) in &self.0 {
            count(dimension, value);
        }
    }
}

/// Some of the records cannot be read alone.
struct Reader<F>(F);

impl<F> fold::Read for Reader<F>
where
    F: FnMut(&Record<'_>) -> Result<Outcome<Values>> + Send + 'static,
{
    type Values = Values;

    fn alone(&self) -> fold::ReadAlone<Values> {
        Box::new(|record| match record.offset % 5 {
            3 => None,
            _ => read_twin(record).ok(),
        })
    }

    fn read(&mut self, record: &Record<'_>) -> Result<Outcome<Values>> {
        assert_eq!(record.offset % 5, 3, "the others were read alone");
        self.0(record)
    }
}

fn read_twin(record: &Record<'_>) -> Result<Outcome<Values>> {
    Ok(match fate_of(record) {
        Fate::Reject => Outcome::Reject(Rejection::of(Reason::InvalidJson)),
        Fate::Filter => Outcome::Filter,
        Fate::Keep => Outcome::Keep(Values(values_of(record.partition, record.offset).to_vec())),
    })
}

fn run(world: &World, seed: u64, weather: Weather) -> (Result<End>, Counts) {
    world.lock().crashed = false;
    let mut source = TwinSource::new(world, Die(seed), weather);
    let ledgers = TwinLedgers {
        world: world.clone(),
        seed,
        failure_one_in: weather.failure_one_in,
    };
    let dead_letters = TwinDeadLetters::new(world, Die(seed + 1), weather.failure_one_in);
    let mut work = FoldEach::new(
        runtime().handle().clone(),
        Reader(read_twin),
        ledgers,
        dead_letters,
        2,
    );
    let mut bounds = Bounds::new(bounds::Limits::default(), world.latest(), Instant::now());
    let end = consume(&mut source, &mut work, &mut bounds, &shutdown::channel().1);
    (end, work.counts())
}

/// The numbers of the first `next_offset` offsets of a partition, by the definition itself; and the rejected among them.
fn expected(partition: i32, records: &[Kept], next_offset: i64) -> (BTreeMap<Key, i64>, Vec<i64>) {
    let (mut counts, mut rejected) = (BTreeMap::new(), Vec::new());
    let mut seen = HighWater::default();
    for kept in records.iter().filter(|kept| kept.offset < next_offset) {
        match (seen.admit(kept.sequence), kept.fate) {
            (true, Fate::Keep) => {
                for key in values_of(partition, kept.offset) {
                    *counts.entry(key).or_insert(0) += 1;
                }
            }
            (true, Fate::Reject) => rejected.push(kept.offset),
            _ => {}
        }
    }
    (counts, rejected)
}

/// Every ledger agrees with the records that it says it covers, and no rejected one among them is lost.
fn check(world: &World) -> Result<(), TestCaseError> {
    let servers = world.lock();
    for (&partition, records) in &servers.topic {
        let ledger = servers.ledgers.get(&partition).cloned().unwrap_or_default();
        let next_offset = ledger.next_offset.unwrap_or(0);
        let (counts, rejected) = expected(partition, records, next_offset);
        prop_assert_eq!(
            &ledger.counts,
            &counts,
            "partition {} up to {}",
            partition,
            next_offset
        );
        for offset in rejected {
            let safe = servers.safe.contains(&(partition, offset));
            prop_assert!(safe, "the dead letter of {}:{} is lost", partition, offset);
        }
        let committed = servers.committed.get(&partition).copied().unwrap_or(0);
        prop_assert!(
            committed <= next_offset,
            "{} is committed over {}",
            committed,
            next_offset
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_numbers_are_exact_whatever_happens(
        seed in any::<u64>(),
        partitions in 1i32..4,
        rebalance_one_in in prop::sample::select(vec![0u64, 10, 40]),
        failure_one_in in prop::sample::select(vec![0u64, 8, 60]),
        break_off_one_in in prop::sample::select(vec![0u64, 12]),
        crash_after in prop::option::of(1u64..60),
    ) {
        let world = World::with_topic(&mut Die(seed), partitions, 500);
        let weather = Weather { rebalance_one_in, nothing_one_in: 6, failure_one_in, break_off_one_in, crash_after };
        for attempt in 0..4 {
            let _ = run(&world, seed.wrapping_add(attempt), weather);
            check(&world)?;
        }
        let calm = Weather { nothing_one_in: 5, ..Weather::default() };
        let (end, counts) = run(&world, seed, calm);
        prop_assert_eq!(end.unwrap(), End::Latest);
        let apart = counts.already_counted + counts.filtered + counts.dead_lettered;
        prop_assert_eq!(counts.consumed, counts.counted + apart);
        check(&world)?;
        for (partition, end) in world.latest() {
            let kept = world.lock().ledgers.get(&partition).and_then(|ledger| ledger.next_offset);
            prop_assert_eq!(kept.unwrap_or(0), end);
        }
    }
}

fn topic_of(fates: &[Fate]) -> World {
    let world = World::default();
    let records = fates.iter().enumerate().map(|(offset, &fate)| Kept {
        offset: offset as i64,
        fate,
        sequence: None,
    });
    world.lock().topic.insert(0, records.collect());
    world
}

#[test]
fn a_dead_letter_that_is_not_delivered_keeps_the_numbers_below_its_record() {
    let world = topic_of(&[Fate::Keep, Fate::Reject, Fate::Keep]);
    let weather = Weather {
        failure_one_in: 1,
        ..Weather::default()
    };
    let (end, _) = run(&world, 3, weather);
    assert_eq!(end.unwrap_err().kind(), Kind::Unavailable);
    let kept = world
        .lock()
        .ledgers
        .get(&0)
        .and_then(|ledger| ledger.next_offset);
    assert!(kept.unwrap_or(0) <= 1, "{kept:?}");
    check(&world).unwrap();
}

/// The partition is counted by another member between the loading of the ledger and the first step.
#[test]
fn numbers_of_another_member_are_not_overwritten() {
    struct Overtaken(TwinLedgers);
    impl Ledgers for Overtaken {
        async fn load(&self, partition: i32) -> Result<Ledger> {
            let loaded = self.0.load(partition).await;
            let ledger = Ledger {
                next_offset: Some(2),
                counts: BTreeMap::from([(("parity", "0".to_owned()), 1)]),
                ..Ledger::default()
            };
            self.0.world.lock().ledgers.insert(partition, ledger);
            loaded
        }

        async fn next_offset(&self, partition: i32) -> Result<Option<i64>> {
            self.0.next_offset(partition).await
        }

        async fn advance(&self, step: &Advance) -> Result<bool> {
            self.0.advance(step).await
        }
    }
    let world = topic_of(&[Fate::Keep; 3]);
    let ledgers = Overtaken(TwinLedgers {
        world: world.clone(),
        seed: 0,
        failure_one_in: 0,
    });
    let dead_letters = TwinDeadLetters::new(&world, Die(1), 0);
    let mut work = FoldEach::new(
        runtime().handle().clone(),
        Reader(read_twin),
        ledgers,
        dead_letters,
        2,
    );
    let mut source = TwinSource::new(&world, Die(1), Weather::default());
    let mut bounds = Bounds::new(bounds::Limits::default(), world.latest(), Instant::now());
    let error = consume(&mut source, &mut work, &mut bounds, &shutdown::channel().1).unwrap_err();
    assert!(error.to_string().contains("another member"), "{error}");
    let ledger = world.lock().ledgers[&0].clone();
    assert_eq!(
        (
            ledger.next_offset,
            ledger.counts[&("parity", "0".to_owned())]
        ),
        (Some(2), 1)
    );
}

/// A record that cannot be read now, because a server is away or a stop came first, is read by the next run, also where repetitions are told
/// by their sequence, and with whatever came behind it: here one beyond the run.
#[test]
fn a_record_that_cannot_be_read_now_is_counted_by_the_next_run() {
    for (seed, stops) in (0..32).flat_map(|seed| [(seed, false), (seed, true)]) {
        let world = topic_of(&[Fate::Keep; 12]);
        let records = std::mem::take(world.lock().topic.get_mut(&0).unwrap());
        let with_a_gap = records
            .into_iter()
            .filter(|it| !(5..11).contains(&it.offset));
        let landed = |kept: Kept| Kept {
            sequence: Some(Sequence {
                landing: uuid::Uuid::nil(),
                number: kept.offset + 1,
            }),
            ..kept
        };
        world
            .lock()
            .topic
            .insert(0, with_a_gap.map(landed).collect());
        let (trigger, shutdown) = shutdown::channel();
        let read = move |_: &Record<'_>| match stops {
            true => {
                trigger.request();
                Ok(Outcome::Unread)
            }
            false => Err(Error::unavailable("the registry is away")),
        };
        let mut source = TwinSource::new(&world, Die(seed), Weather::default());
        let targets = BTreeMap::from([(0, 10)]);
        let end = consumed_by(&world, Reader(read), &mut source, targets, &shutdown);
        match stops {
            true => assert_eq!(end.unwrap(), End::Stopped),
            false => assert_eq!(end.unwrap_err().kind(), Kind::Unavailable),
        }
        assert_eq!(world.lock().ledgers[&0].next_offset, Some(3), "seed {seed}");
        check(&world).unwrap();
        let (end, counts) = run(&world, 1, Weather::default());
        assert_eq!((end.unwrap(), counts.counted), (End::Latest, 3));
        check(&world).unwrap();
    }
}

/// They may be gone from the topic when the next run asks for them.
#[test]
fn what_the_source_has_handed_over_before_it_failed_is_counted() {
    for seed in 0..32 {
        let world = topic_of(&[Fate::Keep; 500]);
        let weather = Weather {
            break_off_one_in: 1,
            ..Weather::default()
        };
        let mut source = TwinSource::new(&world, Die(seed), weather);
        let never = shutdown::channel().1;
        let reader = Reader(read_twin);
        let end = consumed_by(&world, reader, &mut source, world.latest(), &never);
        assert!(end.unwrap_err().to_string().contains("the broker is away"));
        let kept = world.lock().ledgers[&0].next_offset;
        assert_eq!(kept, Some(source.position(0)), "seed {seed}");
        check(&world).unwrap();
    }
}

fn consumed_by<F>(
    world: &World,
    reader: Reader<F>,
    source: &mut TwinSource,
    targets: BTreeMap<i32, i64>,
    shutdown: &shutdown::Shutdown,
) -> Result<End>
where
    F: FnMut(&Record<'_>) -> Result<Outcome<Values>> + Send + 'static,
{
    let ledgers = TwinLedgers {
        world: world.clone(),
        seed: 0,
        failure_one_in: 0,
    };
    let dead_letters = TwinDeadLetters::new(world, Die(1), 0);
    let runtime = runtime().handle().clone();
    let mut work = FoldEach::new(runtime, reader, ledgers, dead_letters, 2);
    let mut bounds = Bounds::new(bounds::Limits::default(), targets, Instant::now());
    consume(source, &mut work, &mut bounds, shutdown)
}
