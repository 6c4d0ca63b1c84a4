//! Accounts in their order, and the letters of handles.
//!
//! Both the names of accounts and their handles are walked from the first account on, in windows: of a common word there are too many to look
//! at all of them. Handles have no tokens of the code's: the function `handle_grams` of the migrations makes them of `account.handle`, so that
//! they cannot be stale, and [`grams`] and [`window_gram`] say what it gives.

use super::token::{WINDOW, token};

/// Widths of the windows, as shifts of an account's [`place`]: 4,096, 131,072 and 4,194,304 accounts.
pub const WINDOWS: [u32; 3] = [12, 17, 22];

/// The place of an account: less the later it was seen first, so that going down goes from old to new.
#[must_use]
pub fn place(account: i32) -> i64 {
    i64::from(i32::MAX) - i64::from(account)
}

/// The account at a place.
#[must_use]
pub fn account_at(place: i64) -> i32 {
    i32::try_from(i64::from(i32::MAX) - place).unwrap_or(i32::MAX)
}

/// The token of the window of this level that a place is in, as names have it.
#[must_use]
pub fn window_token(level: usize, place: i64) -> i32 {
    let shift = shift(level);
    token(WINDOW, &[&shift.to_le_bytes(), &(place >> shift).to_le_bytes()])
}

/// The same, as handles have it.
#[must_use]
pub fn window_gram(level: usize, place: i64) -> i32 {
    let level = i64::try_from(level).unwrap_or_default();
    i32::try_from(-1 - ((level << 24) | (place >> shift(usize::try_from(level).unwrap_or_default())))).unwrap_or(i32::MIN)
}

fn shift(level: usize) -> u32 {
    WINDOWS.get(level).copied().unwrap_or(63)
}

/// The letters that a handle has which begins with `text`, or has it inside: three in a row each. `None` where no handle has it, or too many:
/// shorter texts are only found at the beginning.
#[must_use]
pub fn grams(text: &str, at_beginning: bool) -> Option<Vec<i32>> {
    let is_letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-';
    if text.is_empty() || text.len() > 253 || !text.bytes().all(is_letter) {
        return None;
    }
    let mut letters = if at_beginning { vec![b'^'] } else { Vec::new() };
    letters.extend_from_slice(text.as_bytes());
    let number = |letters: &[u8]| letters.iter().fold(0, |number, letter| (number << 8) | i32::from(*letter));
    let mut grams: Vec<i32> = match letters.as_slice() {
        [_] => return None,
        [one, two] => {
            if !at_beginning {
                return None;
            }
            vec![number(&[*one, *two])]
        }
        longer => longer.windows(3).map(number).collect(),
    };
    grams.sort_unstable();
    grams.dedup();
    Some(grams)
}
