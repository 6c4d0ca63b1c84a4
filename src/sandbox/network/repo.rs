//! One account: its key, its repo with a real tree, and its commits. Knows nothing of other accounts.

use std::collections::VecDeque;

use anyhow::Context;
use fastrand::Rng;
use sha2::{Digest, Sha256};

use super::clock::Clock;
use super::records::Draft;
use super::target::Target;
use crate::atproto::cbor::Value;
use crate::atproto::commit;
use crate::atproto::crypto::SigningKey;
use crate::atproto::frame::{CommitFrame, Frame, OpFrame, SyncFrame};
use crate::atproto::mst::Tree;
use crate::atproto::{Cid, Tid, car};

/// Edges that can be repeated under another key.
const MAX_EDGES: usize = 20;
/// Records of a repo: from there on its owner deletes in place of writing, so that a network that lives long does not grow without end.
const MAX_RECORDS: usize = 4000;
/// Every so many accounts live at a host of their own name.
const WEB_EVERY: usize = 25;
/// Every so many accounts live on a host that sends no `prevData` and no `prev`, as before sync v1.1.
const LEGACY_EVERY: usize = 40;

/// An account that has appeared.
#[derive(Debug)]
pub(super) struct Repo {
    pub index: usize,
    pub did: String,
    pub standing: Standing,
    /// How often its handle changed.
    pub renamed: u32,
    pub handle: Option<String>,
    /// A commit of it is on its way: nothing else is said of it until that was sent.
    pub silent: bool,
    key: SigningKey,
    legacy: bool,
    clock_id: u16,
    tree: Tree<'static>,
    head: Option<Head>,
    held: Vec<Held>,
    edges: VecDeque<Draft>,
}

/// What its host says of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Active,
    Away,
    Deleted,
}

/// The newest commit.
#[derive(Debug)]
struct Head {
    rev: Tid,
    block: Vec<u8>,
}

/// A record that the repo holds.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub collection: &'static str,
    pub rkey: String,
    pub cid: Cid,
    /// What its next version needs to know of it: see [`Draft::kept`].
    pub kept: Option<Box<Value>>,
}

/// What is to be written in a commit.
#[derive(Debug)]
pub(super) enum Write {
    /// A new record, or another version of the one that has the draft's key.
    Put(Draft),
    Delete(Held),
}

/// A commit that was made and not yet sent.
#[derive(Debug)]
pub(super) struct Unsent {
    did: String,
    rev: Tid,
    since: Option<Tid>,
    commit: Cid,
    prev_data: Option<Cid>,
    blocks: Vec<u8>,
    ops: Vec<Done>,
    legacy: bool,
}

/// A write as it was carried out.
#[derive(Debug)]
struct Done {
    action: &'static str,
    path: String,
    cid: Option<Cid>,
    prev: Option<Cid>,
    record: Vec<u8>,
}

/// What of account `index` is derived from the seed: 32 bytes a purpose.
fn derive(seed: u64, index: usize, purpose: &str) -> [u8; 32] {
    Sha256::digest(format!("{seed}/{index}/{purpose}")).into()
}

/// The DID of account `index`.
pub(super) fn did(seed: u64, index: usize) -> String {
    if index % WEB_EVERY == WEB_EVERY - 1 {
        return format!("did:web:{}", handle(index, 0));
    }
    let mut id = data_encoding::BASE32_NOPAD.encode(&derive(seed, index, "did")).to_ascii_lowercase();
    id.truncate(24);
    format!("did:plc:{id}")
}

/// The key of account `index`.
pub(super) fn key(seed: u64, index: usize) -> anyhow::Result<SigningKey> {
    SigningKey::from_bytes(derive(seed, index, "key")).context("a seed without a key")
}

/// The handle of account `index` after it was changed `renamed` times.
pub(super) fn handle(index: usize, renamed: u32) -> String {
    if renamed == 0 { format!("person{index}.sandbox.test") } else { format!("person{index}-{renamed}.sandbox.test") }
}

impl Held {
    fn path(&self) -> String {
        format!("{}/{}", self.collection, self.rkey)
    }

    /// `at://` address of the record in the repo `did`.
    pub(super) fn uri(&self, did: &str) -> String {
        format!("at://{did}/{}/{}", self.collection, self.rkey)
    }
}

impl Repo {
    pub(super) fn new(seed: u64, index: usize) -> anyhow::Result<Self> {
        Ok(Self {
            index,
            did: did(seed, index),
            standing: Standing::Active,
            renamed: 0,
            handle: None,
            silent: false,
            key: key(seed, index)?,
            legacy: index % LEGACY_EVERY == LEGACY_EVERY - 1,
            clock_id: u16::try_from(index % 1024).unwrap_or(0),
            tree: Tree::new(),
            head: None,
            held: Vec::new(),
            edges: VecDeque::new(),
        })
    }

    /// Its key, for its host.
    pub(super) fn secret_key(&self) -> SigningKey {
        self.key.clone()
    }

    /// The `publicKeyMultibase` of its key.
    pub(super) fn public_key(&self) -> String {
        self.key.multibase()
    }

    /// The account begins anew: no record, no commit.
    pub(super) fn begin_anew(&mut self) {
        (self.tree, self.head) = (Tree::new(), None);
        self.held.clear();
        self.edges.clear();
    }

    /// Whether its owner should delete in place of writing.
    pub(super) fn is_full(&self) -> bool {
        self.held.len() >= MAX_RECORDS
    }

    /// A record that the repo holds.
    pub(super) fn any(&self, rng: &mut Rng) -> Option<&Held> {
        rng.choice(&self.held)
    }

    /// A record that the repo holds, of one of the collections that are not written all the time.
    pub(super) fn any_rare(&self, rng: &mut Rng) -> Option<&Held> {
        const FREQUENT: [&str; 4] = ["app.bsky.feed.like", "app.bsky.feed.post", "app.bsky.feed.repost", "app.bsky.graph.follow"];
        rng.choice(self.held.iter().filter(|h| !FREQUENT.contains(&h.collection)).collect::<Vec<_>>())
    }

    /// A record of `collection` that the repo holds.
    pub(super) fn any_of(&self, rng: &mut Rng, collection: &str) -> Option<&Held> {
        rng.choice(self.held.iter().filter(|h| h.collection == collection).collect::<Vec<_>>())
    }

    /// The record under a key.
    pub(super) fn get(&self, collection: &str, rkey: &str) -> Option<&Held> {
        self.held.iter().find(|h| h.collection == collection && h.rkey == rkey)
    }

    /// The record that a repo has only one of.
    pub(super) fn own(&self, collection: &str) -> Option<&Held> {
        self.get(collection, "self")
    }

    /// An edge that was written not long ago.
    pub(super) fn edge(&self, rng: &mut Rng) -> Option<Draft> {
        rng.choice(&self.edges).cloned()
    }

    /// A key that no record has.
    pub(super) fn new_key(&self, clock: &mut Clock) -> String {
        clock.tid(self.clock_id).to_string()
    }

    /// `at://` address of a draft that has its key.
    pub(super) fn uri(&self, draft: &Draft) -> String {
        format!("at://{}/{}/{}", self.did, draft.collection, draft.rkey.as_deref().unwrap_or_default())
    }

    /// Carries out `writes`, no two of one path, in one commit; and what others may point at from now on, by collection.
    pub(super) fn commit(&mut self, writes: Vec<Write>, clock: &mut Clock) -> anyhow::Result<(Unsent, Vec<(&'static str, Target)>)> {
        let prev_data = self.tree.root();
        let mut created = Vec::new();
        let mut ops = Vec::new();
        for write in writes {
            ops.push(match write {
                Write::Put(draft) => self.put(draft, clock, &mut created)?,
                Write::Delete(held) => self.delete(&held)?,
            });
        }
        let (rev, data) = (clock.tid(self.clock_id), self.tree.root());
        let block = commit::sign(&self.did, rev, &data, &self.key);
        let commit = Cid::dag_cbor(&block);
        let paths: Vec<_> = ops.iter().map(|d| d.path.as_str()).collect();
        let proof = self.tree.proof(&paths).context("no proof for a commit")?;
        let records = ops.iter_mut().filter_map(|d| Some((d.cid?, std::mem::take(&mut d.record))));
        let blocks = car::write(&commit, std::iter::once((commit, block.clone())).chain(proof).chain(records));
        let since = self.head.as_ref().map(|head| head.rev);
        self.head = Some(Head { rev, block });
        let prev_data = (!self.legacy).then_some(prev_data);
        Ok((Unsent { did: self.did.clone(), rev, since, commit, prev_data, blocks, ops, legacy: self.legacy }, created))
    }

    /// The same tree under a new commit.
    pub(super) fn sign_again(&mut self, clock: &mut Clock) {
        if self.head.is_some() {
            let rev = clock.tid(self.clock_id);
            self.head = Some(Head { rev, block: commit::sign(&self.did, rev, &self.tree.root(), &self.key) });
        }
    }

    /// #sync at the newest commit.
    pub(super) fn sync(&self, seq: i64, time: &str) -> Option<Vec<u8>> {
        let head = self.head.as_ref()?;
        let cid = Cid::dag_cbor(&head.block);
        let blocks = car::write(&cid, [(cid, &head.block)]);
        Some(Frame::Sync(SyncFrame { seq, did: &self.did, rev: &head.rev.to_string(), blocks: &blocks, time }).encode())
    }

    fn put(&mut self, mut draft: Draft, clock: &mut Clock, created: &mut Vec<(&'static str, Target)>) -> anyhow::Result<Done> {
        let before =
            draft.rkey.as_deref().and_then(|rkey| self.held.iter().position(|h| h.collection == draft.collection && h.rkey == rkey));
        let rkey = draft.rkey.take().unwrap_or_else(|| self.new_key(clock));
        let record = draft.record.encode();
        let held = Held { collection: draft.collection, rkey, cid: Cid::dag_cbor(&record), kept: draft.kept.take().map(Box::new) };
        let (path, cid) = (held.path(), held.cid);
        self.tree.insert(&path, cid).with_context(|| format!("cannot write {path}"))?;
        let (answered_from, quoted_from) = (draft.answered_from, draft.quoted_from);
        let target = Target::new(self.index, held.uri(&self.did), cid, draft.root.clone());
        created.push((held.collection, Target { answered_from, quoted_from, ..target }));
        let prev = before.and_then(|at| self.held.get_mut(at)).map(|mine| std::mem::replace(mine, held.clone()).cid);
        if prev.is_none() {
            self.held.push(held);
            self.remember(draft);
        }
        Ok(Done { action: if prev.is_some() { "update" } else { "create" }, path, cid: Some(cid), prev, record })
    }

    fn delete(&mut self, held: &Held) -> anyhow::Result<Done> {
        let path = held.path();
        self.tree.remove(&path).with_context(|| format!("cannot delete {path}"))?;
        let at = self.held.iter().position(|h| h.collection == held.collection && h.rkey == held.rkey);
        at.map(|at| self.held.swap_remove(at));
        Ok(Done { action: "delete", path, cid: None, prev: Some(held.cid), record: Vec::new() })
    }

    fn remember(&mut self, draft: Draft) {
        if draft.is_edge() {
            self.edges.push_back(draft);
            if self.edges.len() > MAX_EDGES {
                self.edges.pop_front();
            }
        }
    }
}

impl Unsent {
    /// The #commit under this number.
    pub(super) fn frame(&self, seq: i64, time: &str) -> Vec<u8> {
        let op = |d: &'_ Done| d.prev.filter(|_| !self.legacy);
        let ops = self.ops.iter().map(|d| OpFrame { action: d.action, path: &d.path, cid: d.cid, prev: op(d) });
        Frame::Commit(CommitFrame {
            seq,
            repo: &self.did,
            rev: &self.rev.to_string(),
            since: self.since.map(|since| since.to_string()).as_deref(),
            commit: self.commit,
            prev_data: self.prev_data,
            blocks: &self.blocks,
            ops: ops.collect(),
            too_big: false,
            rebase: false,
            time,
        })
        .encode()
    }
}
