use std::time::Duration;

use serde_json::Value;

use crate::center::{Center, without};
use crate::servers::until;
use crate::world::World;

const SOON: Duration = Duration::from_secs(40);

pub fn component<'a>(health: &'a Value, name: &str) -> &'a Value {
    let all = health["components"].as_array().expect("components");
    all.iter()
        .find(|it| it["name"] == name)
        .unwrap_or_else(|| panic!("no {name}: {health}"))
}

/// The health, as soon as each of these has been asked.
fn asked(center: &Center, names: &[&str]) -> Value {
    until("all are asked", SOON, || {
        std::thread::sleep(Duration::from_millis(200));
        let health = center.json("/health");
        let is_asked = |name: &&str| component(&health, name)["answers"].is_boolean();
        names.iter().all(is_asked).then_some(health)
    })
}

#[test]
fn each_component_is_there_with_its_answer() {
    let Some(world) = World::shared() else { return };
    let center = Center::of(&world, &[]);
    let health = asked(&center, &["Kafka", "PostgreSQL", "Cassandra"]);
    for name in ["Kafka", "PostgreSQL", "Cassandra"] {
        let it = component(&health, name);
        assert_eq!(it["answers"], true, "{it}");
        assert!(
            it["latency_ms"].is_u64() && it["probed"].is_string(),
            "{it}"
        );
    }
    for name in ["PostgreSQL", "Cassandra"] {
        assert!(component(&health, name)["version"].is_string(), "{health}");
    }
    // What is not given is not asked, and says how to give it.
    let airflow = component(&health, "Airflow");
    assert!(airflow["answers"].is_null(), "{airflow}");
    assert!(
        airflow["why_not_asked"]
            .as_str()
            .unwrap()
            .contains("AIRFLOW_URL")
    );
    let page = center.page("/health");
    assert!(
        page.contains("answers") && page.contains("not asked"),
        "{page}"
    );
}

#[test]
fn a_component_that_is_down_says_what_it_said_last() {
    let Some(world) = World::shared() else { return };
    let center = Center::with(
        &world,
        &["--api-url", "http://someone:hidden@127.0.0.1:1/api/"],
        &[("CASSANDRA_CONTACT_POINTS", "127.0.0.1:1")],
    );
    let health = asked(&center, &["Cassandra", "API"]);
    for name in ["Cassandra", "API"] {
        let it = component(&health, name);
        assert_eq!(it["answers"], false, "{it}");
        assert!(
            it["last_error"]["message"]
                .as_str()
                .unwrap()
                .contains("127.0.0.1:1"),
            "{it}"
        );
        assert!(it["last_error"]["hint"].is_string(), "{it}");
    }
    assert_eq!(component(&health, "Kafka")["answers"], true, "{health}");
    for path in ["/health", "/", "/settings"] {
        assert!(!center.page(path).contains("hidden"), "{path}");
    }
}

#[test]
fn it_is_ready_when_kafka_has_answered_and_alive_before() {
    let Some(world) = World::shared() else { return };
    let center = Center::of(&world, &[]);
    until("it is ready", SOON, || {
        (center.get("/readyz").status == 200).then_some(())
    });

    let nowhere = without("KAFKA_BOOTSTRAP_SERVERS");
    let variables: Vec<(&str, &str)> = nowhere
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let center = Center::with(&world, &[], &variables);
    assert_eq!(center.page("/healthz"), "ok\n");
    center
        .get("/readyz")
        .is(503)
        .says(&["Kafka at 127.0.0.1:1 has not answered yet"]);
}

#[test]
fn metrics_tell_of_requests_by_page_and_of_the_process() {
    let Some(world) = World::shared() else { return };
    let center = Center::of(&world, &[]);
    center.get("/clusters/unknown").is(404);
    center.page("/clusters");
    center.get("/made/up/address").is(404);
    let answer = center.get("/metrics").is(200);
    assert!(
        answer
            .header("content-type")
            .starts_with("application/openmetrics-text")
    );
    for line in [
        r#"streamflow_control_center_requests_total{job="control-center",page="/clusters",status="200"} 1"#,
        r#"streamflow_control_center_requests_total{job="control-center",page="/clusters/{cluster}",status="404"} 1"#,
        r#"streamflow_control_center_requests_total{job="control-center",page="none",status="404"} 1"#,
        "# TYPE streamflow_control_center_page_seconds histogram",
        r#"streamflow_control_center_tails_open{job="control-center"} 0"#,
        r#"streamflow_control_center_readers_in_use{job="control-center"}"#,
        "process_resident_memory_bytes",
        "# EOF",
    ] {
        answer.says(&[line]);
    }
    assert!(!answer.text.contains("made/up"), "{}", answer.text);
}
