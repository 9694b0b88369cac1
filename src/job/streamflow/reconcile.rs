//! `streamflow reconcile`: every step of the journey beside the step before it.

mod arguments;
mod report;

use std::io::Write;
use std::sync::Arc;

use log::info;

pub(super) use arguments::Arguments;

use crate::boot::Report;
use crate::broker::Broker;
use crate::error::{Error, Result};
use crate::pipeline::outcome::Outcome;
use crate::pipeline::record::Record;
use crate::reconcile::{Options, Sources, Standing, reconcile};
use crate::schema_registry::SchemaRegistry;
use crate::shutdown::Shutdown;
use crate::sink::{cassandra, postgres};
use crate::user_reader::UserReader;

pub(super) async fn run(arguments: Arguments, shutdown: &Shutdown) -> Result<Report> {
    // Said before any server is waited for.
    let given = arguments.given()?;
    arguments.schema_registry.urls()?;
    let patience = &arguments.patience;
    let database = postgres::connect(&arguments.database, patience).await?;
    let broker = Broker::connect(&arguments.kafka, patience).await?;
    let session = cassandra::connect(&arguments.cassandra, patience).await?;
    let registry = SchemaRegistry::connect(&arguments.schema_registry, patience).await?;
    info!(
        "from {} over topic {} to keyspace {}",
        arguments.database.address(),
        arguments.kafka.topic,
        arguments.cassandra.keyspace
    );
    let mut reader = UserReader::new(registry, shutdown.clone());
    let sources = Sources {
        kafka: arguments.kafka,
        broker,
        session: Arc::new(session),
        database,
        given,
        read: move |record: &Record<'_>| {
            reader.read(record, |user| Outcome::Keep(user.into_owned()))
        },
    };
    let options = Options {
        keyspace: arguments.cassandra.keyspace,
        groups: arguments.groups,
        filter: arguments.filters.filter(),
        show: arguments.show,
        work_folder: arguments.work_dir.unwrap_or_else(std::env::temp_dir),
        retry_timeout: arguments.patience.retry_timeout,
        standing: Standing::default(),
    };
    let findings = reconcile(sources, &options, shutdown).await?;
    write!(std::io::stdout(), "{}", report::text(&findings)).map_err(|cause| {
        Error::io("the findings cannot be written to standard output").cause(cause)
    })?;
    Ok(report::report(&findings))
}
