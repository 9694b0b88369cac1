//! The pipeline as it is now and was in the last hour: looked at every few seconds by one task, for all visitors together.

mod bottleneck;
mod latency;
mod look;
mod points;
mod probes;
mod strip;

pub use bottleneck::{Level, Sentence};
pub(super) use look::{Looker, Sample};
pub(super) use points::{Moves, Point, Points};
pub(super) use probes::{Component, Health, plain};
pub(super) use strip::encoded;
pub use strip::{Hop, Strip};

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::center::Center;
use crate::error::Result;

const EVERY: Duration = Duration::from_secs(5);
/// Over which time a rate is told.
const RATE_MS: i64 = 60_000;
/// How long a page waits for the first look.
const FIRST_WITHIN: Duration = Duration::from_secs(6);
/// Airflow is asked less often: runs end rarely.
const AIRFLOW_EVERY: u64 = 6;

/// When Airflow's tasks have last ended well, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LastSuccesses {
    pub fetch_publish: Option<i64>,
    pub transform_store: Option<i64>,
    pub aggregate: Option<i64>,
}

pub(super) struct Sampler {
    looker: Looker,
    past: Mutex<(Points, Moves)>,
    successes: Mutex<LastSuccesses>,
    latest: watch::Sender<Option<Arc<Sample>>>,
}

impl Sampler {
    pub(super) fn new(looker: Looker) -> Self {
        Self {
            looker,
            past: Mutex::default(),
            successes: Mutex::default(),
            latest: watch::Sender::new(None),
        }
    }

    async fn step(&self, center: &Arc<Center>) {
        let sample = self.looker.look(center).await;
        {
            let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
            let (points, moves) = &mut *past;
            let point = sample.point();
            moves.see(points.last(), &point);
            points.push(point);
        }
        self.latest.send_replace(Some(Arc::new(sample)));
    }

    /// The last look; waits for the first one.
    pub(super) async fn latest(&self) -> Option<Arc<Sample>> {
        let mut latest = self.latest.subscribe();
        let first = latest.wait_for(Option::is_some);
        match tokio::time::timeout(FIRST_WITHIN, first).await {
            Ok(Ok(sample)) => sample.clone(),
            _ => None,
        }
    }

    /// The points of the last hour, oldest first.
    pub(super) fn points(&self) -> Vec<Point> {
        let past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        past.0.all().copied().collect()
    }

    /// What a page or a terminal shows of it; nothing before the first look.
    pub(super) async fn strip(&self, center: &Center) -> Option<Strip> {
        let sample = self.latest().await?;
        let past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        let successes = *self
            .successes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Some(Strip::of(center, &sample, &past.0, &past.1, &successes))
    }
}

/// Looks until a stop is asked for.
pub(super) async fn run(center: Arc<Center>) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let rounds = async {
        let mut number = 0u64;
        loop {
            ticks.tick().await;
            tokio::join!(center.sampler.step(&center), center.health.probe(&center));
            if number.is_multiple_of(AIRFLOW_EVERY)
                && let Some(airflow) = &center.airflow
                // The next look does not wait for Airflow.
                && let Ok(Ok(found)) =
                    tokio::time::timeout(EVERY, airflow.last_successes()).await
            {
                *center
                    .sampler
                    .successes
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner) = found;
            }
            number += 1;
        }
    };
    tokio::select! {
        () = rounds => {}
        () = center.shutdown.requested() => {}
    }
}

/// The same for a terminal, which looks when it wants to.
pub struct Live(Arc<Center>);

impl Live {
    pub fn new(center: Arc<Center>) -> Self {
        Self(center)
    }

    pub async fn look(&self) -> Result<Strip> {
        self.0.sampler.step(&self.0).await;
        let strip = self.0.sampler.strip(&self.0).await;
        strip.ok_or_else(|| crate::error::Error::bug("a look showed nothing"))
    }
}
