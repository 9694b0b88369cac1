use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, Method, Response, Url};

use super::COMPATIBILITY;
use super::answer::{self, Schema, Version};
use super::failure::Miss;
use crate::capped_body;
use crate::config::{ConnectArguments, SchemaRegistryArguments, Server};
use crate::error::{Error, Result};
use crate::metrics::Requests;
use crate::pipeline::retry::retry;

/// One question to one address; what is longer is asked again.
const ASK_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_ANSWER_BYTES: usize = 4 << 20;
const MEDIA_TYPE: &str = "application/vnd.schemaregistry.v1+json";

pub struct SchemaRegistry {
    client: Client,
    urls: Vec<Url>,
    credentials: Option<(String, String)>,
    /// The place of the address that has answered last.
    current: AtomicUsize,
    server: Server,
    patience: ConnectArguments,
    requests: Requests,
}

/// What to ask.
struct Question {
    method: Method,
    path: Vec<String>,
    body: Option<Vec<u8>>,
}

/// For how long, and which flag says so.
struct Patience(Duration, &'static str);

impl SchemaRegistry {
    /// Waits until the registry answers. Nothing where no address is given.
    pub async fn connect(
        arguments: &SchemaRegistryArguments,
        patience: &ConnectArguments,
    ) -> Result<Option<Self>> {
        let mut urls = arguments.urls()?;
        if urls.is_empty() {
            return Ok(None);
        }
        let credentials = arguments.credentials()?;
        if credentials.is_some() {
            // They win over those in the addresses. (This fails only for a URL without a host.)
            for url in &mut urls {
                let _ = url.set_username("");
                let _ = url.set_password(None);
            }
        }
        let client = Client::builder()
            .user_agent(concat!("streamflow/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(5))
            .build()
            .map_err(|cause| {
                Error::configuration("the HTTP client cannot be made").cause(cause.without_url())
            })?;
        let registry = Self {
            client,
            urls,
            credentials,
            current: AtomicUsize::new(0),
            server: Server::schema_registry(arguments.address()),
            patience: *patience,
            requests: Requests::default(),
        };
        let at_start = Patience(patience.connect_timeout, "--connect-timeout");
        let types = Question::get(&["schemas", "types"]);
        let waiting = format!("waiting for {}", registry.server);
        registry
            .ask(&waiting, &types, &at_start, answer::types)
            .await
            .map_err(|miss| registry.failed(miss, &at_start))?;
        Ok(Some(registry))
    }

    #[must_use]
    pub fn watched(self, requests: Requests) -> Self {
        Self { requests, ..self }
    }

    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The schema of an id; nothing when the registry has none.
    pub async fn schema(&self, id: u32) -> Result<Option<Schema>> {
        let question = Question::get(&["schemas", "ids", &id.to_string()]);
        self.answer(&format!("schema {id}"), &question, answer::schema)
            .await
    }

    /// The id of a schema among the versions of a subject.
    pub async fn id_of(&self, subject: &str, schema: &Schema) -> Result<Option<u32>> {
        let question = Question::post(&["subjects", subject], schema)?;
        let what = format!("the schema's id in the subject {subject}");
        self.answer(&what, &question, answer::known_id).await
    }

    /// Makes the schema the newest version of the subject, and gives its id. Safe to repeat.
    pub async fn register(&self, subject: &str, schema: &Schema) -> Result<u32> {
        let question = Question::post(&["subjects", subject, "versions"], schema)?;
        let patience = self.in_the_work();
        let asked = format!("registering a schema for the subject {subject}");
        let answer = self.ask(&asked, &question, &patience, answer::new_id).await;
        answer.map_err(|miss| match &miss {
            Miss::Incompatible(_) => self.incompatible(subject).cause(miss),
            Miss::Refused(_) => Error::configuration(format!(
                "{} does not take the schema for the subject {subject}",
                self.server
            ))
            .cause(miss)
            .hint(
                "check that the registry knows this format: it lists its formats at /schemas/types",
            ),
            _ => self.failed(miss, &patience),
        })
    }

    /// The newest version of a subject; nothing when it has none.
    pub async fn latest(&self, subject: &str) -> Result<Option<Schema>> {
        let question = Question::get(&["subjects", subject, "versions", "latest"]);
        let what = format!("the newest version of the subject {subject}");
        self.answer(&what, &question, answer::latest).await
    }

    /// The names of all subjects.
    pub async fn subjects(&self) -> Result<Vec<String>> {
        let question = Question::get(&["subjects"]);
        self.answer("its subjects", &question, answer::names).await
    }

    /// The numbers of a subject's versions; nothing when there is no such subject.
    pub async fn versions(&self, subject: &str) -> Result<Option<Vec<u32>>> {
        let question = Question::get(&["subjects", subject, "versions"]);
        let what = format!("the versions of the subject {subject}");
        self.answer(&what, &question, answer::numbers).await
    }

    /// One version of a subject; nothing when it has none of this number.
    pub async fn version(&self, subject: &str, number: u32) -> Result<Option<Version>> {
        let question = Question::get(&["subjects", subject, "versions", &number.to_string()]);
        let what = format!("version {number} of the subject {subject}");
        self.answer(&what, &question, answer::version).await
    }

    /// The level of the subjects that have none of their own.
    pub async fn default_compatibility(&self) -> Result<Option<String>> {
        let question = Question::get(&["config"]);
        let what = "its compatibility";
        self.answer(what, &question, answer::level).await
    }

    /// The level of a subject; nothing when it has none of its own.
    pub async fn compatibility(&self, subject: &str) -> Result<Option<String>> {
        let question = Question::get(&["config", subject]);
        let what = format!("the compatibility of the subject {subject}");
        self.answer(&what, &question, answer::level).await
    }

    pub async fn set_compatibility(&self, subject: &str) -> Result<()> {
        let body = serde_json::json!({ "compatibility": COMPATIBILITY });
        let mut question = Question::post(&["config", subject], &body)?;
        question.method = Method::PUT;
        let what = format!("a compatibility for the subject {subject}");
        self.answer(&what, &question, answer::new_level).await
    }

    /// A schema that may not become a version of the subject.
    pub fn incompatible(&self, subject: &str) -> Error {
        Error::configuration(format!(
            "{} refuses the schema for the subject {subject}: it is not compatible with the versions that are there",
            self.server
        ))
        .hint(format!(
            "take the format that the subject has (--value-format), or another topic (--topic), which has a subject of its own; a schema that \
             was changed must read what was written before ({COMPATIBILITY}). The versions are at /subjects/{subject}/versions of the registry"
        ))
    }

    fn in_the_work(&self) -> Patience {
        Patience(self.patience.retry_timeout, "--retry-timeout")
    }

    fn failed(&self, miss: Miss, patience: &Patience) -> Error {
        miss.into_error(&self.server, patience.0, patience.1)
    }

    async fn answer<T>(
        &self,
        what: &str,
        question: &Question,
        read: fn(u16, &[u8]) -> Result<T, Miss>,
    ) -> Result<T> {
        let patience = self.in_the_work();
        let asking = format!("asking {} for {what}", self.server);
        self.ask(&asking, question, &patience, read)
            .await
            .map_err(|miss| self.failed(miss, &patience))
    }

    async fn ask<T>(
        &self,
        asking: &str,
        question: &Question,
        &Patience(within, _): &Patience,
        read: fn(u16, &[u8]) -> Result<T, Miss>,
    ) -> Result<T, Miss> {
        let request = self.requests.begin(0);
        retry(asking, within, Miss::is_passing, || {
            request.attempt(self.ask_each(question, within, read))
        })
        .await
    }

    /// Asks one address after the other until one has an answer, beginning with the one that had the last.
    async fn ask_each<T>(
        &self,
        question: &Question,
        within: Duration,
        read: fn(u16, &[u8]) -> Result<T, Miss>,
    ) -> Result<T, Miss> {
        let begin = self.current.load(Ordering::Relaxed);
        let mut last = Miss::NotUnderstood;
        for place in (begin..begin + self.urls.len()).map(|it| it % self.urls.len()) {
            match self.ask_one(&self.urls[place], question, within).await {
                Ok((status, body)) => match read(status, &body) {
                    Err(miss) if miss.is_passing() => last = miss,
                    outcome => {
                        self.current.store(place, Ordering::Relaxed);
                        return outcome;
                    }
                },
                Err(miss) => last = miss,
            }
        }
        Err(last)
    }

    async fn ask_one(
        &self,
        url: &Url,
        question: &Question,
        within: Duration,
    ) -> Result<(u16, Vec<u8>), Miss> {
        let mut request = self
            .client
            .request(question.method.clone(), question.url(url))
            .header(ACCEPT, format!("{MEDIA_TYPE}, application/json"))
            .timeout(ASK_TIMEOUT.min(within.max(Duration::from_secs(1))));
        if let Some((user, password)) = &self.credentials {
            request = request.basic_auth(user, Some(password));
        }
        if let Some(body) = &question.body {
            request = request.header(CONTENT_TYPE, MEDIA_TYPE).body(body.clone());
        }
        let response = request.send().await.map_err(miss)?;
        let status = response.status().as_u16();
        Ok((status, body(response).await?))
    }
}

impl Question {
    fn get(path: &[&str]) -> Self {
        Self {
            method: Method::GET,
            path: path.iter().map(|&step| step.to_owned()).collect(),
            body: None,
        }
    }

    fn post(path: &[&str], body: &impl serde::Serialize) -> Result<Self> {
        let body = serde_json::to_vec(body)
            .map_err(|cause| Error::bug("a question cannot be written as JSON").cause(cause))?;
        Ok(Self {
            method: Method::POST,
            body: Some(body),
            ..Self::get(path)
        })
    }

    /// Below the path of the registry's own address.
    fn url(&self, base: &Url) -> Url {
        let mut url = base.clone();
        // An address with a host has a path.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(&self.path);
        }
        url
    }
}

async fn body(response: Response) -> Result<Vec<u8>, Miss> {
    let limit_bytes = MAX_ANSWER_BYTES;
    let body = capped_body::read(response, limit_bytes).await;
    body.map_err(miss)?.ok_or(Miss::TooLarge { limit_bytes })
}

fn miss(error: reqwest::Error) -> Miss {
    if error.is_timeout() && !error.is_connect() {
        Miss::TimedOut
    } else if error.is_body() || error.is_decode() {
        Miss::BrokenOff
    } else {
        let is_connect = error.is_connect();
        // The chain says why: refused, no such host, no HTTP at all.
        let text = format!("{:#}", anyhow::Error::from(error.without_url()));
        if is_connect {
            Miss::Unreachable(text)
        } else {
            Miss::NoHttp(text)
        }
    }
}
