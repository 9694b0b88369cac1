use clap::Args;

/// The consumer groups of the two jobs, for who looks at them from outside.
#[derive(Debug, Clone, Args)]
pub struct GroupArguments {
    /// Consumer group of transform-store
    #[arg(
        id = "transform_store_group_id",
        long = "transform-store-group-id",
        env = "TRANSFORM_STORE_GROUP_ID",
        default_value = "transform-store",
        help_heading = "Kafka",
        value_name = "GROUP"
    )]
    pub transform_store: String,

    /// Consumer group of aggregate
    #[arg(
        id = "aggregate_group_id",
        long = "aggregate-group-id",
        env = "AGGREGATE_GROUP_ID",
        default_value = "aggregate",
        help_heading = "Kafka",
        value_name = "GROUP"
    )]
    pub aggregate: String,
}
