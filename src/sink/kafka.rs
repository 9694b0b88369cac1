//! Producers for Kafka: of events, in order and acknowledged, and of dead letters.

mod dead_letters;
mod publisher;
mod replayer;

pub use dead_letters::KafkaDeadLetters;
pub use publisher::{Event, Published, Publisher};
pub use replayer::{Again, Replayer};

use std::sync::mpsc;

use log::debug;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{NoCustomPartitioner, ProducerContext};

use crate::error::Error;

/// Where the broker put a record, or why not.
type Acknowledgement = (usize, Result<(i32, i64), KafkaError>);

/// Passes each acknowledgement on to whoever waits for it, with the number the record was sent under.
struct Acknowledgements(mpsc::Sender<Acknowledgement>);

impl ClientContext for Acknowledgements {
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, message: &str) {
        debug!(target: "librdkafka", "{facility} {message}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        debug!(target: "librdkafka", "{error}: {reason}");
    }
}

impl ProducerContext<NoCustomPartitioner> for Acknowledgements {
    type DeliveryOpaque = usize;

    fn delivery(&self, delivery: &DeliveryResult<'_>, number: usize) {
        let outcome = match delivery {
            Ok(message) => Ok((message.partition(), message.offset())),
            Err((error, _)) => Err(error.clone()),
        };
        // Nobody listens any more only when the run is over.
        let _ = self.0.send((number, outcome));
    }
}

fn failed(topic: &str, cause: KafkaError) -> Error {
    let message = format!("a record cannot be written to the topic {topic}");
    match cause.rdkafka_error_code() {
        Some(
            RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::ClusterAuthorizationFailed,
        ) => Error::denied(message)
            .cause(cause)
            .hint("grant this user WRITE on the topic, and IDEMPOTENT_WRITE on the cluster"),
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
            Error::configuration(message)
                .cause(cause)
                .hint("make the topic with `streamflow init`")
        }
        Some(RDKafkaErrorCode::MessageSizeTooLarge) => Error::configuration(message)
            .cause(cause)
            .hint("raise max.message.bytes of the topic"),
        _ => Error::unavailable(message).cause(cause).hint(
            "run the job again: what is not acknowledged is not marked and will be sent again",
        ),
    }
}
