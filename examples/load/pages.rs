//! How quickly the pages of a control center come, and what it takes in memory while many follow a topic.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use procfs::process::Process;
use reqwest::Client;
use serde_json::{Value, json};

/// Ask a control center for pages, and follow topics there
#[derive(clap::Args)]
pub struct Arguments {
    #[arg(long, default_value = "http://127.0.0.1:9021")]
    url: String,
    /// Path and query of a page, such as /clusters; repeatable
    #[arg(long = "page", value_name = "ADDRESS")]
    pages: Vec<String>,
    /// For each page
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    requests: u32,
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=64))]
    at_once: u8,
    /// Path and query of a stream of events, which is followed so often as --tails says
    #[arg(long, requires = "tails", value_name = "ADDRESS")]
    tail: Option<String>,
    #[arg(long, requires = "tail", value_parser = clap::value_parser!(u16).range(1..=500))]
    tails: Option<u16>,
    /// How long it is followed
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    follow: u64,
    /// Process of the control center, to look at its memory
    #[arg(long)]
    pid: Option<i32>,
}

pub async fn run(arguments: Arguments) -> Result<Value> {
    // The second one finds it installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().timeout(Duration::from_secs(60)).build()?;
    let mut pages = BTreeMap::new();
    for page in &arguments.pages {
        pages.insert(page.clone(), measure(&client, &arguments, page).await?);
    }
    let before = resident_bytes(arguments.pid)?;
    let tails = match (&arguments.tail, arguments.tails) {
        (Some(tail), Some(tails)) => follow(&arguments, tail, tails).await?,
        _ => Value::Null,
    };
    Ok(json!({"pages": pages, "resident_bytes_before_tails": before, "tails": tails}))
}

async fn measure(client: &Client, arguments: &Arguments, page: &str) -> Result<Value> {
    let url = Arc::new(format!("{}{page}", arguments.url.trim_end_matches('/')));
    let open = Arc::new(AtomicUsize::new(arguments.requests as usize));
    let mut askers = Vec::new();
    for _ in 0..arguments.at_once {
        let (client, url, open) = (client.clone(), url.clone(), open.clone());
        askers.push(tokio::spawn(async move {
            let mut took = Vec::new();
            while open
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |it| it.checked_sub(1))
                .is_ok()
            {
                let begun = Instant::now();
                let answer = client.get(url.as_str()).send().await?;
                let status = answer.status();
                let bytes = answer.bytes().await?.len();
                if !status.is_success() {
                    bail!("{url}: {status}");
                }
                took.push((begun.elapsed(), bytes));
            }
            Ok(took)
        }));
    }
    let mut took = Vec::new();
    for asker in askers {
        took.extend(asker.await??);
    }
    took.sort_unstable();
    let at = |share: f64| {
        took[((took.len() - 1) as f64 * share).round() as usize]
            .0
            .as_secs_f64()
            * 1e3
    };
    Ok(json!({
        "requests": took.len(),
        "bytes": took.last().map(|it| it.1),
        "p50_ms": at(0.5),
        "p95_ms": at(0.95),
        "max_ms": at(1.0),
    }))
}

async fn follow(arguments: &Arguments, tail: &str, tails: u16) -> Result<Value> {
    let url = format!("{}{tail}", arguments.url.trim_end_matches('/'));
    let (bytes, ended) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicUsize::new(0)));
    // Without a limit on the whole of an answer.
    let client = Client::new();
    let mut followers = Vec::new();
    for _ in 0..tails {
        let mut answer = client
            .get(&url)
            .header("accept", "text/event-stream")
            .send()
            .await?
            .error_for_status()?;
        let (bytes, ended) = (bytes.clone(), ended.clone());
        followers.push(tokio::spawn(async move {
            while let Ok(Some(part)) = answer.chunk().await {
                bytes.fetch_add(part.len() as u64, Ordering::Relaxed);
            }
            ended.fetch_add(1, Ordering::Relaxed);
        }));
    }
    let mut resident = Vec::new();
    for _ in 0..arguments.follow.max(1) {
        tokio::time::sleep(Duration::from_secs(1)).await;
        resident.extend(resident_bytes(arguments.pid)?);
    }
    let told = json!({
        "tails": tails,
        "ended_early": ended.load(Ordering::Relaxed),
        "bytes": bytes.load(Ordering::Relaxed),
        "resident_bytes_first": resident.first(),
        "resident_bytes_last": resident.last(),
        "resident_bytes_most": resident.iter().max(),
    });
    followers.iter().for_each(|it| it.abort());
    Ok(told)
}

fn resident_bytes(pid: Option<i32>) -> Result<Option<u64>> {
    let Some(pid) = pid else { return Ok(None) };
    let status = Process::new(pid).and_then(|it| it.status());
    let status = status.with_context(|| format!("no process {pid}"))?;
    Ok(status.vmrss.map(|it| it * 1024))
}
