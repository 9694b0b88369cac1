use std::time::{Duration, Instant};

/// An upper bound on users a second, on average since the start.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    begun: Instant,
    users_per_second: Option<f64>,
}

impl Pace {
    pub fn new(users_per_second: Option<f64>, now: Instant) -> Self {
        Self {
            begun: now,
            users_per_second,
        }
    }

    /// How long to wait before asking for more, when so many were asked for already.
    pub fn wait(&self, asked: u64, now: Instant) -> Duration {
        let Some(rate) = self.users_per_second else {
            return Duration::ZERO;
        };
        let due = Duration::try_from_secs_f64(asked as f64 / rate).unwrap_or(Duration::MAX);
        due.saturating_sub(now.saturating_duration_since(self.begun))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_page_goes_at_once_and_the_next_when_the_rate_allows() {
        let now = Instant::now();
        let pace = Pace::new(Some(50.0), now);
        assert_eq!(pace.wait(0, now), Duration::ZERO);
        assert_eq!(pace.wait(100, now), Duration::from_secs(2));
        assert_eq!(pace.wait(100, now + Duration::from_secs(3)), Duration::ZERO);
        assert_eq!(Pace::new(None, now).wait(u64::MAX, now), Duration::ZERO);
    }
}
