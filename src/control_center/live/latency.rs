//! How long records take from their landing to their row, as jobs that run tell it in their metrics.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use futures_util::future::join_all;
use reqwest::{Client, Url};

use super::probes::plain;
use crate::capped_body;
use crate::error::{Error, Result};
use crate::metrics::{END_TO_END, end_to_end_bounds};

/// As many as a job has, and one for what took longer.
const BUCKETS: usize = 26;
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// Records by the time that they took: each bucket holds those of at most its bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::control_center) struct Buckets([u64; BUCKETS]);

/// What the jobs have told since the control center was started.
#[derive(Default)]
pub(in crate::control_center) struct Latencies {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last: HashMap<String, Buckets>,
    total: Buckets,
}

impl Latencies {
    /// All of it so far; nothing where no job answers.
    pub(super) async fn look(&self, client: &Client, jobs: &[Url]) -> Option<Buckets> {
        let asked = jobs.iter().map(|job| ask(client, job));
        let answers = join_all(asked).await;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut answered = false;
        for (job, answer) in jobs.iter().zip(answers) {
            let Some(now) = answer.ok().and_then(|text| Buckets::read(&text)) else {
                continue;
            };
            state.see(job, now);
            answered = true;
        }
        answered.then_some(state.total)
    }
}

impl State {
    /// What a job told before we first looked is not counted; a job that was started again has counted from nothing.
    fn see(&mut self, job: &Url, now: Buckets) {
        if let Some(before) = self.last.insert(job.to_string(), now) {
            self.total = self.total.with(&now.since(&before).unwrap_or(now));
        }
    }
}

/// The metrics of a job.
pub(super) async fn ask(client: &Client, job: &Url) -> Result<String> {
    let failed = |cause: reqwest::Error| {
        Error::unavailable(format!("the job at {} does not answer", plain(job)))
            .cause(cause.without_url())
            .hint("check that it runs with --metrics-addr, and what --job-metrics-url (STREAMFLOW_JOB_METRICS_URLS) says")
    };
    let mut at = job.clone();
    if at.path() == "/" {
        at.set_path("/metrics");
    }
    let response = client.get(at).send().await.map_err(failed)?;
    let response = response.error_for_status().map_err(failed)?;
    let body = capped_body::read(response, MAX_ANSWER_BYTES).await;
    let body = body.map_err(failed)?.ok_or_else(|| {
        Error::data(format!(
            "the metrics at {} are larger than 1 MiB",
            plain(job)
        ))
        .hint("--job-metrics-url wants the address of a job of StreamFlow")
    })?;
    Ok(String::from_utf8_lossy(&body).into_owned())
}

impl Buckets {
    /// From the text format of Prometheus or OpenMetrics, where a bucket holds all below it, too. Nothing where a job tells no such thing.
    fn read(text: &str) -> Option<Self> {
        let mut below = [None; BUCKETS];
        for line in text.lines() {
            let told = line.strip_prefix(END_TO_END);
            let Some(told) = told.and_then(|it| it.strip_prefix("_seconds_bucket{")) else {
                continue;
            };
            let (labels, count) = told.split_once('}')?;
            let (_, bound) = labels.split_once("le=\"")?;
            let (bound, _) = bound.split_once('"')?;
            let count = count.split_whitespace().next()?.parse::<f64>().ok()?;
            let place = place_of(bound.parse().ok()?)?;
            below[place] = Some(count as u64);
        }
        let mut before = 0;
        let mut buckets = [0; BUCKETS];
        for (bucket, below) in buckets.iter_mut().zip(below) {
            let below = below?;
            *bucket = below.checked_sub(before)?;
            before = below;
        }
        Some(Self(buckets))
    }

    /// Nothing where it was more before.
    pub(in crate::control_center) fn since(&self, before: &Self) -> Option<Self> {
        let mut grown = *self;
        for (now, before) in grown.0.iter_mut().zip(before.0) {
            *now = now.checked_sub(before)?;
        }
        Some(grown)
    }

    fn with(&self, other: &Self) -> Self {
        let mut sum = *self;
        for (bucket, more) in sum.0.iter_mut().zip(other.0) {
            *bucket = bucket.saturating_add(more);
        }
        sum
    }

    /// In seconds, evenly spread within a bucket, as Prometheus' `histogram_quantile` does it. Nothing without records.
    pub(in crate::control_center) fn quantile(&self, share: f64) -> Option<f64> {
        let total: u64 = self.0.iter().sum();
        if total == 0 {
            return None;
        }
        let rank = share * total as f64;
        let (mut below, mut lower) = (0.0, 0.0);
        for (bucket, bound) in self.0.iter().zip(end_to_end_bounds()) {
            let records = *bucket as f64;
            if records > 0.0 && below + records >= rank {
                return Some(lower + (bound - lower) * (rank - below) / records);
            }
            below += records;
            lower = bound;
        }
        // Longer than the last bound: that is all that is known.
        Some(lower)
    }
}

fn place_of(bound: f64) -> Option<usize> {
    if bound.is_infinite() {
        return Some(BUCKETS - 1);
    }
    end_to_end_bounds().position(|it| (it - bound).abs() < it * 1e-6)
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::histogram::Histogram;
    use prometheus_client::registry::{Registry, Unit};

    use super::*;

    fn url() -> Url {
        Url::parse("http://one:9464/metrics").unwrap()
    }

    /// As a job writes them.
    fn of(times_ms: &[i64]) -> Buckets {
        let histogram = Histogram::new(end_to_end_bounds());
        let job = ("job".into(), "transform-store".into());
        let mut registry = Registry::with_labels(std::iter::once(job));
        registry.register_with_unit(END_TO_END, "Help", Unit::Seconds, histogram.clone());
        for ms in times_ms {
            histogram.observe(*ms as f64 / 1_000.0);
        }
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        Buckets::read(&text).unwrap()
    }

    #[test]
    fn what_a_job_tells_is_read() {
        let one = of(&[3, 3, 3, 900]);
        assert_eq!(one.0.iter().sum::<u64>(), 4);
        assert_eq!((one.0[2], one.0[10]), (3, 1), "{one:?}");
        let long = of(&[100_000_000_000]);
        assert_eq!(long.0[BUCKETS - 1], 1);
        for text in [
            "",
            "streamflow_ready 1\n# EOF",
            "streamflow_end_to_end_latency_seconds_bucket{le=\"0.001\"} x",
        ] {
            assert_eq!(Buckets::read(text), None, "{text}");
        }
    }

    #[test]
    fn quantiles_lie_in_their_buckets() {
        let one = of(&[3, 3, 3, 900]);
        let half = one.quantile(0.5).unwrap();
        assert!(0.002 < half && half < 0.004, "{half}");
        let most = one.quantile(0.99).unwrap();
        assert!(0.512 < most && most <= 1.024, "{most}");
        assert_eq!(Buckets::default().quantile(0.5), None);
        let longest = of(&[100_000_000_000]).quantile(0.5).unwrap();
        assert!((16_000.0..17_000.0).contains(&longest), "{longest}");
    }

    #[test]
    fn only_what_comes_is_counted_and_a_job_that_starts_again_counts_from_nothing() {
        let mut state = State::default();
        let total = |state: &State| state.total.0.iter().sum::<u64>();
        state.see(&url(), of(&[3, 3]));
        assert_eq!(total(&state), 0, "it was there before");
        state.see(&url(), of(&[3, 3, 3, 7]));
        assert_eq!(total(&state), 2);
        state.see(&url(), of(&[900]));
        assert_eq!(total(&state), 3);
    }
}
