//! Counts as numbers to compute with. Never loses what a figure needs.

/// `a / b`; 0 where there is nothing to divide by.
pub(super) fn ratio(a: u64, b: u64) -> f64 {
    if b == 0 { 0.0 } else { number(a) / number(b) }
}

/// The same number; exact below 2^53.
pub(super) fn number(count: u64) -> f64 {
    let (high, low) = (count >> 32, count & 0xffff_ffff);
    f64::from(u32::try_from(high).unwrap_or(u32::MAX)) * 4_294_967_296.0 + f64::from(u32::try_from(low).unwrap_or(u32::MAX))
}
