//! The runs, by an Airflow that is played here; and by the real one, where AIRFLOW_URL answers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::center::Center;
use crate::servers::{runtime, wait};
use crate::world::World;

const RUN: &str = "manual__2026-11-21T10:00:00+00:00";
const HOSTILE: &str = "<script>alert(1)</script> \u{202e}/..%2F?x#y";

#[derive(Default)]
struct Played {
    logins: AtomicUsize,
    asked: Mutex<Vec<String>>,
}

/// Plays what the pages ask of Airflow 3. The first token runs out after one question.
fn played() -> (String, Arc<Played>) {
    let played = Arc::new(Played::default());
    let router = Router::new().fallback(answer).with_state(played.clone());
    let address = wait(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("its address");
        runtime().spawn(async move { axum::serve(listener, router).await });
        address
    });
    (format!("http://{address}"), played)
}

async fn answer(State(played): State<Arc<Played>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    if parts.method == Method::POST && path == "/auth/token" {
        let body = axum::body::to_bytes(body, 1_000).await.expect("a body");
        let login: Value = serde_json::from_slice(&body).expect("JSON");
        if login != json!({"username": "admin", "password": "very secret"}) {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        let number = played.logins.fetch_add(1, Ordering::SeqCst) + 1;
        return (
            StatusCode::CREATED,
            axum::Json(json!({"access_token": format!("token-{number}")})),
        )
            .into_response();
    }
    let token = parts
        .headers
        .get("authorization")
        .and_then(|it| it.to_str().ok())
        .unwrap_or_default();
    let is_open = path.starts_with("/api/v2/monitor") || path == "/api/v2/version";
    if !is_open {
        let mut asked = played.asked.lock().expect("no one broke off");
        asked.push(path.clone());
        if token == "Bearer token-1" && asked.len() > 1 || !token.starts_with("Bearer token-") {
            return StatusCode::UNAUTHORIZED.into_response();
        }
    }
    let run = |id: &str, state: &str| {
        json!({"dag_id": "sparking_flow", "dag_run_id": id, "run_type": "manual", "state": state,
               "start_date": "2026-11-21T10:00:00Z", "end_date": "2026-11-21T10:00:12Z"})
    };
    let task = |id: &str, second: u32| {
        json!({"task_id": id, "state": "success", "try_number": 2,
               "start_date": format!("2026-11-21T10:00:0{second}Z"), "end_date": "2026-11-21T10:00:09Z"})
    };
    let healthy = json!({"status": "healthy"});
    let found = match path.strip_prefix("/api/v2").unwrap_or_default() {
        "/monitor/health" => {
            json!({"metadatabase": healthy, "scheduler": healthy, "dag_processor": healthy})
        }
        "/version" => json!({"version": "3.3.2"}),
        "/dags/user_automation/dagRuns" => json!({"dag_runs": [], "total_entries": 0}),
        "/dags/sparking_flow/dagRuns" => {
            json!({"dag_runs": [run(RUN, "success"), run(HOSTILE, "failed")], "total_entries": 2})
        }
        path if path.ends_with("/return_value") => {
            let value = json!({"job": "transform-store", "consumed": 1234, "stored": 1230, "dead_lettered": 4, "elapsed_ms": 825,
                               "<img src=x onerror=alert(1)>": "<b>"});
            json!({"key": "return_value", "value": value})
        }
        path if path.ends_with("/taskInstances") => {
            json!({"task_instances": [task("end", 9), task("python_job", 2), task("start", 0)]})
        }
        // The run's name comes with its colons and its plus, encoded or not.
        path if path.contains("10:00:00+00:00") || path.contains("10%3A00%3A00%2B00%3A00") => {
            run(RUN, "success")
        }
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    axum::Json(found).into_response()
}

#[test]
fn runs_are_listed_with_the_sums_of_their_jobs_and_their_names_are_safe() {
    let Some(world) = World::shared() else { return };
    let (url, played) = played();
    let center = Center::with(
        &world,
        &["--airflow-url", &url],
        &[("AIRFLOW_PASSWORD", "very secret")],
    );
    let page = center.page("/runs");
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
