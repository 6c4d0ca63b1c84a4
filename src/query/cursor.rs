//! Where a page ends and the next begins: the place of its last item in the order of the list, so that no item is shown twice or passed
//! over, whatever is added or removed meanwhile. Opaque to clients.

use std::fmt;
use std::str::FromStr;

/// A place in an order that goes down: by `at`, then by `tie`. The next page holds what is smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// A time as the value of a TID, or what else the list is ordered by.
    pub at: i64,
    /// Tells apart what has the same `at`.
    pub tie: i64,
}

/// The text is no cursor of this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Malformed cursor")]
pub struct CursorError;

impl Cursor {
    /// Before everything.
    pub const START: Self = Self { at: i64::MAX, tie: i64::MAX };
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}__{}", self.at, self.tie)
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (at, tie) = text.split_once("__").ok_or(CursorError)?;
        let number = |text: &str| text.parse().map_err(|_| CursorError);
        Ok(Self { at: number(at)?, tie: number(tie)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_nothing_else_does() {
        for cursor in [Cursor::START, Cursor { at: 0, tie: -7 }, Cursor { at: i64::MIN, tie: 1 }] {
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for text in ["", "1", "1__", "__1", "1__x", "a__2", "1__2__3", "1__2x", "99999999999999999999__1", "\0__1"] {
            assert_eq!(text.parse::<Cursor>(), Err(CursorError), "{text}");
        }
    }
}
