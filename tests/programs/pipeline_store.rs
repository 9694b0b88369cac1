//! The loop with a store that finishes in any order and fails, under rebalances, crashes and stops: nothing is committed before it is safe,
//! and nothing is left out.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use streamflow::error::{Error, Result};
use streamflow::pipeline::batch::Limits;
use streamflow::pipeline::bounds::{self, Bounds, End};
use streamflow::pipeline::consume::consume;
use streamflow::pipeline::outcome::Outcome;
use streamflow::pipeline::record::Record;
use streamflow::pipeline::store::{Counts, Flow, Store, StoreEach};
use streamflow::rejection::{Reason, Rejection};
use streamflow::shutdown;

use crate::pipeline_twin::{TwinDeadLetters, TwinSource, Weather};
use crate::pipeline_world::{Die, Fate, World, fate_of};

pub fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(2).enable_all().build().unwrap()
    })
}

/// Stores after a while, and now and then fails for good.
struct TwinStore {
    world: World,
    seed: u64,
    failure_one_in: u64,
}

impl Store<(i32, i64)> for TwinStore {
    async fn store(&self, rows: Vec<(i32, i64)>) -> Result<()> {
        let (partition, offset) = rows[0];
        let mut die = Die(self.seed ^ ((partition as u64) << 32) ^ offset as u64);
        for _ in 0..die.roll(40) {
            tokio::task::yield_now().await;
        }
        if die.one_in(4) {
            tokio::time::sleep(Duration::from_millis(die.roll(3))).await;
        }
        if die.one_in(self.failure_one_in) {
            return Err(Error::unavailable("the store fails"));
        }
        rows.into_iter()
            .for_each(|origin| self.world.make_safe(origin));
        Ok(())
    }
}

const FLOW: Flow = Flow {
    batch: Limits {
        rows: 3,
        bytes: 1_000,
    },
    batches_in_flight: 3,
    batches_waiting: 2,
    dead_letters_in_flight: 2,
};

fn run(
    world: &World,
    seed: u64,
    weather: Weather,
    limits: bounds::Limits,
    shutdown: &shutdown::Shutdown,
) -> (Result<End>, Counts) {
    world.lock().crashed = false;
    let mut source = TwinSource::new(world, Die(seed), weather);
    let store = TwinStore {
        world: world.clone(),
        seed,
        failure_one_in: weather.failure_one_in,
    };
    let dead_letters = TwinDeadLetters::new(world, Die(seed + 1), weather.failure_one_in);
    let filtered = world.clone();
    let read = move |record: &Record<'_>| {
        Ok(match fate_of(record) {
            Fate::Keep => Outcome::Keep(((record.partition, record.offset), 10)),
            Fate::Reject => Outcome::Reject(Rejection::of(Reason::InvalidJson)),
            Fate::Filter => {
                filtered.make_safe((record.partition, record.offset));
                Outcome::Filter
            }
        })
    };
    let mut work = StoreEach::new(runtime().handle().clone(), read, store, dead_letters, FLOW);
    let mut bounds = Bounds::new(limits, world.latest(), Instant::now());
    let end = consume(&mut source, &mut work, &mut bounds, shutdown);
    (end, work.counts())
}

const CALM: Weather = Weather {
    rebalance_one_in: 0,
    nothing_one_in: 5,
    failure_one_in: 0,
    break_off_one_in: 0,
    crash_after: None,
};

fn never() -> shutdown::Shutdown {
    shutdown::channel().1
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_committed_before_it_is_safe_and_nothing_is_left_out(
        seed in any::<u64>(),
        partitions in 1i32..4,
        rebalance_one_in in prop::sample::select(vec![0u64, 10, 40]),
        failure_one_in in prop::sample::select(vec![0u64, 12, 60]),
        break_off_one_in in prop::sample::select(vec![0u64, 12]),
        crash_after in prop::option::of(1u64..60),
    ) {
        let mut die = Die(seed);
        let world = World::with_topic(&mut die, partitions, 60);
        let weather = Weather { rebalance_one_in, nothing_one_in: 6, failure_one_in, break_off_one_in, crash_after };
        for attempt in 0..4 {
            let (_, counts) = run(&world, seed.wrapping_add(attempt), weather, bounds::Limits::default(), &never());
            let settled = counts.stored + counts.filtered + counts.dead_lettered;
            prop_assert!(settled <= counts.consumed, "{counts:?}");
            prop_assert_eq!(&world.lock().broken_promises, &Vec::<String>::new());
        }
        let (end, counts) = run(&world, seed, CALM, bounds::Limits::default(), &never());
        prop_assert_eq!(end.unwrap(), End::Latest);
        prop_assert_eq!(counts.consumed, counts.stored + counts.filtered + counts.dead_lettered);
        prop_assert!(world.all_safe());
        prop_assert_eq!(&world.lock().broken_promises, &Vec::<String>::new());
        let (end, counts) = run(&world, seed, CALM, bounds::Limits::default(), &never());
        prop_assert_eq!((end.unwrap(), counts.consumed), (End::Latest, 0), "all is committed");
    }

    #[test]
    fn a_number_of_records_and_a_stop_leave_everything_begun_safe_and_committed(seed in any::<u64>(), max in 1u64..40) {
        let world = World::with_topic(&mut Die(seed), 2, 60);
        let all: u64 = world.lock().topic.values().map(|records| records.len() as u64).sum();
        let limits = bounds::Limits { max_records: Some(max), ..bounds::Limits::default() };
        // A pause delivers again: so the first run may consume fewer than the number, never more.
        let (end, counts) = run(&world, seed, CALM, limits, &never());
        prop_assert!(counts.consumed <= max.min(all));
        prop_assert_eq!(counts.consumed, counts.stored + counts.filtered + counts.dead_lettered);
        prop_assert!(matches!(end.unwrap(), End::MaxRecords | End::Latest));

        let (trigger, shutdown) = shutdown::channel();
        trigger.request();
        let (end, _) = run(&world, seed, CALM, bounds::Limits::default(), &shutdown);
        prop_assert_eq!(end.unwrap(), End::Stopped);
        let (_, rest) = run(&world, seed, CALM, bounds::Limits::default(), &never());
        prop_assert_eq!(counts.consumed + rest.consumed, all, "nothing twice, nothing left");
    }
}

/// A record that cannot be read now, because a server is away or a stop came first, holds the commit below itself: the next run reads it.
#[test]
fn a_record_that_cannot_be_read_now_is_left_to_the_next_run() {
    for stops in [false, true] {
        let world = World::with_topic(&mut Die(5), 1, 60);
        let all = world.lock().topic[&0].len() as u64;
        let at = world.lock().topic[&0][all as usize / 2].offset;
        let (trigger, shutdown) = shutdown::channel();
        let safe = world.clone();
        let read = move |record: &Record<'_>| {
            if record.offset == at && stops {
                trigger.request();
                return Ok(Outcome::Unread);
            } else if record.offset == at {
                return Err(Error::unavailable("the registry is away"));
            }
            if record.offset % 2 == 0 {
                return Ok(Outcome::Keep(((record.partition, record.offset), 10)));
            }
            safe.make_safe((record.partition, record.offset));
            Ok(Outcome::Filter)
        };
        let store = TwinStore {
            world: world.clone(),
            seed: 0,
            failure_one_in: 0,
        };
        let dead_letters = TwinDeadLetters::new(&world, Die(1), 0);
        let mut work = StoreEach::new(runtime().handle().clone(), read, store, dead_letters, FLOW);
        let mut source = TwinSource::new(&world, Die(1), CALM);
        let mut bounds = Bounds::new(bounds::Limits::default(), world.latest(), Instant::now());
        let end = consume(&mut source, &mut work, &mut bounds, &shutdown);
        match stops {
            true => assert_eq!(end.unwrap(), End::Stopped),
            false => assert!(end.is_err()),
        }
        assert_eq!(work.counts().unsettled(), 1);
        assert_eq!(world.lock().committed.get(&0).copied(), Some(at));
        let (end, _) = run(&world, 5, CALM, bounds::Limits::default(), &never());
        assert_eq!(end.unwrap(), End::Latest);
        assert!(world.all_safe());
        assert_eq!(world.lock().broken_promises, Vec::<String>::new());
    }
}
