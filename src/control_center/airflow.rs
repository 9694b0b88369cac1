//! Airflow's REST API (version 2 of it, Airflow 3): the runs of the two DAGs, and what their jobs have summed up.

mod offsets;
mod told;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;

use super::center::{AirflowAccess, Link};
use super::live::{LastSuccesses, plain};
use super::moment::Moment;
use crate::capped_body;
use crate::error::{Error, Result};
pub(super) use offsets::{Span, spans};
pub(super) use told::{Run, Task};
use told::{list, run, run_id, task};

pub(super) const DAGS: [&str; 2] = ["user_automation", "sparking_flow"];

const ASK_TIMEOUT: Duration = Duration::from_secs(3);
/// Requests under way at once, of all pages. Airflow's server has 15 connections to its database: with dozens of requests waiting for one, it
/// answers nobody for minutes.
const ASKED_AT_ONCE: usize = 4;
const MAX_ANSWER_BYTES: usize = 8 << 20;
/// Sums of runs that have ended; the oldest are asked for again.
const MAX_REMEMBERED: usize = 2_000;

pub(super) struct Airflow {
    client: Client,
    access: AirflowAccess,
    /// Also that a login failed: it is not tried again for each page.
    token: Link<String>,
    /// By run, task and try: they do not change.
    sums: Mutex<HashMap<String, Option<Map<String, Value>>>>,
    turns: Semaphore,
}

impl Airflow {
    pub(super) fn new(access: AirflowAccess, client: Client) -> Self {
        Self {
            client,
            access,
            token: Link::default(),
            sums: Mutex::default(),
            turns: Semaphore::new(ASKED_AT_ONCE),
        }
    }

    fn address(&self) -> String {
        plain(&self.access.url)
    }

    /// Airflow's version, where its parts are well. Takes no login.
    pub(super) async fn health(&self) -> Result<Option<String>> {
        let report = self.open(&["monitor", "health"]).await?;
        for part in ["metadatabase", "scheduler", "dag_processor"] {
            let status = report[part]["status"].as_str().unwrap_or("unknown");
            if status != "healthy" {
                return Err(Error::unavailable(format!(
                    "Airflow at {} says that its {part} is {status}",
                    self.address()
                ))
                .hint("look at the log of that part: `make logs S=airflow-scheduler`"));
            }
        }
        let version = self.open(&["version"]).await.ok();
        Ok(version.and_then(|it| it["version"].as_str().map(ToOwned::to_owned)))
    }

    /// The newest runs of a DAG, and how many there are. A DAG that Airflow does not know yet has none.
    pub(super) async fn runs(
        &self,
        dag: &str,
        from: usize,
        most: usize,
    ) -> Result<(Vec<Run>, i64)> {
        let (limit, offset) = (most.to_string(), from.to_string());
        let query = [("order_by", "-id"), ("limit", &limit), ("offset", &offset)];
        self.runs_by(dag, &query).await
    }

    /// The first ones that were at their end then or later.
    async fn runs_ended_since(&self, dag: &str, since: Moment, most: usize) -> Result<Vec<Run>> {
        let (limit, since) = (most.to_string(), since.iso());
        let query = [
            ("order_by", "id"),
            ("limit", &limit),
            ("end_date_gte", &since),
        ];
        Ok(self.runs_by(dag, &query).await?.0)
    }

    async fn runs_by(&self, dag: &str, query: &[(&str, &str)]) -> Result<(Vec<Run>, i64)> {
        let Some(page) = self.get(&["dags", dag, "dagRuns"], query).await? else {
            return Ok((Vec::new(), 0));
        };
        let runs = list(&page, "dag_runs").iter().map(run).collect();
        Ok((runs, page["total_entries"].as_i64().unwrap_or(0)))
    }

    pub(super) async fn run(&self, dag: &str, id: &str) -> Result<Option<Run>> {
        let found = self.get(&["dags", dag, "dagRuns", id], &[]).await?;
        Ok(found.as_ref().map(run))
    }

    /// Of each run of one DAG, in the order in which they began.
    pub(super) async fn tasks(&self, dag: &str, runs: &[Run]) -> Result<Vec<Vec<Task>>> {
        let ids: Vec<&str> = runs.iter().map(|run| run.id.as_str()).collect();
        let mut by_run: HashMap<String, Vec<Task>> = HashMap::new();
        let mut read = 0;
        while !ids.is_empty() {
            let wanted = json!({ "dag_ids": [dag], "dag_run_ids": ids, "order_by": "start_date", "page_offset": read });
            let path = ["dags", "~", "dagRuns", "~", "taskInstances", "list"];
            let page = self.post(&path, &wanted).await?.unwrap_or_default();
            let told = list(&page, "task_instances");
            for it in told {
                by_run.entry(run_id(it)).or_default().push(task(it));
            }
            read += told.len();
            let total = page["total_entries"].as_u64().unwrap_or(0);
            if told.is_empty() || read as u64 >= total {
                break;
            }
        }
        // Those that wait come last.
        let began = |it: &Task| it.started.map_or(i64::MAX, |at| at.ms());
        let tasks_of = |run: &Run| {
            let mut tasks = by_run.remove(&run.id).unwrap_or_default();
            tasks.sort_by_key(began);
            tasks
        };
        Ok(runs.iter().map(tasks_of).collect())
    }

    /// What the task has returned: the last line of its program.
    pub(super) async fn sums(
        &self,
        dag: &str,
        run: &str,
        task: &Task,
    ) -> Result<Option<Map<String, Value>>> {
        let key = format!("{dag}\n{run}\n{}\n{}", task.id, task.tries);
        self.returned([dag, run, &task.id], key, task.has_ended())
            .await
    }

    /// Of a run that is at its end. One that is cleared and runs again has another end.
    async fn sums_of_ended(&self, run: &Run, task: &str) -> Result<Option<Map<String, Value>>> {
        let ended = run.ended.map(|it| it.ms());
        let key = format!("{}\n{}\n{task}\nended {ended:?}", run.dag, run.id);
        self.returned([&run.dag, &run.id, task], key, ended.is_some())
            .await
    }

    async fn returned(
        &self,
        [dag, run, task]: [&str; 3],
        key: String,
        is_final: bool,
    ) -> Result<Option<Map<String, Value>>> {
        let remembered = |it: &Mutex<HashMap<_, _>>| {
            it.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get(&key)
                .cloned()
        };
        if let Some(known) = remembered(&self.sums) {
            return Ok(known);
        }
        let path = [
            "dags",
            dag,
            "dagRuns",
            run,
            "taskInstances",
            task,
            "xcomEntries",
            "return_value",
        ];
        let entry = self.get(&path, &[]).await?;
        let sums = match entry.map(|mut it| it["value"].take()) {
            Some(Value::Object(sums)) => Some(sums),
            Some(Value::String(text)) => serde_json::from_str(&text).ok(),
            _ => None,
        };
        if is_final {
            let mut all = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
            if all.len() >= MAX_REMEMBERED {
                all.clear();
            }
            all.insert(key, sums.clone());
        }
        Ok(sums)
    }

    /// When each job has last ended well.
    pub(super) async fn last_successes(&self) -> Result<LastSuccesses> {
        let mut found = LastSuccesses::default();
        for dag in DAGS {
            let (runs, _) = self.runs(dag, 0, 3).await?;
            for task in self.tasks(dag, &runs).await?.into_iter().flatten() {
                let place = match task.id.as_str() {
                    "fetch_publish" => &mut found.fetch_publish,
                    "python_job" => &mut found.transform_store,
                    "java_job" => &mut found.aggregate,
                    _ => continue,
                };
                if task.state == "success" {
                    *place = (*place).max(task.ended.map(|at| at.ms()));
                }
            }
        }
        Ok(found)
    }

    /// Where a browser finds the log of a task's last try.
    pub(super) fn log_page(&self, dag: &str, run: &str, task: &Task) -> String {
        let mut url = self.access.page.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty()
                .extend(["dags", dag, "runs", run, "tasks", &task.id]);
        }
        url.set_query(Some(&format!("try_number={}", task.tries)));
        live_address_with_query(&url)
    }

    /// Nothing where Airflow has no such thing.
    async fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Option<Value>> {
        let url = self.url("api/v2", path);
        self.ask(|| self.client.get(url.clone()).query(query)).await
    }

    /// A question that is too long for an address.
    async fn post(&self, path: &[&str], question: &Value) -> Result<Option<Value>> {
        let url = self.url("api/v2", path);
        self.ask(|| {
            self.client
                .post(url.clone())
                .header(CONTENT_TYPE, "application/json")
                .body(question.to_string())
        })
        .await
    }

    /// Logs in first, and once more when the token has run out.
    async fn ask(&self, request: impl Fn() -> RequestBuilder) -> Result<Option<Value>> {
        let mut token = self.token(None).await?;
        for is_last in [false, true] {
            let (status, body) = self.send(request().bearer_auth(&token)).await?;
            match status {
                StatusCode::UNAUTHORIZED if !is_last => token = self.token(Some(token)).await?,
                StatusCode::NOT_FOUND => return Ok(None),
                status if status.is_success() => return self.read(&body).map(Some),
                status => return Err(self.refused(status)),
            }
        }
        Err(self.refused(StatusCode::UNAUTHORIZED))
    }

    /// What takes no login.
    async fn open(&self, path: &[&str]) -> Result<Value> {
        let (status, body) = self.send(self.client.get(self.url("api/v2", path))).await?;
        match status.is_success() {
            true => self.read(&body),
            false => Err(self.refused(status)),
        }
    }

    /// The token that is known, unless it is the one that was refused.
    async fn token(&self, refused: Option<String>) -> Result<String> {
        self.token
            .get(
                "Airflow",
                |token| Some(token) != refused.as_ref(),
                || self.log_in(),
            )
            .await
    }

    async fn log_in(&self) -> Result<String> {
        let login = json!({ "username": self.access.user, "password": self.access.password });
        let request = self
            .client
            .post(self.url("auth", &["token"]))
            .header(CONTENT_TYPE, "application/json")
            .body(login.to_string());
        let (status, body) = self.send(request).await?;
        if !status.is_success() {
            return Err(self.refused(status));
        }
        let answer = self.read(&body)?;
        let token = answer["access_token"].as_str().unwrap_or_default();
        Ok(token.to_owned())
    }

    async fn send(&self, request: RequestBuilder) -> Result<(StatusCode, Vec<u8>)> {
        let failed = |cause: reqwest::Error| {
            Error::unavailable(format!("Airflow at {} does not answer", self.address()))
                .cause(cause.without_url())
                .hint("check that it runs there, or say where it is with --airflow-url or AIRFLOW_URL")
        };
        let request = request
            .header(ACCEPT, "application/json")
            .timeout(ASK_TIMEOUT);
        // It is never closed. The time runs from the turn on, and what waits for one has a bound of its own, or a reader who gives up.
        let _turn = self.turns.acquire().await;
        let response = request.send().await.map_err(failed)?;
        let status = response.status();
        let body = capped_body::read(response, MAX_ANSWER_BYTES).await;
        let body = body.map_err(failed)?.ok_or_else(|| {
            Error::data("Airflow's answer is larger than 8 MiB")
                .hint("look at the runs in Airflow itself")
        })?;
        Ok((status, body))
    }

    fn read(&self, body: &[u8]) -> Result<Value> {
        serde_json::from_slice(body).map_err(|cause| {
            Error::unavailable(format!("what {} answers is not Airflow's", self.address()))
                .cause(cause)
                .hint("check --airflow-url and AIRFLOW_URL: Airflow 3 is needed")
        })
    }

    /// Nothing of its body, which can hold what we sent.
    fn refused(&self, status: StatusCode) -> Error {
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Error::denied(format!(
                "Airflow at {} refuses the user {}",
                self.address(),
                self.access.user
            ))
            .hint("check AIRFLOW_USER and AIRFLOW_PASSWORD (or --airflow-password-file)"),
            status => Error::unavailable(format!("Airflow at {} answers {status}", self.address()))
                .hint("look at its log; Airflow 3 is needed"),
        }
    }

    fn url(&self, base: &str, path: &[&str]) -> Url {
        let mut url = self.access.url.clone();
        // An address with a host has a path.
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().extend(base.split('/')).extend(path);
        }
        url
    }
}

/// For a link: without a user and a password.
fn live_address_with_query(url: &Url) -> String {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn airflow(url: &str) -> Airflow {
        let url = Url::parse(url).unwrap();
        let access = AirflowAccess {
            page: url.clone(),
            url,
            user: "admin".to_owned(),
            password: "hidden".to_owned(),
        };
        let _ = rustls::crypto::ring::default_provider().install_default();
        Airflow::new(access, Client::new())
    }

    #[test]
    fn what_a_run_is_called_stays_one_part_of_the_path() {
        let airflow = airflow("http://one:8080/");
        let id = "manual__2026-11-21T10:00:00+00:00/../x?y#z";
        let url = airflow.url("api/v2", &["dags", "sparking_flow", "dagRuns", id]);
        assert_eq!(
            url.as_str(),
            "http://one:8080/api/v2/dags/sparking_flow/dagRuns/manual__2026-11-21T10:00:00+00:00%2F..%2Fx%3Fy%23z"
        );
        let task = task(&json!({"task_id": "python_job", "state": "success", "try_number": 2}));
        assert_eq!(
            airflow.log_page("sparking_flow", "a b", &task),
            "http://one:8080/dags/sparking_flow/runs/a%20b/tasks/python_job?try_number=2"
        );
    }

    #[test]
    fn a_refusal_holds_no_password() {
        let airflow = airflow("http://admin:hidden@one:8080");
        let error = airflow.refused(StatusCode::UNAUTHORIZED).to_string();
        assert!(
            error.contains("AIRFLOW_PASSWORD") && !error.contains("hidden"),
            "{error}"
        );
    }
}
