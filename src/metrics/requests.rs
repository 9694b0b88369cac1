//! Requests to a server, as they are told by whoever sends them.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use super::numbers::Measured;
use super::told::Inner;

/// Requests of one kind. Without a listener it holds nothing.
#[derive(Clone, Default)]
pub struct Requests(pub(super) Option<Arc<Kind>>);

pub(super) struct Kind {
    pub(super) watched_by: Arc<Inner>,
    /// As messages name it.
    pub(super) server: String,
    pub(super) measured: Option<Measured>,
    pub(super) end_to_end: Option<Histogram>,
    pub(super) retries: Counter,
    pub(super) in_flight: Gauge,
    /// The consuming loop itself waits for them.
    pub(super) in_the_loop: bool,
}

/// A request, with all its tries. It is in flight until it is dropped.
pub struct Request<'a> {
    kind: Option<&'a Kind>,
    records: usize,
    failed: AtomicBool,
}

impl Requests {
    /// A request that carries so many records.
    pub fn begin(&self, records: usize) -> Request<'_> {
        let kind = self.0.as_deref();
        if let Some(kind) = kind {
            kind.in_flight.inc();
            kind.watched_by
                .pending(|pending| pending.requests = pending.requests.saturating_add(1));
        }
        Request {
            kind,
            records,
            failed: AtomicBool::new(false),
        }
    }
}

impl Request<'_> {
    /// One try.
    pub async fn attempt<T, E>(&self, attempt: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let Some(kind) = self.kind else {
            return attempt.await;
        };
        if self.failed.load(Ordering::Relaxed) {
            kind.retries.inc();
        }
        kind.waits();
        let begun = Instant::now();
        let result = attempt.await;
        kind.waits();
        match result {
            Ok(_) => self.answered(begun.elapsed()),
            Err(_) => self.failed(),
        }
        result
    }

    pub fn answered(&self, took: Duration) {
        let Some(kind) = self.kind else { return };
        if let Some(measured) = &kind.measured {
            measured.seconds.observe(took.as_secs_f64());
            measured.records.observe(self.records as f64);
        }
        self.out_of_trouble(kind);
    }

    /// The records that have come to their end with it, by their own times in milliseconds since 1970.
    pub fn ended(&self, times_ms: impl Iterator<Item = i64>) {
        let Some(end_to_end) = self.kind.and_then(|kind| kind.end_to_end.as_ref()) else {
            return;
        };
        let now_ms = Timestamp::now().as_millisecond();
        for time_ms in times_ms {
            // A clock that is ahead of ours makes nothing negative.
            let took_ms = now_ms.saturating_sub(time_ms).max(0);
            end_to_end.observe(took_ms as f64 / 1_000.0);
        }
    }

    fn failed(&self) {
        let Some(kind) = self.kind else { return };
        if !self.failed.swap(true, Ordering::Relaxed) {
            kind.watched_by
                .tell(|health, _| health.in_trouble(&kind.server));
        }
    }

    fn out_of_trouble(&self, kind: &Kind) {
        if self.failed.swap(false, Ordering::Relaxed) {
            kind.watched_by
                .tell(|health, _| health.out_of_trouble(&kind.server));
        }
    }
}

impl Drop for Request<'_> {
    fn drop(&mut self) {
        let Some(kind) = self.kind else { return };
        self.out_of_trouble(kind);
        kind.in_flight.dec();
        kind.watched_by
            .pending(|pending| pending.requests = pending.requests.saturating_sub(1));
    }
}

impl Kind {
    fn waits(&self) {
        if self.in_the_loop {
            self.watched_by
                .tell(|health, now| health.waits_in_the_loop(now));
        }
    }
}
