//! Recorded answers of the public API, served again page by page.
//!
//! They are read from the folder in STREAMFLOW_RECORDED_PAYLOADS; a test that needs them says that it was skipped where it is not set.

use std::path::PathBuf;

use axum::Router;
use axum::extract::{Query, State};
use axum::routing::get;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::servers::{runtime, wait};

pub struct Recorded {
    /// The file it was recorded in, and the record as it stands there.
    pub records: Vec<(String, String)>,
}

impl Recorded {
    /// All records of all files, in the order of the files' names; nothing where there is no such folder.
    pub fn read(test: &str) -> Option<Self> {
        let Some(folder) = std::env::var_os("STREAMFLOW_RECORDED_PAYLOADS") else {
            println!("skipped: {test} needs the recorded answers (STREAMFLOW_RECORDED_PAYLOADS)");
            return None;
        };
        #[derive(Deserialize)]
        struct Answer<'a> {
            #[serde(borrow)]
            results: Vec<&'a RawValue>,
        }
        let files = std::fs::read_dir(folder).expect("the folder of recorded answers");
        let mut files: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
        files.retain(|file| file.extension().is_some_and(|it| it == "json"));
        files.sort();
        let mut records = Vec::new();
        for file in files {
            let text = std::fs::read_to_string(&file).expect("a recorded answer");
            let answer: Answer<'_> = serde_json::from_str(&text).expect("a recorded answer");
            let name = file.file_name().expect("a name").to_string_lossy();
            let of_file = answer.results.iter();
            records.extend(of_file.map(|raw| (name.to_string(), raw.get().to_owned())));
        }
        assert!(!records.is_empty(), "the folder holds recorded answers");
        Some(Self { records })
    }
}

/// An API whose users are the records, a fixed number on each page.
pub struct RecordedApi {
    pub url: String,
    server: JoinHandle<()>,
}

pub const PAGE_SIZE: usize = 50;

#[derive(Deserialize)]
struct Asked {
    results: usize,
    page: usize,
    seed: String,
}

impl RecordedApi {
    pub fn start(records: &[(String, String)]) -> Self {
        let raws: Vec<String> = records.iter().map(|(_, raw)| raw.clone()).collect();
        let raws: &'static [String] = raws.leak();
        let app = Router::new().route("/api/", get(answer)).with_state(raws);
        let listener = wait(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let address = listener.local_addr().expect("its address");
        let server = runtime().spawn(async move {
            // It ends with the test.
            let _ = axum::serve(listener, app).await;
        });
        Self {
            url: format!("http://{address}/api/"),
            server,
        }
    }
}

impl Drop for RecordedApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(State(raws): State<&'static [String]>, Query(asked): Query<Asked>) -> String {
    let Asked {
        results,
        page,
        seed,
    } = asked;
    let first = (page - 1) * PAGE_SIZE;
    let users = raws[first.min(raws.len())..].iter().take(results);
    let users = users.cloned().collect::<Vec<_>>().join(",");
    format!(
        r#"{{"results":[{users}],"info":{{"seed":"{seed}","results":{results},"page":{page},"version":"1.4"}}}}"#
    )
}
