//! Datetimes (lexicon format `datetime`): the strict common form of RFC 3339 and ISO 8601. Never guesses at other forms.

/// Microseconds in a second.
const SECOND: i64 = 1_000_000;
/// Seconds in a day.
const DAY: i64 = 86_400;
/// Most digits of a fraction of a second.
const MAX_FRACTION: usize = 20;

/// Whether `text` is a datetime that exists.
///
/// Source: <https://atproto.com/specs/lexicon#datetime>.
#[must_use]
pub fn is_valid(text: &str) -> bool {
    parse_micros(text).is_some()
}

/// Microseconds since 1970 (negative before), finer digits cut off; `None` where `text` is no datetime.
///
/// A day that its month does not have (February 30) counts on into the next month, and 24:00:00 is the next day's midnight: the reference
/// reads them so, and records with such times are in the network.
#[must_use]
pub fn parse_micros(text: &str) -> Option<i64> {
    let (date, time) = text.as_bytes().split_at_checked(10)?;
    let [y @ .., b'-', m1, m2, b'-', d1, d2] = date else { return None };
    let (year, month, day) = (digits(y, 4)?, digits(&[*m1, *m2], 2)?, digits(&[*d1, *d2], 2)?);
    let [b'T', h1, h2, b':', n1, n2, b':', s1, s2, rest @ ..] = time else { return None };
    let (hour, minute, second) = (digits(&[*h1, *h2], 2)?, digits(&[*n1, *n2], 2)?, digits(&[*s1, *s2], 2)?);
    let clock_holds = (hour < 24 || (hour == 24 && minute == 0 && second == 0)) && minute < 60 && second < 60;
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !clock_holds {
        return None;
    }
    let (fraction, zone) = fraction(rest)?;
    let seconds = days(year, month) * DAY + (day - 1) * DAY + hour * 3600 + minute * 60 + second - offset(zone)?;
    (seconds >= days(0, 1) * DAY).then_some(seconds * SECOND + fraction)
}

/// The time in the form that the network prefers, in milliseconds: `2023-11-14T22:13:20.000Z`. Years are kept within 0 to 9999.
#[must_use]
pub fn format_micros(micros: i64) -> String {
    let micros = micros.clamp(days(0, 1) * DAY * SECOND, days(10_000, 1) * DAY * SECOND - 1);
    let (seconds, millis) = (micros.div_euclid(SECOND), micros.rem_euclid(SECOND) / 1000);
    let (day, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let (year, month, day) = date(day);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// Exactly `count` decimal digits.
fn digits(bytes: &[u8], count: usize) -> Option<i64> {
    let is_number = bytes.len() == count && bytes.iter().all(u8::is_ascii_digit);
    is_number.then(|| bytes.iter().fold(0, |n, digit| n * 10 + i64::from(digit - b'0')))
}

/// An optional fraction of a second in microseconds, and what follows it.
fn fraction(rest: &[u8]) -> Option<(i64, &[u8])> {
    let Some(after) = rest.strip_prefix(b".") else { return Some((0, rest)) };
    let count = after.iter().take_while(|b| b.is_ascii_digit()).count();
    if !(1..=MAX_FRACTION).contains(&count) {
        return None;
    }
    let (digits, zone) = after.split_at_checked(count)?;
    let micros = (0..6).fold(0, |n, i| n * 10 + digits.get(i).map_or(0, |digit| i64::from(digit - b'0')));
    Some((micros, zone))
}

/// Seconds that the zone is ahead of UTC. `-00:00` (unknown zone) is RFC 3339 but not ISO 8601, so it is refused.
fn offset(zone: &[u8]) -> Option<i64> {
    let (sign, zone) = match zone {
        b"Z" => return Some(0),
        b"-00:00" => return None,
        [b'+', zone @ ..] => (1, zone),
        [b'-', zone @ ..] => (-1, zone),
        _ => return None,
    };
    let [h1, h2, b':', m1, m2] = zone else { return None };
    let (hours, minutes) = (digits(&[*h1, *h2], 2)?, digits(&[*m1, *m2], 2)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Days from 1970-01-01 to the first of a month, in the Gregorian calendar of all times. Years begin in March here, so that a leap day is the last.
fn days(year: i64, month: i64) -> i64 {
    let year = if month < 3 { year - 1 } else { year };
    let months = (month + 9) % 12;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (months * 153 + 2) / 5 - 719_468
}

/// The reverse: year, month and day.
fn date(since_1970: i64) -> (i64, i64, i64) {
    let since_0 = since_1970 + 719_468;
    let (era, day) = (since_0.div_euclid(146_097), since_0.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (carry, month) = if month < 10 { (0, month + 3) } else { (1, month - 9) };
    (era * 400 + year + carry, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_right() {
        let cases = [
            ("1970-01-01T00:00:00Z", 0),
            ("1985-04-12T23:20:50.123Z", 482_196_050_123_000),
            ("1985-04-12T23:20:50.1234567+01:45", 482_196_050_123_456 - 6_300_000_000),
            ("2000-02-29T12:00:00-07:00", 951_850_800_000_000),
            ("2001-02-29T00:00:00Z", 983_404_800_000_000),
            ("2001-02-28T24:00:00Z", 983_404_800_000_000),
            ("1969-12-31T23:59:59.999999Z", -1),
            ("0000-01-01T00:00:00Z", -62_167_219_200_000_000),
            ("9999-12-31T23:59:59Z", 253_402_300_799_000_000),
        ];
        for (text, micros) in cases {
            assert_eq!(parse_micros(text), Some(micros), "{text}");
        }
        for text in ["2001-02-28T24:00:01Z", "2001-02-28T10:00:60Z", "2001-02-28T10:00:00.123456789012345678901Z", "2001é1-1T10:00:00Z"] {
            assert_eq!(parse_micros(text), None, "{text}");
        }
    }

    #[test]
    fn formatting_is_the_reverse_of_parsing() {
        let mut rng = fastrand::Rng::with_seed(1);
        for _ in 0..20_000 {
            let micros = rng.i64(-62_167_219_200_000..253_402_300_800_000) * 1000;
            assert_eq!(parse_micros(&format_micros(micros)), Some(micros));
        }
        assert_eq!(format_micros(i64::MIN), "0000-01-01T00:00:00.000Z");
        assert_eq!(format_micros(i64::MAX), "9999-12-31T23:59:59.999Z");
    }
}
