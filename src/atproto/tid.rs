//! Timestamp identifiers: the record keys and repo revisions that sort by time.

use std::fmt;
use std::str::FromStr;

const ALPHABET: &[u8; 32] = b"234567abcdefghijklmnopqrstuvwxyz";

/// A TID as its 64-bit value: 0, 53 bits of microseconds since 1970, 10 bits of clock id. Text and value are in one-to-one correspondence
/// and sort alike.
///
/// The syntax also allows texts whose first bit is 1 (`c...` to `j...`). Those are [valid](Tid::is_valid), and have no value.
///
/// Source: <https://atproto.com/specs/tid>.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tid(i64);

/// The text is no TID, or one without a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a TID that has a value")]
pub struct TidError;

impl Tid {
    /// Whether `text` has the syntax of a TID, with a value or without.
    #[must_use]
    pub fn is_valid(text: &str) -> bool {
        text.len() == 13
            && text.starts_with(|c| matches!(c, '2'..='7' | 'a'..='j'))
            && text.bytes().all(|b| matches!(b, b'2'..=b'7' | b'a'..=b'z'))
    }

    /// The TID of this value; `None` where the first bit is set.
    #[must_use]
    pub fn from_value(value: i64) -> Option<Self> {
        (value >= 0).then_some(Self(value))
    }

    /// `micros` since 1970, of which 53 bits count, and a clock id of 10 bits.
    #[must_use]
    pub fn from_micros(micros: i64, clock: u16) -> Self {
        Self(((micros & 0x001f_ffff_ffff_ffff) << 10) | i64::from(clock & 0x3ff))
    }

    /// The 64-bit value, never negative.
    #[must_use]
    pub fn value(self) -> i64 {
        self.0
    }

    /// Microseconds since 1970.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.0 >> 10
    }
}

impl FromStr for Tid {
    type Err = TidError;

    fn from_str(text: &str) -> Result<Self, TidError> {
        let bytes: &[u8; 13] = text.as_bytes().try_into().map_err(|_| TidError)?;
        if !matches!(bytes[0], b'2'..=b'7' | b'a'..=b'b') {
            return Err(TidError);
        }
        let mut value = 0;
        for &byte in bytes {
            let digit = match byte {
                b'2'..=b'7' => byte - b'2',
                b'a'..=b'z' => byte - b'a' + 6,
                _ => return Err(TidError),
            };
            value = (value << 5) | i64::from(digit);
        }
        Ok(Self(value))
    }
}

impl fmt::Display for Tid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: [u8; 13] = std::array::from_fn(|i| ALPHABET[usize::try_from((self.0 >> (60 - 5 * i)) & 31).unwrap_or(0)]);
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Tid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_value_round_trip() {
        for text in ["2222222222222", "3jzfcijpj2z2a", "7777777777777", "bzzzzzzzzzzzz"] {
            assert_eq!(text.parse::<Tid>().map(|t| t.to_string()), Ok(text.to_owned()));
        }
        assert_eq!(("czzzzzzzzzzzz".parse::<Tid>(), Tid::is_valid("czzzzzzzzzzzz")), (Err(TidError), true));
        assert_eq!("kjzfcijpj2z2a".parse::<Tid>(), Err(TidError));
        assert_eq!(Tid::from_micros(1_700_000_000_000_000, 7).micros(), 1_700_000_000_000_000);
    }
}
