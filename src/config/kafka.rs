use clap::Args;

use crate::error::{Error, Result};

#[derive(Clone, Args)]
#[command(next_help_heading = "Kafka")]
pub struct KafkaArguments {
    /// Brokers to ask first, host:port separated by commas
    #[arg(
        long,
        env = "KAFKA_BOOTSTRAP_SERVERS",
        default_value = "localhost:9092",
        value_name = "HOST:PORT,…"
    )]
    pub bootstrap_servers: String,

    /// Topic of the users
    #[arg(
        long,
        env = "STREAMFLOW_TOPIC",
        default_value = "user_created",
        value_name = "TOPIC"
    )]
    pub topic: String,

    /// Setting handed to librdkafka as it is; can be repeated, several stand behind each other with commas or on lines of their own. A
    /// password belongs into the variable, where `ps` does not show it
    #[arg(
        long = "kafka-option",
        env = "KAFKA_OPTIONS",
        hide_env_values = true,
        value_name = "KEY=VALUE"
    )]
    options: Vec<String>,
}

impl KafkaArguments {
    /// The settings for librdkafka, in their order.
    pub fn options(&self) -> Result<Vec<(String, String)>> {
        let mut options = Vec::new();
        for text in &self.options {
            // The text may hold a secret: it is not repeated.
            options.extend(parse(text).ok_or_else(|| {
                Error::configuration("a setting for librdkafka is not of the form KEY=VALUE")
                    .hint("check --kafka-option and KAFKA_OPTIONS")
            })?);
        }
        Ok(options)
    }

    pub fn dead_letter_topic(&self) -> String {
        format!("{}.dead_letters", self.topic)
    }
}

impl std::fmt::Debug for KafkaArguments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KafkaArguments")
            .field("bootstrap_servers", &self.bootstrap_servers)
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}

/// A comma ends a setting only where another one begins after it, so that a value can hold commas.
fn parse(text: &str) -> Option<Vec<(String, String)>> {
    let separator = if text.contains('\n') { '\n' } else { ',' };
    let mut options: Vec<(String, String)> = Vec::new();
    for piece in text
        .split(separator)
        .filter(|piece| !piece.trim().is_empty())
    {
        match (piece.split_once('='), options.last_mut()) {
            (Some((key, value)), _) if is_key(key.trim()) => {
                options.push((key.trim().to_owned(), value.to_owned()));
            }
            (_, Some((_, value))) if separator == ',' => {
                value.push(',');
                value.push_str(piece);
            }
            _ => return None,
        }
    }
    Some(options)
}

fn is_key(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Vec<(String, String)> {
        parse(text).unwrap()
    }

    fn pair(key: &str, value: &str) -> (String, String) {
        (key.to_owned(), value.to_owned())
    }

    #[test]
    fn reads_one_setting_and_several() {
        assert_eq!(parsed("client.id=a"), [pair("client.id", "a")]);
        assert_eq!(
            parsed("client.id=a,acks=1"),
            [pair("client.id", "a"), pair("acks", "1")]
        );
        assert_eq!(
            parsed("client.id=a\nsasl.password=b,c=d\n"),
            [pair("client.id", "a"), pair("sasl.password", "b,c=d")]
        );
    }

    #[test]
    fn a_value_can_hold_commas() {
        assert_eq!(
            parsed("sasl.password=a,B=c,acks=1"),
            [pair("sasl.password", "a,B=c"), pair("acks", "1")]
        );
    }

    #[test]
    fn what_is_no_setting_is_refused() {
        assert_eq!(parse("hidden"), None);
        assert_eq!(parse("acks=1\nhidden"), None);
    }
}
