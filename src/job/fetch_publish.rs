//! `fetch-publish`: API → landing table → topic.
//!
//! Four stages run side by side: [`fetch`] asks for pages, [`read`] makes the events of their records, [`land`] writes them, [`publish`] sends
//! what is landed and not yet published. Pages go from one to the next in memory.

mod arguments;
mod dry_run;
mod fetch;
mod land;
mod landed_page;
mod progress;
mod publish;
mod read;

pub use std::process::ExitCode;
use std::sync::Arc;

use arguments::Arguments;
pub(super) use arguments::{parse_api_url, parse_seed};
pub(super) use fetch::allowed_rate;

use log::info;
use tokio::sync::mpsc;

use super::our_schema::OurSchema;
use crate::boot::{self, Program, Report};
use crate::broker::Broker;
use crate::config::Server;
use crate::error::{Error, Result};
use crate::metrics::{self, Operation, Subject, Watch};
use crate::schema_registry::SchemaRegistry;
use crate::shutdown::Shutdown;
use crate::sink::kafka::Publisher;
use crate::sink::postgres::{self, Landing};
use crate::user::format::{Encoder, SchemaFormat};
use fetch::Fetch;
use progress::Progress;
use publish::Publish;

const SUBJECT: Subject = Subject {
    job: Arguments::NAME,
    outcomes: &[
        "fetched",
        "landed",
        "already_landed",
        "conflicting",
        "rejected",
        "published",
    ],
    operations: &[Operation::Fetch, Operation::Land, Operation::Publish],
    servers: &["api", "postgresql", "kafka"],
    consumes: false,
};

/// Pages that are fetched and not yet landed.
const PAGES_AHEAD: usize = 2;

pub fn main() -> ExitCode {
    boot::main(run)
}

pub async fn run(arguments: Arguments, shutdown: Shutdown) -> Result<Report> {
    let fetch = Fetch::new(&arguments)?;
    let schema_format = arguments
        .format
        .value_format
        .schema_format(&arguments.schema_registry)?;
    if arguments.dry_run {
        return dry_run::run(&fetch, arguments.skip_if_empty, &shutdown).await;
    }
    let watch = metrics::serve(&arguments.metrics, SUBJECT, &shutdown).await?;
    let fetch = fetch.watched(&watch);
    let patience = &arguments.patience;
    let postgres = Server::postgres(arguments.database.address());
    watch.waits_for(&postgres);
    let landing = Landing::prepare(postgres::connect(&arguments.database, patience).await?)
        .await?
        .watched(watch.requests(&postgres, Operation::Land));
    let outbox_client = postgres::connect(&arguments.database, patience).await?;
    let kafka = Server::kafka(&arguments.kafka.bootstrap_servers);
    watch.waits_for(&kafka);
    Broker::connect(&arguments.kafka, patience)
        .await?
        .existing_partitions(&arguments.kafka.topic)?;
    let encoder = encoder(&arguments, schema_format, &watch).await?;
    let publisher =
        Publisher::new(&arguments.kafka)?.watched(watch.requests(&kafka, Operation::Publish));
    info!(
        "{} users of seed {:?} from {} through {} to topic {}",
        fetch.wanted(),
        fetch.seed(),
        fetch.api_address(),
        arguments.database.address(),
        arguments.kafka.topic
    );

    watch.works();
    let progress = Arc::new(Progress::new(fetch.users(), watch.clone()));
    let (pages_out, pages_in) = mpsc::channel(PAGES_AHEAD);
    let (landed_out, landed_in) = mpsc::channel(publish::PAGES_AHEAD);
    let seed = fetch.seed().to_owned();
    // Each stage is a task of its own, so that they share the processors.
    let fetching = tokio::spawn({
        let shutdown = shutdown.clone();
        async move { fetch.run(pages_out, &shutdown).await }
    });
    let (read_out, read_in) = mpsc::channel(1);
    let reading = tokio::spawn(read::run(encoder, pages_in, read_out));
    let landing = tokio::spawn({
        let (seed, progress) = (seed.clone(), progress.clone());
        async move { land::run(landing, &seed, read_in, landed_out, &progress).await }
    });
    let publish = Publish {
        publisher,
        encoder,
        within: patience.retry_timeout,
        progress: &progress,
        shutdown: &shutdown,
    };
    let publishing = publish.run(outbox_client, landed_in);
    let (fetched, read, landing, (published, publishing)) =
        tokio::join!(fetching, reading, landing, publishing);
    let broken = |cause| Error::bug("a stage broke off").cause(cause);
    watch.finishes();
    let fetched = fetched.map_err(broken)?;
    read.map_err(broken)?;
    let (landed, landing) = landing.map_err(broken)?;
    progress.finish();

    // The first stage that failed is the one to name: what follows from it is told in the log.
    let failure: Option<Error> = landing.err().or(publishing.err()).or(fetched.err());
    let nothing = landed.fetched == 0 && published == 0;
    let mut report = Report::of([
        ("seed", seed.into()),
        ("fetched", landed.fetched.into()),
        ("landed", landed.landed.into()),
        ("already_landed", landed.already_landed.into()),
        ("conflicting", landed.conflicting.into()),
        ("rejected", landed.rejected.into()),
        ("published", published.into()),
    ]);
    for (name, value) in progress.offsets().told() {
        report.add(name, value);
    }
    if shutdown.is_requested() {
        report.interrupted();
    }
    report.skipped = arguments.skip_if_empty && nothing;
    report.failure = failure;
    Ok(report)
}

/// The schema's id is asked for once: no registry changes it.
async fn encoder(
    arguments: &Arguments,
    schema_format: Option<SchemaFormat>,
    watch: &Watch,
) -> Result<Encoder> {
    let (registry, patience) = (&arguments.schema_registry, &arguments.patience);
    let Some(format) = schema_format else {
        return Ok(Encoder::Json);
    };
    watch.waits_for(&Server::schema_registry(registry.address()));
    let registry = SchemaRegistry::connect(registry, patience).await?;
    let registry = registry.ok_or_else(|| Error::bug("the registry was given and is gone"))?;
    let schema = OurSchema::of(&registry, &arguments.kafka.topic, format);
    let schema_id = schema.id().await?;
    info!("writes by the schema {schema_id} of {}", schema.subject);
    Ok(Encoder::Registered { format, schema_id })
}
