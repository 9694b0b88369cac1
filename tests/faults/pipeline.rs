//! The three jobs on a database, a topic and a keyspace of their own: started, broken off, brought to their end, and checked.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::Url;
use serde_json::Value;

use crate::api::Api;
use crate::ground::{CANARY, Figures};
use crate::job::{CONSUMING, Job, Run};
use crate::process::{Finished, LIMIT};
use crate::topic::Found;
use crate::world::World;

/// Done, or a server was away: what Airflow would retry.
const RETRIED: [i32; 2] = [0, 69];
const TRIES: u32 = 20;

pub struct Pipeline {
    pub world: World,
    pub figures: Arc<Figures>,
    api: Api,
    name: String,
    /// What was asked for so far: seed and users.
    fetched: Vec<(String, u32)>,
    /// Arguments of every run.
    options: Vec<String>,
}

impl Pipeline {
    pub fn new(figures: Arc<Figures>, name: String) -> Self {
        Self {
            world: World::own().expect("servers"),
            figures,
            api: Api::start(),
            name,
            fetched: Vec::new(),
            options: Vec::new(),
        }
    }

    /// Gives every run of the consuming jobs these arguments from now on.
    pub fn with_options(mut self, options: &[&str]) -> Self {
        self.options = options.iter().map(|&it| it.to_owned()).collect();
        self
    }

    /// With a secret for who asks, which the bundled API does not look at.
    pub fn api_url(&self) -> String {
        let url = self.api.url();
        url.replacen("://", &format!("://someone:{CANARY}@"), 1)
    }

    /// With a password, which the server does not ask this machine for.
    pub fn database_url(&self) -> Url {
        let base = &self.world.base;
        let mut url = base.servers.database(&base.database);
        url.set_password(Some(CANARY)).expect("a URL with a host");
        url
    }

    pub fn start(&self, job: Job, arguments: &[&str]) -> Run {
        self.start_with(job, arguments, &[])
    }

    pub fn start_with(&self, job: Job, arguments: &[&str], variables: &[(&str, &str)]) -> Run {
        let mut all: Vec<&str> = arguments.to_vec();
        all.extend(["--metrics-addr", "127.0.0.1:0"]);
        if job != Job::FetchPublish {
            all.extend(self.options.iter().map(String::as_str));
        }
        // None of the servers asks for these; they must stay unsaid all the same.
        let database_url = self.database_url();
        let kafka_options = format!("sasl.password={CANARY}");
        let secrets = [
            ("DATABASE_URL", database_url.as_str()),
            ("CASSANDRA_USERNAME", "someone"),
            ("CASSANDRA_PASSWORD", CANARY),
            ("SCHEMA_REGISTRY_PASSWORD", CANARY),
            ("KAFKA_OPTIONS", &kafka_options),
        ];
        let variables = [&secrets[..], variables].concat();
        let running = self.world.spawn_with(job.program(), &all, &variables);
        Run::watched(job, running, self.figures.clone())
    }

    /// Both consuming jobs, which have their partitions.
    pub fn at_work(&self, arguments: &[&str]) -> [Run; 2] {
        CONSUMING.map(|job| {
            let mut run = self.start(job, arguments);
            run.wait_for_log("takes over partitions");
            run
        })
    }

    /// A run of `fetch-publish` for more users.
    pub fn start_fetching(&mut self, users: u32) -> Run {
        self.start_fetching_with(users, &[])
    }

    pub fn start_fetching_with(&mut self, users: u32, variables: &[(&str, &str)]) -> Run {
        let seed = self.next_seed(users);
        self.fetch_with(&self.api_url(), &seed, users, variables)
    }

    pub fn next_seed(&mut self, users: u32) -> String {
        // All of one length: the API gives seed and page one behind the other to its generator, so a1 and a12 share users.
        let seed = format!("{}-{:03}", self.name, self.fetched.len());
        self.fetched.push((seed.clone(), users));
        seed
    }

    pub fn fetch_again(&self, seed: &str, users: u32) -> Run {
        self.fetch_with(&self.api_url(), seed, users, &[])
    }

    pub fn fetch_with(&self, url: &str, seed: &str, users: u32, variables: &[(&str, &str)]) -> Run {
        let users = users.to_string();
        let words = ["--users", &users, "--seed", seed, "--page-size", "500"];
        let variables = [&[("STREAMFLOW_API_URL", url)], variables].concat();
        self.start_with(Job::FetchPublish, &words, &variables)
    }

    /// Fetches so many users without any fault.
    pub fn fill(&mut self, users: u32) {
        let run = self.start_fetching(users);
        run.finish_within(LIMIT * 4).exits(0);
    }

    /// Runs a job until it ends well, as Airflow's retries do.
    pub fn complete(&self, start: impl Fn() -> Run) -> Finished {
        for _ in 0..TRIES {
            let done = start().finish_within(LIMIT * 4);
            match done.code {
                0 => return done,
                code => assert!(
                    RETRIED.contains(&code),
                    "exit code {code}:\n{}",
                    done.texts()
                ),
            }
            std::thread::sleep(Duration::from_secs(1));
        }
        panic!("no run ended well in {TRIES} tries");
    }

    /// Brings all that was begun to its end: every seed fetched, every record read by both jobs.
    pub fn settle(&self) {
        for (seed, users) in &self.fetched {
            self.complete(|| self.fetch_again(seed, *users));
        }
        for job in CONSUMING {
            self.complete(|| self.start(job, &[]));
        }
    }

    /// Asks the checker, and fails when anything is not as it must be.
    #[track_caller]
    pub fn check(&self) {
        self.check_with(&[]);
    }

    #[track_caller]
    pub fn check_with(&self, arguments: &[&str]) {
        let [transform_store, aggregate] = CONSUMING.map(|job| self.world.group(job.program()));
        let mut words = vec![
            "reconcile",
            "--transform-store-group-id",
            &transform_store,
            "--aggregate-group-id",
            &aggregate,
        ];
        words.extend(arguments);
        let done = self
            .world
            .spawn("streamflow", &words)
            .finish_within(LIMIT * 6);
        assert!(
            [0, 65].contains(&done.code),
            "the checker cannot tell, exit code {}:\n{}",
            done.code,
            done.texts()
        );
        self.add_up(&done.summary);
        for letter in self.world.dead_letters() {
            self.figures.is_shown("a dead letter", &content(letter));
        }
        assert_eq!(done.code, 0, "{}", done.texts());
        // The API's users of every seed are there, too.
        let landed = self.world.sql_number("SELECT count(*) FROM landed_users");
        let apart = self
            .world
            .sql_number("SELECT count(*) FROM kept_apart_users");
        let asked: i64 = self
            .fetched
            .iter()
            .map(|(_, users)| i64::from(*users))
            .sum();
        assert_eq!(landed + apart, asked, "users landed or kept apart");
    }

    fn add_up(&self, told: &Value) {
        let number = |value: &Value| value.as_u64().unwrap_or(0);
        let Some(hops) = told["hops"].as_object() else {
            panic!("the checker tells no hops: {told}");
        };
        for (name, hop) in hops {
            let wrong = number(&hop["missing"]) + number(&hop["different"]);
            let sum = match name.as_str() {
                "topic_summaries" => &self.figures.wrong_numbers,
                _ => &self.figures.lost,
            };
            sum.fetch_add(wrong, Ordering::Relaxed);
            let phantom = number(&hop["unexpected"]);
            self.figures.phantom.fetch_add(phantom, Ordering::Relaxed);
            let repeated = number(&hop["repeated"]);
            self.figures.repeated.fetch_add(repeated, Ordering::Relaxed);
        }
        let records = self.world.record_count();
        self.figures.records.fetch_add(records, Ordering::Relaxed);
    }

    /// Everything to its end, and then the checker.
    #[track_caller]
    pub fn settle_and_check(&self) {
        self.settle();
        self.check();
    }

    /// What of the topic is not settled by the group of a job yet.
    pub fn backlog(&self, job: Job) -> u64 {
        let settled = self.world.committed_records(job.program());
        self.world.record_count().saturating_sub(settled)
    }

    pub fn landed(&self) -> u64 {
        let number = self.world.sql_number("SELECT count(*) FROM landed_users");
        number.unsigned_abs()
    }

    pub fn published(&self) -> u64 {
        let marked = "SELECT count(*) FROM published_users";
        self.world.sql_number(marked).unsigned_abs()
    }
}

/// Key, value and headers.
fn content(letter: Found) -> Vec<u8> {
    let headers = letter.headers.into_iter();
    let headers = headers.flat_map(|(name, value)| [name.into_bytes(), value.into_bytes()]);
    let parts = [letter.key, letter.value].into_iter().flatten();
    parts.chain(headers).collect::<Vec<_>>().concat()
}
