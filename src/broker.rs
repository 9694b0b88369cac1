//! Kafka as a whole: reaching it, its topics and their latest offsets. Consuming is in `source/kafka`, producing in `sink/kafka`.

use std::collections::BTreeMap;
use std::time::Duration;

use log::debug;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::task::block_in_place;

use crate::config::{ConnectArguments, KafkaArguments, Server};
use crate::error::{Error, Kind, Result};
use crate::pipeline::retry::retry;

/// One question to a broker; what is longer is asked again.
const ASK_TIMEOUT: Duration = Duration::from_secs(5);

/// Lets librdkafka's own lines through at debug level: what matters of them comes back as an error of a call.
pub struct QuietContext;

impl ClientContext for QuietContext {
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, message: &str) {
        debug!(target: "librdkafka", "{facility} {message}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        debug!(target: "librdkafka", "{error}: {reason}");
    }
}

impl ConsumerContext for QuietContext {}

/// For a client that the start of a job waits for: librdkafka rests half of it between the connections of a client that has just begun, with its
/// default of 100 ms often as long as all else takes. Not for those that go on asking while no broker is up.
pub const CONNECT_SOON: (&str, &str) = ("reconnect.backoff.ms", "20");

/// The settings that all clients share; `--kafka-option` comes last and wins.
pub fn client_config(kafka: &KafkaArguments, own: &[(&str, &str)]) -> Result<ClientConfig> {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &kafka.bootstrap_servers)
        .set("client.id", "streamflow")
        .set("broker.address.family", "any")
        .set("reconnect.backoff.max.ms", "2000");
    for (key, value) in own {
        config.set(*key, *value);
    }
    for (key, value) in kafka.options()? {
        config.set(key, value);
    }
    Ok(config)
}

/// An error of a client that could not be made: a setting that librdkafka does not take.
pub fn refused_settings(cause: KafkaError) -> Error {
    // The cause can hold the value of a setting, and so a secret: only the name is told.
    let text = match cause {
        KafkaError::ClientConfig(_, _, key, _) => {
            format!("librdkafka does not take the setting {key}")
        }
        _ => "the Kafka client cannot be made".to_owned(),
    };
    Error::configuration(text)
        .hint("check --kafka-option and KAFKA_OPTIONS against librdkafka's CONFIGURATION.md")
}

pub struct Broker {
    client: BaseConsumer<QuietContext>,
    server: Server,
}

impl Broker {
    /// Waits until a broker answers.
    pub async fn connect(kafka: &KafkaArguments, patience: &ConnectArguments) -> Result<Self> {
        let client: BaseConsumer<QuietContext> = client_config(kafka, &[CONNECT_SOON])?
            .create_with_context(QuietContext)
            .map_err(refused_settings)?;
        let server = Server::kafka(&kafka.bootstrap_servers);
        let within = patience.connect_timeout;
        let ask = || async {
            // librdkafka waits by itself while it connects.
            let timeout = ASK_TIMEOUT.min(within.max(Duration::from_millis(100)));
            block_in_place(|| client.fetch_metadata(None, timeout)).map(drop)
        };
        retry(&format!("waiting for {server}"), within, is_passing, ask)
            .await
            .map_err(|cause| match is_denied(&cause) {
                true => server.denied().cause(cause),
                false => server.unreachable(within).cause(cause),
            })?;
        Ok(Self { client, server })
    }

    /// The partitions of a topic, or nothing where there is no such topic.
    pub fn partitions(&self, topic: &str) -> Result<Option<Vec<i32>>> {
        let metadata = block_in_place(|| self.client.fetch_metadata(Some(topic), ASK_TIMEOUT))
            .map_err(|cause| self.failed("does not tell its topics", cause))?;
        let Some(found) = metadata.topics().iter().find(|it| it.name() == topic) else {
            return Ok(None);
        };
        match found.error().map(RDKafkaErrorCode::from) {
            None => {}
            Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
                return Ok(None);
            }
            Some(RDKafkaErrorCode::TopicAuthorizationFailed) => {
                return Err(Error::denied(format!(
                    "{} does not let this user see the topic {topic}",
                    self.server
                ))
                .hint("grant it DESCRIBE and READ or WRITE on the topic"));
            }
            Some(code) => {
                return Err(
                    self.failed("does not tell its topics", KafkaError::MetadataFetch(code))
                );
            }
        }
        Ok(Some(found.partitions().iter().map(|it| it.id()).collect()))
    }

    /// The partitions of a topic that must be there.
    pub fn existing_partitions(&self, topic: &str) -> Result<Vec<i32>> {
        match self.partitions(topic)? {
            Some(partitions) if !partitions.is_empty() => Ok(partitions),
            _ => Err(
                Error::configuration(format!("{} has no topic {topic}", self.server))
                    .hint("make it with `streamflow init`, or name another with --topic or STREAMFLOW_TOPIC"),
            ),
        }
    }

    /// The offset after the last record, by partition.
    pub fn latest_offsets(&self, topic: &str) -> Result<BTreeMap<i32, i64>> {
        let latest = |partition| {
            let (_, high) =
                block_in_place(|| self.client.fetch_watermarks(topic, partition, ASK_TIMEOUT))
                    .map_err(|cause| self.failed("does not tell its latest offsets", cause))?;
            Ok((partition, high))
        };
        self.existing_partitions(topic)?
            .into_iter()
            .map(latest)
            .collect()
    }

    /// Waits until a topic that was just made can be used: brokers learn of it a moment later.
    pub async fn is_usable(&self, topic: &str, within: Duration) -> Result<()> {
        let ask = || async { self.latest_offsets(topic).map(drop) };
        let passing = |error: &Error| error.kind() != Kind::Denied;
        retry(
            &format!("waiting for the new topic {topic}"),
            within,
            passing,
            ask,
        )
        .await
    }

    /// Version-independent facts for `streamflow doctor`: how many brokers answer.
    pub fn brokers(&self) -> Result<usize> {
        let metadata = block_in_place(|| self.client.fetch_metadata(None, ASK_TIMEOUT))
            .map_err(|cause| self.failed("does not tell its brokers", cause))?;
        Ok(metadata.brokers().len())
    }

    fn failed(&self, what: &str, cause: KafkaError) -> Error {
        Error::unavailable(format!("{} {what}", self.server))
            .cause(cause)
            .hint("check the broker's log")
    }
}

/// A topic to make.
pub struct TopicPlan<'a> {
    pub name: &'a str,
    pub partitions: i32,
    pub replication: i32,
    pub settings: Vec<(&'a str, String)>,
}

/// Makes a topic, and says whether it was new.
pub async fn create_topic(kafka: &KafkaArguments, plan: &TopicPlan<'_>) -> Result<bool> {
    let admin: AdminClient<QuietContext> = client_config(kafka, &[])?
        .create_with_context(QuietContext)
        .map_err(refused_settings)?;
    let mut topic = NewTopic::new(
        plan.name,
        plan.partitions,
        TopicReplication::Fixed(plan.replication),
    );
    for (key, value) in &plan.settings {
        topic = topic.set(key, value);
    }
    let options = AdminOptions::new()
        .request_timeout(Some(Duration::from_secs(20)))
        .operation_timeout(Some(Duration::from_secs(20)));
    let server = Server::kafka(&kafka.bootstrap_servers);
    let results = admin
        .create_topics([&topic], &options)
        .await
        .map_err(|cause| {
            Error::unavailable(format!("{server} did not make the topic {}", plan.name))
                .cause(cause)
        })?;
    match results.into_iter().next() {
        Some(Ok(_)) => Ok(true),
        Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => Ok(false),
        Some(Err((
            _,
            code @ (RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::ClusterAuthorizationFailed),
        ))) => Err(Error::denied(format!(
            "{server} does not let this user make the topic {}",
            plan.name
        ))
        .cause(code)
        .hint("grant it CREATE, or let somebody else make the topic")),
        Some(Err((_, code))) => Err(Error::configuration(format!(
            "{server} refused the topic {}",
            plan.name
        ))
        .cause(code)
        .hint("check --partitions and --replication-factor against the number of brokers")),
        None => Err(Error::bug("a topic was asked for and no answer came")),
    }
}

/// The offsets that a group has committed, by partition, without those where it has none. The group is not joined.
pub fn committed_offsets(
    kafka: &KafkaArguments,
    group_id: &str,
    topic: &str,
    partitions: &[i32],
) -> Result<BTreeMap<i32, i64>> {
    let client: BaseConsumer<QuietContext> = client_config(kafka, &[("group.id", group_id)])?
        .create_with_context(QuietContext)
        .map_err(refused_settings)?;
    let untold = |cause: KafkaError| {
        let server = Server::kafka(&kafka.bootstrap_servers);
        let message = format!("{server} does not tell what the group {group_id} has committed");
        match cause.rdkafka_error_code() {
            Some(RDKafkaErrorCode::GroupAuthorizationFailed) => Error::denied(message)
                .cause(cause)
                .hint("grant this user DESCRIBE on the consumer group"),
            _ => Error::unavailable(message)
                .cause(cause)
                .hint("check the broker's log"),
        }
    };
    let mut list = TopicPartitionList::new();
    for &partition in partitions {
        list.add_partition(topic, partition);
    }
    block_in_place(|| client.committed_offsets(list, ASK_TIMEOUT))
        .and_then(|told| offsets_of(&told))
        .map_err(untold)
}

/// The offsets that a broker has told, by partition, without those where it has none.
pub fn offsets_of(told: &TopicPartitionList) -> Result<BTreeMap<i32, i64>, KafkaError> {
    let mut offsets = BTreeMap::new();
    for element in told.elements() {
        element.error()?;
        if let Offset::Offset(offset) = element.offset() {
            offsets.insert(element.partition(), offset);
        }
    }
    Ok(offsets)
}

fn is_denied(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::Authentication
                | RDKafkaErrorCode::SaslAuthenticationFailed
                | RDKafkaErrorCode::ClusterAuthorizationFailed
        )
    )
}

fn is_passing(error: &KafkaError) -> bool {
    !is_denied(error)
}
