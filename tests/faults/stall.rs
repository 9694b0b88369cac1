//! How long a job has settled nothing while there was something to do, by its own metrics.

use std::time::Duration;

/// Nothing when it has nothing to do.
pub fn of(metrics: &str) -> Option<Duration> {
    let has_work = !metrics.contains("\nstreamflow_lag_records{")
        || numbers(metrics, "streamflow_lag_records{").any(|lag| lag > 0.0);
    let age = numbers(metrics, "streamflow_progress_age_seconds{").next()?;
    has_work.then(|| Duration::from_secs_f64(age.max(0.0)))
}

fn numbers<'a>(text: &'a str, beginning: &'a str) -> impl Iterator<Item = f64> + 'a {
    text.lines()
        .filter(move |line| line.starts_with(beginning))
        .filter_map(|line| line.rsplit(' ').next()?.parse().ok())
}
