//! The Schema Registry of the test stack, asked directly, and one that a test answers for itself.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::OnceLock;

use reqwest::{Method, Url};
use serde_json::{Value, json};

use crate::servers::wait;

/// The address of the registry, or nothing where there is none: then the caller's test is skipped.
pub fn registry() -> Option<&'static Registry> {
    static REGISTRY: OnceLock<Option<Registry>> = OnceLock::new();
    let registry = REGISTRY.get_or_init(|| {
        let url = std::env::var("SCHEMA_REGISTRY_URL").ok()?;
        // As the programs do it at their start.
        let _ = rustls::crypto::ring::default_provider().install_default();
        (!url.is_empty()).then_some(Registry { url })
    });
    if registry.is_none() {
        println!("skipped: needs a Schema Registry (SCHEMA_REGISTRY_URL)");
    }
    registry.as_ref()
}

pub struct Registry {
    pub url: String,
}

impl Registry {
    fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let url = format!("{}/{path}", self.url.trim_end_matches('/'));
        wait(async {
            let mut request = reqwest::Client::new().request(method, url);
            if let Some(body) = body {
                let media_type = "application/vnd.schemaregistry.v1+json";
                request = request.header("content-type", media_type);
                request = request.body(body.to_string());
            }
            let response = request.send().await.expect("an answer");
            let status = response.status().as_u16();
            let body = response.bytes().await.expect("an answer");
            (status, serde_json::from_slice(&body).unwrap_or_default())
        })
    }

    /// Makes a schema a version of the subject, and gives its id.
    pub fn register(&self, subject: &str, schema_type: &str, schema: &str) -> u32 {
        let body = json!({"schemaType": schema_type, "schema": schema});
        let path = format!("subjects/{subject}/versions");
        let (status, answer) = self.ask(Method::POST, &path, Some(body));
        let id = answer["id"].as_u64();
        let id = id.unwrap_or_else(|| panic!("not registered: {status} {answer}"));
        u32::try_from(id).expect("an id")
    }

    pub fn versions(&self, subject: &str) -> usize {
        let (_, answer) = self.ask(Method::GET, &format!("subjects/{subject}/versions"), None);
        answer.as_array().map_or(0, Vec::len)
    }

    pub fn compatibility(&self, subject: &str) -> String {
        let (_, answer) = self.ask(Method::GET, &format!("config/{subject}"), None);
        let level = answer["compatibilityLevel"].as_str();
        level.expect("a level").to_owned()
    }

    pub fn set_compatibility(&self, subject: &str, level: &str) {
        let body = json!({"compatibility": level});
        let (status, _) = self.ask(Method::PUT, &format!("config/{subject}"), Some(body));
        assert_eq!(status, 200);
    }

    pub fn url(&self) -> Url {
        Url::parse(&self.url).expect("SCHEMA_REGISTRY_URL is a URL")
    }
}

/// Answers the question of the start like a registry, and every other with this. Runs until the test program ends.
pub fn answering_garbage(garbage: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // A client that has gone away is nothing to look at.
            let _ = stream.and_then(|stream| answer(stream, garbage));
        }
    });
    format!("http://{address}")
}

fn answer(mut stream: TcpStream, garbage: &str) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    while lines
        .next()
        .transpose()?
        .is_some_and(|line| !line.is_empty())
    {}
    let is_start = first.contains("/schemas/types");
    let body = if is_start { "[\"AVRO\"]" } else { garbage };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}
