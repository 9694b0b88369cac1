use clap::Args;

#[derive(Debug, Clone, Args)]
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

    /// Setting handed to librdkafka as it is; can be repeated. A password belongs into the variable, where `ps` does not show it
    #[arg(
        long = "kafka-option",
        env = "KAFKA_OPTIONS",
        hide_env_values = true,
        value_delimiter = ',',
        value_parser = parse_option,
        value_name = "KEY=VALUE"
    )]
    pub options: Vec<(String, String)>,
}

impl KafkaArguments {
    pub fn dead_letter_topic(&self) -> String {
        format!("{}.dead_letters", self.topic)
    }
}

fn parse_option(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.to_owned()))
        }
        // The text may hold a secret: it is not repeated.
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}
