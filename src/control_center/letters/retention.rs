//! How long a topic keeps its records. A replayed record has the time of its origin, so an old one could be removed before it is read.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};

use super::Desk;
use crate::broker::{QuietContext, client_config, refused_settings};
use crate::error::{Error, Result};

const ASK_WITHIN: Duration = Duration::from_secs(5);

impl Desk<'_> {
    /// In milliseconds; nothing where the records are kept for ever.
    pub(super) async fn retention_ms(&self, topic: &str) -> Result<Option<i64>> {
        let admin: AdminClient<QuietContext> = client_config(self.kafka.arguments(), &[])?
            .create_with_context(QuietContext)
            .map_err(refused_settings)?;
        let options = AdminOptions::new()
            .request_timeout(Some(ASK_WITHIN))
            .operation_timeout(Some(ASK_WITHIN));
        let untold = || {
            Error::unavailable(format!(
                "Kafka does not tell how long the topic {topic} keeps its records"
            ))
            .hint("check the broker's log, and the right DESCRIBE_CONFIGS on the topic")
        };
        let told = admin
            .describe_configs([&ResourceSpecifier::Topic(topic)], &options)
            .await
            .map_err(|cause| untold().cause(cause))?;
        let config = match told.into_iter().next() {
            Some(Ok(config)) => config,
            Some(Err(cause)) => return Err(untold().cause(cause)),
            None => return Err(untold()),
        };
        let value = config
            .get("retention.ms")
            .and_then(|it| it.value.as_deref()?.parse().ok());
        Ok(value.filter(|&it: &i64| it >= 0))
    }
}
