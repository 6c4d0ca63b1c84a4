//! One account of the load: its newest revision and what it has written here; from these and a tree of the forest its whole tree follows.

use anyhow::Context as _;
use fastrand::Rng;
use sha2::{Digest as _, Sha256};

use super::forest::{Grown, PROFILE};
use super::records::Kind;
use crate::atproto::commit;
use crate::atproto::crypto::SigningKey;
use crate::atproto::frame::{CommitFrame, Frame, OpFrame};
use crate::atproto::mst::{MstError, Tree};
use crate::atproto::{Cid, Tid, car, datetime};

/// A record that a repo holds beyond its tree of the forest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    pub kind: Kind,
    /// Its key, but for a profile.
    pub tid: Tid,
    pub cid: Cid,
}

impl Held {
    fn path(&self) -> String {
        if self.kind == Kind::Profile { PROFILE.to_owned() } else { format!("{}/{}", self.kind.collection(), self.tid) }
    }
}

/// A write of a commit: without `prev` a create, without `record` a delete.
#[derive(Debug)]
pub(super) struct Write {
    /// What is held after it, or was before it.
    pub held: Held,
    pub prev: Option<Cid>,
    pub record: Option<Vec<u8>>,
}

/// What a commit is about besides its writes.
#[derive(Debug)]
pub(super) struct Commit<'a> {
    pub seq: i64,
    pub did: &'a str,
    /// When it is made, in microseconds since 1970.
    pub micros: i64,
    /// Seed and account that its key comes from; `None` = a signature of chance.
    pub signed: Option<(u64, u32)>,
}

/// An account that has written something.
#[derive(Debug)]
pub(super) struct Repo {
    tree: u8,
    clock: u16,
    /// The newest TID, of a record or of a revision.
    newest: i64,
    rev: Tid,
    held: Vec<Held>,
}

impl Repo {
    /// A repo that has been there for long, at its first commit here; `None` without a forest.
    pub(super) fn new(account: u32, forest: &[Grown<'_>], micros: i64, rng: &mut Rng) -> Option<Self> {
        let tree = usize::try_from(account).ok()? % Some(forest.len()).filter(|len| *len > 0)?;
        let before = micros - rng.i64(1_000_000..3_600_000_000);
        let clock = rng.u16(0..32);
        Some(Self { tree: u8::try_from(tree).ok()?, clock, newest: before, rev: Tid::from_micros(before, clock), held: Vec::new() })
    }

    pub(super) fn holds_something(&self) -> bool {
        self.held.iter().any(|held| held.kind != Kind::Profile)
    }

    /// A new key: of the millisecond `micros`, as clients make them, or just after the one before.
    pub(super) fn tid(&mut self, micros: i64) -> Tid {
        self.newest = (micros / 1000 * 1000).max(self.newest + 1);
        Tid::from_micros(self.newest, self.clock)
    }

    /// A delete of something that was written here.
    pub(super) fn let_go(&self, rng: &mut Rng) -> Option<Write> {
        let held = *rng.choice(self.held.iter().filter(|held| held.kind != Kind::Profile).collect::<Vec<_>>())?;
        Some(Write { held, prev: Some(held.cid), record: None })
    }

    /// An update of the profile.
    pub(super) fn profile(&self, record: Vec<u8>, forest: &[Grown<'_>]) -> anyhow::Result<Write> {
        let before = self.held.iter().find(|held| held.kind == Kind::Profile).map(|held| held.cid);
        let prev = before.map_or_else(|| self.grown(forest).map(|grown| grown.profile), Ok)?;
        Ok(Write { held: Held { kind: Kind::Profile, tid: self.rev, cid: Cid::dag_cbor(&record) }, prev: Some(prev), record: Some(record) })
    }

    fn grown<'f>(&self, forest: &'f [Grown<'f>]) -> anyhow::Result<&'f Grown<'f>> {
        forest.get(usize::from(self.tree)).context("a repo without a tree")
    }

    /// The #commit frame of `writes`.
    pub(super) fn commit(&mut self, about: &Commit<'_>, writes: &[Write], forest: &[Grown<'_>], rng: &mut Rng) -> anyhow::Result<Vec<u8>> {
        let grown = self.grown(forest)?;
        let mut tree = Tree::open(&grown.car, &grown.car.root())?;
        for held in &self.held {
            tree.insert(&held.path(), held.cid)?;
        }
        let prev_data = tree.root();
        let paths: Vec<String> = writes.iter().map(|write| write.held.path()).collect();
        for (write, path) in writes.iter().zip(&paths) {
            self.write(&mut tree, write, path)?;
        }
        let (since, rev, data) = (self.rev, self.tid(about.micros), tree.root());
        self.rev = rev;
        let block = commit_block(about, rev, &data, rng)?;
        let cid = Cid::dag_cbor(&block);
        let proof = tree.proof(&paths.iter().map(String::as_str).collect::<Vec<_>>())?;
        let records = writes.iter().filter_map(|write| Some((write.held.cid, write.record.as_deref()?)));
        let nodes = proof.iter().map(|(cid, node)| (*cid, node.as_slice()));
        let blocks = car::write(&cid, std::iter::once((cid, block.as_slice())).chain(nodes).chain(records));
        let frame = CommitFrame {
            seq: about.seq,
            repo: about.did,
            rev: &rev.to_string(),
            since: Some(&since.to_string()),
            commit: cid,
            prev_data: Some(prev_data),
            blocks: &blocks,
            ops: writes.iter().zip(&paths).map(|(write, path)| op(write, path)).collect(),
            too_big: false,
            rebase: false,
            time: &datetime::format_micros(about.micros),
        };
        Ok(Frame::Commit(frame).encode())
    }

    fn write(&mut self, tree: &mut Tree<'_>, write: &Write, path: &str) -> Result<(), MstError> {
        self.held.retain(|held| (held.kind, held.tid) != (write.held.kind, write.held.tid) && (held.kind, write.held.kind) != PROFILES);
        if write.record.is_some() {
            tree.insert(path, write.held.cid)?;
            self.held.push(write.held);
        } else {
            tree.remove(path)?;
        }
        Ok(())
    }
}

/// There is one profile a repo.
const PROFILES: (Kind, Kind) = (Kind::Profile, Kind::Profile);

fn op<'a>(write: &Write, path: &'a str) -> OpFrame<'a> {
    let action = match (&write.record, write.prev) {
        (None, _) => "delete",
        (Some(_), None) => "create",
        (Some(_), Some(_)) => "update",
    };
    OpFrame { action, path, cid: write.record.as_ref().map(|_| write.held.cid), prev: write.prev }
}

fn commit_block(about: &Commit<'_>, rev: Tid, data: &Cid, rng: &mut Rng) -> anyhow::Result<Vec<u8>> {
    let Some((seed, account)) = about.signed else {
        let mut signature = [0; 64];
        rng.fill(&mut signature);
        return Ok(commit::write(about.did, rev, data, Some(&signature)));
    };
    Ok(commit::sign(about.did, rev, data, &signing_key(seed, account)?))
}

/// The key with which an account signs.
///
/// # Errors
/// A seed that gives no key, which cannot be found.
pub fn signing_key(seed: u64, account: u32) -> anyhow::Result<SigningKey> {
    SigningKey::from_bytes(Sha256::digest(format!("load/{seed}/{account}")).into()).context("a seed without a key")
}
