//! Following a topic, as the page does it.

use std::sync::Arc;
use std::time::Duration;

use crate::config::{KafkaArguments, SchemaRegistryArguments};
use crate::control_center::decoding::{Decoder, Line};
use crate::control_center::kafka::{Cursor, Kafka, Wish};
use crate::control_center::registry::Registry;
use crate::error::{Error, Result};
use crate::shutdown::Shutdown;

/// Records that are read together.
const STEP: usize = 500;
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(500);

pub(crate) struct Following {
    pub topic: String,
    pub from_beginning: bool,
    pub max_records: Option<u64>,
    /// In what is shown: the key, or the masked line.
    pub filter: Option<String>,
}

/// Until a stop is asked for, or `on_line` says that it wants no more. Tells how many were shown.
pub(crate) async fn tail(
    kafka: KafkaArguments,
    registry: SchemaRegistryArguments,
    following: &Following,
    shutdown: &Shutdown,
    on_line: &mut (dyn FnMut(&Line) -> Result<bool> + Send),
) -> Result<u64> {
    registry.urls()?;
    let kafka = Kafka::new(kafka)?;
    let mut decoder = Decoder::with(Arc::new(Registry::new(registry)), false);
    let mut shown = 0;
    let mut place: Option<Cursor> = None;
    while !shutdown.is_requested() {
        let topic = kafka.topic(&following.topic).await?.ok_or_else(|| {
            Error::configuration(format!("there is no topic {}", following.topic))
                .hint("`streamflow init` makes the topic of the users; the control center lists all topics at /clusters")
        })?;
        let mut from = match place.take() {
            Some(place) => place,
            None if following.from_beginning => Cursor::default(),
            None => Kafka::newest(&topic),
        };
        from.take_in(&topic);
        let read = kafka.find(&topic, Wish::From(from), STEP, None).await?;
        for message in &read.messages {
            decoder.learn_of(message).await;
            let line = decoder.line(message);
            if let Some(text) = &following.filter
                && !line.line.contains(text)
                && !line.key.as_ref().is_some_and(|key| key.contains(text))
            {
                continue;
            }
            if !on_line(&line)? {
                return Ok(shown);
            }
            shown += 1;
            if following.max_records.is_some_and(|most| shown >= most) {
                return Ok(shown);
            }
        }
        place = match read.next {
            Some(Wish::From(next) | Wish::Before(next)) => Some(next),
            None => {
                tokio::select! {
                    () = shutdown.requested() => {}
                    () = tokio::time::sleep(LOOK_AGAIN_AFTER) => {}
                }
                Some(Kafka::newest(&topic))
            }
        };
    }
    Ok(shown)
}
