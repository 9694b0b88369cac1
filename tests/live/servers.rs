//! Where the servers are, and one client of each that all tests share.

use std::future::Future;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use reqwest::Url;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use tokio::runtime::Runtime;

pub struct Servers {
    pub database_url: Url,
    pub kafka: String,
    pub cassandra: String,
}

/// The servers of the test stack, or nothing where there are none: then the caller's test is skipped.
pub fn servers() -> Option<&'static Servers> {
    static SERVERS: OnceLock<Option<Servers>> = OnceLock::new();
    let servers = SERVERS.get_or_init(|| {
        (std::env::var("STREAMFLOW_LIVE").as_deref() == Ok("1")).then(|| Servers {
            database_url: Url::parse(&variable("DATABASE_URL")).expect("DATABASE_URL is a URL"),
            kafka: variable("KAFKA_BOOTSTRAP_SERVERS"),
            cassandra: variable("CASSANDRA_CONTACT_POINTS"),
        })
    });
    if servers.is_none() {
        println!("skipped: needs the servers of the test stack (make test)");
    }
    servers.as_ref()
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set; with STREAMFLOW_LIVE=1 it says where the server is (`local/stack env` prints it)")
    })
}

/// Tests are plain functions; what is asynchronous in them runs here.
pub fn wait<F: Future>(future: F) -> F::Output {
    runtime().block_on(future)
}

pub fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime")
    })
}

/// Asks until the answer is something, and fails the test when the time is over.
pub fn until<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < limit, "{what}: not within {limit:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

impl Servers {
    /// A URL of another database on the same server.
    pub fn database(&self, name: &str) -> Url {
        let mut url = self.database_url.clone();
        url.set_path(name);
        url
    }

    /// The user of DATABASE_URL may not make databases: that is for the server's own superuser.
    pub fn administer_postgres(&self, statement: &str) -> Result<(), tokio_postgres::Error> {
        let mut url = self.database("postgres");
        url.set_username("postgres").expect("a URL with a host");
        wait(async { connect(&url).await?.batch_execute(statement).await })
    }

    pub fn kafka_client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.kafka);
        config
    }

    pub fn kafka_admin(&self) -> AdminClient<DefaultClientContext> {
        self.kafka_client().create().expect("an admin client")
    }

    pub fn admin_options() -> AdminOptions {
        AdminOptions::new().request_timeout(Some(Duration::from_secs(20)))
    }

    pub fn session(&self) -> &'static Session {
        static SESSION: OnceLock<Session> = OnceLock::new();
        SESSION.get_or_init(|| {
            wait(
                SessionBuilder::new()
                    .known_node(&self.cassandra)
                    // Keyspaces come and go all the time.
                    .fetch_schema_metadata(false)
                    .build(),
            )
            .expect("a session with Cassandra")
        })
    }
}

pub async fn connect(url: &Url) -> Result<tokio_postgres::Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url.as_str(), tokio_postgres::NoTls).await?;
    // It ends with the client; an error reaches the client's own calls too.
    tokio::spawn(connection);
    Ok(client)
}
