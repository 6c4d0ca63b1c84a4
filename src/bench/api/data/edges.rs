//! The edges of the network, each kind oldest first: likes and reposts of the posts of their moment, follows, blocks. No pair is there twice.

use std::collections::HashSet;

use fastrand::Rng;

use super::super::chance::{low, mix};
use super::plan::{Plan, WRITER_FOLLOWS};
use super::posts::{Post, Posts, id};
use crate::atproto::Tid;
use crate::collection::Edge;

/// Likes go to so many of the newest posts, mostly to the newest of them.
const RECENT: usize = 20_000;
/// One of so many posts is one that many like.
const LIKED: u32 = 64;
/// From one who likes a post to the next one: a prime, so that nobody comes twice.
const NEXT: u64 = 1_000_003;

/// The counts of a post that edges move.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reactions {
    pub likes: i32,
    pub reposts: i32,
}

/// Times of a table's rows: evenly over the time of the network.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    begin: i64,
    step: i64,
    /// Bits of the clock, so that no two tables share a key.
    clock: u16,
}

impl Times {
    pub(super) fn new(begin: i64, end: i64, rows: u32, clock: u16) -> Self {
        Self { begin, step: ((end - begin) / i64::from(rows.max(1))).max(1), clock }
    }

    /// The key of a row, and how far its createdAt is from it, in milliseconds.
    fn key(self, row: u32) -> (i64, i16) {
        let rkey = Tid::from_micros(self.begin + i64::from(row) * self.step, self.clock).value();
        let late = i16::try_from(mix(rkey.unsigned_abs()) % 900).unwrap_or(0);
        (rkey, -late)
    }
}

/// An edge of `author` to an account.
fn to_account(times: Times, row: u32, author: u32, subject: u32) -> Edge {
    let (rkey, dms) = times.key(row);
    Edge { rkey, author: id(author), sr: 0, sa: id(subject), via: None, dms: Some(dms), flags: 0, sort: None }
}

/// An edge of `author` to a post.
fn to_post(times: Times, row: u32, author: u32, post: &Post) -> Edge {
    Edge { sr: post.rkey, ..to_account(times, row, author, post.author) }
}

/// The likes.
pub(super) fn likes<'a>(plan: &'a Plan, posts: &'a Posts<'_>, times: Times, reactions: &'a mut [Reactions]) -> impl Iterator<Item = Edge> {
    let mut rng = Rng::with_seed(plan.seed ^ 0x11ce);
    let (hot, begins) = (posts.hot.unwrap_or(0), plan.likes / 8);
    let every = ((plan.likes - begins) / plan.likes_of_hot.max(1)).max(1);
    let mut hot_left = plan.likes_of_hot;
    (0..plan.likes).filter_map(move |row| {
        let is_hot = hot_left > 0 && row >= begins && (row - begins) % every == 0;
        let place = if is_hot { hot } else { liked(&mut rng, now(plan, row)) };
        hot_left -= u32::from(is_hot);
        let reaction = reactions.get_mut(usize::try_from(place).ok()?)?;
        let nth = u64::try_from(reaction.likes).ok()?;
        reaction.likes += 1;
        let accounts = u64::from(plan.accounts);
        let author = (mix(plan.seed ^ u64::from(place)) % accounts + nth * (NEXT % accounts)) % accounts;
        Some(to_post(times, row, u32::try_from(author).ok()?, posts.get(place)?))
    })
}

/// How many posts there are when the like of this number is made.
fn now(plan: &Plan, row: u32) -> u32 {
    u32::try_from(u64::from(row) * u64::from(plan.posts) / u64::from(plan.likes.max(1))).unwrap_or(0)
}

fn liked(rng: &mut Rng, now: u32) -> u32 {
    let age = u32::try_from(low(rng, RECENT, 3)).unwrap_or(0) + 1;
    let place = now.saturating_sub(age);
    if rng.u8(0..10) < 4 { place - place % LIKED } else { place }
}

/// The reposts: all by writers.
pub(super) fn reposts<'a>(
    plan: &'a Plan,
    posts: &'a Posts<'_>,
    times: Times,
    reactions: &'a mut [Reactions],
) -> impl Iterator<Item = Edge> {
    let mut rng = Rng::with_seed(plan.seed ^ 0x4e90);
    let mut authors: Vec<u32> = (0..plan.reposts).map(|row| row % plan.writers.max(1)).collect();
    rng.shuffle(&mut authors);
    let mut made: HashSet<(u32, u32)> = HashSet::new();
    authors.into_iter().zip(0..).filter_map(move |(author, row)| {
        let now = u32::try_from(u64::from(row) * u64::from(plan.posts) / u64::from(plan.reposts.max(1))).ok()?;
        // Another post where this one was reposted by the same author already.
        let mut place = liked(&mut rng, now);
        while !made.insert((author, place)) {
            place = if place == 0 { now } else { place - 1 };
        }
        reactions.get_mut(usize::try_from(place).ok()?)?.reposts += 1;
        Some(to_post(times, row, author, posts.get(place)?))
    })
}

/// Who follows whom, in no order.
pub(super) fn follow_pairs(plan: &Plan) -> Vec<(u32, u32)> {
    let mut rng = Rng::with_seed(plan.seed ^ 0xf011);
    let others = plan.first_other();
    let mut pairs: Vec<(u32, u32)> = (0..plan.followers_of_celebrity).map(|n| (others + n, 0)).collect();
    for group in &plan.readers {
        for reader in group.accounts() {
            pairs.extend(followed(plan, &mut rng, group.follows).into_iter().map(|subject| (reader, subject)));
        }
    }
    for writer in 0..plan.writers {
        pairs.extend((0..WRITER_FOLLOWS).map(|n| (writer, (writer + 1 + 2 * n) % plan.writers)));
    }
    rng.shuffle(&mut pairs);
    pairs
}

/// Whom a reader follows: writers, the first ones more often; who follows thousands follows many who never write.
fn followed(plan: &Plan, rng: &mut Rng, count: u32) -> HashSet<u32> {
    let (writers, others) = (plan.writers, plan.first_other());
    let of_writers = count.min(writers / 2);
    let mut followed = HashSet::new();
    while followed.len() < usize::try_from(of_writers).unwrap_or(0) {
        followed.insert(u32::try_from(low(rng, usize::try_from(writers).unwrap_or(1), 2)).unwrap_or(0));
    }
    while followed.len() < usize::try_from(count).unwrap_or(0) {
        followed.insert(rng.u32(others..plan.accounts));
    }
    followed
}

/// Edges to accounts, a row a pair.
pub(super) fn account_edges(pairs: Vec<(u32, u32)>, times: Times) -> impl Iterator<Item = Edge> {
    pairs.into_iter().zip(0..).map(move |((author, subject), row)| to_account(times, row, author, subject))
}

/// Who blocks whom: nobody twice.
pub(super) fn block_pairs(plan: &Plan) -> Vec<(u32, u32)> {
    let others = plan.first_other();
    (0..plan.blocks).map(|n| (others + 2 * n, others + 2 * n + 1)).collect()
}
