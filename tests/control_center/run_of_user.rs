//! By which runs a user was published, stored and counted: from the offsets that the programs told Airflow.

use serde_json::{Map, Value, json};

use crate::airflow::{RUN, played};
use crate::api::Api;
use crate::center::Center;
use crate::world::World;

fn spans(summary: &Value) -> &Map<String, Value> {
    summary["offsets"].as_object().expect("offsets")
}

fn holds(summary: &Value, (partition, offset): (i32, i64)) -> bool {
    let bounds = spans(summary)[&partition.to_string()].as_array();
    let bounds = bounds.expect("an array").iter().map(|it| it.as_i64());
    let bounds: Vec<i64> = bounds.map(|it| it.expect("an offset")).collect();
    bounds
        .chunks(2)
        .any(|span| (span[0]..span[1]).contains(&offset))
}

fn offsets(summary: &Value) -> i64 {
    let bounds = spans(summary).values().flat_map(|it| {
        let bounds = it.as_array().expect("an array");
        bounds.iter().map(|it| it.as_i64().expect("an offset"))
    });
    let bounds: Vec<i64> = bounds.collect();
    bounds.chunks(2).map(|span| span[1] - span[0]).sum()
}

#[test]
fn a_user_leads_to_the_runs_that_published_stored_and_counted_it() {
    let Some(world) = World::own() else { return };
    let api = Api::start();
    let fetch = |users: &str, seed: &str| {
        let arguments = ["--users", users, "--seed", seed, "--api-url", &api.url()];
        world.run("fetch-publish", &arguments).exits(0).summary
    };
    let old = fetch("40", "old");
    for program in ["transform-store", "aggregate"] {
        world.run(program, &[]).exits(0);
    }
    let published = fetch("60", "s");
    assert_eq!((offsets(&old), offsets(&published)), (40, 60));
    let stored = world.run("transform-store", &[]).exits(0).summary;
    let counted = world.run("aggregate", &[]).exits(0).summary;
    assert_eq!((offsets(&stored), offsets(&counted)), (60, 60));
    assert_eq!(spans(&stored), spans(&published));
    assert_eq!(spans(&counted), spans(&published));
    // Nothing is left to read.
    let nothing = world.run("transform-store", &[]).exits(0).summary;
    assert_eq!(nothing["offsets"], json!({}));

    let users = world.landed();
    for user in &users {
        let place = user.published.expect("published");
        let is_new = user.sequence > 40;
        assert_eq!(holds(&published, place), is_new, "{place:?}");
    }
    let (first, last) = (&users[0], &users[99]);

    let (url, played) = played();
    {
        let mut returned = played.returned.lock().unwrap();
        returned.insert("fetch_publish", published);
        returned.insert("python_job", stored);
        returned.insert("java_job", counted);
    }
    let center = Center::with(
        &world,
        &["--airflow-url", &url],
        &[("AIRFLOW_PASSWORD", "very secret")],
    );
    let address = format!("/explain?user_id={}", last.id);
    let facts = center.json(&address);
    let run = |dag: &str| json!({"dag": dag, "id": RUN, "href": format!("/runs/{dag}/manual__2026-11-21T10%3A00%3A00%2B00%3A00")});
    let runs = &facts["runs"];
    assert_eq!(runs["published"], json!([run("user_automation")]));
    for job in ["transform_store", "aggregate"] {
        let told = runs[job].as_array().expect("runs");
        assert_eq!(told[0], run("sparking_flow"), "{runs}");
    }
    let href = run("sparking_flow")["href"].as_str().unwrap().to_owned();
    center
        .get(&address)
        .is(200)
        .says(&[&format!("<a href=\"{href}\">{RUN}</a>"), "/runs\""]);
    let asked = played.asked.lock().unwrap().clone();
    let since = asked
        .iter()
        .filter(|it| it.contains("sparking_flow/dagRuns?"));
    let since: Vec<&String> = since
        .filter(|it| it.contains("end_date_gte=20") && it.contains("limit=20"))
        .collect();
    assert!(!since.is_empty(), "{asked:?}");

    // A user whom other runs had: no run is named, and the way to all of them is there.
    let address = format!("/explain?user_id={}", first.id);
    let facts = center.json(&address);
    assert_eq!(facts["outcome"]["is"], "stored");
    assert_eq!(
        facts["runs"],
        json!({"published": [], "transform_store": [], "aggregate": []})
    );
    center
        .get(&address)
        .is(200)
        .says(&["not told", "<a href=\"/runs\">"]);

    // Without Airflow the rest is told.
    let center = Center::of(&world, &["--airflow-url", "http://127.0.0.1:1"]);
    let facts = center.json(&address);
    assert_eq!(facts["outcome"]["is"], "stored");
    let trouble = facts["runs"]["error"]["message"].as_str().unwrap();
    assert!(trouble.contains("does not answer"), "{trouble}");
}
