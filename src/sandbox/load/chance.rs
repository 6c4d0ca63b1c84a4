//! Draws from distributions that are written down as whole numbers.

use fastrand::Rng;

/// One of `choices`, each as often as its weight says; `otherwise` where there are none.
pub(super) fn choose<T: Copy>(rng: &mut Rng, choices: &[(u32, T)], otherwise: T) -> T {
    let total: u32 = choices.iter().map(|choice| choice.0).sum();
    let mut left = rng.u32(0..total.max(1));
    for (weight, choice) in choices {
        if left < *weight {
            return *choice;
        }
        left -= weight;
    }
    otherwise
}

/// A number below `count`, small ones more often: the least of `draws` draws.
pub(super) fn low(rng: &mut Rng, count: usize, draws: u32) -> usize {
    (0..draws.max(1)).map(|_| rng.usize(0..count.max(1))).min().unwrap_or(0)
}

/// 64 bits that depend on all of `of` in no visible way (the finalizer of `SplitMix64`).
pub(super) fn mix(of: u64) -> u64 {
    let a = of.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let b = (a ^ (a >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let c = (b ^ (b >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    c ^ (c >> 31)
}
