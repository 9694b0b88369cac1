//! Fills a topic with users, as `fetch-publish` would, without the landing.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Error, Result, bail};
use rand::SeedableRng;
use rand::distr::{Alphanumeric, Distribution};
use rand::rngs::StdRng;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};
use rdkafka::{ClientConfig, ClientContext};
use serde_json::{Value, json};
use streamflow::pipeline::sequence::{SEQUENCE_HEADER, Sequence};
use uuid::Uuid;

use crate::users::Which;

const UNTIL_DELIVERED: Duration = Duration::from_secs(60);

/// Publish users, as fast as the broker takes them
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    topic: Topic,
    /// Bytes of a field that nobody knows, in each record: letters and digits by chance, since repeated ones would all but vanish on the way
    #[arg(long, default_value_t = 0)]
    padding: usize,
}

/// Where the users go.
#[derive(clap::Args)]
pub struct Topic {
    #[arg(long, env = "KAFKA_BOOTSTRAP_SERVERS")]
    pub bootstrap_servers: String,
    #[arg(long, env = "STREAMFLOW_TOPIC")]
    pub topic: String,
}

/// Why the first record that the broker did not take was not taken.
#[derive(Default)]
struct FirstFailure(OnceLock<KafkaError>);

impl ClientContext for FirstFailure {}

impl ProducerContext for FirstFailure {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            let _ = self.0.set(error.clone());
        }
    }
}

pub struct Publisher {
    producer: ThreadedProducer<FirstFailure>,
    topic: String,
    /// Where its next user stands in a landing that is not there.
    sequence: Sequence,
}

impl Topic {
    pub fn publisher(self, linger_ms: u32) -> Result<Publisher> {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.bootstrap_servers)
            .set("acks", "all")
            .set("linger.ms", linger_ms.to_string())
            .set("compression.type", "lz4")
            .set("batch.size", "1000000")
            .set("partitioner", "murmur2_random");
        let producer = ThreadedProducer::from_config_and_context(&config, FirstFailure::default())?;
        let sequence = Sequence {
            landing: Uuid::new_v4(),
            number: 1,
        };
        Ok(Publisher {
            producer,
            topic: self.topic,
            sequence,
        })
    }
}

impl Publisher {
    pub fn publish(&mut self, id: Uuid, value: &[u8]) -> Result<()> {
        let key = id.to_string();
        let sequence = self.sequence.to_header();
        self.sequence.number += 1;
        loop {
            let header = Header {
                key: SEQUENCE_HEADER,
                value: Some(&sequence),
            };
            let headers = OwnedHeaders::new_with_capacity(1).insert(header);
            let record = BaseRecord::to(&self.topic)
                .key(&key)
                .payload(value)
                .headers(headers);
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err((error, _)) => bail!("a record cannot be sent: {error}"),
            }
        }
    }

    /// Waits until all are acknowledged.
    pub fn finish(self) -> Result<()> {
        self.producer.flush(UNTIL_DELIVERED)?;
        match self.producer.context().0.get() {
            Some(error) => bail!(
                "the broker did not take a record for the topic {}: {error}",
                self.topic
            ),
            None => Ok(()),
        }
    }
}

pub fn run(arguments: Arguments) -> Result<Value> {
    let begun = Instant::now();
    let mut publisher = arguments.topic.publisher(5)?;
    let mut bytes = 0;
    let mut noise = StdRng::seed_from_u64(0);
    arguments.which.each(|id, event| {
        let mut value = event.encode().map_err(Error::msg)?;
        if arguments.padding > 0 {
            value.pop();
            value.extend_from_slice(b",\"padding\":\"");
            value.extend(Alphanumeric.sample_iter(&mut noise).take(arguments.padding));
            value.extend_from_slice(b"\"}");
        }
        bytes += value.len();
        publisher.publish(id, &value)
    })?;
    publisher.finish()?;
    Ok(
        json!({"users": arguments.which.users, "bytes": bytes, "elapsed_ms": begun.elapsed().as_millis() as u64}),
    )
}
