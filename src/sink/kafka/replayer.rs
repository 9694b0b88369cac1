use std::sync::mpsc;
use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};

use super::{Acknowledgement, Acknowledgements, failed};
use crate::broker::{client_config, refused_settings};
use crate::config::KafkaArguments;
use crate::error::{Error, Result};

/// How long librdkafka tries to deliver a record.
const DELIVER_WITHIN: Duration = Duration::from_secs(30);

/// A record that goes to its topic once more.
pub struct Again {
    /// By the key when nothing is given.
    pub partition: Option<i32>,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub timestamp_ms: Option<i64>,
    pub headers: Vec<(&'static str, String)>,
}

/// The number of a record, and the partition and offset where it lies now.
pub type Acknowledged = (usize, (i32, i64));

/// Produces records again: idempotent, `acks=all`, in their order.
pub struct Replayer {
    producer: ThreadedProducer<Acknowledgements>,
    acknowledged: mpsc::Receiver<Acknowledgement>,
    topic: String,
}

impl Replayer {
    pub fn new(kafka: &KafkaArguments) -> Result<Self> {
        let (sender, acknowledged) = mpsc::channel();
        let timeout_ms = DELIVER_WITHIN.as_millis().to_string();
        let config = client_config(
            kafka,
            &[
                ("enable.idempotence", "true"),
                ("acks", "all"),
                ("max.in.flight.requests.per.connection", "1"),
                ("message.timeout.ms", &timeout_ms),
                ("linger.ms", "5"),
                ("compression.type", "lz4"),
                ("message.max.bytes", "2000000"),
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
        })
    }

    /// Sends records and waits for their acknowledgements. Blocks. What was acknowledged comes back also when the rest failed.
    pub fn send(&self, records: &[Again]) -> (Vec<Acknowledged>, Result<()>) {
        let deadline = Instant::now() + DELIVER_WITHIN + Duration::from_secs(5);
        let mut outcome = Ok(());
        let mut sent = 0;
        for (number, record) in records.iter().enumerate() {
            if let Err(cause) = self.enqueue(number, record, deadline) {
                outcome = Err(failed(&self.topic, cause));
                break;
            }
            sent += 1;
        }
        let mut places = Vec::with_capacity(sent);
        for _ in 0..sent {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.acknowledged.recv_timeout(left) {
                Ok((number, Ok(place))) => places.push((number, place)),
                Ok((_, Err(cause))) => outcome = outcome.and(Err(failed(&self.topic, cause))),
                Err(_) => {
                    outcome = outcome.and(Err(Error::unavailable(format!(
                        "Kafka did not acknowledge the records for the topic {}",
                        self.topic
                    ))
                    .hint(
                        "when the broker is well, the next replay looks which of them are there",
                    )));
                    break;
                }
            }
        }
        (places, outcome)
    }

    fn enqueue(&self, number: usize, record: &Again, deadline: Instant) -> Result<(), KafkaError> {
        loop {
            let headers = record.headers.iter().fold(
                OwnedHeaders::new_with_capacity(record.headers.len()),
                |headers, (key, value)| {
                    headers.insert(Header {
                        key,
                        value: Some(value),
                    })
                },
            );
            let mut again = BaseRecord::<[u8], [u8], usize>::with_opaque_to(&self.topic, number)
                .headers(headers);
            again.key = record.key.as_deref();
            again.payload = record.value.as_deref();
            again.partition = record.partition;
            again.timestamp = record.timestamp_ms;
            match self.producer.send(again) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _))
                    if Instant::now() < deadline =>
                {
                    // Room comes with the next acknowledgements; flushing waits for them.
                    let _ = self.producer.flush(Duration::from_millis(100));
                }
                Err((cause, _)) => return Err(cause),
            }
        }
    }
}
