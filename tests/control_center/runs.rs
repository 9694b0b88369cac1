//! The runs, by an Airflow that is played here; and by the real one, where AIRFLOW_URL answers.

use std::sync::atomic::Ordering;

use serde_json::json;

use crate::airflow::{HOSTILE_SUM, RUN, played};
use crate::center::Center;
use crate::world::World;

#[test]
fn runs_are_listed_with_the_sums_of_their_jobs_and_their_names_are_safe() {
    let Some(world) = World::shared() else { return };
    let (url, played) = played();
    let sums = json!({"job": "transform-store", "consumed": 1234, "stored": 1230, "dead_lettered": 4, "elapsed_ms": 825,
                      "offsets": {"10": [0, 1200], "2": [7, 9, 20, 52]}, HOSTILE_SUM: "<b>"});
    played.returned.lock().unwrap().insert("python_job", sums);
    let center = Center::with(
        &world,
        &["--airflow-url", &url],
        &[("AIRFLOW_PASSWORD", "very secret")],
    );
    let page = center.page("/runs");
    assert!(!page.contains("offsets"), "{page}");
    for part in [
        "consumed 1,234 · stored 1,230",
        "dead lettered 4",
        "12.0 s",
        "There is no run yet",
        "<meter",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let one = "/runs/sparking_flow/manual__2026-11-21T10%3A00%3A00%2B00%3A00";
    assert!(page.contains(one), "{page}");
    for bad in [
        "<script>alert",
        "<img src=x",
        "\u{202e}",
        "very secret",
        "token-",
    ] {
        assert!(!page.contains(bad), "{bad}: {page}");
    }
    // The token that ran out was asked for anew, and the page did not notice.
    assert!(played.logins.load(Ordering::SeqCst) >= 2);

    let run = center.page(one);
    for part in [
        RUN,
        "python_job",
        "7.0 s",
        &format!(
            "{url}/dags/sparking_flow/runs/manual__2026-11-21T10:00:00+00:00/tasks/python_job?try_number=2"
        ),
        "consumed",
        "1,234",
    ] {
        assert!(run.contains(part), "{part}: {run}");
    }
    let told = center.json(one);
    let tasks: Vec<&str> = told["run"]["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|it| it["id"].as_str())
        .collect();
    assert_eq!(
        tasks,
        ["start", "python_job", "end"],
        "in the order in which they began"
    );
    assert_eq!(
        told["run"]["tasks"][1]["sums"][0],
        json!({"name": "consumed", "value": 1234})
    );
    let told = &told["run"]["tasks"][1]["offsets"];
    let span = |partition, first, end| json!({"partition": partition, "first": first, "end": end});
    assert_eq!(
        told,
        &json!([span(2, 7, 9), span(2, 20, 52), span(10, 0, 1200)])
    );
    // The last one has no offset of its own: it leads to the messages from the first on.
    let messages = format!(
        "/clusters/controlcenter.cluster/topics/{}/messages",
        world.topic
    );
    for part in [
        "python_job has settled of",
        &format!("href=\"{messages}?partition=10&amp;offset=0\""),
        &format!("href=\"{messages}?partition=2&amp;offset=20\""),
        ">1199</td>",
        ">1,200</td>",
    ] {
        assert!(run.contains(part), "{part}: {run}");
    }

    center
        .get("/runs/sparking_flow/unknown")
        .is(404)
        .says(&["no run"]);
    center
        .get("/runs/another/unknown")
        .is(404)
        .says(&["no run"]);
    let asked = played.asked.lock().unwrap().clone();
    center.get("/runs/sparking_flow/..%2F..%2Fusers").is(404);
    center.get("/runs/sparking_flow/%2E%2E").is(404);
    let more = played.asked.lock().unwrap().clone();
    assert!(
        more[asked.len()..]
            .iter()
            .all(|it| it.starts_with("/api/v2/dags/")),
        "{more:?}"
    );
    assert!(
        !center.running.log().contains("very secret") && !center.running.log().contains("token-")
    );
}

#[test]
fn few_questions_are_under_way_at_once_and_each_run_has_its_tasks() {
    let Some(world) = World::shared() else { return };
    let (url, played) = played();
    let sums = json!({"job": "transform-store", "consumed": 7});
    played.returned.lock().unwrap().insert("python_job", sums);
    played.more_runs.store(18, Ordering::SeqCst);
    let center = Center::with(
        &world,
        &["--airflow-url", &url],
        &[("AIRFLOW_PASSWORD", "very secret")],
    );
    let told = center.json("/runs");
    let runs = told["dags"][1]["runs"]["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 20, "{told}");
    for run in runs {
        let consumed = json!({"name": "consumed", "value": 7});
        assert_eq!(run["tasks"][1]["sums"], json!([consumed]), "{run}");
    }
    let most = played.most_at_once.load(Ordering::SeqCst);
    assert!((2..=4).contains(&most), "{most} at once");
}

#[test]
fn a_wrong_password_an_airflow_that_is_down_and_none_at_all() {
    let Some(world) = World::shared() else { return };
    let (url, _) = played();
    let center = Center::with(
        &world,
        &["--airflow-url", &url],
        &[("AIRFLOW_PASSWORD", "wrong")],
    );
    let answer = center.get("/runs").is(200);
    answer.says(&["refuses the user admin", "AIRFLOW_PASSWORD", "What to do"]);
    let center = Center::of(&world, &["--airflow-url", "http://127.0.0.1:1"]);
    center.get("/runs").is(200).says(&[
        "Airflow at http://127.0.0.1:1/ does not answer",
        "What to do",
    ]);
    center
        .get("/runs/sparking_flow/x")
        .is(200)
        .says(&["does not answer"]);
    let center = Center::of(&world, &[]);
    center
        .get("/runs")
        .is(200)
        .says(&["No Airflow is given", "--airflow-url"]);
    center
        .get("/runs/sparking_flow/x")
        .is(404)
        .says(&["no Airflow is given"]);
}

#[test]
fn the_real_airflow_is_understood() {
    let Some(world) = World::shared() else { return };
    let Some(url) = std::env::var("AIRFLOW_URL").ok().filter(|url| answers(url)) else {
        eprintln!("skipped: no Airflow answers at AIRFLOW_URL");
        return;
    };
    let center = Center::of(&world, &["--airflow-url", &url]);
    let runs = center.json("/runs");
    for (place, dag) in ["user_automation", "sparking_flow"].into_iter().enumerate() {
        let told = &runs["dags"][place];
        assert_eq!(told["name"], dag, "{runs}");
        assert!(told["runs"]["total"].is_i64(), "{runs}");
        let Some(run) = told["runs"]["runs"].as_array().unwrap().first() else {
            // tests/airflow/test_live_pipeline.py looks at runs that it has made.
            eprintln!("skipped: no run of {dag} is there to be looked at");
            continue;
        };
        let href = run["href"].as_str().unwrap();
        let one = center.json(href);
        assert_eq!(one["run"]["id"], run["id"], "{one}");
        assert!(!one["run"]["tasks"].as_array().unwrap().is_empty(), "{one}");
    }
}

fn answers(url: &str) -> bool {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    std::net::TcpStream::connect(address).is_ok()
}
