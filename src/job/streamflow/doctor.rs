use std::io::IsTerminal;

use clap::Args;

use crate::boot::Report;
use crate::broker::Broker;
use crate::config::{
    CassandraArguments, ConnectArguments, DatabaseArguments, KafkaArguments,
    SchemaRegistryArguments, ValueFormatArguments,
};
use crate::error::{Error, Result};
use crate::job::our_schema::OurSchema;
use crate::schema_registry::SchemaRegistry;
use crate::sink::{cassandra, postgres};

/// Check each server, topic, table, version and permission that the jobs need: one line each
#[derive(Debug, Args)]
#[command(
    after_help = "Exit code 0 when all is well, else that of the first failure. Example:\n  streamflow doctor --connect-timeout 3s"
)]
pub struct Arguments {
    #[command(flatten)]
    kafka: KafkaArguments,
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

/// Prints lines and remembers the first failure.
struct Examination {
    colours: bool,
    failure: Option<Error>,
}

impl Examination {
    /// One line: what was found, or what is wrong and what to do.
    fn line<T>(
        &mut self,
        what: &str,
        found: Result<T>,
        say: impl FnOnce(&T) -> String,
    ) -> Option<T> {
        let (good, text) = match &found {
            Ok(it) => (true, say(it)),
            Err(error) => (false, error.to_string()),
        };
        let mark = match (good, self.colours) {
            (true, true) => "\x1b[32mok  \x1b[0m",
            (false, true) => "\x1b[31mFAIL\x1b[0m",
            (true, false) => "ok  ",
            (false, false) => "FAIL",
        };
        println!("{mark} {what:<34} {text}");
        match found {
            Ok(it) => Some(it),
            Err(error) => {
                self.failure.get_or_insert(error);
                None
            }
        }
    }
}

pub async fn run(arguments: Arguments) -> Result<Report> {
    let mut examination = Examination {
        colours: std::io::stdout().is_terminal(),
        failure: None,
    };
    kafka(&arguments, &mut examination).await;
    registry(&arguments, &mut examination).await;
    landing(&arguments, &mut examination).await;
    tables(&arguments, &mut examination).await;
    // Each line has said what to do: the end only counts.
    let failure = examination.failure.map(|first| {
        Error::new(first.kind(), "not all is well")
            .hint("mend what the lines with FAIL say, the first one first")
    });
    Ok(Report {
        failure,
        ..Report::default()
    })
}

async fn kafka(arguments: &Arguments, examination: &mut Examination) {
    let address = &arguments.kafka.bootstrap_servers;
    let broker = Broker::connect(&arguments.kafka, &arguments.patience).await;
    let Some(broker) = examination.line("Kafka", broker, |_| format!("answers at {address}"))
    else {
        return;
    };
    examination.line("Kafka brokers", broker.brokers(), |brokers| {
        brokers.to_string()
    });
    for topic in [
        arguments.kafka.topic.clone(),
        arguments.kafka.dead_letter_topic(),
    ] {
        let partitions = broker.existing_partitions(&topic);
        let what = format!("topic {topic}");
        if examination
            .line(&what, partitions, |it| format!("{} partitions", it.len()))
            .is_some()
        {
            let records = |latest: &std::collections::BTreeMap<i32, i64>| {
                format!(
                    "readable, latest offsets add up to {}",
                    latest.values().sum::<i64>()
                )
            };
            examination.line(&what, broker.latest_offsets(&topic), records);
        }
    }
}

/// No line where no registry is asked for.
async fn registry(arguments: &Arguments, examination: &mut Examination) {
    let what = "Schema Registry";
    let registry = &arguments.schema_registry;
    let format = match arguments.format.value_format.schema_format(registry) {
        Ok(format) => format,
        Err(error) => {
            examination.line(what, Err(error), |()| String::new());
            return;
        }
    };
    let connected = SchemaRegistry::connect(registry, &arguments.patience).await;
    let Some(connected) = connected.transpose() else {
        return;
    };
    let address = registry.address();
    let connected = examination.line(what, connected, |_| format!("answers at {address}"));
    let (Some(registry), Some(format)) = (connected, format) else {
        return;
    };
    let schema = OurSchema::of(&registry, &arguments.kafka.topic, format);
    let what = format!("subject {}", schema.subject);
    let id = schema.id().await;
    let registered = |id: &u32| format!("this version's schema is registered with id {id}");
    if examination.line(&what, id, registered).is_some() {
        let level = |level: &String| format!("compatibility {level}");
        examination.line(&what, schema.level().await, level);
    }
}

async fn landing(arguments: &Arguments, examination: &mut Examination) {
    let address = arguments.database.address();
    let client = postgres::connect(&arguments.database, &arguments.patience).await;
    let Some(client) = examination.line("PostgreSQL", client, |_| format!("answers at {address}"))
    else {
        return;
    };
    examination.line(
        "PostgreSQL version",
        postgres::version(&client).await,
        String::clone,
    );
    examination.line(
        "landing tables and rights",
        postgres::examine(&client).await,
        String::clone,
    );
}

async fn tables(arguments: &Arguments, examination: &mut Examination) {
    let address = arguments.cassandra.address();
    let keyspace = &arguments.cassandra.keyspace;
    let session = cassandra::connect(&arguments.cassandra, &arguments.patience).await;
    let Some(session) = examination.line("Cassandra", session, |_| format!("answers at {address}"))
    else {
        return;
    };
    examination.line(
        "Cassandra version",
        cassandra::version(&session).await,
        String::clone,
    );
    let missing = cassandra::missing_columns(&session, keyspace)
        .await
        .and_then(|missing| match missing.is_empty() {
            true => Ok(()),
            false => Err(Error::configuration(format!(
                "keyspace {keyspace} lacks {}",
                missing.join(", ")
            ))
            .hint("make or update the tables with `streamflow init`")),
        });
    let what = format!("tables of {keyspace}");
    if examination
        .line(&what, missing, |()| "all columns are there".to_owned())
        .is_some()
    {
        let rights = cassandra::examine(&session, keyspace).await;
        examination.line(&format!("rights on {keyspace}"), rights, |()| {
            "may read and write".to_owned()
        });
    }
}
