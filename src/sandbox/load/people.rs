//! Who there is: millions of accounts that are never stored, some of whom write far more than others, some of whom are known to all.

use fastrand::Rng;

use super::chance::{choose, low, mix};

/// How much of all that is written comes from which half of the accounts that are left: the most active half writes 90.3 %, so the other
/// half 9.7 %; the more active half of that half ... This is a lognormal distribution with sigma 1.3 (the network's likers of a week),
/// out of 1,000; the last entry is the rest, the most active 0.1 %.
const OCTAVES: &[(u32, u32)] = &[(97, 0), (169, 1), (174, 2), (152, 3), (121, 4), (90, 5), (65, 6), (45, 7), (31, 8), (20, 9), (36, 10)];
/// Letters of a did:plc.
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// The accounts.
#[derive(Debug)]
pub(super) struct People {
    seed: u64,
    accounts: u32,
}

impl People {
    pub(super) fn new(seed: u64, accounts: u32) -> Self {
        Self { seed, accounts: accounts.max(2) }
    }

    /// Somebody who writes.
    pub(super) fn author(&self, rng: &mut Rng) -> u32 {
        let octave = choose(rng, OCTAVES, 0);
        let end = (self.accounts >> octave).max(1);
        let begin = if octave == 10 { 0 } else { end / 2 };
        rng.u32(begin..end)
    }

    /// Somebody who is followed, mentioned, put on lists: a few are known to many. Not those who write most.
    pub(super) fn known(&self, rng: &mut Rng) -> u32 {
        let few = usize::try_from(self.accounts / 50 + 1).unwrap_or(1);
        let at = if rng.bool() { low(rng, few, 3) } else { low(rng, few.saturating_mul(50), 2) };
        let spread = u64::try_from(at).unwrap_or(0).wrapping_mul(2_654_435_761) % u64::from(self.accounts);
        u32::try_from(spread).unwrap_or(0)
    }

    pub(super) fn did(&self, account: u32) -> String {
        did(self.seed, account)
    }
}

/// The DID of an account: 24 letters that depend on seed and account.
pub(super) fn did(seed: u64, account: u32) -> String {
    let first = mix(seed ^ (u64::from(account) << 32) ^ 0xd1d);
    let halves = [first, mix(first)];
    let letters = halves.iter().flat_map(|half| (0..12).map(move |i| (half >> (5 * i)) & 31));
    let letter = |at: u64| usize::try_from(at).ok().and_then(|at| LETTERS.get(at)).copied().map_or('a', char::from);
    let mut did = String::with_capacity(32);
    did.push_str("did:plc:");
    did.extend(letters.map(letter));
    did
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_most_active_write_most_and_every_did_is_another() {
        let (people, mut rng) = (People::new(1, 100_000), Rng::with_seed(1));
        let authors: Vec<u32> = (0..20_000).map(|_| people.author(&mut rng)).collect();
        assert!(authors.iter().all(|author| *author < 100_000));
        let of_top = |share: u32| authors.iter().filter(|author| **author < 100_000 / share).count() * 100 / authors.len();
        assert!((88..93).contains(&of_top(2)) && (48..62).contains(&of_top(8)) && (10..16).contains(&of_top(128)), "{}", of_top(8));
        let dids: HashSet<String> = (0..20_000).map(|account| people.did(account)).collect();
        assert!(dids.len() == 20_000 && dids.iter().all(|did| crate::atproto::Did::is_valid(did)));
        assert_ne!(did(1, 7), did(2, 7));
    }
}
