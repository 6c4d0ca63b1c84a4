//! What an index must hold after a list of messages: played one by one, in order, with nothing but maps. Written from the specification
//! and the rules of the index; never shares code with what it judges, and never asks it.
//!
//! In the order of the messages everything is certain. An index works on many repos at once, and what one repo's records say of another's
//! can depend on which came first: [`Oracle::loose`] lists what does, and everything else must be equal. [`Oracle::settle`] marks a
//! point at which the index has applied everything, so that nothing can change places across it.

mod edges;
mod expect;
mod gates;
mod history;
mod lines;
mod loose;
mod notices;
mod posts;
mod record;
#[cfg(test)]
mod tests;
mod views;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use self::edges::Edges;
use self::history::{Cause, History};
use self::notices::{Notice, Notices, Reason};
use self::posts::{Standing, Waits};
use self::record::{POST, VERIFICATION, author, collection};
use crate::atproto::car::Car;
use crate::atproto::cbor::Value;
use crate::atproto::commit::SignedCommit;
use crate::atproto::frame::{CommitFrame, Frame, OpFrame, SyncFrame};
use crate::atproto::mst::EMPTY_ROOT;
use crate::atproto::{Cid, Tid, datetime};

pub use self::expect::write as write_expected;
pub use self::lines::Counts;
pub use self::loose::Loose;
pub use self::record::{Edge, Gate, Post, Record, Rule, Says};
pub use self::views::FeedItem;

/// How far a rev may be ahead of its message's time, in microseconds; the records of a later one are dead letters.
const MAX_AHEAD: i64 = 5 * 60 * 1_000_000;

/// Longest handle in bytes (DNS); a longer text is none.
const MAX_HANDLE: usize = 253;

/// The words of an account's status; another one hides it as well.
const STATUSES: &[&str] = &["takendown", "suspended", "deleted", "deactivated", "desynchronized", "throttled"];

/// The expected state of an index.
#[derive(Debug, Default)]
pub struct Oracle {
    pub repos: BTreeMap<String, Repo>,
    /// Records held, by `at://` address.
    pub records: BTreeMap<String, Record>,
    /// Record ops that their lexicons do not allow, by `at://` address; the newest op of each path.
    pub dead_letters: BTreeSet<String>,
    edges: Edges,
    standing: BTreeMap<String, Standing>,
    waits: Waits,
    notices: Notices,
    /// The starter pack that each profile came through, and since when.
    joins: BTreeMap<String, (String, i64)>,
    history: History,
    invalid: HashSet<Cid>,
}

/// What is known of a repo.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Repo {
    pub rev: Option<Tid>,
    pub data: Option<Cid>,
    pub desynchronized: bool,
    /// Why it is hidden; `None` = active.
    pub status: Option<String>,
    /// When the status was set, microseconds since 1970.
    status_time: i64,
    pub handle: Option<String>,
}

impl Repo {
    /// Its rows are removed, and what it commits is not applied.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.status.as_deref() == Some("deleted")
    }
}

/// A step of a repo.
#[derive(Debug, Clone)]
pub struct Commit<'a> {
    pub repo: &'a str,
    pub rev: Tid,
    pub since: Option<Tid>,
    pub prev_data: Option<Cid>,
    pub data: Cid,
    /// Microseconds since 1970.
    pub time: i64,
    pub ops: Vec<Op<'a>>,
}

/// What a step does to one record.
#[derive(Debug, Clone, Copy)]
pub struct Op<'a> {
    /// `collection/rkey`.
    pub path: &'a str,
    /// The record that comes to stand there; `None`: what stands there goes.
    pub record: Option<(Cid, &'a [u8])>,
}

impl Oracle {
    /// An empty index, to which records of these CIDs are not allowed by their lexicons.
    #[must_use]
    pub fn new(invalid: HashSet<Cid>) -> Self {
        Self { invalid, ..Self::default() }
    }

    /// The state after these messages, records of the CIDs `invalid` being not allowed by their lexicons.
    #[must_use]
    pub fn of<'f>(frames: impl IntoIterator<Item = &'f Vec<u8>>, invalid: &HashSet<Cid>) -> Self {
        let mut oracle = Self::new(invalid.clone());
        frames.into_iter().for_each(|frame| oracle.play_bytes(frame));
        oracle
    }

    /// Records of these CIDs, among them all that were named before, are not allowed by their lexicons.
    pub fn forbid(&mut self, records: &HashSet<Cid>) {
        if records.len() != self.invalid.len() {
            self.invalid.clone_from(records);
        }
    }

    /// One message more. Bytes that are no frame are none.
    pub fn play_bytes(&mut self, frame: &[u8]) {
        if let Ok(frame) = Frame::parse(frame) {
            self.play(&frame);
        }
    }

    /// One message more.
    pub fn play(&mut self, frame: &Frame<'_>) {
        match frame {
            Frame::Commit(frame) => self.commit_frame(frame),
            Frame::Sync(frame) => self.sync_frame(frame),
            Frame::Identity(frame) => self.identity(frame.did, frame.handle),
            Frame::Account(frame) => self.account(frame.did, frame.active, frame.status, micros(frame.time)),
            Frame::Info { .. } | Frame::Error { .. } | Frame::Other { .. } => {}
        }
    }

    /// Everything so far is applied before anything that comes.
    pub fn settle(&mut self) {
        self.history.settle();
    }

    fn repo(&mut self, did: &str) -> &mut Repo {
        self.repos.entry(did.to_owned()).or_default()
    }

    fn commit_frame(&mut self, frame: &CommitFrame<'_>) {
        let twice = frame.ops.iter().map(|op| op.path).collect::<HashSet<_>>().len() < frame.ops.len();
        let Some(blocks) = Car::parse(frame.blocks).ok() else { return self.unusable(frame.repo) };
        match read_commit(frame, &blocks) {
            Some(commit) => self.commit(&commit),
            None => return self.unusable(frame.repo),
        }
        if twice || frame.too_big {
            self.unusable(frame.repo);
        }
    }

    /// A message of the repo that says less than it must: operations are missing.
    fn unusable(&mut self, did: &str) {
        self.history.now += 1;
        self.repo(did).desynchronized = true;
    }

    /// A step of a repo.
    pub fn commit(&mut self, commit: &Commit<'_>) {
        self.history.now += 1;
        let repo = self.repo(commit.repo);
        if repo.is_deleted() || repo.rev.is_some_and(|held| held >= commit.rev) {
            return;
        }
        if commit.rev.micros().saturating_sub(commit.time) > MAX_AHEAD {
            for op in commit.ops.iter().filter(|op| record::is_kept(op.path.split('/').next().unwrap_or_default())) {
                self.dead_letters.insert(format!("at://{}/{}", commit.repo, op.path));
            }
            return;
        }
        let known = repo.rev.zip(repo.data).zip(commit.prev_data);
        repo.desynchronized |= known.is_some_and(|((rev, data), prev)| commit.since != Some(rev) || prev != data);
        (repo.rev, repo.data) = (Some(commit.rev), Some(commit.data));
        let mut posts: Vec<(String, Cause)> = Vec::new();
        for op in &commit.ops {
            let uri = format!("at://{}/{}", commit.repo, op.path);
            if collection(&uri) == POST {
                note(&mut posts, &uri, op.record.is_some(), self.records.contains_key(&uri));
            }
            match op.record {
                Some((cid, block)) => self.put(&uri, cid, block, commit.time),
                None => self.delete(&uri, commit.time),
            }
        }
        for (uri, cause) in &posts {
            self.look(uri, *cause, commit.time);
        }
        for (uri, _) in posts.iter().filter(|(_, cause)| *cause == Cause::Created) {
            self.arrive(uri);
        }
    }

    fn sync_frame(&mut self, frame: &SyncFrame<'_>) {
        let signed = Car::parse(frame.blocks).ok().and_then(|car| {
            let signed = SignedCommit::decode(car.get(&car.root())?).ok()?;
            Some((frame.rev.parse().ok()?, signed.data))
        });
        match signed {
            Some((rev, data)) => self.sync(frame.did, rev, data),
            None => self.unusable(frame.did),
        }
    }

    /// The state of a repo, without the steps that led there.
    pub fn sync(&mut self, did: &str, rev: Tid, data: Cid) {
        self.history.now += 1;
        let repo = self.repo(did);
        if repo.rev.is_some_and(|held| held >= rev) {
            return;
        }
        if repo.data.unwrap_or(*EMPTY_ROOT) == data {
            (repo.rev, repo.data) = (Some(rev), Some(data));
        } else {
            repo.desynchronized = true;
        }
    }

    /// An account's handle, where one is named.
    pub fn identity(&mut self, did: &str, handle: Option<&str>) {
        self.history.now += 1;
        let repo = self.repo(did);
        if let Some(handle) = handle.filter(|handle| handle.len() <= MAX_HANDLE && !handle.contains('\0')) {
            repo.handle = Some(handle.to_owned());
        }
    }

    /// Whether an account is shown, said at `time`: the newest word holds.
    pub fn account(&mut self, did: &str, active: bool, status: Option<&str>, time: i64) {
        self.history.now += 1;
        let repo = self.repo(did);
        if time < repo.status_time {
            return;
        }
        let word = STATUSES.iter().find(|word| Some(**word) == status).unwrap_or(&"other");
        (repo.status, repo.status_time) = ((!active).then(|| (*word).to_owned()), time);
        if repo.is_deleted() {
            (repo.data, repo.desynchronized) = (None, false);
            self.purge(did);
        }
    }

    /// Everything of a deleted account goes, and what others were told of goes on its side.
    fn purge(&mut self, did: &str) {
        let of = |uri: &&String| author(uri) == did;
        let uris: Vec<_> = self.records.range(format!("at://{did}/")..).map(|(uri, _)| uri).take_while(of).cloned().collect();
        for uri in &uris {
            self.take(uri);
        }
        self.dead_letters.retain(|uri| author(uri) != did);
        self.joins.remove(did);
        self.notices.purge(did);
        self.history.purges.push((self.history.now, did.to_owned()));
    }

    /// A record comes to stand at `uri`, in place of what stood there.
    fn put(&mut self, uri: &str, cid: Cid, block: &[u8], time: i64) {
        self.dead_letters.remove(uri);
        if !record::is_kept(collection(uri)) {
            return;
        }
        let decoded = Value::decode(block).ok().filter(|_| !self.invalid.contains(&cid));
        let Some(decoded) = decoded else {
            self.delete(uri, time);
            self.dead_letters.insert(uri.to_owned());
            return;
        };
        let at = record::created_at(&decoded).map_or(time, |created| created.min(time));
        let says = Says::of(uri, &decoded, at);
        let before = self.records.get(uri).map(|held| held.says.clone());
        if before.as_ref().and_then(Says::edge) != says.edge() {
            self.verify(uri, &says, time);
            self.unlink(uri);
            self.link(uri, &says);
        }
        self.derive(uri, Some(&says), time);
        self.records.insert(uri.to_owned(), Record { cid, at, says });
    }

    /// Its owner takes back the record at `uri`.
    fn delete(&mut self, uri: &str, time: i64) {
        self.verify(uri, &Says::Nothing, time);
        self.take(uri);
    }

    /// The record at `uri` goes, with all that was only there for it.
    fn take(&mut self, uri: &str) {
        self.dead_letters.remove(uri);
        self.unlink(uri);
        self.derive(uri, None, 0);
        self.records.remove(uri);
    }

    /// What a record says comes into effect in place of what it said, but for edges.
    fn derive(&mut self, uri: &str, says: Option<&Says>, time: i64) {
        let (now, place) = (self.history.now, uri.to_owned());
        match collection(uri) {
            POST => {
                let post = if let Some(Says::Post(post)) = says { Some(post.clone()) } else { None };
                if post.is_none() {
                    self.standing.remove(uri);
                    self.notices.remove(uri);
                    self.waits.set(uri, None);
                    self.history.looks.remove(uri);
                }
                self.history.posts.set(place, now, post);
            }
            record::THREADGATE => {
                let gate = if let Some(Says::Gate(gate)) = says { Some(gate.clone()) } else { None };
                self.history.gates.set(gated(uri), now, gate);
            }
            record::POSTGATE => self.history.closed.set(gated(uri), now, matches!(says, Some(Says::NoQuotes))),
            record::PROFILE => self.join(uri, says, time),
            _ => {}
        }
    }

    /// A profile says, or does not say any more, through which starter pack it came.
    fn join(&mut self, uri: &str, says: Option<&Says>, time: i64) {
        let Some(Says::Joined(pack)) = says else {
            self.joins.remove(author(uri));
            return;
        };
        if self.joins.get(author(uri)).is_none_or(|(held, _)| held != pack) {
            self.joins.insert(author(uri).to_owned(), (pack.clone(), time));
        }
        self.tell(uri, author(pack), Reason::StarterPackJoined, Some(pack.clone()), time);
    }

    /// A verification is about to say something else: whom it was of is told, and whom it is of.
    fn verify(&mut self, uri: &str, says: &Says, time: i64) {
        if collection(uri) != VERIFICATION {
            return;
        }
        let before = self.records.get(uri).and_then(|held| held.says.edge()).map(|edge| edge.subject.clone());
        let after = says.edge().map(|edge| edge.subject.clone());
        if before == after {
            return;
        }
        for (subject, reason) in [(before, Reason::Unverified), (after, Reason::Verified)] {
            if let Some(subject) = subject {
                self.tell(uri, &subject, reason, None, time);
            }
        }
    }

    /// Somebody is told of a record that is no post.
    fn tell(&mut self, uri: &str, recipient: &str, reason: Reason, about: Option<String>, time: i64) {
        self.history.wanted.push((self.history.now, uri.to_owned(), recipient.to_owned()));
        self.notices.add(uri, Notice { recipient: recipient.to_owned(), reason, about, at: time });
    }
}

/// An op on a post, for the end of its commit. A post that is deleted and created again within a commit is a new one.
fn note(posts: &mut Vec<(String, Cause)>, uri: &str, stays: bool, held: bool) {
    let earlier = posts.iter().position(|(noted, _)| noted == uri);
    match (earlier, stays) {
        (Some(at), false) => drop(posts.remove(at)),
        (None, true) => posts.push((uri.to_owned(), if held { Cause::Updated } else { Cause::Created })),
        _ => {}
    }
}

/// The post that a gate is of.
fn gated(gate: &str) -> String {
    format!("at://{}/{POST}/{}", author(gate), record::key(gate))
}

/// Microseconds since 1970; 0 where the text is no time.
fn micros(time: &str) -> i64 {
    datetime::parse_micros(time).unwrap_or(0)
}

/// The commit in a frame, where its blocks hold what it names.
fn read_commit<'a>(frame: &CommitFrame<'a>, blocks: &Car<'a>) -> Option<Commit<'a>> {
    let op = |op: &OpFrame<'a>| {
        let record = match op.cid.filter(|_| op.action != "delete") {
            Some(cid) => Some((cid, blocks.get(&cid)?)),
            None => None,
        };
        Some(Op { path: op.path, record })
    };
    Some(Commit {
        repo: frame.repo,
        rev: frame.rev.parse().ok()?,
        since: frame.since.map(str::parse).transpose().ok()?,
        prev_data: frame.prev_data,
        data: SignedCommit::decode(blocks.get(&frame.commit)?).ok()?.data,
        time: micros(frame.time),
        ops: frame.ops.iter().map(op).collect::<Option<_>>()?,
    })
}
