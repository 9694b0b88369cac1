//! What the control center tells Prometheus of itself: requests by page, how long they took, streams and readers, the process.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use jiff::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::center::Center;
use crate::metrics::encode_process;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    page: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfPage {
    page: String,
}

pub(super) struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    seconds: Family<OfPage, Histogram, fn() -> Histogram>,
    tails: Gauge,
    readers: Gauge,
}

/// Of the process, asked for at each scrape.
#[derive(Debug)]
struct OfTheProcess {
    started_seconds: f64,
}

impl Collector for OfTheProcess {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        encode_process(&mut encoder, self.started_seconds)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let of_the_program = ("job".into(), "control-center".into());
        let mut registry = Registry::with_labels(std::iter::once(of_the_program));
        // 1 ms to 16 s: a page waits for a server for a few seconds at the most.
        let buckets: fn() -> Histogram = || Histogram::new(exponential_buckets(0.001, 2.0, 15));
        let metrics = Self {
            requests: Family::default(),
            seconds: Family::new_with_constructor(buckets),
            tails: Gauge::default(),
            readers: Gauge::default(),
            registry: Registry::default(),
        };
        registry.register(
            "streamflow_control_center_requests",
            "Requests by the page's address and the status of the answer",
            metrics.requests.clone(),
        );
        registry.register_with_unit(
            "streamflow_control_center_page",
            "Time until an answer begins, by the page's address",
            Unit::Seconds,
            metrics.seconds.clone(),
        );
        registry.register(
            "streamflow_control_center_tails_open",
            "Live views of a topic that are open",
            metrics.tails.clone(),
        );
        registry.register(
            "streamflow_control_center_readers_in_use",
            "Consumers that read for a page now",
            metrics.readers.clone(),
        );
        registry.register_collector(Box::new(OfTheProcess {
            started_seconds: Timestamp::now().as_millisecond() as f64 / 1_000.0,
        }));
        Self {
            registry,
            ..metrics
        }
    }
}

impl Metrics {
    /// What is open now is told by who has it.
    pub(super) fn text(
        &self,
        readers_in_use: usize,
        tails_open: usize,
    ) -> Result<String, fmt::Error> {
        self.readers.set(readers_in_use as i64);
        self.tails.set(tails_open as i64);
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }

    fn count(&self, page: &str, status: u16, seconds: f64) {
        let page = page.to_owned();
        self.seconds
            .get_or_create(&OfPage { page: page.clone() })
            .observe(seconds);
        self.requests
            .get_or_create(&Answered { page, status })
            .inc();
    }
}

/// Around everything. A page is named by its route, so that no address that somebody makes up becomes a number of its own.
pub(super) async fn count(
    State(center): State<Arc<Center>>,
    request: Request,
    next: Next,
) -> Response {
    let page = request.extensions().get::<MatchedPath>().cloned();
    let begun = Instant::now();
    let response = next.run(request).await;
    let page = page.as_ref().map_or("none", MatchedPath::as_str);
    let status = response.status().as_u16();
    center
        .metrics
        .count(page, status, begun.elapsed().as_secs_f64());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_times_streams_and_readers_are_told() {
        let metrics = Metrics::default();
        metrics.count("/clusters/{cluster}", 200, 0.02);
        let text = metrics.text(3, 1).unwrap();
        for line in [
            "streamflow_control_center_requests_total{job=\"control-center\",page=\"/clusters/{cluster}\",status=\"200\"} 1",
            "streamflow_control_center_tails_open{job=\"control-center\"} 1",
            "streamflow_control_center_readers_in_use{job=\"control-center\"} 3",
            "streamflow_control_center_page_seconds_count{job=\"control-center\",page=\"/clusters/{cluster}\"} 1",
            "process_resident_memory_bytes",
        ] {
            assert!(text.contains(line), "{line}:\n{text}");
        }
    }
}
