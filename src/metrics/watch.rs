//! What the parts of a job are handed, to tell what they do.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use prometheus_client::encoding::text;

use super::lag::{Offsets, Standing};
use super::requests::{Kind, Requests};
use super::told::{Inner, State};
use super::{Operation, Subject};
use crate::config::Server;
use crate::pipeline::work::Account;
use crate::shutdown::Shutdown;

/// Cloned freely; all clones tell the same listener, or none.
#[derive(Clone, Default)]
pub struct Watch(Option<Arc<Inner>>);

impl Watch {
    pub(super) fn new(subject: Subject, shutdown: Shutdown) -> Self {
        Self(Some(Arc::new(Inner::new(subject, shutdown))))
    }

    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// The job waits for a server at its start.
    pub fn waits_for(&self, server: &Server) {
        self.waits(|| format!("waiting for {server}"));
    }

    pub fn waits(&self, what: impl FnOnce() -> String) {
        self.tell(|state, _| state.health.waits(what()));
    }

    pub fn works(&self) {
        self.tell(|state, _| state.health.works());
    }

    pub fn finishes(&self) {
        self.tell(|state, _| state.health.finishes());
    }

    /// A server that was asked beside the work did not answer, or does again.
    pub fn is_away(&self, server: &Server, away: bool) {
        self.tell(|state, _| match away {
            true => state.health.in_trouble(&server.to_string()),
            false => state.health.out_of_trouble(&server.to_string()),
        });
    }

    /// Records that have come to an outcome.
    pub fn add(&self, outcome: &'static str, records: u64) {
        let Some(inner) = &self.0 else { return };
        if records > 0 {
            inner.numbers.add(outcome, records);
            self.tell(|state, now| state.health.progressed(now));
        }
    }

    /// The requests of an operation.
    pub fn requests(&self, server: &Server, operation: Operation) -> Requests {
        self.kind(server, Some(operation), false)
    }

    /// The requests of an operation for which the consuming loop itself waits.
    pub fn requests_in_the_loop(&self, server: &Server, operation: Option<Operation>) -> Requests {
        self.kind(server, operation, true)
    }

    fn kind(&self, server: &Server, operation: Option<Operation>, in_the_loop: bool) -> Requests {
        Requests(self.0.as_ref().map(|inner| {
            Arc::new(Kind {
                watched_by: inner.clone(),
                server: server.to_string(),
                measured: operation.and_then(|it| inner.numbers.measured(it)),
                end_to_end: operation
                    .filter(|it| *it == Operation::Store)
                    .and_then(|_| inner.numbers.end_to_end.clone()),
                retries: inner.numbers.retries(server.label),
                in_flight: inner.numbers.requests_in_flight(server.label),
                in_the_loop,
            })
        }))
    }

    /// How the loop stands, for who asks Kafka how far the group is.
    pub fn standing(&self) -> Standing {
        let mut standing = Standing::default();
        self.tell(|state, _| standing = state.partitions.clone());
        standing
    }

    /// What Kafka told, asked for when the loop stood so.
    pub fn offsets(&self, standing: Standing, offsets: BTreeMap<i32, Offsets>) {
        self.tell(|state, now| state.offsets(standing, offsets, now));
    }

    pub(super) fn rebalanced(&self) {
        if let Some(inner) = &self.0 {
            inner.numbers.rebalances.inc();
        }
    }

    /// The group has given us these partitions, which may be none.
    pub(super) fn assigned(&self, partitions: impl Iterator<Item = i32>) {
        self.tell(|state, _| {
            state.partitions.assigned.extend(partitions);
            state.health.works();
        });
    }

    pub(super) fn released(&self, partitions: &[i32]) {
        self.tell(|state, _| {
            for partition in partitions {
                state.partitions.assigned.remove(partition);
                state.partitions.ended.remove(partition);
                state.lags.remove(partition);
            }
        });
    }

    pub(super) fn end_of_partition(&self, partition: i32) {
        self.tell(|state, _| {
            state.partitions.ended.insert(partition);
        });
    }

    pub(super) fn paused(&self, paused: bool) {
        self.tell(|state, _| state.paused = paused);
    }

    pub(super) fn turned(&self) {
        self.tell(|state, now| state.health.turned(now));
    }

    /// The numbers of the work: what has grown is counted.
    pub(super) fn account(&self, account: Account) {
        let Some(inner) = &self.0 else { return };
        self.tell(|state, now| {
            let grown = state.account(account, now);
            for (outcome, records) in grown {
                inner.numbers.add(outcome, records);
            }
        });
    }

    fn tell(&self, change: impl FnOnce(&mut State, Instant)) {
        if let Some(inner) = &self.0 {
            inner.told.change(change);
        }
    }

    pub(super) fn is_alive(&self) -> Result<(), String> {
        match &self.0 {
            Some(inner) => inner.told.is_alive(),
            None => Ok(()),
        }
    }

    pub(super) fn is_ready(&self) -> Result<(), String> {
        match &self.0 {
            Some(inner) => inner.told.is_ready(),
            None => Ok(()),
        }
    }

    pub(super) fn text(&self) -> Result<String, fmt::Error> {
        let mut out = String::new();
        if let Some(inner) = &self.0 {
            text::encode(&mut out, &inner.registry)?;
        }
        Ok(out)
    }
}
