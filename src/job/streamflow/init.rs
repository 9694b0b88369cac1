use clap::Args;

use crate::boot::Report;
use crate::broker::{self, Broker, TopicPlan};
use crate::config::{
    CassandraArguments, ConnectArguments, DatabaseArguments, KafkaArguments,
    SchemaRegistryArguments, ValueFormatArguments, parse_duration,
};
use crate::error::Result;
use crate::job::our_schema::OurSchema;
use crate::schema_registry::SchemaRegistry;
use crate::sink::{cassandra, postgres};

/// Make the topics, the keyspace and all tables, and register the schema of the users; safe to repeat
///
/// What is there already is left as it is.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  streamflow init --partitions 12 --retention 30d")]
pub struct Arguments {
    #[command(flatten)]
    kafka: KafkaArguments,
    /// Partitions of a new topic of users: the most members that can share its work
    #[arg(long, default_value_t = 6, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=10_000), help_heading = "Kafka")]
    partitions: i32,
    /// How long a new topic of users keeps its records; those of dead letters are kept four times as long
    #[arg(long, default_value = "7d", value_name = "TIME", value_parser = parse_days, help_heading = "Kafka")]
    retention: std::time::Duration,
    /// Copies of each record, and of each row
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=32), help_heading = "Kafka")]
    replication_factor: u32,
    #[command(flatten)]
    format: ValueFormatArguments,
    #[command(flatten)]
    schema_registry: SchemaRegistryArguments,
    #[command(flatten)]
    cassandra: CassandraArguments,
    #[command(flatten)]
    database: DatabaseArguments,
    #[command(flatten)]
    patience: ConnectArguments,
}

pub async fn run(arguments: Arguments) -> Result<Report> {
    let Arguments {
        kafka,
        partitions,
        retention,
        replication_factor,
        format,
        schema_registry,
        cassandra,
        database,
        patience,
    } = arguments;
    let schema_format = format.value_format.schema_format(&schema_registry)?;
    let broker = Broker::connect(&kafka, &patience).await?;
    let dead_letters = kafka.dead_letter_topic();
    let replication = replication_factor as i32;
    let retention_ms = |times: u128| (retention.as_millis() * times).to_string();
    let topics = [
        TopicPlan {
            name: &kafka.topic,
            partitions,
            replication,
            settings: vec![("retention.ms", retention_ms(1))],
        },
        TopicPlan {
            name: &dead_letters,
            partitions: 1,
            replication,
            // A letter is its record and some headers, so it can be larger than the largest record.
            settings: vec![
                ("retention.ms", retention_ms(4)),
                ("max.message.bytes", "2000000".to_owned()),
            ],
        },
    ];
    for topic in &topics {
        match broker.partitions(topic.name)? {
            Some(found) => println!(
                "Kafka       topic {} is there, {} partitions",
                topic.name,
                found.len()
            ),
            None => {
                let made = broker::create_topic(&kafka, topic).await?;
                let within = patience.connect_timeout;
                broker.is_usable(topic.name, within).await?;
                let done = if made { "made" } else { "was made meanwhile" };
                println!(
                    "Kafka       topic {} {done}, {} partitions",
                    topic.name, topic.partitions
                );
            }
        }
    }
    if let Some(format) = schema_format
        && let Some(registry) = SchemaRegistry::connect(&schema_registry, &patience).await?
    {
        let schema = OurSchema::of(&registry, &kafka.topic, format);
        for line in schema.register().await?.lines(&schema.subject) {
            println!("Registry    {line}");
        }
    }
    let mut client = postgres::connect(&database, &patience).await?;
    tell(
        "PostgreSQL",
        &database.address(),
        &postgres::migrate(&mut client).await?,
    );
    let session = cassandra::connect(&cassandra, &patience).await?;
    let done = cassandra::migrate(&session, &cassandra.keyspace, replication_factor).await?;
    tell(
        "Cassandra",
        &format!("keyspace {}", cassandra.keyspace),
        &done,
    );
    Ok(Report::default())
}

fn tell(server: &str, place: &str, done: &[String]) {
    if done.is_empty() {
        println!("{server:<11} {place} is up to date");
    }
    for change in done {
        println!("{server:<11} {place}: {change} made");
    }
}

/// `7d`, or any time that other flags take.
fn parse_days(text: &str) -> Result<std::time::Duration, String> {
    match text.trim().strip_suffix('d').map(str::parse::<u32>) {
        Some(Ok(days)) => Ok(std::time::Duration::from_secs(u64::from(days) * 86_400)),
        _ => parse_duration(text),
    }
}
