use std::sync::mpsc;
use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};
use uuid::Uuid;

use super::{Acknowledgement, Acknowledgements, failed};
use crate::broker::{client_config, refused_settings};
use crate::config::KafkaArguments;
use crate::error::{Error, Result};
use crate::metrics::Requests;
use crate::pipeline::sequence::{SEQUENCE_HEADER, Sequence};

/// Where a record stands on the topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    pub sequence: i64,
    pub partition: i32,
    pub offset: i64,
}

/// An event on its way.
pub struct Event {
    pub key: Uuid,
    pub sequence: Sequence,
    pub timestamp_ms: i64,
    pub value: Vec<u8>,
}

/// Publishes events in order: idempotent, `acks=all`, one request in flight to a broker, so that what is on a partition is always a
/// beginning of what was sent to it. The counting of users relies on that.
pub struct Publisher {
    producer: ThreadedProducer<Acknowledgements>,
    acknowledged: mpsc::Receiver<Acknowledgement>,
    topic: String,
    requests: Requests,
}

impl Publisher {
    pub fn new(kafka: &KafkaArguments) -> Result<Self> {
        let (sender, acknowledged) = mpsc::channel();
        let config = client_config(
            kafka,
            &[
                ("enable.idempotence", "true"),
                ("acks", "all"),
                ("max.in.flight.requests.per.connection", "1"),
                // No record is given up while others go on: the run gives up as a whole.
                ("message.timeout.ms", "0"),
                ("linger.ms", "5"),
                ("compression.type", "lz4"),
                ("batch.size", "1000000"),
                ("queue.buffering.max.kbytes", "32768"),
                // The same partition for the same key as Java's producers choose.
                ("partitioner", "murmur2_random"),
            ],
        )?;
        let producer = config
            .create_with_context(Acknowledgements(sender))
            .map_err(refused_settings)?;
        Ok(Self {
            producer,
            acknowledged,
            topic: kafka.topic.clone(),
            requests: Requests::default(),
        })
    }

    #[must_use]
    pub fn watched(self, requests: Requests) -> Self {
        Self { requests, ..self }
    }

    /// Sends events and waits for their acknowledgements. Blocks. What was acknowledged comes back also when the rest failed.
    pub fn publish(&self, events: &[Event], within: Duration) -> (Vec<Published>, Result<()>) {
        let begun = Instant::now();
        let deadline = begun + within;
        let request = self.requests.begin(events.len());
        let mut published = Vec::with_capacity(events.len());
        let mut outcome = Ok(());
        let mut sent = 0;
        for (number, event) in events.iter().enumerate() {
            if let Err(error) = self.send(number, event, deadline) {
                outcome = Err(error);
                break;
            }
            sent += 1;
        }
        for _ in 0..sent {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.acknowledged.recv_timeout(left) {
                Ok((number, Ok((partition, offset)))) => published.push(Published {
                    sequence: events[number].sequence.number,
                    partition,
                    offset,
                }),
                Ok((_, Err(cause))) => outcome = outcome.and(Err(failed(&self.topic, cause))),
                Err(_) => {
                    outcome = outcome.and(Err(self.not_acknowledged(within)));
                    break;
                }
            }
        }
        if outcome.is_ok() {
            request.answered(begun.elapsed());
        }
        (published, outcome)
    }

    fn send(&self, number: usize, event: &Event, deadline: Instant) -> Result<()> {
        let sequence = event.sequence.to_header();
        let mut key = Uuid::encode_buffer();
        let key = &*event.key.hyphenated().encode_lower(&mut key);
        loop {
            let headers = OwnedHeaders::new_with_capacity(1).insert(Header {
                key: SEQUENCE_HEADER,
                value: Some(&sequence),
            });
            let record = BaseRecord::with_opaque_to(&self.topic, number)
                .key(key)
                .payload(&event.value)
                .timestamp(event.timestamp_ms)
                .headers(headers);
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _))
                    if Instant::now() < deadline =>
                {
                    // Room comes with the next acknowledgements; flushing waits for them.
                    let _ = self.producer.flush(Duration::from_millis(100));
                }
                Err((cause, _)) => return Err(failed(&self.topic, cause)),
            }
        }
    }

    fn not_acknowledged(&self, within: Duration) -> Error {
        Error::unavailable(format!(
            "Kafka did not acknowledge the records for the topic {} within {} s",
            self.topic,
            within.as_secs_f64()
        ))
        .hint("what is not acknowledged is not marked as published: run the job again when the broker is well")
    }
}
