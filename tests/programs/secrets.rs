//! A secret given by a variable or a file is in no help, no log and no error, at any level.

use crate::program::{Ended, PROGRAMS, Program};
use crate::scripted_api::address_of_nobody;

const SECRET: &str = "canary4711";

/// The program with secrets in all variables that may hold one, and no server anywhere.
fn with_secrets(name: &str) -> Program {
    let nobody = address_of_nobody().to_string();
    Program::new(name)
        .variable(
            "DATABASE_URL",
            &format!("postgres://someone:{SECRET}@{nobody}/streamflow"),
        )
        .variable("KAFKA_BOOTSTRAP_SERVERS", &nobody)
        .variable(
            "KAFKA_OPTIONS",
            &format!("sasl.mechanisms=PLAIN,sasl.username=someone,sasl.password={SECRET}"),
        )
        .variable("CASSANDRA_CONTACT_POINTS", &nobody)
        .variable("CASSANDRA_USERNAME", "someone")
        .variable("CASSANDRA_PASSWORD", SECRET)
        .variable(
            "SCHEMA_REGISTRY_URL",
            &format!("http://someone:{SECRET}@{nobody}/"),
        )
        .variable("SCHEMA_REGISTRY_USERNAME", "someone")
        .variable("SCHEMA_REGISTRY_PASSWORD", SECRET)
        .variable("STREAMFLOW_VALUE_FORMAT", "avro")
        .variable("AIRFLOW_PASSWORD", SECRET)
        .variable(
            "STREAMFLOW_CONTROL_CENTER_ACCOUNTS",
            &format!("someone:admin:{SECRET}"),
        )
        .variable(
            "STREAMFLOW_API_URL",
            &format!("http://someone:{SECRET}@{nobody}/api/?key={SECRET}"),
        )
}

fn quick(program: Program) -> Program {
    program.arguments(&["--connect-timeout", "1s"])
}

#[track_caller]
fn fails_without_telling(ended: Ended, codes: &[i32]) {
    assert!(
        ended.code.is_some_and(|code| codes.contains(&code)),
        "{ended:#?}"
    );
    ended.without(SECRET);
}

#[test]
fn help_shows_no_secret_of_the_environment() {
    for name in PROGRAMS {
        with_secrets(name)
            .arguments(&["--help"])
            .run()
            .with_code(0)
            .without(SECRET);
    }
    for command in ["init", "doctor", "reconcile"] {
        let program = with_secrets("streamflow").arguments(&[command, "--help"]);
        program.run().with_code(0).without(SECRET);
    }
}

#[test]
fn servers_that_are_not_there_are_named_without_the_secrets_for_them() {
    for level in ["info", "trace"] {
        for name in ["fetch-publish", "transform-store", "aggregate"] {
            let program = quick(with_secrets(name)).variable("RUST_LOG", level);
            fails_without_telling(program.run(), &[69]);
        }
        for command in ["init", "doctor", "reconcile"] {
            let program = with_secrets("streamflow").arguments(&[command]);
            let program = quick(program).variable("RUST_LOG", level);
            fails_without_telling(program.run(), &[69]);
        }
        let program = quick(with_secrets("fetch-publish")).arguments(&["--dry-run"]);
        fails_without_telling(program.variable("RUST_LOG", level).run(), &[69]);
    }
}

#[test]
fn a_database_url_that_cannot_be_read_is_not_repeated() {
    let url = format!("postgres//someone:{SECRET}@db:5432");
    let program = with_secrets("fetch-publish").variable("DATABASE_URL", &url);
    let ended = quick(program).run().saying(&["DATABASE_URL"]);
    fails_without_telling(ended, &[78]);
}

#[test]
fn kafka_options_that_cannot_be_read_are_not_repeated() {
    for options in [SECRET.to_owned(), format!("acks=1\n{SECRET}")] {
        let program = with_secrets("transform-store").variable("KAFKA_OPTIONS", &options);
        let ended = quick(program).run().saying(&["KAFKA_OPTIONS"]);
        fails_without_telling(ended, &[78]);
    }
}

#[test]
fn a_kafka_setting_that_librdkafka_does_not_take_is_named_without_its_value() {
    for key in ["acks", "no.such.setting"] {
        let options = format!("{key}={SECRET}");
        let program = with_secrets("transform-store").variable("KAFKA_OPTIONS", &options);
        let ended = quick(program)
            .run()
            .saying(&[key, "what to do: ", "KAFKA_OPTIONS"]);
        fails_without_telling(ended, &[78]);
    }
}

#[test]
fn an_api_address_that_cannot_be_read_is_not_repeated() {
    let url = format!("htp://someone:{SECRET}@api/");
    let program = Program::new("fetch-publish").variable("STREAMFLOW_API_URL", &url);
    fails_without_telling(program.run(), &[78]);
}

#[test]
fn an_address_of_a_registry_that_cannot_be_read_is_not_repeated() {
    let url = format!("http://registry:8081,htp://someone:{SECRET}@registry/");
    for name in ["fetch-publish", "transform-store", "aggregate"] {
        let program = with_secrets(name).variable("SCHEMA_REGISTRY_URL", &url);
        let ended = quick(program).run().saying(&["SCHEMA_REGISTRY_URL"]);
        fails_without_telling(ended, &[78]);
    }
}

#[test]
fn a_secret_file_that_is_not_there_is_named() {
    let program =
        with_secrets("fetch-publish").arguments(&["--database-password-file", "no/such/file"]);
    let ended = quick(program)
        .run()
        .saying(&["no/such/file", "what to do: "]);
    fails_without_telling(ended, &[78]);
}
