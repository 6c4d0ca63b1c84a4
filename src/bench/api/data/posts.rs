//! The posts of the network, oldest first: who writes when, who answers whom, and what notifications follow from it. What is derived is what
//! the index derives (`index/simulate/`): a test holds both against each other.

use fastrand::Rng;

use super::super::chance::{did, low, one_of};
use super::plan::{Plan, THREAD};
use super::records::{self, Named, References};
use crate::atproto::{Cid, Tid, datetime};
use crate::collection::{self, Coll, Ids, Key, Place, Ref, Row, search};
use crate::db::notif::{Notif, Reason};
use crate::db::post::Stored;

/// Posts answered and quoted are among so many that came before.
const RECENT: usize = 2_000;
/// How far up a reply notifies.
const HEIGHT: usize = 4;
/// Depth of the deepest reply of a prepared thread: what `getPostThread` shows unless it is asked for more.
const DEPTH: u32 = 6;
/// Replies of a prepared thread to its first post.
const FIRST_REPLIES: u32 = 10;
/// The least that each writer posts: a page of 30, with some to spare.
const WRITER_POSTS: u32 = 34;

/// A post, as far as others need it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Post {
    pub author: u32,
    pub rkey: i64,
    pub cid: Cid,
    parent: Option<u32>,
    root: Option<u32>,
    pub replies: i32,
    pub quotes: i32,
}

/// What stands at a place of the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Ordinary,
    /// The post of a number in a prepared thread.
    Thread {
        thread: u32,
        number: u32,
    },
}

/// All posts so far.
#[derive(Debug)]
pub(super) struct Posts<'a> {
    plan: &'a Plan,
    rng: Rng,
    begin: i64,
    /// Microseconds from one post to the next.
    step: i64,
    /// Authors of ordinary posts that are still to come.
    authors: Vec<u32>,
    /// Of the thread that is being written: places and depths of its posts.
    thread: Vec<(u32, u32)>,
    /// The places of the first posts of prepared threads.
    pub threads: Vec<u32>,
    /// The place of the post that so many like.
    pub hot: Option<u32>,
    pub all: Vec<Post>,
}

impl<'a> Posts<'a> {
    /// From `begin` to `end`, microseconds since 1970.
    pub(super) fn new(plan: &'a Plan, begin: i64, end: i64) -> Self {
        let mut rng = Rng::with_seed(plan.seed ^ 0x9057);
        let authors = authors(plan, &mut rng);
        let step = ((end - begin) / i64::from(plan.posts.max(1))).max(2);
        let all = Vec::with_capacity(usize::try_from(plan.posts).unwrap_or(0));
        Self { plan, rng, begin, step, authors, thread: Vec::new(), threads: Vec::new(), hot: None, all }
    }

    /// The next post with its notifications; `None` after the last.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<(Stored, Vec<Notif>)>> {
        let Ok(place) = u32::try_from(self.all.len()) else { return Ok(None) };
        if place >= self.plan.posts {
            return Ok(None);
        }
        let author = self.author(place);
        let parent = self.parent(place);
        let root = parent.and_then(|parent| self.get(parent)).and_then(|post| post.root).or(parent);
        let quote = (parent.is_none() && !self.is_of_thread(place) && self.rng.u8(0..100) < 8).then(|| self.recent()).flatten();
        let mentioned = (self.rng.u8(0..100) < 3).then(|| one_of(&mut self.rng, self.plan.accounts));
        let micros = self.begin + i64::from(place) * self.step + self.rng.i64(0..self.step / 2);
        let rkey = Tid::from_micros(micros, 11).value();
        let references = References {
            reply: parent.zip(root).and_then(|(parent, root)| Some((self.named(parent)?, self.named(root)?))),
            quote: quote.and_then(|quote| self.named(quote)),
            mentioned: mentioned.map(|account| did(self.plan.seed, account)),
        };
        let created = datetime::format_micros(micros - self.rng.i64(0..800_000));
        let bytes = records::post(&mut self.rng, &references, &created);
        let cid = Cid::dag_cbor(&bytes);
        let known = Known { seed: self.plan.seed, accounts: self.named_accounts(parent, root, quote, mentioned) };
        let at = Place { coll: Coll::POST, author: id(author), rkey, indexed_at: micros + 1_000_000 };
        let Row::Post(row) = collection::rows(at, &bytes, &known)? else { anyhow::bail!("a post that is none") };
        let notifs = self.notifs(&row, parent, quote);
        for (place, count) in [(parent, (1, 0)), (quote, (0, 1))] {
            if let Some(post) = place.and_then(|place| self.all.get_mut(usize::try_from(place).ok()?)) {
                (post.replies, post.quotes) = (post.replies + count.0, post.quotes + count.1);
            }
        }
        self.all.push(Post { author, rkey, cid, parent, root, replies: 0, quotes: 0 });
        let tokens = search::of_post(&row, &bytes);
        Ok(Some((Stored { post: *row, record: collection::pack(&bytes)?, tokens }, notifs)))
    }

    pub(super) fn get(&self, place: u32) -> Option<&Post> {
        self.all.get(usize::try_from(place).ok()?)
    }

    /// The address of a post.
    pub(super) fn uri(&self, place: u32) -> Option<String> {
        let post = self.get(place)?;
        let did = did(self.plan.seed, post.author);
        Some(format!("at://{did}/app.bsky.feed.post/{}", Tid::from_value(post.rkey)?))
    }

    fn named(&self, place: u32) -> Option<Named> {
        Some(Named { uri: self.uri(place)?, cid: self.get(place)?.cid })
    }

    /// Prepared threads lie evenly over the time, each spread over twice as many places as it has posts.
    fn role(&self, place: u32) -> Role {
        let stride = self.plan.posts / self.plan.threads.max(1);
        let (thread, within) = (place / stride.max(1), place % stride.max(1));
        let of_thread = thread < self.plan.threads && within % 2 == 0 && within / 2 < THREAD;
        if of_thread { Role::Thread { thread, number: within / 2 } } else { Role::Ordinary }
    }

    fn is_of_thread(&self, place: u32) -> bool {
        self.role(place) != Role::Ordinary
    }

    fn author(&mut self, place: u32) -> u32 {
        match self.role(place) {
            Role::Thread { number: 0, .. } => one_of(&mut self.rng, self.plan.writers),
            Role::Thread { .. } => self.rng.u32(0..self.plan.accounts),
            Role::Ordinary if self.hot.is_none() && place >= self.plan.posts / 10 => {
                self.hot = Some(place);
                0
            }
            Role::Ordinary => self.authors.pop().unwrap_or_else(|| self.rng.u32(0..self.plan.writers)),
        }
    }

    /// The place of the post that is answered.
    fn parent(&mut self, place: u32) -> Option<u32> {
        match self.role(place) {
            Role::Thread { number: 0, .. } => {
                self.threads.push(place);
                self.thread = vec![(place, 0)];
                None
            }
            Role::Thread { number, .. } => {
                let above = if number <= FIRST_REPLIES { 0 } else { self.rng.usize(0..self.thread.len()) };
                let (parent, depth) = self.thread.get(above).copied().filter(|at| at.1 < DEPTH).or_else(|| self.thread.first().copied())?;
                self.thread.push((place, depth + 1));
                Some(parent)
            }
            Role::Ordinary if self.hot != Some(place) && self.rng.u8(0..100) < 30 => self.recent(),
            Role::Ordinary => None,
        }
    }

    /// A post of before, but none of a prepared thread: those are to stay what they are.
    fn recent(&mut self) -> Option<u32> {
        let back = low(&mut self.rng, RECENT.min(self.all.len()), 2) + 1;
        let place = u32::try_from(self.all.len().checked_sub(back)?).ok()?;
        (!self.is_of_thread(place)).then_some(place)
    }

    /// Everybody whom a record names.
    fn named_accounts(&self, parent: Option<u32>, root: Option<u32>, quote: Option<u32>, mentioned: Option<u32>) -> Vec<u32> {
        let authors = [parent, root, quote].into_iter().flatten().filter_map(|place| Some(self.get(place)?.author));
        authors.chain(mentioned).collect()
    }

    fn notifs(&self, row: &collection::Post, parent: Option<u32>, quote: Option<u32>) -> Vec<Notif> {
        let record = row.place();
        let notif = |recipient, reason, about| Notif { record, recipient, reason, about, sort: row.sort };
        let of = |reason| move |post: &Post| notif(id(post.author), reason, Some(post.rkey));
        let ancestors = std::iter::successors(parent, |place| self.get(*place)?.parent).take(HEIGHT).filter_map(|place| self.get(place));
        let mentions = row.mentions.iter().map(|recipient| notif(*recipient, Reason::Mention, None));
        let quoted = quote.and_then(|place| self.get(place)).map(of(Reason::Quote));
        let mut wanted: Vec<Notif> = Vec::new();
        for notif in mentions.chain(quoted).chain(ancestors.map(of(Reason::Reply))) {
            if notif.recipient != row.author && !wanted.iter().any(|other| other.recipient == notif.recipient) {
                wanted.push(notif);
            }
        }
        wanted
    }
}

/// The id of an account: they are numbered from 1 on.
pub(super) fn id(account: u32) -> i32 {
    i32::try_from(account + 1).unwrap_or(i32::MAX)
}

/// A post by its numbers.
pub(super) fn place(post: &Post) -> Ref {
    Ref { rkey: post.rkey, author: id(post.author) }
}

/// Who writes the ordinary posts, in no order: each writer a page and more, the first ones many more, a fifth is by everybody.
fn authors(plan: &Plan, rng: &mut Rng) -> Vec<u32> {
    let ordinary = plan.posts.saturating_sub(plan.threads * THREAD);
    let mut authors: Vec<u32> = (0..plan.writers).flat_map(|writer| (0..WRITER_POSTS).map(move |_| writer)).collect();
    let writers = usize::try_from(plan.writers).unwrap_or(1);
    while authors.len() < usize::try_from(ordinary).unwrap_or(0) {
        let everybody = authors.len().is_multiple_of(3);
        authors.push(if everybody { rng.u32(0..plan.accounts) } else { u32::try_from(low(rng, writers, 2)).unwrap_or(0) });
    }
    rng.shuffle(&mut authors);
    authors
}

/// The ids of the few accounts that one record names.
struct Known {
    seed: u64,
    accounts: Vec<u32>,
}

impl Ids for Known {
    fn account(&self, name: &str) -> Option<i32> {
        self.accounts.iter().find(|account| did(self.seed, **account) == name).map(|account| id(*account))
    }

    fn key(&self, _: &Key<'_>) -> Option<i64> {
        None
    }
}
