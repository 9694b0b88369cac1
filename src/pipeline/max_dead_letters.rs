//! How many dead letters a run may have: `100`, or a share of what it has consumed, `5%`.

use std::fmt;
use std::str::FromStr;

/// Fewer records say nothing about a share: a single bad one at the beginning would be all of them.
const LEAST_FOR_A_SHARE: u64 = 100;

/// A hundred percent in the unit in which a share is kept, so that it is compared without rounding.
const ALL: u32 = 100_000_000;

const DECIMALS: usize = 6;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxDeadLetters {
    Count(u64),
    /// In millionths of a percent.
    Share(u32),
}

impl MaxDeadLetters {
    /// A share is judged when enough is consumed, or at the end of the run, on whatever that is.
    pub fn is_exceeded(self, dead_letters: u64, consumed: u64, at_the_end: bool) -> bool {
        match self {
            MaxDeadLetters::Count(most) => dead_letters > most,
            MaxDeadLetters::Share(share) => {
                let enough = at_the_end || consumed >= LEAST_FOR_A_SHARE;
                let most = u128::from(share) * u128::from(consumed);
                enough && u128::from(dead_letters) * u128::from(ALL) > most
            }
        }
    }
}

impl FromStr for MaxDeadLetters {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || {
            "expected a number of records such as 100, or a share of 0% to 100% such as 5% or 0.5%"
                .to_owned()
        };
        let text = text.trim();
        let max = match text.strip_suffix('%') {
            Some(percent) => share(percent).map(MaxDeadLetters::Share),
            None if is_number(text) => text.parse().ok().map(MaxDeadLetters::Count),
            None => None,
        };
        max.ok_or_else(expected)
    }
}

fn share(percent: &str) -> Option<u32> {
    let (whole, decimals) = percent.split_once('.').unwrap_or((percent, "0"));
    if !is_number(whole) || !is_number(decimals) || decimals.len() > DECIMALS {
        return None;
    }
    let whole: u32 = whole.parse().ok()?;
    let decimals: u32 = format!("{decimals:0<DECIMALS$}").parse().ok()?;
    let share = whole.checked_mul(ALL / 100)?.checked_add(decimals)?;
    (share <= ALL).then_some(share)
}

/// Rust's own parsing also takes a sign.
fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl fmt::Display for MaxDeadLetters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            MaxDeadLetters::Count(most) => write!(f, "{most}"),
            MaxDeadLetters::Share(share) => {
                let (whole, decimals) = (share / (ALL / 100), share % (ALL / 100));
                let text = format!("{whole}.{decimals:0DECIMALS$}");
                write!(f, "{}%", text.trim_end_matches('0').trim_end_matches('.'))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn max(text: &str) -> MaxDeadLetters {
        text.parse().unwrap()
    }

    #[test]
    fn reads_a_number_and_a_share() {
        for text in [
            "0",
            "100",
            "0%",
            "5%",
            "0.5%",
            "12.25%",
            "99.999999%",
            "100%",
        ] {
            assert_eq!(max(text).to_string(), text);
        }
        assert_eq!(max(" 007.50% ").to_string(), "7.5%");
        assert_eq!(max("100"), MaxDeadLetters::Count(100));
        assert_eq!(max("0.5%"), MaxDeadLetters::Share(500_000));
    }

    #[test]
    fn what_is_neither_is_refused() {
        let texts = [
            "",
            "%",
            ".5%",
            "5.%",
            "-1",
            "+1",
            "-1%",
            "101%",
            "100.000001%",
            "0.0000001%",
            "1.5",
            "abc",
            "5 %",
            "5%%",
            "1e3",
            "99999999999%",
            "99999999999999999999",
        ];
        for text in texts {
            let error = text.parse::<MaxDeadLetters>().unwrap_err();
            assert!(error.contains("0.5%"), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_number_is_the_most_at_any_time() {
        for at_the_end in [false, true] {
            assert!(!max("2").is_exceeded(2, 2, at_the_end));
            assert!(max("2").is_exceeded(3, 1_000_000, at_the_end));
            assert!(max("0").is_exceeded(1, 1, at_the_end));
            assert!(!max("0").is_exceeded(0, 1_000, at_the_end));
        }
    }

    #[test]
    fn a_share_waits_for_enough_records() {
        assert!(!max("5%").is_exceeded(99, 99, false));
        assert!(max("5%").is_exceeded(99, 100, false));
        assert!(!max("5%").is_exceeded(5, 100, false));
        assert!(max("5%").is_exceeded(6, 100, false));
        assert!(max("0%").is_exceeded(1, 100, false));
    }

    #[test]
    fn at_the_end_a_share_is_judged_on_whatever_was_consumed() {
        assert!(max("5%").is_exceeded(3, 3, true));
        assert!(!max("5%").is_exceeded(1, 20, true));
        assert!(!max("0%").is_exceeded(0, 0, true));
        assert!(!max("100%").is_exceeded(3, 3, true));
    }

    #[test]
    fn a_share_is_compared_without_rounding() {
        let third = max("33.333333%");
        assert!(third.is_exceeded(1_000_000, 3_000_000, false));
        assert!(!third.is_exceeded(33_333_333, 100_000_000, false));
        assert!(third.is_exceeded(33_333_334, 100_000_000, false));
        assert!(max("99.999999%").is_exceeded(u64::MAX, u64::MAX, false));
    }
}
