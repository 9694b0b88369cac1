use std::time::Duration;

use serde_json::Value;

use crate::api::Api;
use crate::center::{Center, without};
use crate::health::component;
use crate::scrape::{METRICS, Served};
use crate::servers::{connect, until, wait};
use crate::topic::Given;
use crate::world::World;

const SOON: Duration = Duration::from_secs(40);

fn text(pipeline: &Value) -> &str {
    pipeline["sentence"]["text"].as_str().unwrap_or_default()
}

/// The first page, as soon as its sentence says this: it is looked at every five seconds.
#[track_caller]
fn says(center: &Center, part: &str) -> Value {
    until(&format!("{part:?} is said"), SOON, || {
        // A person looks no more often.
        std::thread::sleep(Duration::from_millis(200));
        let pipeline = center.json("/");
        text(&pipeline).contains(part).then_some(pipeline)
    })
}

#[test]
fn from_an_empty_pipeline_to_one_where_all_is_well() {
    let Some(world) = World::own() else { return };
    let center = Center::of(&world, &[]);
    let empty = says(&center, "Nothing has landed yet");
    assert_eq!(empty["sentence"]["level"], "warn");
    assert!(
        empty["sentence"]["next"]
            .as_str()
            .unwrap()
            .contains("make demo"),
        "{empty}"
    );

    let api = Api::start();
    world
        .run("fetch-publish", &["--users", "60", "--api-url", &api.url()])
        .exits(0);
    let waiting = says(
        &center,
        "60 records wait for transform-store, which does not run",
    );
    assert!(
        waiting["sentence"]["next"]
            .as_str()
            .unwrap()
            .contains("sparking_flow"),
        "{waiting}"
    );
    assert_eq!(waiting["transform_store"]["lag_records"], 60, "{waiting}");
    assert!(
        (0..600).contains(
            &waiting["transform_store"]["lag_seconds"]
                .as_i64()
                .unwrap_or(-1)
        ),
        "{waiting}"
    );
    assert_eq!(waiting["landing"]["lag_records"], 0, "{waiting}");
    assert!(waiting["landing"]["last_success"].is_string(), "{waiting}");
    assert!(waiting["topic"]["last_success"].is_string(), "{waiting}");

    world.run("transform-store", &[]).exits(0);
    says(&center, "60 records wait for aggregate");
    world.run("aggregate", &[]).exits(0);
    let well = says(
        &center,
        "All is well: every landed user is published, stored and counted",
    );
    assert_eq!(well["topic"]["total"], 60, "{well}");
    assert_eq!(well["aggregate"]["lag_records"], 0, "{well}");
    assert!(
        well["aggregate"]["last_success"].is_string(),
        "it was seen: {well}"
    );

    let page = center.page("/");
    for part in [
        "All is well",
        &format!("/clusters/controlcenter.cluster/topics/{}", world.topic),
        &format!("/groups/{}", world.group("aggregate")),
        "/tables/created_users",
        "/dead-letters",
        r##"hx-select="#pipeline""##,
        r#"hx-trigger="every 5s""#,
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }

    let throughput = center.page("/throughput?window=5m");
    for part in [
        "<svg",
        "role=\"img\"",
        "Records per second",
        "<table",
        "dead-lettered",
    ] {
        assert!(throughput.contains(part), "{part}: {throughput}");
    }
    let numbers = center.json("/throughput?window=5m");
    let rows = numbers["rates"]["rows"].as_array().unwrap();
    let published: f64 = rows.iter().filter_map(|it| it["values"][0].as_f64()).sum();
    assert!(published > 0.0, "the 60 records are seen: {numbers}");
    center
        .get("/throughput?window=9h")
        .is(400)
        .says(&["5m, 15m and 1h"]);

    // The same in a terminal, and as JSON for programs.
    let groups = [
        "--transform-store-group-id",
        &world.group("transform-store"),
        "--aggregate-group-id",
        &world.group("aggregate"),
    ];
    let mut once = vec!["top", "--once"];
    once.extend(groups);
    let shown = world.run("streamflow", &once).exits(0);
    for part in [
        "All is well",
        "transform-store",
        "created_users",
        "Dead letters",
        "0/s",
    ] {
        assert!(shown.stdout.contains(part), "{part}: {}", shown.stdout);
    }
    assert!(!shown.stdout.contains('\u{1b}'), "{:?}", shown.stdout);
    once[1] = "--json";
    let told: Value =
        serde_json::from_str(&world.run("streamflow", &once).exits(0).stdout).unwrap();
    assert!(text(&told).starts_with("All is well"), "{told}");
    assert_eq!(told["transform_store"]["total"], 60, "{told}");
}

#[test]
fn how_long_records_take_to_their_row_is_told_by_a_job_that_runs() {
    let Some(world) = World::own() else { return };
    let api = Api::start();
    let fetch = |users: &str, seed: &str| {
        let arguments = ["--users", users, "--seed", seed, "--api-url", &api.url()];
        world.run("fetch-publish", &arguments).exits(0);
    };
    let mut arguments = vec!["--follow"];
    arguments.extend(METRICS);
    let mut job = world.spawn("transform-store", &arguments);
    let metrics = format!("http://{}", Served::by(&mut job).address);
    // What was there before the first look belongs to no time.
    fetch("30", "before");
    until("it is stored", SOON, || {
        (world.user_count() == 30).then_some(())
    });
    let center = Center::of(&world, &["--job-metrics-url", &metrics]);
    until("the job is asked", SOON, || {
        let health = center.json("/health");
        let jobs = component(&health, "Jobs");
        (jobs["answers"] == true && jobs["address"] == format!("{metrics}/")).then_some(())
    });
    let seen = |told: &Value| -> Vec<(f64, f64)> {
        let rows = told["latencies"]["rows"].as_array().expect("rows");
        let both = |it: &Value| Some((it["values"][0].as_f64()?, it["values"][1].as_f64()?));
        rows.iter().filter_map(both).collect()
    };
    let window = "/throughput?window=5m";
    center.json(window);
    // One look bounds the time from before.
    std::thread::sleep(Duration::from_secs(6));
    assert_eq!(seen(&center.json(window)), [], "nothing came");
    fetch("70", "meanwhile");
    let told = until("the new ones are told", SOON, || {
        std::thread::sleep(Duration::from_millis(500));
        let told = center.json(window);
        (!seen(&told).is_empty()).then_some(told)
    });
    for (half, most) in seen(&told) {
        assert!(0.0 < half && half <= most && most < 30.0, "{half} {most}");
    }
    let page = center.page(window);
    for part in [
        "Seconds from landing to row",
        "half of the records",
        "99 of 100",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    job.terminate();
    job.finish();
    until("the job is missed", SOON, || {
        let health = center.page("/health");
        health.contains("does not answer").then_some(())
    });
    let without = Center::of(&world, &[]);
    until("how to have it is told", SOON, || {
        let page = without.page(window);
        let parts = ["--job-metrics-url", "Seconds from landing to row"];
        parts.iter().all(|it| page.contains(it)).then_some(())
    });
}

#[test]
fn users_that_landed_and_are_not_published_are_told() {
    let Some(world) = World::own() else { return };
    let api = Api::start();
    world
        .run("fetch-publish", &["--users", "20", "--api-url", &api.url()])
        .exits(0);
    // As after a run that was killed before Kafka acknowledged anything.
    let database = world.base.servers.database(&world.base.database);
    let removed = wait(async {
        let client = connect(&database).await?;
        client
            .batch_execute("DELETE FROM published_users WHERE sequence > 13")
            .await
    });
    removed.expect("removed");
    let center = Center::of(&world, &[]);
    let told = says(&center, "7 users have landed and are not published");
    assert_eq!(told["landing"]["lag_records"], 7, "{told}");
    assert_eq!(told["landing"]["level"], "warn", "{told}");
}

#[test]
fn dead_letters_that_come_are_told() {
    let Some(world) = World::shared() else { return };
    let center = Center::of(&world, &[]);
    says(&center, "");
    let broken = |value: &str| Given {
        value: Some(value.as_bytes().to_vec()),
        ..Given::default()
    };
    world.produce(&[
        broken("{"),
        broken("<script>alert(1)</script>"),
        broken("[]"),
    ]);
    world.run("transform-store", &[]).exits(0);
    world.run("aggregate", &[]).exits(0);
    let told = says(&center, "dead letters came");
    assert_eq!(told["sentence"]["link"], "/dead-letters");
    assert!(
        told["dead_letters"]["total"].as_i64().unwrap() >= 3,
        "{told}"
    );
    assert!(told["dead_letters"]["last_success"].is_string(), "{told}");
}

#[test]
fn a_server_that_is_down_is_named_and_the_rest_is_there() {
    let Some(world) = World::shared() else { return };
    let nowhere = without("KAFKA_BOOTSTRAP_SERVERS");
    let variables: Vec<(&str, &str)> = nowhere
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let center = Center::with(&world, &[], &variables);
    let told = says(&center, "Kafka at 127.0.0.1:1 does not answer");
    assert_eq!(told["sentence"]["level"], "bad");
    assert!(told["topic"]["error"]["hint"].is_string(), "{told}");
    assert!(told["landing"]["error"].is_null(), "{told}");
    let page = center.page("/");
    assert!(
        page.contains("What to do:") && page.contains("created_users"),
        "{page}"
    );
    center.page("/throughput");
}
