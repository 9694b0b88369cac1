//! The metrics of a job, made at its start, so that each is there from the first scrape on.

use std::collections::BTreeMap;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::{Operation, Subject};

/// One label. Its values are few and known: never an id, never a content.
type Label = [(&'static str, &'static str); 1];

/// Upper bounds of the buckets for the time from a record to its row: 1 ms to 4.7 hours, doubled each time.
pub(crate) fn end_to_end_bounds() -> impl Iterator<Item = f64> {
    exponential_buckets(0.001, 2.0, 25)
}

/// The histogram of these times.
pub(crate) const END_TO_END: &str = "streamflow_end_to_end_latency";

/// What is counted where it happens; the rest is computed at a scrape.
#[derive(Debug)]
pub(super) struct Numbers {
    records: Family<Label, Counter>,
    retries: Family<Label, Counter>,
    requests_in_flight: Family<Label, Gauge>,
    measured: BTreeMap<&'static str, Measured>,
    /// Of a job that stores rows.
    pub(super) end_to_end: Option<Histogram>,
    pub(super) rebalances: Counter,
}

/// How large the requests of an operation are, and how long they take.
#[derive(Debug, Clone)]
pub(super) struct Measured {
    pub(super) records: Histogram,
    pub(super) seconds: Histogram,
}

impl Numbers {
    pub(super) fn register(subject: &Subject, registry: &mut Registry) -> Self {
        let records = Family::default();
        registry.register(
            "streamflow_records",
            "Records by what became of them",
            records.clone(),
        );
        for outcome in subject.outcomes {
            drop(records.get_or_create(&[("outcome", *outcome)]));
        }
        let (retries, requests_in_flight) = (Family::default(), Family::default());
        registry.register(
            "streamflow_retries",
            "Requests that failed and were tried again, by server",
            retries.clone(),
        );
        registry.register(
            "streamflow_requests_in_flight",
            "Requests that wait for their answer, by server",
            requests_in_flight.clone(),
        );
        for server in subject.servers {
            drop(retries.get_or_create(&[("server", *server)]));
            drop(requests_in_flight.get_or_create(&[("server", *server)]));
        }
        let measured = subject.operations.iter().map(|&operation| {
            let measured = Measured::register(operation, registry);
            (operation.as_str(), measured)
        });
        let measured = measured.collect();
        let end_to_end = subject.operations.contains(&Operation::Store).then(|| {
            let seconds = Histogram::new(end_to_end_bounds());
            registry.register_with_unit(
                END_TO_END,
                "From the time of a record (its landing) to the acknowledgement of its row",
                Unit::Seconds,
                seconds.clone(),
            );
            seconds
        });
        let rebalances = Counter::default();
        if subject.consumes {
            registry.register(
                "streamflow_rebalances",
                "How often the consumer group has given this member its partitions",
                rebalances.clone(),
            );
        }
        Self {
            records,
            retries,
            requests_in_flight,
            measured,
            end_to_end,
            rebalances,
        }
    }

    pub(super) fn add(&self, outcome: &'static str, records: u64) {
        self.records
            .get_or_create(&[("outcome", outcome)])
            .inc_by(records);
    }

    pub(super) fn retries(&self, server: &'static str) -> Counter {
        self.retries.get_or_create_owned(&[("server", server)])
    }

    pub(super) fn requests_in_flight(&self, server: &'static str) -> Gauge {
        self.requests_in_flight
            .get_or_create_owned(&[("server", server)])
    }

    pub(super) fn measured(&self, operation: Operation) -> Option<Measured> {
        self.measured.get(operation.as_str()).cloned()
    }
}

impl Measured {
    fn register(operation: Operation, registry: &mut Registry) -> Self {
        let (name, what) = (operation.as_str(), operation.describe());
        let measured = Self {
            // 1 to 8,192: the largest page has 5,000 users.
            records: Histogram::new(exponential_buckets(1.0, 2.0, 14)),
            // 1 ms to 16 s: a request may take 10 s.
            seconds: Histogram::new(exponential_buckets(0.001, 2.0, 15)),
        };
        registry.register_with_unit(
            format!("streamflow_{name}"),
            format!("Records of {what}"),
            Unit::Other("records".to_owned()),
            measured.records.clone(),
        );
        registry.register_with_unit(
            format!("streamflow_{name}"),
            format!("Time of {what}"),
            Unit::Seconds,
            measured.seconds.clone(),
        );
        measured
    }
}
