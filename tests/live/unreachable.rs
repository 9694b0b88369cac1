//! A server that is not there: every program waits for it, then names the server, the address, the flag and the variable.

use std::time::Duration;

use crate::api::Api;
use crate::world::World;

/// No server listens there.
const NOWHERE: &str = "127.0.0.1:1";

const POSTGRES: [&str; 3] = ["PostgreSQL", "--database-url", "DATABASE_URL"];
const KAFKA: [&str; 3] = ["Kafka", "--bootstrap-servers", "KAFKA_BOOTSTRAP_SERVERS"];
const CASSANDRA: [&str; 3] = ["Cassandra", "--contact-points", "CASSANDRA_CONTACT_POINTS"];
const API: [&str; 3] = ["the API", "--api-url", "STREAMFLOW_API_URL"];

/// Runs a program to which one server is missing.
#[track_caller]
fn names_it(world: &World, program: &str, arguments: &[&str], server: [&str; 3]) {
    let [_, _, variable] = server;
    let value = match variable {
        "DATABASE_URL" => format!("postgres://streamflow@{NOWHERE}/streamflow"),
        "STREAMFLOW_API_URL" => format!("http://{NOWHERE}/api/"),
        _ => NOWHERE.to_owned(),
    };
    let arguments = [arguments, &["--connect-timeout", "2s"]].concat();
    let done = world.run_with(program, &arguments, &[(variable, &value)]);
    let done = done.exits(69);
    done.says(&server);
    done.says(&[NOWHERE]);
    assert!(
        done.took > Duration::from_millis(1900) && done.took < Duration::from_secs(10),
        "{program} waited {:?} for {}",
        done.took,
        server[0]
    );
}

#[test]
fn fetch_publish_names_the_server_that_is_not_there() {
    let Some(world) = World::shared() else { return };
    let api = Api::start();
    let arguments = ["--users", "1", "--api-url", &api.url()];
    names_it(&world, "fetch-publish", &arguments, POSTGRES);
    names_it(&world, "fetch-publish", &arguments, KAFKA);
    names_it(&world, "fetch-publish", &["--users", "1"], API);
    assert_eq!(world.records(), []);
}

#[test]
fn transform_store_names_the_server_that_is_not_there() {
    let Some(world) = World::shared() else { return };
    names_it(&world, "transform-store", &[], KAFKA);
    names_it(&world, "transform-store", &[], CASSANDRA);
}

#[test]
fn aggregate_names_the_server_that_is_not_there() {
    let Some(world) = World::shared() else { return };
    names_it(&world, "aggregate", &[], KAFKA);
    names_it(&world, "aggregate", &[], CASSANDRA);
}

#[test]
fn streamflow_names_the_server_that_is_not_there() {
    let Some(world) = World::shared() else { return };
    for command in ["init", "doctor"] {
        for server in [KAFKA, POSTGRES, CASSANDRA] {
            names_it(&world, "streamflow", &[command], server);
        }
    }
}
