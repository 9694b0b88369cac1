//! Whether each component answers, since when, how fast, and what it said last when it did not. Asked by the one task, never by a visitor.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use jiff::Timestamp;
use reqwest::Url;
use serde::Serialize;

use super::latency;
use super::look::in_time;
use crate::control_center::center::Center;
use crate::control_center::moment::Moment;
use crate::control_center::panel::Trouble;
use crate::error::{Error, Result};
use crate::sink::{cassandra as tables, postgres};

/// A component as pages show it.
#[derive(Debug, Clone, Serialize)]
pub(in crate::control_center) struct Component {
    pub name: &'static str,
    pub address: String,
    /// What is asked.
    pub question: &'static str,
    /// Nothing where it is not asked.
    pub answers: Option<bool>,
    pub why_not_asked: Option<&'static str>,
    pub latency_ms: Option<u64>,
    pub version: Option<String>,
    pub probed: Option<Moment>,
    pub last_error: Option<LastError>,
    #[serde(skip)]
    has_answered: bool,
}

#[derive(Debug, Clone, Serialize)]
pub(in crate::control_center) struct LastError {
    pub at: Moment,
    #[serde(flatten)]
    pub trouble: Trouble,
}

#[derive(Default)]
pub(in crate::control_center) struct Health(Mutex<Vec<Component>>);

type Answered = (Duration, Result<Option<String>>);

impl Health {
    pub(super) async fn probe(&self, center: &Center) {
        let (kafka, postgres, cassandra, registry, airflow, api, jobs) = tokio::join!(
            timed("Kafka", kafka(center)),
            timed("PostgreSQL", postgresql(center)),
            timed("Cassandra", cassandra(center)),
            timed("the Schema Registry", registry(center)),
            timed("Airflow", airflow(center)),
            timed("the API", api(center)),
            timed("the jobs", jobs(center)),
        );
        let now_ms = Timestamp::now().as_millisecond();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answers = [kafka, postgres, cassandra, registry, airflow, api, jobs];
        let before = std::mem::take(&mut *all);
        *all = components(center)
            .into_iter()
            .zip(answers)
            .enumerate()
            .map(|(place, (new, answered))| told(new, before.get(place), answered, now_ms))
            .collect();
    }

    /// Before the first round: what there is, not asked yet. Times are as seen from now.
    pub(in crate::control_center) fn all(&self, center: &Center) -> Vec<Component> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_empty() {
            return components(center);
        }
        let anew = |mut it: Component| {
            it.probed = it.probed.map(|at| Moment::at(at.ms()));
            if let Some(error) = &mut it.last_error {
                error.at = Moment::at(error.at.ms());
            }
            it
        };
        known.iter().cloned().map(anew).collect()
    }

    /// Whether Kafka, without which most pages are empty, has answered since the start.
    pub(in crate::control_center) fn is_ready(&self, center: &Center) -> Result<(), String> {
        let all = self.all(center);
        match all.first() {
            Some(kafka) if kafka.has_answered => Ok(()),
            Some(kafka) => Err(format!(
                "{} at {} has not answered yet",
                kafka.name, kafka.address
            )),
            None => Err("nothing was asked yet".to_owned()),
        }
    }
}

fn told(
    new: Component,
    before: Option<&Component>,
    (latency, answer): Answered,
    now_ms: i64,
) -> Component {
    if new.why_not_asked.is_some() {
        return new;
    }
    let mut component = Component {
        probed: Some(Moment::at(now_ms)),
        answers: Some(answer.is_ok()),
        last_error: before.and_then(|it| it.last_error.clone()),
        version: before.and_then(|it| it.version.clone()),
        has_answered: before.is_some_and(|it| it.has_answered),
        ..new
    };
    match answer {
        Ok(version) => {
            component.has_answered = true;
            component.latency_ms = Some(latency.as_millis() as u64);
            component.version = version;
        }
        Err(error) => {
            component.last_error = Some(LastError {
                at: Moment::at(now_ms),
                trouble: Trouble::from(&error),
            });
        }
    }
    component
}

fn components(center: &Center) -> Vec<Component> {
    let options = &center.options;
    let of = |name, address, question, why_not_asked| Component {
        name,
        address,
        question,
        answers: None,
        why_not_asked,
        latency_ms: None,
        version: None,
        probed: None,
        last_error: None,
        has_answered: false,
    };
    let registry = center.registry.address();
    let airflow = options.airflow.as_ref().map(|it| plain(&it.url));
    let api = options.api_url.as_ref();
    let api_not = match api {
        None => Some("not given: say where it is with --api-url or STREAMFLOW_API_URL"),
        Some(url) if is_public(url) => Some("the public API counts requests: it is left alone"),
        Some(_) => None,
    };
    let registry_not = registry
        .is_none()
        .then_some("not given: say where it is with --schema-registry-url or SCHEMA_REGISTRY_URL");
    let airflow_not = airflow
        .is_none()
        .then_some("not given: say where it is with --airflow-url or AIRFLOW_URL");
    let jobs = options.job_addresses();
    let jobs_not = jobs.is_none().then_some(
        "not given: say where those that run for long have their metrics, with --job-metrics-url or STREAMFLOW_JOB_METRICS_URLS",
    );
    vec![
        of(
            "Kafka",
            center.kafka.arguments().bootstrap_servers.clone(),
            "its brokers",
            None,
        ),
        of("PostgreSQL", center.landing.address(), "its version", None),
        of("Cassandra", center.tables.address(), "its version", None),
        of(
            "Schema Registry",
            registry.unwrap_or_default(),
            "the compatibility of our subject",
            registry_not,
        ),
        of(
            "Airflow",
            airflow.unwrap_or_default(),
            "its own health",
            airflow_not,
        ),
        of(
            "API",
            api.map(plain).unwrap_or_default(),
            "/healthz",
            api_not,
        ),
        of("Jobs", jobs.unwrap_or_default(), "their metrics", jobs_not),
    ]
}

async fn timed(name: &str, probe: impl Future<Output = Result<Option<String>>>) -> Answered {
    let begun = Instant::now();
    let answer = in_time(name, probe).await;
    (begun.elapsed(), answer)
}

async fn kafka(center: &Center) -> Result<Option<String>> {
    center.kafka.probe().await.map(|()| None)
}

async fn postgresql(center: &Center) -> Result<Option<String>> {
    let client = center.landing.client().await?;
    postgres::version(&client).await.map(Some)
}

pub(super) async fn cassandra(center: &Center) -> Result<Option<String>> {
    let session = center.tables.session().await?;
    tables::version(&session).await.map(Some)
}

async fn registry(center: &Center) -> Result<Option<String>> {
    if center.registry.address().is_none() {
        return Ok(None);
    }
    let client = center.registry.client().await?;
    client
        .compatibility(&format!("{}-value", center.topic()))
        .await
        .map(|_| None)
}

async fn airflow(center: &Center) -> Result<Option<String>> {
    match &center.airflow {
        Some(airflow) => airflow.health().await,
        None => Ok(None),
    }
}

async fn api(center: &Center) -> Result<Option<String>> {
    let Some(url) = center.options.api_url.as_ref().filter(|it| !is_public(it)) else {
        return Ok(None);
    };
    let mut at = url.clone();
    at.set_path("/healthz");
    at.set_query(None);
    let answer = center.http.get(at).send().await;
    // Whatever it answers: that it does is what counts.
    answer.map(|_| None).map_err(|cause| {
        Error::unavailable(format!("the API at {} does not answer", plain(url)))
            .cause(cause.without_url())
            .hint(
                "check that it runs there, or say where it is with --api-url or STREAMFLOW_API_URL",
            )
    })
}

async fn jobs(center: &Center) -> Result<Option<String>> {
    let jobs = center.options.job_metrics.iter();
    let answers = try_join_all(jobs.map(|job| latency::ask(&center.http, job)));
    answers.await.map(|_| None)
}

fn is_public(url: &Url) -> bool {
    url.host_str()
        .is_some_and(|host| host == "randomuser.me" || host.ends_with(".randomuser.me"))
}

/// Without a user, a password and a query.
pub(in crate::control_center) fn plain(url: &Url) -> String {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new() -> Component {
        Component {
            name: "Kafka",
            address: "here:1".to_owned(),
            question: "",
            answers: None,
            why_not_asked: None,
            latency_ms: None,
            version: None,
            probed: None,
            last_error: None,
            has_answered: false,
        }
    }

    #[test]
    fn the_last_error_and_that_it_has_answered_stay() {
        let ms = Duration::from_millis(7);
        let down = told(new(), None, (ms, Err(Error::unavailable("gone"))), 1);
        assert_eq!((down.answers, down.has_answered), (Some(false), false));
        let up = told(new(), Some(&down), (ms, Ok(Some("4.1".to_owned()))), 2);
        assert_eq!((up.answers, up.latency_ms), (Some(true), Some(7)));
        assert_eq!(up.last_error.as_ref().map(|it| it.at.ms()), Some(1));
        let again = told(new(), Some(&up), (ms, Err(Error::unavailable("gone"))), 3);
        assert!(again.has_answered && again.answers == Some(false));
        assert_eq!(again.version.as_deref(), Some("4.1"));
        assert_eq!(again.last_error.map(|it| it.at.ms()), Some(3));
    }

    #[test]
    fn the_public_api_is_left_alone_and_no_address_shows_a_password() {
        let url = |text: &str| Url::parse(text).unwrap();
        assert!(is_public(&url("https://randomuser.me/api/")));
        assert!(!is_public(&url("http://127.0.0.1:8100/api/")));
        assert_eq!(
            plain(&url("http://a:hidden@b:1/api/?k=hidden")),
            "http://b:1/api/"
        );
    }
}
