//! What all pages share: the servers, who may come in, and the settings.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::{Client, Url};
use tokio::sync::Mutex;

use super::accounts::Accounts;
use super::airflow::Airflow;
use super::audit::{self, Deed};
use super::kafka::Kafka;
use super::landing::{self, Landing};
use super::letters::Desk;
use super::live::{Health, Looker, Sampler, plain};
use super::metrics::Metrics;
use super::panel::Trouble;
use super::reconciling::Reconciling;
use super::registry::Registry;
use super::sessions::Sessions;
use super::tables::Tables;
use super::tail::Tails;
use crate::config::{
    CassandraArguments, ConnectArguments, DatabaseArguments, GroupArguments, KafkaArguments,
    SchemaRegistryArguments,
};
use crate::error::{Error, Kind, Result};
use crate::shutdown::Shutdown;

/// A server that did not answer is asked again only after this time: a page does not wait for it each time.
const REMEMBER_FAILURE: Duration = Duration::from_secs(2);

/// How long who asks for a connection waits for it: also a server that takes connections and says nothing holds up nobody for longer.
const OPEN_WITHIN: Duration = Duration::from_secs(4);

/// What the command line says.
pub struct Options {
    pub listen: SocketAddr,
    /// Names for the header Host, beside those of this machine.
    pub hosts: Vec<String>,
    pub read_only: bool,
    /// The one cluster's name in addresses.
    pub cluster: String,
    pub groups: GroupArguments,
    pub airflow: Option<AirflowAccess>,
    /// Where users are fetched from, for the question whether it answers.
    pub api_url: Option<Url>,
    /// The metrics of jobs that run for long.
    pub job_metrics: Vec<Url>,
    /// Browsers keep the session's cookie to themselves on the way: only over HTTPS.
    pub secure_cookies: bool,
    /// With it a program reads `/metrics` without a session.
    pub metrics_token: Option<String>,
}

/// Where Airflow's REST API is, and who asks it.
#[derive(Clone)]
pub struct AirflowAccess {
    pub url: Url,
    /// Where browsers find its pages.
    pub page: Url,
    pub user: String,
    pub password: String,
}

impl Options {
    /// For who looks by the same ways from a terminal: nobody listens.
    pub fn without_pages(groups: GroupArguments) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            hosts: Vec::new(),
            read_only: true,
            cluster: String::new(),
            groups,
            airflow: None,
            api_url: None,
            job_metrics: Vec::new(),
            secure_cookies: false,
            metrics_token: None,
        }
    }

    /// The addresses of the jobs' metrics, in one line.
    pub(super) fn job_addresses(&self) -> Option<String> {
        let jobs: Vec<String> = self.job_metrics.iter().map(plain).collect();
        (!jobs.is_empty()).then(|| jobs.join(", "))
    }

    /// Other names can be made to lead here by who owns them, and a browser would then hand our pages to theirs (DNS rebinding).
    pub(super) fn is_allowed_host(&self, name: &str) -> bool {
        let is_local = name == "localhost"
            || name
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        let own = self.listen.ip();
        is_local
            || (!own.is_unspecified() && name == own.to_string())
            || self
                .hosts
                .iter()
                .any(|host| host.eq_ignore_ascii_case(name))
    }
}

pub struct Center {
    pub(super) options: Options,
    pub(super) kafka: Kafka,
    pub(super) landing: Landing,
    pub(super) tables: Tables,
    pub(super) tails: Tails,
    pub(super) registry: Arc<Registry>,
    pub(super) accounts: Accounts,
    pub(super) sessions: Sessions,
    pub(super) airflow: Option<Airflow>,
    /// For servers that are asked by HTTP.
    pub(super) http: Client,
    pub(super) sampler: Sampler,
    pub(super) health: Health,
    pub(super) metrics: Metrics,
    pub(super) reconciling: Reconciling,
    pub(super) shutdown: Shutdown,
}

impl Center {
    /// Waits for no server.
    pub fn new(
        options: Options,
        accounts: Accounts,
        kafka: KafkaArguments,
        database: DatabaseArguments,
        cassandra: CassandraArguments,
        registry: SchemaRegistryArguments,
        shutdown: Shutdown,
    ) -> Result<Arc<Self>> {
        if accounts.is_empty() && !options.listen.ip().is_loopback() {
            return Err(Error::configuration(format!(
                "without accounts, {} would let in whoever reaches it",
                options.listen
            ))
            .hint(
                "give accounts with --accounts-file or STREAMFLOW_CONTROL_CENTER_ACCOUNTS, or listen on 127.0.0.1 with --listen \
                 (STREAMFLOW_CONTROL_CENTER_LISTEN)",
            ));
        }
        let looker = Looker::new(&kafka, &options.groups)?;
        let http = Client::builder()
            .user_agent(concat!("streamflow/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(2))
            .timeout(Duration::from_secs(3))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|cause| {
                Error::configuration("the HTTP client cannot be made").cause(cause.without_url())
            })?;
        Ok(Arc::new(Self {
            airflow: options
                .airflow
                .clone()
                .map(|access| Airflow::new(access, http.clone())),
            http,
            sampler: Sampler::new(looker),
            health: Health::default(),
            metrics: Metrics::default(),
            kafka: Kafka::new(kafka)?,
            landing: Landing::new(database),
            tables: Tables::new(cassandra),
            tails: Tails::default(),
            registry: Arc::new(Registry::new(registry)),
            sessions: Sessions::default(),
            reconciling: Reconciling::default(),
            options,
            accounts,
            shutdown,
        }))
    }

    pub(super) fn desk(&self) -> Desk<'_> {
        Desk {
            kafka: &self.kafka,
            landing: &self.landing,
            registry: &self.registry,
        }
    }

    /// The topic of the users.
    pub(super) fn topic(&self) -> &str {
        &self.kafka.arguments().topic
    }

    /// A look at personal data from the command line. It is not done where it cannot be written down.
    pub async fn write_down_reveal(&self, what: &str) -> Result<()> {
        let client = self.landing.client().await?;
        super::command_line::write_down(&client, "reveal", what, "").await
    }

    pub(super) async fn audit(&self, deed: &Deed<'_>) -> Result<()> {
        // Neither with what nor why: an address may hold what was searched for.
        log::info!("{} ({}): {}", deed.who, deed.role, deed.action);
        landing::in_time(audit::write(&*self.landing.client().await?, deed)).await
    }
}

/// How long a page waits for a server.
pub(super) fn quickly() -> ConnectArguments {
    ConnectArguments {
        connect_timeout: Duration::from_secs(2),
        retry_timeout: Duration::from_secs(2),
    }
}

/// A server that answers nothing at all holds up nobody.
pub(super) async fn in_time<T>(
    server: &str,
    within: Duration,
    answer: impl Future<Output = Result<T>>,
) -> Result<T> {
    match tokio::time::timeout(within, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(Error::unavailable(format!(
            "{server} gave no answer for {} s",
            within.as_secs_f64()
        ))
        .hint("check its log: `make status`, or `docker compose ps`")),
    }
}

/// A connection that is opened when it is first asked for.
pub(super) struct Link<T>(Mutex<State<T>>);

enum State<T> {
    Closed,
    Open(T),
    Failed(Instant, Kind, Trouble),
}

impl<T> Default for Link<T> {
    fn default() -> Self {
        Self(Mutex::new(State::Closed))
    }
}

impl<T: Clone> Link<T> {
    /// `server`: its name, for people.
    pub(super) async fn get<F: Future<Output = Result<T>>>(
        &self,
        server: &str,
        is_usable: impl Fn(&T) -> bool,
        open: impl FnOnce() -> F,
    ) -> Result<T> {
        let mut state = self.0.lock().await;
        match &*state {
            State::Open(it) if is_usable(it) => return Ok(it.clone()),
            State::Failed(at, kind, trouble) if at.elapsed() < REMEMBER_FAILURE => {
                return Err(Error::new(*kind, trouble.message.clone()).hint(trouble.hint.clone()));
            }
            _ => {}
        }
        // On the heap: what opens a session is large, and every page has one on its way.
        let opened = in_time(server, OPEN_WITHIN, Box::pin(open())).await;
        *state = match &opened {
            Ok(it) => State::Open(it.clone()),
            Err(error) => State::Failed(Instant::now(), error.kind(), Trouble::from(error)),
        };
        opened
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_that_hangs_is_waited_for_no_longer_than_that() {
        let hung = in_time::<()>("It", Duration::from_millis(10), std::future::pending()).await;
        assert!(hung.is_err_and(|it| it.to_string().contains("It gave no answer for 0.01 s")));
        let quick = in_time("It", Duration::from_secs(9), std::future::ready(Ok(7))).await;
        assert!(quick.is_ok_and(|it| it == 7));
    }
}
