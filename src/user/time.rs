//! A time in the one layout that the API writes, `2010-01-02T03:04:05.678Z`, read eight bytes at a time.

/// Days from 0000-01-01 to 1970-01-01 in the Gregorian calendar, as ISO 8601 continues it backwards.
const DAYS_BEFORE_1970: u32 = 719_528;

/// Milliseconds since 1970-01-01T00:00:00Z. Nothing comes back for any other layout, nor for a time that no calendar has: whether another
/// reader knows it is left to that one. So is the year 9999, whose last hours not every reader has.
pub(super) fn usual_ms(text: &str) -> Option<i64> {
    const DATE: Layout = Layout::of(*b"0000-00-");
    const TIME: Layout = Layout::of(*b"00T00:00");
    const REST: Layout = Layout::of(*b":00.000Z");
    let text: &[u8; 24] = text.as_bytes().try_into().ok()?;
    let (eights, _) = text.as_chunks::<8>();
    let [y1, y2, y3, y4, _, m1, m2, _] = DATE.digits(eights[0])?;
    let [d1, d2, _, h1, h2, _, n1, n2] = TIME.digits(eights[1])?;
    let [_, s1, s2, _, f1, f2, f3, _] = REST.digits(eights[2])?;
    let (year, month) = (two(y1, y2) * 100 + two(y3, y4), two(m1, m2));
    let (hour, minute, second) = (two(h1, h2), two(n1, n2), two(s1, s2));
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = days(year, month, two(d1, d2))?;
    let seconds = i64::from(days) * 86_400 + i64::from((hour * 60 + minute) * 60 + second);
    Some(seconds * 1_000 + i64::from(u32::from(f1) * 100 + two(f2, f3)))
}

/// Eight bytes of the layout.
struct Layout {
    bytes: u64,
    /// What each byte lacks of its highest bit when it differs by the most that it may: a digit from '0' by 9, and no other one at all.
    room: u64,
}

impl Layout {
    const fn of(bytes: [u8; 8]) -> Self {
        let mut room = [0x7f; 8];
        let mut place = 0;
        while place < 8 {
            if bytes[place] == b'0' {
                room[place] -= 9;
            }
            place += 1;
        }
        Self {
            bytes: u64::from_le_bytes(bytes),
            room: u64::from_le_bytes(room),
        }
    }

    /// The values of the digits where the layout has zeros, when everything else is as in the layout.
    #[inline(always)]
    fn digits(&self, text: [u8; 8]) -> Option<[u8; 8]> {
        const HIGHEST_BITS: u64 = 0x8080_8080_8080_8080;
        let differing = u64::from_le_bytes(text) ^ self.bytes;
        // A carry comes only from a byte whose highest bit is set, which is told anyway.
        let beyond = differing | differing.wrapping_add(self.room);
        (beyond & HIGHEST_BITS == 0).then(|| differing.to_le_bytes())
    }
}

#[inline(always)]
fn two(tens: u8, ones: u8) -> u32 {
    u32::from(tens) * 10 + u32::from(ones)
}

/// Days since 1970-01-01.
#[inline(always)]
fn days(year: u32, month: u32, day: u32) -> Option<i32> {
    /// Of a year that is no leap year, before each month and after the last.
    const BEFORE: [u32; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let &[before, after] = BEFORE
        .get(month.checked_sub(1)? as usize..)?
        .first_chunk()?;
    let in_month = after - before + u32::from(is_leap && month == 2);
    if day == 0 || day > in_month || year > 9_998 {
        return None;
    }
    // Of those before, and the year 0 is one: counted from the year −399, before which there were 96 less than from the year 0.
    let past = year + 399;
    let leap_years = past / 4 - past / 100 + past / 400 - 96;
    let in_year = before + u32::from(is_leap && month > 2) + day - 1;
    Some((year * 365 + leap_years + in_year) as i32 - DAYS_BEFORE_1970 as i32)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::civil::{Date, date};

    use super::*;

    #[test]
    fn the_usual_layout_means_what_it_means_to_any_reader() {
        for text in [
            "1944-12-10T12:00:00.250Z",
            "0000-01-01T00:00:00.000Z",
            "9998-12-31T23:59:59.999Z",
            "2000-02-29T23:59:59.001Z",
            "1969-12-31T23:59:59.999Z",
        ] {
            let known = text.parse::<Timestamp>().unwrap().as_millisecond();
            assert_eq!(usual_ms(text), Some(known), "{text}");
        }
    }

    #[test]
    fn every_day_of_the_calendar_has_its_number_and_no_other_day_has_one() {
        let epoch = date(1970, 1, 1);
        for year in 0..10_000u32 {
            for (month, day) in (0..14).flat_map(|month| (0..33).map(move |day| (month, day))) {
                let known = Date::new(year as i16, month as i8, day as i8).ok();
                let known = known.map(|it| (it - epoch).get_days());
                let known = known.filter(|_| year < 9_999);
                assert_eq!(days(year, month, day), known, "{year}-{month}-{day}");
            }
        }
    }

    #[test]
    fn every_other_layout_is_left_to_others() {
        for text in [
            "1990-02-30T00:00:00.000Z",
            "1990-13-01T00:00:00.000Z",
            "1990-01-01T24:00:00.000Z",
            "1990-01-01T23:60:00.000Z",
            "1990-01-01T23:59:60.000Z",
            "1990-01-01T00:00:00.000z",
            "1990-01-01 00:00:00.000Z",
            "1990-01-01T00:00:00.00Z",
            "1990-01-01T00:00:00Z",
            "+990-01-01T00:00:00.000Z",
            "9999-12-30T22:00:00.999Z",
            "",
        ] {
            assert_eq!(usual_ms(text), None, "{text}");
        }
    }

    #[test]
    fn one_wrong_byte_is_always_seen() {
        const TEXT: &[u8; 24] = b"1990-10-20T12:34:56.789Z";
        for (place, byte) in (0..24).flat_map(|place| (0..=u8::MAX).map(move |byte| (place, byte)))
        {
            let mut bytes = *TEXT;
            bytes[place] = byte;
            let Ok(text) = std::str::from_utf8(&bytes) else {
                continue;
            };
            let known = text.parse::<Timestamp>().map(|it| it.as_millisecond()).ok();
            let read = usual_ms(text);
            assert!(read.is_none() || read == known, "{text}");
            if byte.is_ascii_digit() && TEXT[place].is_ascii_digit() {
                assert_eq!(read, known, "{text}");
            }
        }
    }
}
