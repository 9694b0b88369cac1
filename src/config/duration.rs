//! Times on the command line: `30s`, `1m 30s`, `500ms`, or a bare number of seconds.

use std::time::Duration;

use jiff::SignedDuration;

pub fn parse(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let parsed = match text.parse::<u32>() {
        Ok(seconds) => SignedDuration::from_secs(i64::from(seconds)),
        Err(_) => text.parse::<SignedDuration>().map_err(|_| {
            "expected a time such as 30s, 1m 30s, 500ms or a number of seconds".to_owned()
        })?,
    };
    Duration::try_from(parsed).map_err(|_| "a time cannot be negative".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_units_and_bare_seconds() {
        assert_eq!(parse("90"), Ok(Duration::from_secs(90)));
        assert_eq!(parse("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        assert!(parse("-1s").is_err());
        assert!(parse("soon").is_err());
    }
}
