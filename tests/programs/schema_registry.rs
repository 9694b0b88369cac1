//! The client of the Schema Registry, against registries that a test writes itself: several addresses, users, and answers that are none.

use std::time::{Duration, Instant};

use streamflow::config::{ConnectArguments, SchemaRegistryArguments};
use streamflow::error::{Error, Kind, Result};
use streamflow::schema_registry::{Schema, SchemaRegistry};

use crate::pipeline_store::runtime;
use crate::scripted_api::address_of_nobody;
use crate::scripted_registry::{ScriptedRegistry, reply};

const PATIENCE: ConnectArguments = ConnectArguments {
    connect_timeout: Duration::from_millis(1_200),
    retry_timeout: Duration::from_millis(1_500),
};

fn arguments(url: &str) -> SchemaRegistryArguments {
    SchemaRegistryArguments {
        schema_registry_url: Some(url.to_owned()),
        schema_registry_username: None,
        schema_registry_password_file: None,
    }
}

fn connect(arguments: &SchemaRegistryArguments) -> Result<SchemaRegistry> {
    // The programs do it at their start; the second test finds it done.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let connecting = SchemaRegistry::connect(arguments, &PATIENCE);
    runtime()
        .block_on(connecting)
        .map(|registry| registry.expect("an address"))
}

fn connected(registry: &ScriptedRegistry) -> SchemaRegistry {
    connect(&arguments(&registry.url())).unwrap()
}

#[track_caller]
fn failed<T>(outcome: Result<T>) -> Error {
    match outcome {
        Ok(_) => panic!("it did not fail"),
        Err(error) => error,
    }
}

#[track_caller]
fn says(error: &Error, kind: Kind, texts: &[&str]) {
    let text = error.to_string();
    assert_eq!(error.kind(), kind, "{text}");
    for part in texts {
        assert!(text.contains(part), "{part:?} in {text}");
    }
}

const NAMED: [&str; 4] = [
    "the Schema Registry at http://127.0.0.1:",
    "--schema-registry-url",
    "SCHEMA_REGISTRY_URL",
    "what to do: ",
];

fn schema_json() -> Option<Vec<u8>> {
    reply(200, r#"{"schema":"{}","schemaType":"JSON"}"#)
}

#[test]
fn no_address_is_no_registry() {
    let no_address = arguments(" ");
    let connecting = SchemaRegistry::connect(&no_address, &PATIENCE);
    assert!(runtime().block_on(connecting).unwrap().is_none());
}

#[test]
fn a_schema_is_asked_for_by_its_id_below_the_path_of_the_registry() {
    let registry = ScriptedRegistry::well(|_| schema_json());
    let client = connect(&arguments(&format!("{}/apis/ccompat/v7/", registry.url()))).unwrap();
    let schema = runtime().block_on(client.schema(4711)).unwrap().unwrap();
    assert_eq!(schema, Schema::new("JSON", "{}"));
    let asked: Vec<String> = registry.asked().into_iter().map(|it| it.what).collect();
    assert_eq!(
        asked,
        [
            "GET /apis/ccompat/v7/schemas/types",
            "GET /apis/ccompat/v7/schemas/ids/4711"
        ]
    );
}

#[test]
fn an_unknown_id_is_no_failure() {
    let registry = ScriptedRegistry::well(|_| {
        reply(
            404,
            r#"{"error_code":40403,"message":"Schema 7 not found"}"#,
        )
    });
    assert_eq!(
        runtime().block_on(connected(&registry).schema(7)).unwrap(),
        None
    );
    assert_eq!(registry.asked().len(), 2, "asked once");
}

#[test]
fn the_next_address_is_asked_when_one_does_not_answer() {
    let registry = ScriptedRegistry::well(|_| schema_json());
    let broken = ScriptedRegistry::start(|_| reply(503, "no"));
    let url = format!(
        "http://{},{},{}",
        address_of_nobody(),
        broken.url(),
        registry.url()
    );
    let client = connect(&arguments(&url)).unwrap();
    for _ in 0..3 {
        assert!(runtime().block_on(client.schema(7)).unwrap().is_some());
    }
    assert_eq!(
        broken.asked().len(),
        1,
        "the one that has answered is asked first"
    );
}

#[test]
fn a_registry_that_is_not_there_is_waited_for_and_named() {
    let begun = Instant::now();
    let error = failed(connect(&arguments(&format!(
        "http://{}",
        address_of_nobody()
    ))));
    says(&error, Kind::Unavailable, &NAMED);
    says(
        &error,
        Kind::Unavailable,
        &["did not answer within 1.2 s", "--connect-timeout"],
    );
    assert!(
        begun.elapsed() >= PATIENCE.connect_timeout && begun.elapsed() < Duration::from_secs(10)
    );
}

#[test]
fn a_registry_that_accepts_and_never_answers_is_waited_for_and_named() {
    let registry = ScriptedRegistry::start(|_| None);
    let begun = Instant::now();
    let error = failed(connect(&arguments(&registry.url())));
    says(&error, Kind::Unavailable, &NAMED);
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn what_is_no_answer_of_a_registry_is_told_at_the_start() {
    for garbage in [
        reply(200, "<html>hidden</html>"),
        reply(200, r#"{"hidden":1}"#),
        reply(404, "hidden"),
        reply(500, "hidden"),
        Some(b"hidden\r\n\r\n".to_vec()),
        Some(Vec::new()),
    ] {
        let registry = ScriptedRegistry::start(move |_| garbage.clone());
        let error = failed(connect(&arguments(&registry.url())));
        says(&error, Kind::Unavailable, &NAMED);
        says(
            &error,
            Kind::Unavailable,
            &["gave no answer that can be used within 1.2 s"],
        );
        assert!(!error.to_string().contains("hidden"), "{error}");
    }
}

#[test]
fn what_is_no_answer_of_a_registry_is_told_in_the_work() {
    let huge = "x".repeat(5 << 20);
    for garbage in [
        reply(200, "hidden"),
        reply(200, "[]"),
        reply(404, r#"{"error_code":404}"#),
        reply(200, &huge),
    ] {
        let registry = ScriptedRegistry::well(move |_| garbage.clone());
        let error = failed(runtime().block_on(connected(&registry).schema(7)));
        says(&error, Kind::Unavailable, &NAMED);
        says(
            &error,
            Kind::Unavailable,
            &["within 1.5 s", "--retry-timeout"],
        );
        assert!(registry.asked().len() > 2, "it is asked again");
    }
}

#[test]
fn a_registry_that_recovers_is_enough() {
    let tries = std::sync::atomic::AtomicU32::new(0);
    let registry = ScriptedRegistry::well(move |_| {
        match tries.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0..2 => reply(503, ""),
            _ => schema_json(),
        }
    });
    assert!(
        runtime()
            .block_on(connected(&registry).schema(7))
            .unwrap()
            .is_some()
    );
}

#[test]
fn a_user_is_told_to_the_registry_and_to_nobody_else() {
    let file = std::env::temp_dir().join(format!("streamflow-registry-{}", std::process::id()));
    std::fs::write(&file, "canary4711\n").unwrap();
    let registry = ScriptedRegistry::start(|asked| match asked.authorization.as_deref() {
        // someone:canary4711
        Some("Basic c29tZW9uZTpjYW5hcnk0NzEx") => reply(200, "[]"),
        _ => reply(401, ""),
    });
    let with_file = SchemaRegistryArguments {
        schema_registry_username: Some("someone".to_owned()),
        schema_registry_password_file: Some(file.clone()),
        ..arguments(&registry.url().replace("http://", "http://other:wrong@"))
    };
    assert!(connect(&with_file).is_ok());
    let in_the_address = arguments(
        &registry
            .url()
            .replace("http://", "http://someone:canary4711@"),
    );
    assert!(connect(&in_the_address).is_ok());
    let begun = Instant::now();
    let wrong = arguments(
        &registry
            .url()
            .replace("http://", "http://someone:canary4712@"),
    );
    let error = failed(connect(&wrong));
    says(
        &error,
        Kind::Denied,
        &["refuses this user", "SCHEMA_REGISTRY_URL"],
    );
    assert!(!error.to_string().contains("canary"), "{error}");
    assert!(
        begun.elapsed() < PATIENCE.connect_timeout,
        "not asked again"
    );
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn an_incompatible_schema_is_refused_with_the_subject_and_what_to_do() {
    let registry = ScriptedRegistry::well(|_| {
        reply(
            409,
            r#"{"error_code":409,"message":"reader field missing"}"#,
        )
    });
    let client = connected(&registry);
    let schema = Schema::new("AVRO", "\"string\"");
    let registering = client.register("user_created-value", &schema);
    let error = failed(runtime().block_on(registering));
    says(
        &error,
        Kind::Configuration,
        &[
            "the subject user_created-value",
            "reader field missing",
            "--value-format",
            "--topic",
        ],
    );
    let asked = registry.asked().pop().unwrap();
    assert_eq!(asked.what, "POST /subjects/user_created-value/versions");
    assert_eq!(asked.body, r#"{"schema":"\"string\"","schemaType":"AVRO"}"#);
    assert_eq!(registry.asked().len(), 2, "not asked again");
}
