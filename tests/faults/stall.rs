//! How long a job has settled nothing while there was something to do, by its own metrics.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Where the job serves its metrics, by its log.
pub fn address(log: &str) -> Option<String> {
    let (_, rest) = log.split_once("metrics at http://")?;
    let (address, _) = rest.split_once("/metrics")?;
    Some(address.to_owned())
}

/// Nothing when it has nothing to do, or has ended.
pub fn of(address: &str) -> Option<Duration> {
    let text = scrape(address).ok()?;
    let has_work = !text.contains("\nstreamflow_lag_records{")
        || numbers(&text, "streamflow_lag_records{").any(|lag| lag > 0.0);
    let age = numbers(&text, "streamflow_progress_age_seconds{").next()?;
    has_work.then(|| Duration::from_secs_f64(age.max(0.0)))
}

fn scrape(address: &str) -> std::io::Result<String> {
    let mut connection = TcpStream::connect(address)?;
    connection.set_read_timeout(Some(Duration::from_secs(2)))?;
    connection.write_all(b"GET /metrics HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")?;
    let mut text = String::new();
    connection.read_to_string(&mut text)?;
    Ok(text)
}

fn numbers<'a>(text: &'a str, beginning: &'a str) -> impl Iterator<Item = f64> + 'a {
    text.lines()
        .filter(move |line| line.starts_with(beginning))
        .filter_map(|line| line.rsplit(' ').next()?.parse().ok())
}
