//! What a user counts towards: gender, country, nationality, age band and year of registration.
//!
//! The age is that of the day of the record (the day it was landed), so that a count never changes by itself.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::Offset;

use super::row::CreatedUser;

/// What stands for a value that a user does not have.
pub const UNKNOWN: &str = "unknown";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    Gender,
    Country,
    Nationality,
    AgeBand,
    RegistrationYear,
}

impl Dimension {
    pub const ALL: [Dimension; 5] = [
        Dimension::Gender,
        Dimension::Country,
        Dimension::Nationality,
        Dimension::AgeBand,
        Dimension::RegistrationYear,
    ];

    /// The text in the column `dimension` of `user_summaries`.
    pub fn as_str(self) -> &'static str {
        match self {
            Dimension::Gender => "gender",
            Dimension::Country => "country",
            Dimension::Nationality => "nationality",
            Dimension::AgeBand => "age_band",
            Dimension::RegistrationYear => "registration_year",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|dimension| dimension.as_str() == text)
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Calls `count` with each dimension and the value the user has in it.
pub fn each_value(user: &CreatedUser<'_>, at_ms: i64, mut count: impl FnMut(Dimension, &str)) {
    count(Dimension::Gender, user.gender.as_deref().unwrap_or(UNKNOWN));
    count(
        Dimension::Country,
        user.country.as_deref().unwrap_or(UNKNOWN),
    );
    count(
        Dimension::Nationality,
        user.nationality.as_deref().unwrap_or(UNKNOWN),
    );
    let age = user.dob_ms.and_then(|dob_ms| age_on(dob_ms, at_ms));
    count(Dimension::AgeBand, age_band(age));
    match user.registered_date_ms.and_then(date) {
        Some(date) => count(
            Dimension::RegistrationYear,
            itoa::Buffer::new().format(date.year()),
        ),
        None => count(Dimension::RegistrationYear, UNKNOWN),
    }
}

fn date(ms: i64) -> Option<jiff::civil::Date> {
    let time = Timestamp::from_millisecond(ms).ok()?;
    Some(Offset::UTC.to_datetime(time).date())
}

/// Full years between two times, by the calendar in UTC; nothing when a time is out of the calendar's range.
pub fn age_on(dob_ms: i64, at_ms: i64) -> Option<i64> {
    let (born, at) = (date(dob_ms)?, date(at_ms)?);
    let birthday_passed = (at.month(), at.day()) >= (born.month(), born.day());
    let years = i64::from(at.year()) - i64::from(born.year());
    Some(if birthday_passed { years } else { years - 1 })
}

fn age_band(age: Option<i64>) -> &'static str {
    match age {
        None | Some(i64::MIN..=-1) => UNKNOWN,
        Some(0..=17) => "0-17",
        Some(18..=29) => "18-29",
        Some(30..=39) => "30-39",
        Some(40..=49) => "40-49",
        Some(50..=59) => "50-59",
        Some(60..=69) => "60-69",
        Some(70..=79) => "70-79",
        Some(80..) => "80+",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn a_year_is_full_on_the_birthday() {
        let born = ms("1990-06-15T23:00:00Z");
        assert_eq!(age_on(born, ms("2020-06-14T23:59:59Z")), Some(29));
        assert_eq!(age_on(born, ms("2020-06-15T00:00:00Z")), Some(30));
        assert_eq!(
            age_on(ms("2000-02-29T00:00:00Z"), ms("2001-02-28T00:00:00Z")),
            Some(0)
        );
        assert_eq!(age_on(born, ms("1980-01-01T00:00:00Z")), Some(-11));
    }

    #[test]
    fn bands_cover_every_age() {
        assert_eq!(age_band(Some(-1)), UNKNOWN);
        assert_eq!(age_band(Some(17)), "0-17");
        assert_eq!(age_band(Some(18)), "18-29");
        assert_eq!(age_band(Some(80)), "80+");
        assert_eq!(age_band(None), UNKNOWN);
    }

    #[test]
    fn a_dimension_is_read_back_from_its_text() {
        for dimension in Dimension::ALL {
            assert_eq!(Dimension::parse(dimension.as_str()), Some(dimension));
        }
    }
}
