//! What others point at: recent and hot posts, reposts, lists, feed generators. Bounded; the oldest are forgotten.

use std::collections::VecDeque;

use fastrand::Rng;

use crate::atproto::Cid;
use crate::atproto::cbor::Value;

/// Posts that can be replied to, liked, quoted.
const MAX_POSTS: usize = 5000;
/// Posts that are liked far more than the others.
const MAX_HOT: usize = 12;
/// Things of every other kind.
const MAX_OTHER: usize = 500;

/// A record as others name it.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub uri: String,
    pub cid: Cid,
    /// Root of the thread, where the record is a reply.
    pub root: Option<(String, Cid)>,
}

impl Target {
    /// `com.atproto.repo.strongRef`.
    pub(super) fn strong_ref(&self) -> Value {
        strong_ref(&self.uri, &self.cid)
    }

    /// The root of the thread in which this post stands.
    pub(super) fn root_ref(&self) -> Value {
        self.root.as_ref().map_or_else(|| self.strong_ref(), |(uri, cid)| strong_ref(uri, cid))
    }
}

fn strong_ref(uri: &str, cid: &Cid) -> Value {
    Value::map([("uri", Value::text(uri)), ("cid", Value::text(cid.to_string()))])
}

/// The network's memory of what there is to point at.
#[derive(Debug, Default)]
pub(super) struct Targets {
    posts: VecDeque<Target>,
    hot: Vec<Target>,
    reposts: VecDeque<Target>,
    generators: VecDeque<Target>,
    lists: VecDeque<Target>,
}

impl Targets {
    /// Remembers a record of one of the kinds that others point at.
    pub(super) fn remember(&mut self, collection: &str, target: Target, rng: &mut Rng) {
        match collection {
            "app.bsky.feed.post" => {
                if self.hot.len() < MAX_HOT {
                    self.hot.push(target.clone());
                } else if rng.u32(0..50) == 0 {
                    let at = rng.usize(0..MAX_HOT);
                    self.hot.splice(at..=at, [target.clone()]);
                }
                keep(&mut self.posts, target, MAX_POSTS);
            }
            "app.bsky.feed.repost" => keep(&mut self.reposts, target, MAX_OTHER),
            "app.bsky.feed.generator" => keep(&mut self.generators, target, MAX_OTHER),
            "app.bsky.graph.list" => keep(&mut self.lists, target, MAX_OTHER),
            _ => {}
        }
    }

    /// A post: a hot one, or most likely a recent one.
    pub(super) fn post(&self, rng: &mut Rng) -> Option<&Target> {
        if rng.u32(0..100) < 35 {
            return self.hot.get(rng.usize(0..self.hot.len().max(1)));
        }
        let back = rng.usize(0..self.posts.len().max(1)).min(rng.usize(0..self.posts.len().max(1)));
        self.posts.get(self.posts.len().checked_sub(back + 1)?)
    }

    pub(super) fn repost(&self, rng: &mut Rng) -> Option<&Target> {
        self.reposts.get(rng.usize(0..self.reposts.len().max(1)))
    }

    pub(super) fn list(&self, rng: &mut Rng) -> Option<&Target> {
        self.lists.get(rng.usize(0..self.lists.len().max(1)))
    }

    /// Something that can be liked: nearly always a post.
    pub(super) fn likable(&self, rng: &mut Rng) -> Option<&Target> {
        match rng.u32(0..100) {
            0..3 if !self.generators.is_empty() => self.generators.get(rng.usize(0..self.generators.len())),
            3 if !self.lists.is_empty() => self.list(rng),
            _ => self.post(rng),
        }
    }
}

fn keep(kind: &mut VecDeque<Target>, target: Target, max: usize) {
    kind.push_back(target);
    if kind.len() > max {
        kind.pop_front();
    }
}
