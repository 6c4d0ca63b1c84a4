//! The one datetime form that edges are rebuilt in: `2024-01-31T12:34:56.789Z`, as every client of note writes it.

use std::fmt::Write as _;

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;
/// Milliseconds of 9999-12-31T23:59:59.999Z.
const LAST: i64 = 253_402_300_799_999;

/// The text of milliseconds since 1970; `None` outside of the years 1970 to 9999.
pub(super) fn format_millis(millis: i64) -> Option<String> {
    if !(0..=LAST).contains(&millis) {
        return None;
    }
    let (year, month, day) = civil(millis / DAY);
    let of_day = millis % DAY;
    let (hour, minute, second, ms) = (of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1000 % 60, of_day % 1000);
    let mut text = String::with_capacity(24);
    write!(text, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z").ok()?;
    Some(text)
}

/// Milliseconds since 1970 of exactly this form; `None` for every other text, also for other spellings of the same time.
pub(super) fn parse_millis(text: &str) -> Option<i64> {
    let b: &[u8; 24] = text.as_bytes().try_into().ok()?;
    let number = |range: std::ops::Range<usize>| {
        let digits = b.get(range)?;
        digits.iter().try_fold(0_i64, |n, d| d.is_ascii_digit().then(|| n * 10 + i64::from(d - b'0')))
    };
    let days = days(number(0..4)?, number(5..7)?, number(8..10)?);
    let millis = days * DAY + number(11..13)? * 3_600_000 + number(14..16)? * 60_000 + number(17..19)? * 1000 + number(20..23)?;
    (format_millis(millis)? == text).then_some(millis)
}

/// Days since 1970 of a date of the Gregorian calendar. Source: Howard Hinnant, `days_from_civil`
/// (<https://howardhinnant.github.io/date_algorithms.html>); years begin in March there, so that the leap day is the last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date of a day since 1970: `civil_from_days` of the same source.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year + era * 400 + i64::from(month <= 2), month, of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_times() {
        for (text, millis) in [
            ("1970-01-01T00:00:00.000Z", 0),
            ("2000-02-29T23:59:59.999Z", 951_868_799_999),
            ("2023-11-14T22:13:20.000Z", 1_700_000_000_000),
            ("9999-12-31T23:59:59.999Z", LAST),
        ] {
            assert_eq!((parse_millis(text), format_millis(millis).as_deref()), (Some(millis), Some(text)));
        }
    }

    #[test]
    fn other_spellings_are_not_this_form() {
        for text in [
            "2023-11-14T22:13:20Z",
            "2023-11-14T22:13:20.000+",
            "2023-11-14 22:13:20.000Z",
            "2023-13-14T22:13:20.000Z",
            "2023-02-29T22:13:20.000Z",
            "2023-11-14T24:00:00.000Z",
            "2023-11-14T22:13:60.000Z",
            "1969-12-31T23:59:59.999Z",
            "2023-11-14T22:13:2é.000",
        ] {
            assert_eq!(parse_millis(text), None, "{text}");
        }
    }

    #[test]
    fn every_day_round_trips() {
        for day in (0..LAST / DAY).step_by(17) {
            let millis = day * DAY + day * 7919 % DAY;
            assert_eq!(parse_millis(&format_millis(millis).unwrap()), Some(millis));
        }
    }
}
