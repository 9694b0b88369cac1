//! Kafka as the pages see it. Browsing is no member of a group and commits nothing; what is asked of the brokers is bounded in number, in
//! time and in bytes, and what changes slowly is remembered for a moment.

mod cluster;
mod configuration;
mod follow;
mod groups;
mod messages;
mod offsets;
mod reading;
mod remembered;

pub(super) use cluster::{Cluster, Partition, Topic};
pub(super) use configuration::Setting;
pub(super) use follow::Follower;
#[cfg(test)]
pub(super) use groups::PartitionLag;
pub(super) use groups::{Group, GroupLag, Member};
pub(super) use messages::{Cursor, Found, Message, Search, Wish};
pub(super) use offsets::{Commit, Offsets};
pub(super) use reading::Effort;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::admin::AdminClient;
use rdkafka::consumer::{BaseConsumer, Consumer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::broker::{QuietContext, client_config, refused_settings};
use crate::config::{KafkaArguments, Server};
use crate::error::{Error, Result};
use crate::source::kafka::{Records, SpanReader};
use remembered::Remembered;

/// One question to a broker.
const ASK_TIMEOUT: Duration = Duration::from_secs(3);
/// Consumers that read records at the same time, for all visitors together.
const READERS: usize = 4;
/// Clients that ask under the name of a group: each is made for its question.
const CLIENTS: usize = 4;
/// How long a visitor waits for one of them.
const READER_WITHIN: Duration = Duration::from_secs(3);
const REMEMBER_CLUSTER: Duration = Duration::from_secs(2);
const REMEMBER_GROUPS: Duration = Duration::from_secs(2);

pub(in crate::control_center) struct Kafka {
    arguments: KafkaArguments,
    client: Arc<BaseConsumer<QuietContext>>,
    admin: OnceLock<AdminClient<QuietContext>>,
    permits: Arc<Semaphore>,
    clients: Arc<Semaphore>,
    /// Those that nobody uses now.
    readers: Arc<Mutex<Vec<SpanReader>>>,
    cluster: Remembered<Cluster>,
    groups: Remembered<Vec<Group>>,
    /// By the name of the group, and when it was asked for.
    lags: Mutex<HashMap<String, (Instant, GroupLag)>>,
}

impl Kafka {
    pub(in crate::control_center) fn new(arguments: KafkaArguments) -> Result<Self> {
        let own = [
            ("enable.auto.commit", "false"),
            ("allow.auto.create.topics", "false"),
        ];
        let client = client_config(&arguments, &own)?
            .create_with_context(QuietContext)
            .map_err(refused_settings)?;
        Ok(Self {
            arguments,
            client: Arc::new(client),
            admin: OnceLock::new(),
            permits: Arc::new(Semaphore::new(READERS)),
            clients: Arc::new(Semaphore::new(CLIENTS)),
            readers: Arc::default(),
            cluster: Remembered::for_time(REMEMBER_CLUSTER),
            groups: Remembered::for_time(REMEMBER_GROUPS),
            lags: Mutex::default(),
        })
    }

    pub(in crate::control_center) fn arguments(&self) -> &KafkaArguments {
        &self.arguments
    }

    fn server(&self) -> Server {
        Server::kafka(&self.arguments.bootstrap_servers)
    }

    /// Brokers, topics, partitions and their offsets.
    pub(in crate::control_center) async fn cluster(&self) -> Result<Arc<Cluster>> {
        self.cluster.get(|| self.ask(cluster::look)).await
    }

    pub(in crate::control_center) async fn forget_cluster(&self) {
        self.cluster.forget().await;
    }

    /// A topic with the offsets that it has now; nothing where there is none of this name.
    pub(in crate::control_center) async fn topic(&self, name: &str) -> Result<Option<Topic>> {
        let cluster = self.cluster().await?;
        let Some(topic) = cluster.topics.get(name) else {
            return Ok(None);
        };
        let alone = vec![topic.clone()];
        let now = self
            .ask(move |client, server| cluster::with_ends(client, server, alone))
            .await?;
        let topic = now.into_iter().next();
        match topic {
            Some(it) if it.partitions.iter().all(Partition::is_silent) => Err(Error::unavailable(
                format!("no partition of the topic {name} tells its offsets"),
            )
            .hint("try again in a moment; then see whether the partitions have leaders")),
            topic => Ok(topic),
        }
    }

    /// Whether a broker answers now.
    pub(in crate::control_center) async fn probe(&self) -> Result<()> {
        let topic = self.arguments.topic.clone();
        self.ask(move |client, server| {
            let answer = client.fetch_metadata(Some(&topic), ASK_TIMEOUT);
            answer.map(drop).map_err(|cause| {
                Error::unavailable(format!("{server} does not answer"))
                    .cause(cause)
                    .hint("check that it runs there: `streamflow doctor`, or `make status`")
            })
        })
        .await
    }

    /// Consumers that read for somebody now.
    pub(in crate::control_center) fn readers_in_use(&self) -> usize {
        READERS - self.permits.available_permits()
    }

    /// Asks on a thread of its own, since librdkafka blocks.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&BaseConsumer<QuietContext>, &Server) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (client, server) = (self.client.clone(), self.server());
        on_its_own_thread(move || question(&client, &server)).await
    }

    /// For work that makes a client of its own, on a thread of its own: so many at the same time, for all visitors together.
    async fn with_own_client<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let permit =
            tokio::time::timeout(READER_WITHIN, self.clients.clone().acquire_owned()).await;
        let Ok(Ok(permit)) = permit else {
            return Err(Error::unavailable(
                "all clients of the control center are asking for others",
            )
            .hint("try again in a moment"));
        };
        on_its_own_thread(move || {
            // Until the client has ended, also when nobody waits for it any more.
            let _permit = permit;
            work()
        })
        .await
    }

    /// A consumer for reading the topic.
    async fn reader(&self, topic: &str) -> Result<Reader> {
        let permit =
            tokio::time::timeout(READER_WITHIN, self.permits.clone().acquire_owned()).await;
        let Ok(Ok(permit)) = permit else {
            return Err(Error::unavailable(
                "all consumers of the control center are reading for others",
            )
            .hint("try again in a moment"));
        };
        let idle = self
            .readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let reader = match idle {
            Some(mut reader) => {
                reader.turn_to(topic);
                reader
            }
            None => SpanReader::open(&self.arguments, topic, Records::Acknowledged)?,
        };
        Ok(Reader {
            reader: Some(reader),
            idle: self.readers.clone(),
            _permit: permit,
        })
    }
}

/// A consumer that is given back when it is no longer used.
struct Reader {
    reader: Option<SpanReader>,
    idle: Arc<Mutex<Vec<SpanReader>>>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.take()
            && reader.rest().is_ok()
        {
            self.idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(reader);
        }
    }
}

/// For what blocks, or computes for long.
pub(super) async fn on_its_own_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|cause| Error::bug("a thread broke off").cause(cause))?
}
