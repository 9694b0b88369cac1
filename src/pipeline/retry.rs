//! Trying again: with exponential backoff and jitter, for a bounded time, and saying so.

use std::fmt::Display;
use std::future::Future;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBuilder};
use log::{Level, log};

/// A shorter patience is not told of.
const TOLD_FROM: Duration = Duration::from_secs(3);

/// Delays from 100 ms, doubled up to `longest`, each with jitter.
fn delays(longest: Duration) -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(longest)
        .with_factor(2.0)
        .with_jitter()
        .without_max_times()
        .build()
}

/// Calls `attempt` until it succeeds, fails with what `again` does not accept, or `within` is over. The last error comes back.
pub async fn retry<T, E, F>(
    what: &str,
    within: Duration,
    again: impl Fn(&E) -> bool,
    mut attempt: impl FnMut() -> F,
) -> Result<T, E>
where
    E: Display,
    F: Future<Output = Result<T, E>>,
{
    let begun = Instant::now();
    let mut tries = 0u32;
    let mut delays = delays(Duration::from_secs(5));
    loop {
        tries += 1;
        let error = match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) if again(&error) => error,
            Err(error) => return Err(error),
        };
        let left = within.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return Err(error);
        }
        let delay = delays.next().unwrap_or(within).min(left);
        // Who waits for so short a time tells its failure at once, and may ask again every few seconds.
        let level = match within < TOLD_FROM {
            true => Level::Debug,
            false => Level::Warn,
        };
        log!(
            level,
            "{what}: {error}; try {} in {:.1} s, for {:.0} s more",
            tries + 1,
            delay.as_secs_f64(),
            left.as_secs_f64()
        );
        tokio::time::sleep(delay).await;
    }
}
