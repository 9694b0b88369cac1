//! The servers of the stack as processes: broken and mended through `local/stack`.

use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use crate::servers::{connect, servers, until, wait};

/// Longer than any server takes to be back on a busy machine.
const BACK_WITHIN: Duration = Duration::from_secs(180);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Server {
    Kafka,
    Cassandra,
    Postgres,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Ends at once, and is started again by the stack.
    Kill,
    /// Ends in order, and is started again by the stack.
    End,
    /// Stands still until [`Signal::Continue`].
    Stop,
    Continue,
}

pub const ALL: [Server; 3] = [Server::Kafka, Server::Cassandra, Server::Postgres];

impl Server {
    fn name(self) -> &'static str {
        match self {
            Server::Kafka => "kafka",
            Server::Cassandra => "cassandra",
            Server::Postgres => "postgres",
        }
    }

    pub fn signal(self, signal: Signal) {
        let name = match (signal, self) {
            (Signal::Kill, _) => "KILL",
            // PostgreSQL's fast shutdown: it does not wait for its clients.
            (Signal::End, Server::Postgres) => "INT",
            (Signal::End, _) => "TERM",
            (Signal::Stop, _) => "STOP",
            (Signal::Continue, _) => "CONT",
        };
        let done = stack(&["signal", self.name(), name]);
        assert!(done, "{} gets no SIG{name}", self.name());
    }

    /// Waits until it answers. One that ended is started again by the stack.
    pub fn is_back(self) {
        until(&format!("{} is back", self.name()), BACK_WITHIN, || {
            self.answers().then_some(())
        });
    }

    /// Starts it, where the stack has given up.
    pub fn start(self) {
        assert!(
            stack(&["up", "--only", self.name()]),
            "{} starts",
            self.name()
        );
    }

    fn answers(self) -> bool {
        let servers = servers().expect("servers");
        match self {
            Server::Kafka => {
                let admin = servers.kafka_admin();
                let patience = Duration::from_secs(2);
                admin.inner().fetch_metadata(None, patience).is_ok()
            }
            Server::Cassandra => TcpStream::connect(&servers.cassandra).is_ok(),
            Server::Postgres => wait(connect(&servers.database_url)).is_ok(),
        }
    }
}

/// Of any state that a fault has left.
pub fn mend() {
    for server in ALL {
        // Nothing to continue where it is not running at all.
        stack(&["signal", server.name(), "CONT"]);
    }
    for server in ALL {
        server.is_back();
    }
}

fn stack(arguments: &[&str]) -> bool {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/local/stack");
    let done = Command::new(program).args(arguments).output();
    let done = done.expect("local/stack can be started");
    if !done.status.success() {
        let text = String::from_utf8_lossy(&done.stderr);
        println!("local/stack {}: {}", arguments.join(" "), text.trim());
    }
    done.status.success()
}
