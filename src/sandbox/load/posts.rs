//! Which posts are liked, reposted, answered and quoted: mostly those of the last minutes, a few of them very often, some of long ago.

use std::collections::VecDeque;

use fastrand::Rng;

use super::super::network::BEGINNING;
use super::chance::{low, mix};
use crate::atproto::{Cid, Tid};

/// Newest posts that are remembered.
const RECENT: usize = 65_536;
/// Posts of the moment, which many like.
const HOT: usize = 256;
/// Posts from before the beginning, for each account: nobody holds them, so their likes stand alone.
const OLD: u64 = 3;
/// Microseconds of two years, over which those are spread.
const TWO_YEARS: u64 = 63_072_000_000_000;

/// A post as others point at it.
#[derive(Debug, Clone)]
pub(super) struct Post {
    pub author: u32,
    pub tid: Tid,
    pub cid: Cid,
    /// Root of its thread, where it is a reply.
    pub root: Option<Box<Post>>,
}

/// The posts that are pointed at.
#[derive(Debug)]
pub(super) struct Posts {
    seed: u64,
    accounts: u32,
    recent: VecDeque<Post>,
    hot: VecDeque<Post>,
}

impl Posts {
    pub(super) fn new(seed: u64, accounts: u32) -> Self {
        Self { seed, accounts: accounts.max(2), recent: VecDeque::new(), hot: VecDeque::new() }
    }

    /// Takes in a new post; one of a hundred becomes a hot one.
    pub(super) fn remember(&mut self, post: Post, rng: &mut Rng) {
        if rng.u8(0..100) == 0 {
            push(&mut self.hot, post.clone(), HOT);
        }
        push(&mut self.recent, post, RECENT);
    }

    /// A post to like, to repost or to quote.
    pub(super) fn liked(&self, rng: &mut Rng) -> Post {
        match rng.u32(0..100) {
            0..6 => self.old(rng),
            6..40 => newest(&self.hot, rng, 3).unwrap_or_else(|| self.old(rng)),
            _ => self.answered(rng),
        }
    }

    /// A post to answer: more evenly spread.
    pub(super) fn answered(&self, rng: &mut Rng) -> Post {
        newest(&self.recent, rng, 2).unwrap_or_else(|| self.old(rng))
    }

    /// A post of the years before.
    fn old(&self, rng: &mut Rng) -> Post {
        let count = u64::from(self.accounts) * OLD;
        let number = u64::try_from(low(rng, usize::try_from(count).unwrap_or(usize::MAX), 4)).unwrap_or(0);
        let chance = mix(self.seed ^ number.wrapping_mul(0x0001_0000_01b3));
        let author = u32::try_from(chance % u64::from(self.accounts)).unwrap_or(0);
        let age = i64::try_from(mix(chance) % TWO_YEARS).unwrap_or(0) / 1000 * 1000;
        let root = None;
        Post { author, tid: Tid::from_micros(BEGINNING - 1_000_000 - age, 2), cid: Cid::dag_cbor(&number.to_le_bytes()), root }
    }
}

fn push(posts: &mut VecDeque<Post>, post: Post, most: usize) {
    posts.push_back(post);
    if posts.len() > most {
        posts.pop_front();
    }
}

/// One of `posts`, new ones more often.
fn newest(posts: &VecDeque<Post>, rng: &mut Rng, draws: u32) -> Option<Post> {
    let age = low(rng, posts.len(), draws);
    posts.len().checked_sub(age + 1).and_then(|at| posts.get(at)).cloned()
}
