//! The settings of a topic, and which of them are its own.

use rdkafka::admin::{AdminClient, AdminOptions, ConfigEntry, ConfigSource, ResourceSpecifier};
use rdkafka::error::KafkaError;
use serde::Serialize;

use super::{ASK_TIMEOUT, Kafka};
use crate::broker::{QuietContext, client_config, refused_settings};
use crate::error::{Error, Result};

#[derive(Debug, Clone, Serialize)]
pub(in crate::control_center) struct Setting {
    pub name: String,
    /// Nothing where the broker keeps it to itself.
    pub value: Option<String>,
    /// Who has set it, in words.
    pub set_by: &'static str,
    pub is_default: bool,
}

impl Kafka {
    /// Those that are not the default first, then by name.
    pub(in crate::control_center) async fn configuration(
        &self,
        topic: &str,
    ) -> Result<Vec<Setting>> {
        let server = self.server();
        let failed = |cause: KafkaError| {
            Error::unavailable(format!("{server} does not tell the settings of {topic}"))
                .cause(cause)
                .hint("check the broker's log, and the right DESCRIBE_CONFIGS on the topic")
        };
        let options = AdminOptions::new().request_timeout(Some(ASK_TIMEOUT));
        let resource = ResourceSpecifier::Topic(topic);
        let asked = self.admin()?.describe_configs([&resource], &options);
        let mut settings = Vec::new();
        for resource in asked.await.map_err(failed)? {
            let resource = resource.map_err(|code| failed(KafkaError::AdminOp(code)))?;
            settings.extend(resource.entries.into_iter().map(setting));
        }
        settings.sort_by(|a, b| (a.is_default, &a.name).cmp(&(b.is_default, &b.name)));
        Ok(settings)
    }

    /// One for all, made when it is first wanted: to make and to end it takes a tenth of a second.
    fn admin(&self) -> Result<&AdminClient<QuietContext>> {
        if let Some(admin) = self.admin.get() {
            return Ok(admin);
        }
        let made = client_config(&self.arguments, &[])?
            .create_with_context(QuietContext)
            .map_err(refused_settings)?;
        // Of two who make one at the same time, the first one's is kept.
        Ok(self.admin.get_or_init(|| made))
    }
}

fn setting(entry: ConfigEntry) -> Setting {
    let set_by = match entry.source {
        ConfigSource::DynamicTopic => "the topic",
        ConfigSource::DynamicBroker | ConfigSource::DynamicDefaultBroker => {
            "the brokers, while they run"
        }
        ConfigSource::StaticBroker => "the brokers' file",
        ConfigSource::Default => "default",
        ConfigSource::Unknown => "unknown",
    };
    Setting {
        name: entry.name,
        value: entry.value.filter(|_| !entry.is_sensitive),
        set_by,
        is_default: entry.is_default || matches!(entry.source, ConfigSource::Default),
    }
}
