//! Numbers for reading: exact, with a comma before each three digits.

use std::fmt;

use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
#[serde(transparent)]
pub struct Count(pub i64);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.unsigned_abs().to_string();
        if self.0 < 0 {
            f.write_str("−")?;
        }
        for (place, digit) in digits.char_indices() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

/// Bytes, in units of 1,024 (IEC 80000-13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
#[serde(transparent)]
pub struct Bytes(pub u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut amount = self.0 as f64;
        let mut units = ["B", "KiB", "MiB", "GiB"].into_iter();
        let mut unit = units.next().unwrap_or_default();
        for next in units {
            if amount < 1024.0 {
                break;
            }
            (amount, unit) = (amount / 1024.0, next);
        }
        match unit {
            "B" => write!(f, "{} B", self.0),
            _ => write!(f, "{amount:.1} {unit}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_stand_together_up_to_the_largest_number() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (-1_234_567, "−1,234,567"),
            (i64::MAX, "9,223,372,036,854,775,807"),
            (i64::MIN, "−9,223,372,036,854,775,808"),
        ] {
            assert_eq!(Count(number).to_string(), text);
        }
    }

    #[test]
    fn bytes_have_the_unit_that_leaves_few_digits() {
        assert_eq!(Bytes(1_023).to_string(), "1023 B");
        assert_eq!(Bytes(1_536).to_string(), "1.5 KiB");
        assert_eq!(Bytes(3 << 30).to_string(), "3.0 GiB");
    }
}
