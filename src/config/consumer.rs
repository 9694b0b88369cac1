use clap::Args;

use super::{
    BoundArguments, CassandraArguments, ConnectArguments, FilterArguments, KafkaArguments,
    LogArguments, MetricsArguments, SchemaRegistryArguments,
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
    #[command(flatten)]
    pub schema_registry: SchemaRegistryArguments,
    #[command(flatten)]
    pub cassandra: CassandraArguments,
    #[command(flatten)]
    pub patience: ConnectArguments,
    #[command(flatten)]
    pub metrics: MetricsArguments,
    #[command(flatten)]
    pub logs: LogArguments,
}
