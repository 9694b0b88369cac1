//! Points in time as the API writes and counts them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::Version;
use super::draw::Draw;
use super::json::push_number;

/// A range of days to draw a moment from.
pub struct Range {
    first_ms: i64,
    days: i64,
}

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

const fn range(first_day: i64, last_day: i64) -> Range {
    Range {
        first_ms: first_day * DAY_MS,
        days: last_day - first_day,
    }
}

/// Days since 1970-01-01: 1944-08-25 to 2001-05-28 in version 1.4, to 1998-09-30 in 1.3.
pub const fn births(version: Version) -> Range {
    match version {
        Version::V1_4 => range(-9260, 11_470),
        Version::V1_3 => range(-9260, 10_499),
    }
}

/// Days since 1970-01-01: 2002-03-21 to 2022-05-23 in version 1.4, to 2019-09-25 in 1.3. Later than every birth.
pub const fn registrations(version: Version) -> Range {
    match version {
        Version::V1_4 => range(11_767, 19_135),
        Version::V1_3 => range(11_767, 18_164),
    }
}

/// A moment within the range, its last day included, in milliseconds since 1970.
pub fn within(range: &Range, draw: &mut Draw) -> i64 {
    range.first_ms + draw.below(((range.days + 1) * DAY_MS) as u64) as i64
}

/// The calendar's view of a moment, `offset_hours` from UTC.
pub fn civil(ms: i64, offset_hours: i8) -> DateTime {
    let timestamp = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
    Offset::constant(offset_hours).to_datetime(timestamp)
}

/// `1987-04-14T04:07:42.752Z`: always milliseconds, always Z.
pub fn push_iso(when: DateTime, out: &mut Vec<u8>) {
    let parts = [
        (i64::from(when.year()), 4, b'-'),
        (i64::from(when.month()), 2, b'-'),
        (i64::from(when.day()), 2, b'T'),
        (i64::from(when.hour()), 2, b':'),
        (i64::from(when.minute()), 2, b':'),
        (i64::from(when.second()), 2, b'.'),
        (i64::from(when.millisecond()), 3, b'Z'),
    ];
    for (value, width, after) in parts {
        push_number(value.unsigned_abs(), width, out);
        out.push(after);
    }
}

/// Full years in version 1.4; in 1.3 the difference of the two calendar years.
pub fn age(since: DateTime, now: DateTime, version: Version) -> u64 {
    let calendar_years = i64::from(now.year()) - i64::from(since.year());
    let in_year = |when: DateTime| (when.month(), when.day(), when.time());
    let not_yet = version == Version::V1_4 && in_year(now) < in_year(since);
    (calendar_years - i64::from(not_yet)).max(0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iso(ms: i64) -> String {
        let mut out = Vec::new();
        push_iso(civil(ms, 0), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_ranges_are_the_recorded_ones() {
        let ends = |range: Range| {
            (
                iso(range.first_ms)[..10].to_owned(),
                iso(range.first_ms + range.days * DAY_MS)[..10].to_owned(),
            )
        };
        assert_eq!(
            ends(births(Version::V1_4)),
            ("1944-08-25".into(), "2001-05-28".into())
        );
        assert_eq!(
            ends(births(Version::V1_3)),
            ("1944-08-25".into(), "1998-09-30".into())
        );
        assert_eq!(
            ends(registrations(Version::V1_4)),
            ("2002-03-21".into(), "2022-05-23".into())
        );
        assert_eq!(
            ends(registrations(Version::V1_3)),
            ("2002-03-21".into(), "2019-09-25".into())
        );
    }

    #[test]
    fn dates_have_milliseconds_and_ages_full_years() {
        assert_eq!(iso(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(iso(-1), "1969-12-31T23:59:59.999Z");
        let born = civil(0, 0);
        let eve = jiff::civil::date(1999, 12, 31).at(23, 59, 59, 0);
        let day = jiff::civil::date(2000, 1, 1).at(0, 0, 0, 0);
        assert_eq!(
            (age(born, eve, Version::V1_4), age(born, day, Version::V1_4)),
            (29, 30)
        );
        let late = jiff::civil::date(1970, 12, 31).at(0, 0, 0, 0);
        assert_eq!(
            (age(late, day, Version::V1_4), age(late, day, Version::V1_3)),
            (29, 30)
        );
        assert_eq!(age(day, born, Version::V1_4), 0, "a clock before the birth");
    }
}
