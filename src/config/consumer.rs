use clap::Args;

use super::{
    BoundArguments, CassandraArguments, ConnectArguments, FilterArguments, KafkaArguments,
    LogArguments,
};

/// What all programs take that consume the topic.
#[derive(Debug, Args)]
pub struct ConsumerArguments {
    #[command(flatten)]
    pub bounds: BoundArguments,
    #[command(flatten)]
    pub filters: FilterArguments,
    #[command(flatten)]
    pub kafka: KafkaArguments,
    /// Consumer group, which remembers how far it has come (default: the program's name)
    #[arg(
        long,
        env = "KAFKA_GROUP_ID",
        help_heading = "Kafka",
        value_name = "GROUP"
    )]
    pub group_id: Option<String>,
    #[command(flatten)]
    pub cassandra: CassandraArguments,
    #[command(flatten)]
    pub patience: ConnectArguments,
    #[command(flatten)]
    pub logs: LogArguments,
}
