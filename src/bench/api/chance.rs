//! Draws that depend on a seed alone: skewed choices, and names that are always the same for a number.

use fastrand::Rng;

/// Letters of a did:plc.
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// A number below `count`, small ones more often: the least of `draws` draws.
pub(super) fn low(rng: &mut Rng, count: usize, draws: u32) -> usize {
    (0..draws.max(1)).map(|_| rng.usize(0..count.max(1))).min().unwrap_or(0)
}

/// A number below `count` by Zipf's law with exponent 1: the n-th is drawn 1/n as often as the first. Exact enough: the inverse of the
/// continuous distribution.
pub(super) fn zipf(rng: &mut Rng, count: usize) -> usize {
    let most = u32::try_from(count).unwrap_or(u32::MAX).max(1);
    let drawn = (f64::from(most) + 1.0).powf(rng.f64());
    // Lossless: `drawn` is from 1 to `most` + 1.
    format!("{:.0}", (drawn.floor() - 1.0).max(0.0)).parse::<usize>().unwrap_or(0).min(count.saturating_sub(1))
}

/// One of `count` accounts, as [`zipf`] has it.
pub(super) fn one_of(rng: &mut Rng, count: u32) -> u32 {
    u32::try_from(zipf(rng, usize::try_from(count).unwrap_or(1))).unwrap_or(0)
}

/// 64 bits that depend on all of `of` in no visible way (the finalizer of `SplitMix64`).
pub(super) fn mix(of: u64) -> u64 {
    let a = of.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let b = (a ^ (a >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let c = (b ^ (b >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    c ^ (c >> 31)
}

/// The DID of an account: 24 letters that depend on seed and account.
pub(super) fn did(seed: u64, account: u32) -> String {
    let first = mix(seed ^ (u64::from(account) << 32) ^ 0xa91);
    let mut did = String::from("did:plc:");
    for half in [first, mix(first)] {
        did.extend((0..12).map(|i| {
            let at = usize::try_from((half >> (5 * i)) & 31).unwrap_or(0);
            LETTERS.get(at).copied().map_or('a', char::from)
        }));
    }
    did
}

/// The handle of an account.
pub(super) fn handle(account: u32) -> String {
    format!("person{account}.bench.social")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_are_drawn_most_and_the_last_too() {
        let mut rng = Rng::with_seed(7);
        let mut drawn = [0_u32; 100];
        for _ in 0..100_000 {
            drawn[zipf(&mut rng, 100)] += 1;
        }
        assert!(drawn[0] > 12_000 && drawn[0] > 2 * drawn[2] && drawn[2] > 2 * drawn[9], "{drawn:?}");
        assert!(drawn.iter().all(|n| *n > 50), "{drawn:?}");
        assert_eq!(zipf(&mut rng, 1), 0);
    }

    #[test]
    fn names_are_valid_and_differ() {
        let dids: std::collections::HashSet<_> = (0..10_000).map(|account| did(1, account)).collect();
        assert!(dids.len() == 10_000 && dids.iter().all(|did| crate::atproto::Did::is_valid(did)));
        assert!(crate::atproto::handle::is_valid(&handle(7)));
    }
}
