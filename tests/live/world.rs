//! A pipeline of a test's own on the shared servers: a database, a topic with its dead letters, and a keyspace, made by `streamflow init`
//! and dropped at the end.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use uuid::Uuid;

use crate::process::{self, Finished, Running};
use crate::servers::{Servers, servers, wait};

/// Where rows and landed records go. Several worlds can share one when each looks at its own ids only.
pub struct Base {
    pub servers: &'static Servers,
    pub database: String,
    pub keyspace: String,
}

pub struct World {
    pub base: Arc<Base>,
    pub topic: String,
    suffix: String,
}

impl World {
    /// A world with a database and a keyspace that nobody else writes; nothing where there are no servers.
    pub fn own() -> Option<Self> {
        Some(Self::on(Arc::new(Base::make(servers()?))))
    }

    /// A world with a topic of its own, and tables that it shares with other tests, which is quicker to make.
    pub fn shared() -> Option<Self> {
        static SHARED: Mutex<Weak<Base>> = Mutex::new(Weak::new());
        let servers = servers()?;
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let known = shared.upgrade();
        let base = known.unwrap_or_else(|| {
            let base = Arc::new(Base::make(servers));
            *shared = Arc::downgrade(&base);
            base
        });
        // Under the lock: whoever is first makes the tables.
        Some(Self::on(base))
    }

    fn on(base: Arc<Base>) -> Self {
        let suffix = suffix();
        let world = Self {
            topic: format!("live_{suffix}"),
            base,
            suffix,
        };
        // The records of the tests carry old times: none may be removed for its age meanwhile.
        world
            .run("streamflow", &["init", "--retention", "36500d"])
            .exits(0);
        world
    }

    /// The consumer group of a program in this world.
    pub fn group(&self, program: &str) -> String {
        format!("{program}-{}", self.suffix)
    }

    pub fn dead_letter_topic(&self) -> String {
        format!("{}.dead_letters", self.topic)
    }

    pub fn variables(&self) -> BTreeMap<&'static str, String> {
        let Servers {
            kafka, cassandra, ..
        } = self.base.servers;
        let database = self.base.servers.database(&self.base.database);
        BTreeMap::from([
            ("DATABASE_URL", database.to_string()),
            ("KAFKA_BOOTSTRAP_SERVERS", kafka.clone()),
            ("CASSANDRA_CONTACT_POINTS", cassandra.clone()),
            ("CASSANDRA_KEYSPACE", self.base.keyspace.clone()),
            ("STREAMFLOW_TOPIC", self.topic.clone()),
        ])
    }

    /// Runs a program to its end.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Finished {
        self.spawn(program, arguments).finish()
    }

    pub fn spawn(&self, program: &str, arguments: &[&str]) -> Running {
        self.spawn_with(program, arguments, &[])
    }

    /// Runs a program to its end, with some variables set otherwise.
    pub fn run_with(
        &self,
        program: &str,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Finished {
        self.spawn_with(program, arguments, variables).finish()
    }

    /// Starts a program, with some variables set otherwise.
    pub fn spawn_with(
        &self,
        program: &str,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Running {
        let mut command = Command::new(process::file(program));
        // Nothing of the caller's own settings.
        command.env_clear().envs(self.variables()).args(arguments);
        let consumes = matches!(program, "transform-store" | "aggregate");
        if consumes && !arguments.contains(&"--group-id") {
            command.args(["--group-id", &self.group(program)]);
        }
        command.envs(variables.iter().copied());
        process::spawn(command)
    }
}

impl World {
    pub fn delete_topics(&self, topics: &[&str]) {
        let admin = self.base.servers.kafka_admin();
        // What is left over stands in nobody's way.
        let _ = wait(admin.delete_topics(topics, &Servers::admin_options()));
    }
}

impl Drop for World {
    /// As far as it goes: what is left over stands in nobody's way.
    fn drop(&mut self) {
        let admin = self.base.servers.kafka_admin();
        let options = Servers::admin_options();
        let groups = [self.group("transform-store"), self.group("aggregate")];
        let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
        let topics = [self.topic.as_str(), &self.dead_letter_topic()];
        wait(async {
            let _ = admin.delete_topics(&topics, &options).await;
            let _ = admin.delete_groups(&groups, &options).await;
        });
    }
}

impl Base {
    fn make(servers: &'static Servers) -> Self {
        let name = format!("live_{}", suffix());
        let owner = servers.database_url.username();
        servers
            .administer_postgres(&format!("CREATE DATABASE {name} OWNER {owner}"))
            .expect("a database");
        Self {
            servers,
            database: name.clone(),
            keyspace: name,
        }
    }
}

impl Drop for Base {
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.database);
        let _ = self.servers.administer_postgres(&statement);
        let statement = format!("DROP KEYSPACE IF EXISTS {}", self.keyspace);
        let _ = wait(self.servers.session().query_unpaged(statement, ()));
    }
}

fn suffix() -> String {
    Uuid::new_v4().simple().to_string()[..10].to_owned()
}
