//! What others point at: recent and hot posts, reposts, lists, feed generators and so on. Bounded; the oldest are forgotten.

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
/// The newest posts, on whose replies a long chain goes on.
const CHAIN: usize = 24;
/// Attempts to find a post that may be answered now.
const ATTEMPTS: usize = 4;

/// A record as others name it.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// Whose it is.
    pub author: usize,
    pub uri: String,
    pub cid: Cid,
    /// Root of the thread, where the record is a reply.
    pub root: Option<Named>,
    /// From which sequence number on others answer it: see [`super::Habits::apart`].
    pub answered_from: i64,
    /// The same for quotes.
    pub quoted_from: i64,
}

/// An address and a CID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub uri: String,
    pub cid: Cid,
}

impl Named {
    /// `com.atproto.repo.strongRef`.
    pub(super) fn strong_ref(&self) -> Value {
        strong_ref(&self.uri, &self.cid)
    }

    /// The reference that a record holds.
    pub(super) fn read(reference: &Value) -> Option<Self> {
        let text = |key| reference.get(key).and_then(Value::as_text);
        Some(Self { uri: text("uri")?.to_owned(), cid: text("cid")?.parse().ok()? })
    }
}

impl Target {
    pub(super) fn new(author: usize, uri: String, cid: Cid, root: Option<Named>) -> Self {
        Self { author, uri, cid, root, answered_from: 0, quoted_from: 0 }
    }

    pub(super) fn strong_ref(&self) -> Value {
        strong_ref(&self.uri, &self.cid)
    }

    /// The root of the thread in which this post stands.
    pub(super) fn thread(&self) -> Named {
        self.root.clone().unwrap_or_else(|| Named { uri: self.uri.clone(), cid: self.cid })
    }

    fn is_of(&self, root: &str) -> bool {
        self.uri == root || self.root.as_ref().is_some_and(|named| named.uri == root)
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
    packs: VecDeque<Target>,
    labelers: VecDeque<Target>,
    /// Which post quotes which: (quoted, quoting).
    quotes: VecDeque<(String, String)>,
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
            "app.bsky.graph.starterpack" => keep(&mut self.packs, target, MAX_OTHER),
            "app.bsky.labeler.service" => keep(&mut self.labelers, target, MAX_OTHER),
            _ => {}
        }
    }

    pub(super) fn quoted(&mut self, quoted: &str, quoting: String) {
        keep(&mut self.quotes, (quoted.to_owned(), quoting), MAX_OTHER);
    }

    /// A post that quotes `uri`.
    pub(super) fn quote_of(&self, uri: &str) -> Option<&str> {
        self.quotes.iter().rev().find(|(quoted, _)| quoted == uri).map(|(_, quoting)| quoting.as_str())
    }

    /// Nobody answers or quotes this record any more.
    pub(super) fn forget(&mut self, uri: &str) {
        self.retain(|target| target.uri != uri);
    }

    /// Nobody points at anything of this author any more.
    pub(super) fn forget_author(&mut self, author: usize) {
        self.retain(|target| target.author != author);
    }

    fn retain(&mut self, wanted: impl Fn(&Target) -> bool) {
        self.hot.retain(&wanted);
        for kind in [&mut self.posts, &mut self.reposts, &mut self.generators, &mut self.lists, &mut self.packs, &mut self.labelers] {
            kind.retain(&wanted);
        }
    }

    /// Nobody answers in the thread of `root` before sequence number `from`.
    pub(super) fn rest(&mut self, root: &str, from: i64) {
        for target in self.posts.iter_mut().chain(&mut self.hot).filter(|target| target.is_of(root)) {
            target.answered_from = from;
        }
    }

    /// A reply in the thread of `root`.
    pub(super) fn reply_in(&self, root: &str) -> Option<&Target> {
        self.posts.iter().rev().find(|target| target.uri != root && target.is_of(root))
    }

    /// A post: a hot one, or most likely a recent one.
    pub(super) fn post(&self, rng: &mut Rng) -> Option<&Target> {
        if rng.u32(0..100) < 35 {
            return self.hot.get(rng.usize(0..self.hot.len().max(1)));
        }
        let back = rng.usize(0..self.posts.len().max(1)).min(rng.usize(0..self.posts.len().max(1)));
        self.newest(back)
    }

    /// A post to answer at `seq`: as [`Targets::post`], or one of the very newest, so that long chains arise.
    pub(super) fn parent(&self, rng: &mut Rng, seq: i64) -> Option<&Target> {
        let chosen = |rng: &mut Rng| if rng.u32(0..100) < 35 { self.newest_reply(rng) } else { self.post(rng) };
        (0..ATTEMPTS).find_map(|_| chosen(rng).filter(|target| target.answered_from <= seq))
    }

    /// A post to quote at `seq`.
    pub(super) fn quotable(&self, rng: &mut Rng, seq: i64) -> Option<&Target> {
        (0..ATTEMPTS).find_map(|_| self.post(rng).filter(|target| target.quoted_from <= seq))
    }

    fn newest_reply(&self, rng: &mut Rng) -> Option<&Target> {
        self.posts.iter().rev().take(CHAIN).filter(|target| target.root.is_some()).nth(rng.usize(0..3))
    }

    fn newest(&self, back: usize) -> Option<&Target> {
        self.posts.get(self.posts.len().checked_sub(back + 1)?)
    }

    pub(super) fn repost(&self, rng: &mut Rng) -> Option<&Target> {
        one(&self.reposts, rng)
    }

    pub(super) fn list(&self, rng: &mut Rng) -> Option<&Target> {
        one(&self.lists, rng)
    }

    pub(super) fn generator(&self, rng: &mut Rng) -> Option<&Target> {
        one(&self.generators, rng)
    }

    pub(super) fn pack(&self, rng: &mut Rng) -> Option<&Target> {
        one(&self.packs, rng)
    }

    /// Something that can be liked: nearly always a post.
    pub(super) fn likable(&self, rng: &mut Rng) -> Option<&Target> {
        let other = match rng.u32(0..200) {
            0..5 => self.generator(rng),
            5 => self.list(rng),
            6 => self.pack(rng),
            7 => one(&self.labelers, rng),
            _ => None,
        };
        other.or_else(|| self.post(rng))
    }

    /// Something that is no post and can be shown in one.
    pub(super) fn shown(&self, rng: &mut Rng) -> Option<&Target> {
        match rng.u32(0..4) {
            0 => self.generator(rng),
            1 => self.list(rng),
            2 => self.pack(rng),
            _ => one(&self.labelers, rng),
        }
    }
}

fn one<'t>(kind: &'t VecDeque<Target>, rng: &mut Rng) -> Option<&'t Target> {
    kind.get(rng.usize(0..kind.len().max(1)))
}

fn keep<T>(kind: &mut VecDeque<T>, target: T, max: usize) {
    kind.push_back(target);
    if kind.len() > max {
        kind.pop_front();
    }
}
