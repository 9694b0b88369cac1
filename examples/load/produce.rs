//! Fills a topic with users, as `fetch-publish` would, without the landing.

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::{Error, Result, bail};
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
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
    #[arg(long, env = "KAFKA_BOOTSTRAP_SERVERS")]
    bootstrap_servers: String,
    #[arg(long, env = "STREAMFLOW_TOPIC")]
    topic: String,
    /// Bytes of a field that nobody knows, in each record
    #[arg(long, default_value_t = 0)]
    padding: usize,
}

pub type Publisher = ThreadedProducer<DefaultProducerContext>;

pub fn publisher(bootstrap_servers: &str, linger_ms: u32) -> Result<Publisher> {
    Ok(ClientConfig::new()
        .set("bootstrap.servers", bootstrap_servers)
        .set("acks", "all")
        .set("linger.ms", linger_ms.to_string())
        .set("compression.type", "lz4")
        .set("batch.size", "1000000")
        .set("partitioner", "murmur2_random")
        .create()?)
}

pub fn publish(
    publisher: &Publisher,
    topic: &str,
    id: Uuid,
    value: &[u8],
    sequence: &Sequence,
) -> Result<()> {
    let key = id.to_string();
    let sequence = sequence.to_header();
    loop {
        let header = Header {
            key: SEQUENCE_HEADER,
            value: Some(&sequence),
        };
        let headers = OwnedHeaders::new_with_capacity(1).insert(header);
        let record = BaseRecord::to(topic)
            .key(&key)
            .payload(value)
            .headers(headers);
        match publisher.send(record) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err((error, _)) => bail!("a record cannot be sent: {error}"),
        }
    }
}

pub fn run(arguments: Arguments) -> Result<Value> {
    let begun = Instant::now();
    let publisher = publisher(&arguments.bootstrap_servers, 5)?;
    let landing = Uuid::new_v4();
    let mut bytes = 0;
    let mut number = 0;
    let padding = format!(",\"padding\":\"{}\"}}", "x".repeat(arguments.padding));
    arguments.which.each(|id, event| {
        number += 1;
        let mut value = event.encode().map_err(Error::msg)?;
        if arguments.padding > 0 {
            value.pop();
            value.write_all(padding.as_bytes())?;
        }
        bytes += value.len();
        publish(
            &publisher,
            &arguments.topic,
            id,
            &value,
            &Sequence { landing, number },
        )
    })?;
    publisher.flush(UNTIL_DELIVERED)?;
    Ok(json!({"users": number, "bytes": bytes, "elapsed_ms": begun.elapsed().as_millis() as u64}))
}
