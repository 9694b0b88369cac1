//! A control center of a test's own, and what it answers.

use std::collections::BTreeMap;

use reqwest::Client;
use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use serde_json::Value;

use crate::process::Running;
use crate::servers::wait;
use crate::world::World;

pub struct Center {
    pub running: Running,
    /// Without a slash at its end.
    pub url: String,
    client: Client,
}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Center {
    /// Of a world, on a port of its own.
    pub fn of(world: &World, arguments: &[&str]) -> Self {
        Self::with(world, arguments, &[])
    }

    /// With some variables set otherwise.
    pub fn with(world: &World, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let (store, aggregate) = (world.group("transform-store"), world.group("aggregate"));
        let mut all = vec!["--listen", "127.0.0.1:0"];
        all.extend([
            "--transform-store-group-id",
            &store,
            "--aggregate-group-id",
            &aggregate,
        ]);
        all.extend(arguments);
        let mut running = world.spawn_with("control-center", &all, variables);
        let told = "the control center at ";
        running.wait_for_log(told);
        let log = running.log();
        let url = log
            .split(told)
            .nth(1)
            .and_then(|rest| rest.split_whitespace().next());
        let url = url.expect("an address").trim_end_matches('/').to_owned();
        // The second test finds it installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .redirect(Policy::none())
            .build()
            .expect("a client");
        Self {
            running,
            url,
            client,
        }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    pub fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.client.get(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request)
    }

    /// The page as JSON; it must be there.
    #[track_caller]
    pub fn json(&self, path: &str) -> Value {
        let answer = self.get_with(path, &[("accept", "application/json")]);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        serde_json::from_str(&answer.text).expect("JSON")
    }

    /// The page as HTML; it must be there.
    #[track_caller]
    pub fn page(&self, path: &str) -> String {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.text
    }

    pub fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.post_with(path, form, &[])
    }

    pub fn post_with(&self, path: &str, form: &[(&str, &str)], headers: &[(&str, &str)]) -> Answer {
        let body: String = form_urlencoded(form);
        let mut request = self.client.post(format!("{}{path}", self.url)).body(body);
        request = request.header("content-type", "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request)
    }
}

fn answer(request: reqwest::RequestBuilder) -> Answer {
    wait(async {
        let answer = request.send().await.expect("an answer");
        Answer {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            text: answer.text().await.expect("a text"),
        }
    })
}

fn form_urlencoded(form: &[(&str, &str)]) -> String {
    let encoded = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                    char::from(byte).to_string()
                }
                byte => format!("%{byte:02X}"),
            })
            .collect()
    };
    let pairs: Vec<String> = form
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect();
    pairs.join("&")
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|it| it.to_str().ok())
            .unwrap_or_default()
    }

    /// The cookie that it sets, for a request that comes later.
    pub fn cookie(&self) -> String {
        self.header("set-cookie")
            .split(';')
            .next()
            .unwrap_or_default()
            .to_owned()
    }

    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    #[track_caller]
    pub fn says(&self, parts: &[&str]) {
        for part in parts {
            assert!(
                self.text.contains(part),
                "{part:?} is not said:\n{}",
                self.text
            );
        }
    }
}

/// Variables of a world without one of its servers: a port where nobody listens.
pub fn without(variable: &'static str) -> BTreeMap<&'static str, String> {
    let nowhere = match variable {
        "DATABASE_URL" => "postgres://streamflow@127.0.0.1:1/streamflow",
        _ => "127.0.0.1:1",
    };
    BTreeMap::from([(variable, nowhere.to_owned())])
}
