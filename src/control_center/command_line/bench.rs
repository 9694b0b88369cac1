//! The servers behind `streamflow dlq`.

use std::sync::Arc;

use tokio_postgres::Client;

use crate::config::{DatabaseArguments, KafkaArguments, SchemaRegistryArguments};
use crate::control_center::accounts::Role;
use crate::control_center::audit::{self, Deed};
use crate::control_center::count::Count;
use crate::control_center::kafka::Kafka;
use crate::control_center::landing::{Landing, in_time};
use crate::control_center::letters::{Desk, Filter, Lock, Plan, Row, Scope, Settled, Sum, Whole};
use crate::control_center::panel::Trouble;
use crate::control_center::registry::Registry;
use crate::error::Result;
use crate::shutdown::Shutdown;

pub(crate) struct Workbench {
    kafka: Kafka,
    landing: Landing,
    registry: Arc<Registry>,
}

/// The newest letters.
pub(crate) struct Listed {
    pub sums: Vec<Sum>,
    pub looked_at: Count,
    pub all: Count,
    pub rows: Vec<Row>,
    /// Why the states are not told.
    pub trouble: Option<Trouble>,
}

impl Workbench {
    /// Waits for no server.
    pub(crate) fn new(
        kafka: KafkaArguments,
        database: DatabaseArguments,
        registry: SchemaRegistryArguments,
    ) -> Result<Self> {
        registry.urls()?;
        Ok(Self {
            kafka: Kafka::new(kafka)?,
            landing: Landing::new(database),
            registry: Arc::new(Registry::new(registry)),
        })
    }

    fn desk(&self) -> Desk<'_> {
        Desk {
            kafka: &self.kafka,
            landing: &self.landing,
            registry: &self.registry,
        }
    }

    pub(crate) fn topic(&self) -> String {
        self.desk().topic()
    }

    /// Nothing where there is no topic of dead letters.
    pub(crate) async fn list(
        &self,
        filter: &Filter,
        show: usize,
        reveal: bool,
    ) -> Result<Option<Listed>> {
        self.write_down_reveal(reveal, "dlq list").await?;
        let Some(look) = self.desk().look(filter, None, show).await? else {
            return Ok(None);
        };
        let (rows, trouble) = self.desk().rows(look.found, reveal).await;
        Ok(Some(Listed {
            sums: look.sums,
            looked_at: look.looked_at,
            all: look.all,
            rows,
            trouble,
        }))
    }

    pub(crate) async fn show(
        &self,
        partition: i32,
        offset: i64,
        reveal: bool,
    ) -> Result<Option<Whole>> {
        let what = format!("dlq show {partition}:{offset}");
        self.write_down_reveal(reveal, &what).await?;
        self.desk().whole(partition, offset, reveal).await
    }

    pub(crate) async fn plan(&self, scope: &Scope) -> Result<Plan> {
        self.desk().plan(scope).await
    }

    pub(crate) async fn lock(&self) -> Result<Lock> {
        self.desk().lock().await
    }

    pub(crate) async fn settle(&self, lock: &Lock) -> Result<Settled> {
        self.desk().settle(lock).await
    }

    /// Produces what passes; how many were comes back.
    pub(crate) async fn replay(
        &self,
        lock: Lock,
        plan: Plan,
        shutdown: &Shutdown,
        told: impl Fn(usize),
    ) -> Result<usize> {
        let detail = format!("{} of {} letters", plan.passes, plan.looked_at);
        let target = self.kafka.arguments().topic.clone();
        let client = self.landing.client().await?;
        write_down(&client, "replay dead letters", &target, &detail).await?;
        let replay = self.desk().begin(lock, plan, &who()).await?;
        log::info!("replay {}: {} letters", replay.number, replay.letters());
        replay.run(shutdown, told).await
    }

    async fn write_down_reveal(&self, reveal: bool, what: &str) -> Result<()> {
        match reveal {
            true => write_down(&*self.landing.client().await?, "reveal", what, "").await,
            false => Ok(()),
        }
    }
}

/// Writes to the audit log what is about to be done on the command line.
pub(crate) async fn write_down(
    client: &Client,
    action: &'static str,
    target: &str,
    detail: &str,
) -> Result<()> {
    let deed = Deed {
        who: &who(),
        // Who reaches the servers themselves needs no other right.
        role: Role::Admin,
        action,
        target,
        detail,
    };
    in_time(audit::write(client, &deed)).await
}

fn who() -> String {
    let user = std::env::var("USER").ok().filter(|it| !it.is_empty());
    user.map_or("command line".to_owned(), |it| {
        format!("{it} (command line)")
    })
}
