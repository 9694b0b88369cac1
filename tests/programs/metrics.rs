//! `--metrics-addr` where no server is there: the address, and what is said while servers are waited for.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use crate::program::{Program, Running};

const JOBS: [&str; 3] = ["fetch-publish", "transform-store", "aggregate"];

/// No server listens there.
const NOWHERE: &str = "127.0.0.1:1";

fn job(name: &str) -> Program {
    Program::new(name)
        .variable("KAFKA_BOOTSTRAP_SERVERS", NOWHERE)
        .variable("DATABASE_URL", "postgres://streamflow@127.0.0.1:1/db")
}

fn quick(name: &str) -> Program {
    job(name).arguments(&["--connect-timeout", "300ms"])
}

/// The address that the log tells.
fn address(running: &mut Running) -> String {
    let line = running.wait_for_log("metrics at http://");
    let (_, url) = line.split_once("http://").unwrap();
    url.strip_suffix("/metrics").unwrap().to_owned()
}

/// The whole answer.
fn get(address: &str, path: &str) -> String {
    let mut connection = TcpStream::connect(address).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn what_is_waited_for_is_told_before_any_server_is_reached() {
    for name in JOBS {
        let program = job(name).arguments(&["--connect-timeout", "30s"]);
        let program = program.arguments(&["--metrics-addr", "127.0.0.1:0"]);
        let mut running = program.start();
        let address = address(&mut running);
        running.wait_for_log("waiting for");
        let readyz = get(&address, "/readyz");
        let server = match name {
            "fetch-publish" => "PostgreSQL at 127.0.0.1:1/db",
            _ => "Kafka at 127.0.0.1:1",
        };
        assert!(readyz.starts_with("HTTP/1.1 503 "), "{readyz}");
        assert!(
            readyz.ends_with(&format!("\r\n\r\nwaiting for {server}\n")),
            "{readyz}"
        );
        let healthz = get(&address, "/healthz");
        assert!(healthz.starts_with("HTTP/1.1 200 "), "{healthz}");
        let metrics = get(&address, "/metrics");
        assert!(
            metrics.contains(&format!("streamflow_ready{{job=\"{name}\"}} 0\n")),
            "{metrics}"
        );
    }
}

#[test]
fn an_address_that_is_in_use_is_told_with_what_to_do() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    for name in JOBS {
        let program = quick(name).variable("STREAMFLOW_METRICS_ADDR", &address);
        program.run().with_code(74).saying(&[
            &address,
            "the address is in use",
            "what to do: ",
            "--metrics-addr",
            "STREAMFLOW_METRICS_ADDR",
        ]);
    }
}

#[test]
fn an_address_that_is_none_of_this_machine_is_a_wrong_setting() {
    for address in ["nowhere", "127.0.0.1", "127.0.0.1:99999", "192.0.2.1:9464"] {
        let program = quick("aggregate").arguments(&["--metrics-addr", address]);
        program
            .run()
            .with_code(78)
            .saying(&[address, "what to do: ", "--metrics-addr"]);
    }
}

#[test]
fn an_empty_variable_counts_as_none() {
    for name in JOBS {
        let program = quick(name).variable("STREAMFLOW_METRICS_ADDR", "");
        program.run().with_code(69).without("metrics");
    }
}
