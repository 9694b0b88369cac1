use std::collections::HashMap;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};

use super::{Acknowledgement, Acknowledgements, failed};
use crate::broker::{client_config, refused_settings};
use crate::config::KafkaArguments;
use crate::error::Result;
use crate::pipeline::dead_letter::{DeadLetters, headers};
use crate::pipeline::record::Record;
use crate::rejection::Rejection;

/// How long librdkafka tries to deliver a letter before the run fails.
const DELIVER_WITHIN: Duration = Duration::from_secs(60);

/// The topic of the dead letters.
pub struct KafkaDeadLetters {
    config: ClientConfig,
    /// Made for the first letter: most runs have none.
    producer: Option<ThreadedProducer<Acknowledgements>>,
    acknowledgements: mpsc::Sender<Acknowledgement>,
    acknowledged: mpsc::Receiver<Acknowledgement>,
    topic: String,
    job: &'static str,
    next: usize,
    waiting: HashMap<usize, (i32, i64)>,
}

impl KafkaDeadLetters {
    pub fn new(kafka: &KafkaArguments, job: &'static str) -> Result<Self> {
        let (acknowledgements, acknowledged) = mpsc::channel();
        let timeout_ms = DELIVER_WITHIN.as_millis().to_string();
        let config = client_config(
            kafka,
            &[
                ("enable.idempotence", "true"),
                ("acks", "all"),
                ("message.timeout.ms", &timeout_ms),
                ("linger.ms", "5"),
                ("compression.type", "lz4"),
                ("queue.buffering.max.kbytes", "8192"),
                // A letter is larger than its record by its headers.
                ("message.max.bytes", "2000000"),
                ("partitioner", "murmur2_random"),
            ],
        )?;
        Ok(Self {
            config,
            producer: None,
            acknowledgements,
            acknowledged,
            topic: kafka.dead_letter_topic(),
            job,
            next: 0,
            waiting: HashMap::new(),
        })
    }

    fn producer(&mut self) -> Result<ThreadedProducer<Acknowledgements>> {
        if let Some(producer) = &self.producer {
            return Ok(producer.clone());
        }
        let context = Acknowledgements(self.acknowledgements.clone());
        let producer = self.config.create_with_context(context);
        let producer: ThreadedProducer<_> = producer.map_err(refused_settings)?;
        Ok(self.producer.insert(producer).clone())
    }

    fn take(
        &mut self,
        (number, outcome): Acknowledgement,
        origins: &mut Vec<(i32, i64)>,
    ) -> Result<()> {
        let origin = self.waiting.remove(&number);
        outcome.map_err(|cause| failed(&self.topic, cause))?;
        origins.extend(origin);
        Ok(())
    }
}

impl DeadLetters for KafkaDeadLetters {
    fn send(&mut self, record: &Record<'_>, rejection: &Rejection) -> Result<()> {
        let number = self.next;
        self.next += 1;
        let deadline = Instant::now() + DELIVER_WITHIN;
        let told = headers(self.job, record, rejection);
        let producer = self.producer()?;
        loop {
            let owned = told.iter().fold(
                OwnedHeaders::new_with_capacity(told.len()),
                |owned, (key, value)| {
                    owned.insert(Header {
                        key,
                        value: Some(value),
                    })
                },
            );
            let mut letter =
                BaseRecord::<[u8], [u8], usize>::with_opaque_to(&self.topic, number).headers(owned);
            letter.key = record.key;
            letter.payload = record.value;
            match producer.send(letter) {
                Ok(()) => break,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _))
                    if Instant::now() < deadline =>
                {
                    // Room comes with the next acknowledgements; flushing waits for them.
                    let _ = producer.flush(Duration::from_millis(100));
                }
                Err((cause, _)) => return Err(failed(&self.topic, cause)),
            }
        }
        self.waiting
            .insert(number, (record.partition, record.offset));
        Ok(())
    }

    fn acknowledged(&mut self, wait: Duration) -> Result<Vec<(i32, i64)>> {
        let mut origins = Vec::new();
        if !wait.is_zero()
            && !self.waiting.is_empty()
            && let Ok(first) = self.acknowledged.recv_timeout(wait)
        {
            self.take(first, &mut origins)?;
        }
        while let Ok(next) = self.acknowledged.try_recv() {
            self.take(next, &mut origins)?;
        }
        Ok(origins)
    }

    fn in_flight(&self) -> usize {
        self.waiting.len()
    }
}
