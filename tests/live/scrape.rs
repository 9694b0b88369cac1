//! What a program serves at `--metrics-addr`, asked for and read strictly.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::process::Running;

/// Lets the system choose a port, which the log tells.
pub const METRICS: [&str; 2] = ["--metrics-addr", "127.0.0.1:0"];

/// Where a program serves its metrics.
pub struct Served {
    pub address: String,
}

/// The metrics of a moment: `name{label="value",…}` and the value, without the label `job`, which all have.
#[derive(Debug)]
pub struct Scrape {
    pub job: String,
    pub families: BTreeSet<String>,
    samples: BTreeMap<String, f64>,
}

const BEFORE_ADDRESS: &str = "metrics at http://";

/// Where a program serves its metrics, by its log.
pub fn address_in(log: &str) -> Option<&str> {
    let (_, rest) = log.split_once(BEFORE_ADDRESS)?;
    let (address, _) = rest.split_once("/metrics")?;
    Some(address)
}

/// Head and body of the answer.
pub fn ask(address: &str, path: &str) -> std::io::Result<String> {
    let mut connection = TcpStream::connect(address)?;
    connection.set_read_timeout(Some(Duration::from_secs(20)))?;
    write!(
        connection,
        "GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    Ok(answer)
}

impl Served {
    pub fn by(running: &mut Running) -> Self {
        running.wait_for_log(BEFORE_ADDRESS);
        let address = address_in(&running.log()).expect("the address").to_owned();
        Self { address }
    }

    /// Status, headers and body.
    pub fn get(&self, path: &str) -> (u16, String, String) {
        let answer = ask(&self.address, path).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
        let status = head.split(' ').nth(1).expect("a status");
        (
            status.parse().expect("a number"),
            head.to_ascii_lowercase(),
            body.to_owned(),
        )
    }

    /// Status and reason of `/healthz` or `/readyz`.
    pub fn state(&self, path: &str) -> (u16, String) {
        let (status, _, body) = self.get(path);
        (status, body.trim_end().to_owned())
    }

    pub fn scrape(&self) -> Scrape {
        let (status, head, body) = self.get("/metrics");
        assert_eq!(status, 200, "{body}");
        let content_type =
            "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8";
        assert!(head.contains(content_type), "{head}");
        Scrape::read(&body)
    }
}

impl Scrape {
    #[track_caller]
    pub fn number(&self, sample: &str) -> f64 {
        let value = self.samples.get(sample);
        *value.unwrap_or_else(|| panic!("no {sample} in {:#?}", self.samples))
    }

    /// Records with an outcome.
    #[track_caller]
    pub fn records(&self, outcome: &str) -> u64 {
        self.number(&format!(
            "streamflow_records_total{{outcome=\"{outcome}\"}}"
        )) as u64
    }

    /// By partition.
    pub fn lag(&self) -> BTreeMap<i32, i64> {
        let partition = |sample: &str| {
            let rest = sample.strip_prefix("streamflow_lag_records{partition=\"")?;
            rest.strip_suffix("\"}")?.parse().ok()
        };
        let lags = self.samples.iter();
        lags.filter_map(|(sample, lag)| Some((partition(sample)?, *lag as i64)))
            .collect()
    }

    /// OpenMetrics 1.0, as far as these programs use it. What is not of that form fails the test.
    fn read(text: &str) -> Self {
        let text = text.strip_suffix("# EOF\n").expect("the end");
        let mut scrape = Self {
            job: String::new(),
            families: BTreeSet::new(),
            samples: BTreeMap::new(),
        };
        let (mut family, mut kind) = ("", "");
        for line in text.lines() {
            if let Some(told) = line.strip_prefix("# ") {
                let [what, name, rest] = told.splitn(3, ' ').collect::<Vec<_>>()[..] else {
                    panic!("{line}");
                };
                assert!(!rest.is_empty(), "{line}");
                match what {
                    "HELP" => {
                        assert!(is_name(name), "{line}");
                        assert!(scrape.families.insert(name.to_owned()), "twice: {line}");
                        (family, kind) = (name, "");
                    }
                    "TYPE" => kind = rest,
                    "UNIT" => assert!(name.ends_with(&format!("_{rest}")), "{line}"),
                    _ => panic!("{line}"),
                }
                assert_eq!(name, family, "{line}");
                continue;
            }
            scrape.sample(line, family, kind);
        }
        scrape.check_histograms();
        scrape
    }

    fn sample(&mut self, line: &str, family: &str, kind: &str) {
        let (sample, value) = line.rsplit_once(' ').expect("a value");
        let value: f64 = value.parse().expect("a number");
        let (name, labels) = sample.split_once('{').expect("labels");
        let suffixes: &[&str] = match kind {
            "gauge" => &[""],
            "counter" => &["_total"],
            "histogram" => &["_bucket", "_sum", "_count"],
            _ => panic!("{line}: {kind}"),
        };
        let suffix = name.strip_prefix(family).expect("the family's name");
        assert!(suffixes.contains(&suffix), "{line}: {kind}");
        assert!(kind == "gauge" || value >= 0.0, "{line}");
        let labels = labels.strip_suffix('}').expect("the end of the labels");
        let mut others = Vec::new();
        for label in labels.split(',') {
            let (key, quoted) = label.split_once('=').expect("a label");
            let inner = quoted.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
            let inner = inner.expect("quotes");
            assert!(is_name(key) && !inner.contains(['"', '\\']), "{line}");
            match key {
                "job" => self.job = inner.to_owned(),
                "outcome" | "server" | "partition" | "version" | "le" => others.push(label),
                _ => panic!("a label that is not expected: {line}"),
            }
        }
        let key = match others.is_empty() {
            true => name.to_owned(),
            false => format!("{name}{{{}}}", others.join(",")),
        };
        assert!(self.samples.insert(key, value).is_none(), "twice: {line}");
    }

    /// Buckets are cumulative, and the last one has all.
    fn check_histograms(&self) {
        for (sample, count) in &self.samples {
            let Some(name) = sample.strip_suffix("_count") else {
                continue;
            };
            let prefix = format!("{name}_bucket{{le=\"");
            let buckets = self.samples.iter();
            let bucket = |(sample, count): (&String, &f64)| {
                let limit = sample.strip_prefix(&prefix)?.strip_suffix("\"}")?;
                Some((limit.parse::<f64>().expect("a limit"), *count))
            };
            let mut buckets: Vec<(f64, f64)> = buckets.filter_map(bucket).collect();
            buckets.sort_by(|left, right| left.0.total_cmp(&right.0));
            assert!(buckets.is_sorted_by_key(|bucket| bucket.1), "{name}");
            assert_eq!(buckets.last(), Some(&(f64::INFINITY, *count)), "{name}");
        }
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}
