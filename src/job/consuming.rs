//! What the consuming jobs have in common: reaching the servers, the bounds of the run, and the loop on a thread of its own.

mod lag;

use std::collections::BTreeMap;
use std::time::Instant;

use log::info;
use scylla::client::session::Session;
use serde_json::Value;

use crate::boot::Report;
use crate::broker::Broker;
use crate::config::{ConsumerArguments, Server};
use crate::error::{Error, Result};
use crate::metrics::{self, Subject, Watch, Watched};
use crate::pipeline::bounds::{Bounds, End, Limits};
use crate::pipeline::consume::consume;
use crate::pipeline::offsets::OffsetSpans;
use crate::pipeline::work::Work;
use crate::schema_registry::SchemaRegistry;
use crate::shutdown::Shutdown;
use crate::sink::cassandra;
use crate::sink::kafka::KafkaDeadLetters;
use crate::source::kafka::KafkaSource;
use crate::user_reader::UserReader;

/// A job that has reached its servers and not yet joined its group.
pub(super) struct Consuming {
    pub(super) arguments: ConsumerArguments,
    pub(super) group_id: String,
    /// Offset after the last record, by partition, at the start of the run.
    pub(super) targets: BTreeMap<i32, i64>,
    pub(super) watch: Watch,
    source: KafkaSource,
    schema_registry: Option<SchemaRegistry>,
}

impl Consuming {
    pub(super) async fn open(
        group_id: String,
        arguments: ConsumerArguments,
        subject: Subject,
        shutdown: &Shutdown,
    ) -> Result<(Self, Session)> {
        // Said before any server is waited for.
        arguments.schema_registry.urls()?;
        let watch = metrics::serve(&arguments.metrics, subject, shutdown).await?;
        watch.waits_for(&Server::kafka(&arguments.kafka.bootstrap_servers));
        // Both servers are reached at once: by a task of its own, since Kafka's client holds its thread up while it waits.
        let (of_cassandra, patience) = (arguments.cassandra.clone(), arguments.patience);
        let session =
            tokio::spawn(async move { cassandra::connect(&of_cassandra, &patience).await });
        let session = async {
            session
                .await
                .map_err(|cause| Error::bug("connecting to Cassandra broke off").cause(cause))?
        };
        let kafka = async {
            let broker = Broker::connect(&arguments.kafka, &arguments.patience).await?;
            let source = KafkaSource::new(&arguments.kafka, &group_id)?;
            watch.waits_for(&Server::cassandra(arguments.cassandra.address()));
            Ok((broker, source))
        };
        // What the one refuses is told while the other is waited for.
        let ((broker, source), session) = tokio::try_join!(kafka, session)?;
        let registry = Server::schema_registry(arguments.schema_registry.address());
        watch.waits_for(&registry);
        let schema_registry =
            SchemaRegistry::connect(&arguments.schema_registry, &arguments.patience)
                .await?
                .map(|it| it.watched(watch.requests_in_the_loop(&registry, None)));
        watch.waits(|| format!("joining the consumer group {group_id}"));
        broker.existing_partitions(&arguments.kafka.dead_letter_topic())?;
        let consuming = Self {
            group_id,
            targets: broker.latest_offsets(&arguments.kafka.topic)?,
            arguments,
            watch,
            source,
            schema_registry,
        };
        Ok((consuming, session))
    }

    /// Reads the users of the run. Called once.
    pub(super) fn reader(&mut self, shutdown: &Shutdown) -> UserReader {
        UserReader::new(self.schema_registry.take(), shutdown.clone())
    }

    pub(super) fn dead_letters(&self, job: &'static str) -> Result<KafkaDeadLetters> {
        KafkaDeadLetters::new(&self.arguments.kafka, job)
    }

    /// Consumes to the end of the run; the work comes back with its numbers, and what it has settled, also when the run failed on its way.
    pub(super) async fn run<W: Work>(
        self,
        work: W,
        table: &str,
        shutdown: &Shutdown,
    ) -> Result<(W, OffsetSpans, Result<End>)> {
        let kafka = &self.arguments.kafka;
        info!(
            "from topic {} (group {}, {} partitions) to {}.{table}",
            kafka.topic,
            self.group_id,
            self.targets.len(),
            self.arguments.cassandra.keyspace
        );
        self.source.subscribe()?;
        lag::look(kafka, &self.group_id, &self.watch)?;
        let limits = self.arguments.bounds.limits();
        let shutdown = shutdown.clone();
        tokio::task::spawn_blocking(move || {
            let watch = self.watch;
            let mut source = Watched::around(self.source, &watch);
            let mut work = Watched::around(work, &watch);
            let mut bounds = Bounds::new(limits, self.targets, Instant::now());
            let end = consume(&mut source, &mut work, &mut bounds, &shutdown);
            watch.finishes();
            let (work, offsets) = work.finished();
            (work, offsets, end)
        })
        .await
        .map_err(|cause| Error::bug("the consuming thread broke off").cause(cause))
    }
}

/// The report of a run: its numbers and offsets, why it failed, and whether a signal ended it before its own end.
pub(super) fn report<const N: usize>(
    numbers: [(&str, u64); N],
    offsets: &OffsetSpans,
    end: Result<End>,
    limits: Limits,
) -> Report {
    let mut report = Report::of(numbers.map(|(name, number)| (name, Value::from(number))));
    for (name, value) in offsets.told() {
        report.add(name, value);
    }
    match end {
        Ok(End::Stopped) if !limits.follow => report.interrupted(),
        Ok(_) => {}
        Err(error) => report.failure = Some(error),
    }
    report
}
