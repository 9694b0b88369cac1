//! An Airflow that is played.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::servers::{runtime, wait};

pub const RUN: &str = "manual__2026-11-21T10:00:00+00:00";
const HOSTILE: &str = "<script>alert(1)</script> \u{202e}/..%2F?x#y";

/// A name in the sums.
pub const HOSTILE_SUM: &str = "<img src=x onerror=alert(1)>";

#[derive(Default)]
pub struct Played {
    pub logins: AtomicUsize,
    /// Paths, and queries where there are some.
    pub asked: Mutex<Vec<String>>,
    /// What each task has returned.
    pub returned: Mutex<BTreeMap<&'static str, Value>>,
    /// Runs of sparking_flow beside the two with names of their own.
    pub more_runs: AtomicUsize,
    under_way: AtomicUsize,
    pub most_at_once: AtomicUsize,
}

/// Plays what the pages ask of Airflow 3. The first token runs out after one question.
pub fn played() -> (String, Arc<Played>) {
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
    let under_way = played.under_way.fetch_add(1, Ordering::SeqCst) + 1;
    played.most_at_once.fetch_max(under_way, Ordering::SeqCst);
    // So that what comes at once is there at once.
    tokio::time::sleep(Duration::from_millis(10)).await;
    let response = respond(&played, request).await;
    played.under_way.fetch_sub(1, Ordering::SeqCst);
    response
}

async fn respond(played: &Played, request: Request) -> Response {
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
        asked.push(match parts.uri.query() {
            Some(query) => format!("{path}?{query}"),
            None => path.clone(),
        });
        if token == "Bearer token-1" && asked.len() > 1 || !token.starts_with("Bearer token-") {
            return StatusCode::UNAUTHORIZED.into_response();
        }
    }
    let run = |id: &str, state: &str| {
        json!({"dag_id": "sparking_flow", "dag_run_id": id, "run_type": "manual", "state": state,
               "start_date": "2026-11-21T10:00:00Z", "end_date": "2026-11-21T10:00:12Z"})
    };
    let task = |run: &str, id: &str, second: u32| {
        json!({"dag_run_id": run, "task_id": id, "state": "success", "try_number": 2,
               "start_date": format!("2026-11-21T10:00:0{second}Z"), "end_date": "2026-11-21T10:00:09Z"})
    };
    let returned = |task: &str| {
        let all = played.returned.lock().expect("no one broke off");
        all.contains_key(task)
    };
    let healthy = json!({"status": "healthy"});
    let found = match path.strip_prefix("/api/v2").unwrap_or_default() {
        "/monitor/health" => {
            json!({"metadatabase": healthy, "scheduler": healthy, "dag_processor": healthy})
        }
        "/version" => json!({"version": "3.3.2"}),
        "/dags/user_automation/dagRuns" if returned("fetch_publish") => {
            let mut run = run(RUN, "success");
            run["dag_id"] = json!("user_automation");
            json!({"dag_runs": [run], "total_entries": 1})
        }
        "/dags/user_automation/dagRuns" => json!({"dag_runs": [], "total_entries": 0}),
        "/dags/sparking_flow/dagRuns" => {
            let more = played.more_runs.load(Ordering::SeqCst);
            let mut runs = vec![run(RUN, "success"), run(HOSTILE, "failed")];
            runs.extend((0..more).map(|it| run(&format!("more-{it}"), "success")));
            json!({"dag_runs": runs, "total_entries": runs.len()})
        }
        path if path.ends_with("/return_value") => {
            let returned = played.returned.lock().expect("no one broke off");
            let task = path.split('/').rev().nth(2).unwrap_or_default();
            let Some(value) = returned.get(task) else {
                return StatusCode::NOT_FOUND.into_response();
            };
            json!({"key": "return_value", "value": value})
        }
        "/dags/~/dagRuns/~/taskInstances/list" if parts.method == Method::POST => {
            let body = axum::body::to_bytes(body, 10_000).await.expect("a body");
            let wanted: Value = serde_json::from_slice(&body).expect("JSON");
            let runs = wanted["dag_run_ids"].as_array().expect("runs").iter();
            let runs = runs.filter_map(Value::as_str);
            let tasks: Vec<Value> = runs
                .flat_map(|run| {
                    [("end", 9), ("python_job", 2), ("start", 0)].map(|(id, at)| task(run, id, at))
                })
                .collect();
            // Airflow answers with a page of at most a hundred.
            let from = wanted["page_offset"].as_u64().unwrap_or(0) as usize;
            json!({"task_instances": tasks[from..].iter().take(4).collect::<Vec<_>>(), "total_entries": tasks.len()})
        }
        // The run's name comes with its colons and its plus, encoded or not.
        path if path.contains("10:00:00+00:00") || path.contains("10%3A00%3A00%2B00%3A00") => {
            run(RUN, "success")
        }
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    axum::Json(found).into_response()
}
