//! A server that is not there: each program waits, then ends with 69 and names the server, its address, the flag and the variable.

use std::time::Duration;

use crate::program::Program;
use crate::scripted_api::address_of_nobody;

#[track_caller]
fn names(program: Program, server: &str, flag: &str, variable: &str) {
    let address = address_of_nobody().to_string();
    let value = match variable {
        "DATABASE_URL" => format!("postgres://streamflow@{address}/streamflow"),
        _ => address.clone(),
    };
    let ended = program
        .variable(variable, &value)
        .arguments(&["--connect-timeout", "1200ms"])
        .run()
        .with_code(69)
        .saying(&[
            &format!("{server} at {address}"),
            "did not answer within 1.2 s",
            "what to do: ",
            flag,
            variable,
            "--connect-timeout",
        ]);
    let elapsed = ended.elapsed;
    assert!(
        elapsed >= Duration::from_millis(1_200),
        "waits: {elapsed:?}"
    );
    assert!(
        elapsed < Duration::from_secs(15),
        "and not for ever: {elapsed:?}"
    );
}

#[test]
fn fetch_publish_names_postgresql() {
    let program = Program::new("fetch-publish");
    names(program, "PostgreSQL", "--database-url", "DATABASE_URL");
}

#[test]
fn transform_store_names_kafka() {
    let program = Program::new("transform-store");
    names(
        program,
        "Kafka",
        "--bootstrap-servers",
        "KAFKA_BOOTSTRAP_SERVERS",
    );
}

#[test]
fn aggregate_names_kafka() {
    let program = Program::new("aggregate");
    names(
        program,
        "Kafka",
        "--bootstrap-servers",
        "KAFKA_BOOTSTRAP_SERVERS",
    );
}

/// Both are reached at once: who starts a job before its servers is told of all that are missing.
#[test]
fn consumers_wait_for_kafka_and_cassandra_at_once() {
    let (kafka, cassandra) = (address_of_nobody(), address_of_nobody());
    for job in ["transform-store", "aggregate"] {
        Program::new(job)
            .variable("KAFKA_BOOTSTRAP_SERVERS", &kafka.to_string())
            .variable("CASSANDRA_CONTACT_POINTS", &cassandra.to_string())
            .arguments(&["--connect-timeout", "3s"])
            .run()
            .with_code(69)
            .saying(&[
                &format!("waiting for Cassandra at {cassandra}"),
                &format!("Kafka at {kafka} did not answer within 3 s"),
            ]);
    }
}

/// A run that cannot succeed does not first wait for the other server.
#[test]
fn what_cassandra_is_told_wrong_ends_the_wait_for_kafka() {
    let nobody = address_of_nobody().to_string();
    for job in ["transform-store", "aggregate"] {
        let ended = Program::new(job)
            .variable("KAFKA_BOOTSTRAP_SERVERS", &nobody)
            .variable("CASSANDRA_CONTACT_POINTS", &nobody)
            .variable("CASSANDRA_USERNAME", "streamflow")
            .variable("CASSANDRA_PASSWORD_FILE", "no-such-file")
            .arguments(&["--connect-timeout", "40s"])
            .run()
            .with_code(78)
            .saying(&["no-such-file"]);
        assert!(ended.elapsed < Duration::from_secs(20), "{ended:#?}");
    }
}

#[test]
fn init_names_kafka() {
    let program = Program::new("streamflow").arguments(&["init"]);
    names(
        program,
        "Kafka",
        "--bootstrap-servers",
        "KAFKA_BOOTSTRAP_SERVERS",
    );
}

#[test]
fn reconcile_names_postgresql() {
    let program = Program::new("streamflow").arguments(&["reconcile"]);
    names(program, "PostgreSQL", "--database-url", "DATABASE_URL");
}

#[test]
fn doctor_examines_every_server_though_the_first_is_not_there() {
    let nobody = address_of_nobody().to_string();
    let ended = Program::new("streamflow")
        .arguments(&["doctor", "--connect-timeout", "1s"])
        .variable("KAFKA_BOOTSTRAP_SERVERS", &nobody)
        .variable("CASSANDRA_CONTACT_POINTS", &nobody)
        .variable(
            "DATABASE_URL",
            &format!("postgres://streamflow@{nobody}/streamflow"),
        )
        .run()
        .with_code(69);
    for server in ["Kafka", "Cassandra", "PostgreSQL"] {
        let found = ended
            .stdout
            .lines()
            .any(|line| line.starts_with("FAIL") && line.contains(server));
        assert!(found, "{server} in {ended:#?}");
    }
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    Program::new("random-user-api")
        .arguments(&["--listen", &address])
        .run()
        .with_code(74)
        .saying(&[
            &address,
            "what to do: ",
            "--listen",
            "STREAMFLOW_API_LISTEN",
        ]);
}

#[test]
fn the_bundled_api_says_where_it_listens() {
    let mut program = Program::new("random-user-api")
        .arguments(&["--listen", "127.0.0.1:0"])
        .start();
    let line = program.wait_for_log("random users at ");
    let address = line
        .split("http://")
        .nth(1)
        .unwrap()
        .trim_end_matches("/api/");
    std::net::TcpStream::connect(address).expect("the address of the log");
}
