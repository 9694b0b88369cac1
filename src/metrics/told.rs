//! The one place where everything that is told comes together.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use prometheus_client::registry::Registry;

use super::Subject;
use super::health::{Health, Pending};
use super::lag::{Lag, Offsets, Standing};
use super::numbers::Numbers;
use crate::pipeline::work::Account;
use crate::shutdown::Shutdown;

pub(super) struct Inner {
    pub(super) numbers: Numbers,
    pub(super) registry: Registry,
    pub(super) told: Arc<Told>,
}

/// From what the rest is computed at a scrape.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) subject: Subject,
    pub(super) started_seconds: f64,
    shutdown: Shutdown,
    state: Mutex<State>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) health: Health,
    pub(super) partitions: Standing,
    pub(super) paused: bool,
    pub(super) lags: BTreeMap<i32, i64>,
    pub(super) account: Account,
    lag: Lag,
}

impl Inner {
    pub(super) fn new(subject: Subject, shutdown: Shutdown) -> Self {
        let told = Arc::new(Told {
            subject,
            started_seconds: jiff::Timestamp::now().as_millisecond() as f64 / 1_000.0,
            shutdown,
            state: Mutex::new(State {
                health: Health::new(Instant::now()),
                partitions: Standing::default(),
                paused: false,
                lags: BTreeMap::new(),
                account: Account::default(),
                lag: Lag::default(),
            }),
        });
        let job = ("job".into(), subject.job.into());
        let mut registry = Registry::with_labels(std::iter::once(job));
        let numbers = Numbers::register(&subject, &mut registry);
        registry.register_collector(Box::new(told.clone()));
        Self {
            numbers,
            registry,
            told,
        }
    }

    pub(super) fn tell(&self, change: impl FnOnce(&mut Health, Instant)) {
        self.told
            .change(|state, now| change(&mut state.health, now));
    }

    pub(super) fn pending(&self, change: impl FnOnce(&mut Pending)) {
        self.tell(|health, now| health.pending(now, change));
    }
}

impl Told {
    pub(super) fn change(&self, change: impl FnOnce(&mut State, Instant)) {
        // Who broke off while it told something has left numbers that can still be read.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state, Instant::now());
    }

    pub(super) fn read<T>(&self, read: impl FnOnce(&State, Instant) -> T) -> T {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        read(&state, Instant::now())
    }

    pub(super) fn is_alive(&self) -> Result<(), String> {
        self.read(|state, now| state.health.is_alive(now))
    }

    pub(super) fn is_ready(&self) -> Result<(), String> {
        if self.shutdown.is_requested() {
            return Err("finishing".to_owned());
        }
        self.read(|state, now| state.health.is_ready(now))
    }
}

impl State {
    pub(super) fn offsets(
        &mut self,
        standing: Standing,
        offsets: BTreeMap<i32, Offsets>,
        now: Instant,
    ) {
        self.lags = self.lag.look(standing, offsets);
        // They may have been handed on while Kafka was asked.
        let assigned = &self.partitions.assigned;
        self.lags
            .retain(|partition, _| assigned.contains(partition));
        let to_go = self.lags.values().sum::<i64>().unsigned_abs();
        self.health
            .pending(now, |pending| pending.records_to_go = to_go);
    }

    /// Takes the numbers of the work over, and says by how much each has grown.
    pub(super) fn account(&mut self, account: Account, now: Instant) -> Vec<(&'static str, u64)> {
        let before = std::mem::replace(&mut self.account, account);
        let Account {
            consumed,
            ref outcomes,
            in_flight,
            dead_letters_in_flight: _,
        } = self.account;
        let mut grown = vec![("consumed", consumed.saturating_sub(before.consumed))];
        for &(outcome, records) in outcomes {
            let had = before.outcomes.iter().find(|it| it.0 == outcome);
            let had = had.map_or(0, |it| it.1);
            grown.push((outcome, records.saturating_sub(had)));
        }
        if grown[1..].iter().any(|it| it.1 > 0) {
            self.health.progressed(now);
        }
        self.health
            .pending(now, |pending| pending.records_in_flight = in_flight);
        self.partitions.consumed = consumed;
        self.partitions.is_idle = in_flight == 0 && !self.paused;
        grown
    }
}
