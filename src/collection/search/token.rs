//! Tokens: 32 bits of a hash of a kind and of what is found by it. Never change the arithmetic: rows hold what it gave.

/// Of what a token is: the same text is another token for each.
pub(super) const WORD: u8 = b'w';
/// Two dense units, one glued to the other.
pub(super) const PAIR: u8 = b'p';
pub(super) const TAG: u8 = b'#';
pub(super) const LANG: u8 = b'l';
pub(super) const MENTION: u8 = b'@';
pub(super) const AUTHOR: u8 = b'a';
pub(super) const HOST: u8 = b'h';
pub(super) const LINK: u8 = b'u';
/// The beginning of a word of a name.
pub(super) const PREFIX: u8 = b'n';
/// A window in the order of accounts.
pub(super) const WINDOW: u8 = b'o';
const LEVEL: u8 = b't';

/// Widths of the windows of time that posts have tokens of, as shifts of a sort key (1 << 10 is a microsecond): 4.5 minutes, 2.4 hours,
/// 3.3 days, 104 days. A GIN cannot stop after the newest hits, but of two tokens it walks only what both have.
pub const LEVELS: [u32; 4] = [38, 43, 48, 53];

/// The token of the window of this level that a sort key is in.
#[must_use]
pub fn level_token(level: usize, sort_key: i64) -> i32 {
    let shift = LEVELS.get(level).copied().unwrap_or(63);
    token(LEVEL, &[&shift.to_le_bytes(), &(sort_key >> shift).to_le_bytes()])
}

pub(super) fn token(kind: u8, parts: &[&[u8]]) -> i32 {
    // FNV-1a, with the finish of SplitMix64: the low bits alone are too regular.
    let bytes = std::iter::once(&kind).chain(parts.iter().copied().flatten());
    let mut hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let [a, b, c, d, ..] = hash.to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}
