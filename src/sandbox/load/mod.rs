//! A second network, for benchmarks: frames of real size over millions of accounts, made faster than they can be indexed.
//!
//! No repo is kept as a whole tree. Each account has the tree of one of a few [`forest`] trees, known by the nodes at its growing places
//! only, and what it has written since. So every proof holds, every chain too, and an account costs some bytes and each record that it
//! holds about 60. What it makes is well-formed and friendly: faults, odd records and odd hosts are the business of
//! [`super::network`].

mod chance;
mod forest;
mod people;
mod posts;
mod records;
mod repo;

use std::collections::{HashMap, VecDeque};
use std::path::Path;

use anyhow::Context as _;
use fastrand::Rng;

use self::forest::{Forest, Grown};
use self::people::People;
use self::posts::{Post, Posts};
use self::repo::{Commit, Held, Repo, Write};
use super::network::{BEGINNING, Made};
use super::recording;
use crate::atproto::frame::{Frame, IdentityFrame};
use crate::atproto::{Cid, Tid, datetime};

pub use self::records::Kind;
pub use self::repo::signing_key;

/// Most time between two events, in microseconds: about a thousand a second, as on the network.
const MAX_PAUSE: i64 = 2_000;
/// Repos in which something can be deleted: of those that wrote last.
const MAX_DELETABLE: usize = 65_536;

/// What is made. The same options give the same frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    pub seed: u64,
    /// Accounts that may appear, as authors or as those who are liked, followed and mentioned.
    pub accounts: u32,
    /// Messages in all, numbered from 1.
    pub events: u64,
    /// Real signatures; else 64 bytes of chance, which costs a third of the time.
    pub signed: bool,
}

/// What the people of a network do, out of 1,000: mix A of the network, deletes included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Like,
    Post,
    Repost,
    Follow,
    Profile,
    Block,
    List,
    Identity,
    Delete,
}

const ACTS: &[(u32, Act)] = &[
    (660, Act::Like),
    (105, Act::Post),
    (95, Act::Repost),
    (60, Act::Follow),
    (10, Act::Profile),
    (10, Act::Block),
    (5, Act::List),
    (5, Act::Identity),
    (50, Act::Delete),
];

/// Writes the frames of `options` to `path`; the bytes of them all. `progress` hears of each thousand, and may end it with an error.
///
/// # Errors
/// The disk; a frame that cannot be built, which would be a fault of this module.
pub fn record(options: Options, path: &Path, mut progress: impl FnMut(u64) -> anyhow::Result<()>) -> anyhow::Result<u64> {
    let mut bytes = 0;
    let mut file = recording::Writer::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    make(options, |made| {
        if made.seq % 1000 == 0 {
            progress(u64::try_from(made.seq).unwrap_or(0))?;
        }
        bytes += made.frame.len() as u64;
        file.write(&made.frame).context("cannot record")
    })?;
    file.finish().context("cannot record")?;
    Ok(bytes)
}

/// Gives the frames of `options` to `sink`, one after the other.
///
/// # Errors
/// The sink's; a frame that cannot be built.
pub fn make(options: Options, mut sink: impl FnMut(Made) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let forest = Forest::plant(options.seed)?;
    let grown = forest.grown()?;
    let mut load = Load::new(options, &grown);
    for seq in 1..=i64::try_from(options.events).unwrap_or(i64::MAX) {
        sink(Made { seq, frame: load.next(seq)? })?;
    }
    Ok(())
}

/// The DID of an account.
#[must_use]
pub fn did(seed: u64, account: u32) -> String {
    people::did(seed, account)
}

/// The network as it stands.
struct Load<'f> {
    options: Options,
    rng: Rng,
    micros: i64,
    people: People,
    posts: Posts,
    forest: &'f [Grown<'f>],
    repos: HashMap<u32, Repo>,
    /// Accounts that wrote last, those who wrote several times as often.
    writers: VecDeque<u32>,
}

impl<'f> Load<'f> {
    fn new(options: Options, forest: &'f [Grown<'f>]) -> Self {
        Self {
            options,
            rng: Rng::with_seed(options.seed),
            micros: BEGINNING,
            people: People::new(options.seed, options.accounts),
            posts: Posts::new(options.seed, options.accounts),
            forest,
            repos: HashMap::new(),
            writers: VecDeque::new(),
        }
    }

    /// The message of this number.
    fn next(&mut self, seq: i64) -> anyhow::Result<Vec<u8>> {
        self.micros += self.rng.i64(1..MAX_PAUSE);
        let (account, act) = match chance::choose(&mut self.rng, ACTS, Act::Like) {
            Act::Delete => match self.deletable() {
                Some(account) => (account, Act::Delete),
                None => (self.people.author(&mut self.rng), Act::Like),
            },
            act => (self.people.author(&mut self.rng), act),
        };
        if act == Act::Identity {
            let did = self.people.did(account);
            let time = datetime::format_micros(self.micros);
            let handle = format!("person{account}.load.example");
            return Ok(Frame::Identity(IdentityFrame { seq, did: &did, time: &time, handle: Some(&handle) }).encode());
        }
        self.commit(seq, account, act)
    }

    /// An account that holds something that it wrote here.
    fn deletable(&mut self) -> Option<u32> {
        let account = *self.writers.get(self.rng.usize(0..self.writers.len().max(1)))?;
        self.repos.get(&account).is_some_and(Repo::holds_something).then_some(account)
    }

    fn commit(&mut self, seq: i64, account: u32, act: Act) -> anyhow::Result<Vec<u8>> {
        let mut repo = match self.repos.remove(&account) {
            Some(repo) => repo,
            None => Repo::new(account, self.forest, self.micros, &mut self.rng).context("a network without trees")?,
        };
        let did = self.people.did(account);
        let writes = self.writes(&mut repo, account, act)?;
        let about = Commit { seq, did: &did, micros: self.micros, signed: self.options.signed.then_some((self.options.seed, account)) };
        let frame = repo.commit(&about, &writes, self.forest, &mut self.rng)?;
        if repo.holds_something() {
            self.writers.push_back(account);
            if self.writers.len() > MAX_DELETABLE {
                self.writers.pop_front();
            }
        }
        self.repos.insert(account, repo);
        Ok(frame)
    }

    /// What `act` writes.
    fn writes(&mut self, repo: &mut Repo, account: u32, act: Act) -> anyhow::Result<Vec<Write>> {
        let mut writes = Vec::new();
        match act {
            Act::Delete => writes.extend(repo.let_go(&mut self.rng)),
            Act::Profile => writes.push(repo.profile(records::profile(&mut self.rng, account, self.micros), self.forest)?),
            Act::List => {
                let list = self.create(repo, Kind::List, |load, time| records::list(&mut load.rng, time));
                let uri = records::uri(&self.people.did(account), Kind::List, list.held.tid);
                writes.push(list);
                for _ in 0..self.rng.usize(1..4) {
                    let subject = self.people.known(&mut self.rng);
                    let subject = self.people.did(subject);
                    writes.push(self.create(repo, Kind::ListItem, |_, time| records::listitem(&uri, &subject, time)));
                }
            }
            Act::Post => self.post(repo, account, &mut writes),
            Act::Repost => writes.push(self.create(repo, Kind::Repost, |load, time| load.edge(Kind::Repost, 40, time))),
            Act::Follow | Act::Block => {
                let kind = if act == Act::Follow { Kind::Follow } else { Kind::Block };
                let subject = self.people.known(&mut self.rng);
                let subject = self.people.did(if subject == account { (account + 1) % self.options.accounts.max(2) } else { subject });
                writes.push(self.create(repo, kind, |_, time| records::account_edge(kind, &subject, time)));
            }
            Act::Like | Act::Identity => writes.push(self.create(repo, Kind::Like, |load, time| load.edge(Kind::Like, 17, time))),
        }
        Ok(writes)
    }

    /// A new record under a new key, said to be written some milliseconds before it.
    fn create(&mut self, repo: &mut Repo, kind: Kind, record: impl FnOnce(&mut Self, &str) -> Vec<u8>) -> Write {
        let tid = repo.tid(self.micros);
        let time = datetime::format_micros(tid.micros() - self.rng.i64(0..400) * 1000);
        let record = record(self, &time);
        Write { held: Held { kind, tid, cid: Cid::dag_cbor(&record) }, prev: None, record: Some(record) }
    }

    /// A like or repost, `via` percent of them through somebody's repost.
    fn edge(&mut self, kind: Kind, via: u32, time: &str) -> Vec<u8> {
        let subject = self.posts.liked(&mut self.rng);
        let via = (self.rng.u32(0..100) < via).then(|| {
            let (account, micros) = (self.people.author(&mut self.rng), self.micros - self.rng.i64(0..3_600_000_000));
            let tid = Tid::from_micros(micros, 1);
            (records::uri(&self.people.did(account), Kind::Repost, tid), Cid::dag_cbor(&tid.value().to_le_bytes()))
        });
        records::record_edge(kind, &self.named(&subject), via.as_ref(), time)
    }

    /// A post, seldom with a gate of its thread.
    fn post(&mut self, repo: &mut Repo, account: u32, writes: &mut Vec<Write>) {
        let parent = (self.rng.u32(0..100) < 35).then(|| self.posts.answered(&mut self.rng));
        let root = parent.as_ref().map(|parent| parent.root.clone().map_or_else(|| parent.clone(), |root| *root));
        let quoted = (self.rng.u32(0..100) < 8).then(|| self.posts.liked(&mut self.rng));
        let mentioned = (self.rng.u32(0..100) < 5).then(|| self.people.known(&mut self.rng)).map(|subject| self.people.did(subject));
        let (reply, quote) = (parent.as_ref().zip(root.as_ref()), quoted.as_ref());
        let references = records::References {
            reply: reply.map(|(parent, root)| (self.named(parent), self.named(root))),
            quote: quote.map(|quoted| self.named(quoted)),
            mentioned,
        };
        let post = self.create(repo, Kind::Post, |load, time| records::post(&mut load.rng, &references, time));
        let tid = post.held.tid;
        self.posts.remember(Post { author: account, tid, cid: post.held.cid, root: root.map(Box::new) }, &mut self.rng);
        writes.push(post);
        if parent.is_none() && self.rng.u32(0..100) < 3 {
            let uri = records::uri(&self.people.did(account), Kind::Post, tid);
            let record = records::threadgate(&uri, &datetime::format_micros(tid.micros()));
            writes.push(Write {
                held: Held { kind: Kind::Threadgate, tid, cid: Cid::dag_cbor(&record) },
                prev: None,
                record: Some(record),
            });
        }
    }

    /// Address and CID of a post.
    fn named(&self, post: &Post) -> (String, Cid) {
        (records::uri(&self.people.did(post.author), Kind::Post, post.tid), post.cid)
    }
}
