//! Moments as pages show them: in UTC, with the time that has passed beside it.

use jiff::Timestamp;
use serde::{Serialize, Serializer};

/// A moment as seen from another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    ms: i64,
    now_ms: i64,
}

impl Moment {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub fn at(ms: i64) -> Self {
        let now_ms = Timestamp::now().as_millisecond();
        Self { ms, now_ms }
    }

    pub fn now() -> Self {
        Self::at(Timestamp::now().as_millisecond())
    }

    /// From a text such as `2026-11-21T10:00:00Z`, or with an offset.
    pub fn parse(text: &str) -> Option<Self> {
        let moment: Timestamp = text.parse().ok()?;
        Some(Self::at(moment.as_millisecond()))
    }

    pub fn ms(&self) -> i64 {
        self.ms
    }

    /// ISO 8601; the number itself where no calendar has the moment.
    pub fn iso(&self) -> String {
        match Timestamp::from_millisecond(self.ms) {
            Ok(moment) => moment.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
            Err(_) => format!("{} ms", self.ms),
        }
    }

    /// For reading, in UTC.
    pub fn utc(&self) -> String {
        match Timestamp::from_millisecond(self.ms) {
            Ok(moment) => moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
            Err(_) => format!("{} ms", self.ms),
        }
    }

    pub fn ago(&self) -> String {
        let seconds = self.now_ms.saturating_sub(self.ms) / 1000;
        match seconds {
            0 => "now".to_owned(),
            1.. => format!("{} ago", span(seconds)),
            _ => format!("in {}", span(seconds.saturating_neg())),
        }
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.iso())
    }
}

/// A span of time in its largest unit.
pub fn span(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_past_the_future_and_what_no_calendar_has() {
        let ago = |seconds: i64| {
            Moment {
                ms: 0,
                now_ms: seconds * 1000,
            }
            .ago()
        };
        assert_eq!(ago(0), "now");
        assert_eq!(ago(59), "59 s ago");
        assert_eq!(ago(61), "1 min ago");
        assert_eq!(ago(7_300), "2 h ago");
        assert_eq!(ago(900_000), "10 days ago");
        assert_eq!(ago(-120), "in 2 min");
        let strange = Moment {
            ms: i64::MAX,
            now_ms: i64::MIN,
        };
        assert_eq!(strange.iso(), format!("{} ms", i64::MAX));
        assert!(strange.ago().starts_with("in "));
    }
}
