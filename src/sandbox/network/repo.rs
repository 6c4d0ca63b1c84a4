//! One account: its key, its repo with a real tree, and the frames of its commits. Knows nothing of other accounts.

use std::collections::VecDeque;

use anyhow::Context;
use fastrand::Rng;
use sha2::{Digest, Sha256};

use super::clock::Clock;
use super::records::Draft;
use super::target::Target;
use crate::atproto::commit;
use crate::atproto::crypto::SigningKey;
use crate::atproto::frame::{CommitFrame, Frame, OpFrame, SyncFrame};
use crate::atproto::mst::Tree;
use crate::atproto::{Cid, Tid, car};

/// Edges that can be repeated under another key.
const MAX_EDGES: usize = 20;
/// Every so many accounts live at a host of their own name.
const WEB_EVERY: usize = 25;
/// Every so many accounts live on a host that sends no `prevData` and no `prev`, as before sync v1.1.
const LEGACY_EVERY: usize = 40;

/// An account that has appeared.
#[derive(Debug)]
pub(super) struct Repo {
    pub did: String,
    pub active: bool,
    /// How often its handle changed.
    pub renamed: u32,
    key: SigningKey,
    legacy: bool,
    clock_id: u16,
    tree: Tree<'static>,
    head: Option<Head>,
    held: Vec<Held>,
    edges: VecDeque<Draft>,
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
    collection: &'static str,
    path: String,
    cid: Cid,
}

/// What is to be written in a commit.
#[derive(Debug)]
pub(super) enum Write {
    Create(Draft),
    Update(Held, Draft),
    Delete(Held),
}

/// A record that others may point at: its collection and its name.
type Created = (&'static str, Target);

/// A write as it was carried out.
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
    if renamed == 0 { format!("person{index}.sandbox.example") } else { format!("person{index}-{renamed}.sandbox.example") }
}

impl Repo {
    pub(super) fn new(seed: u64, index: usize) -> anyhow::Result<Self> {
        Ok(Self {
            did: did(seed, index),
            active: true,
            renamed: 0,
            key: key(seed, index)?,
            legacy: index % LEGACY_EVERY == LEGACY_EVERY - 1,
            clock_id: u16::try_from(index % 1024).unwrap_or(0),
            tree: Tree::new(),
            head: None,
            held: Vec::new(),
            edges: VecDeque::new(),
        })
    }

    /// A record that the repo holds, of `collection` where it is given.
    pub(super) fn held(&self, rng: &mut Rng, collection: Option<&str>) -> Option<Held> {
        match collection {
            None => rng.choice(&self.held).cloned(),
            Some(wanted) => rng.choice(self.held.iter().filter(|h| h.collection == wanted).collect::<Vec<_>>()).cloned(),
        }
    }

    /// An edge that was written not long ago.
    pub(super) fn edge(&self, rng: &mut Rng) -> Option<Draft> {
        rng.choice(&self.edges).cloned()
    }

    /// Carries out `writes` in one commit: its #commit frame, and the records that others may point at from now on.
    pub(super) fn commit(
        &mut self,
        seq: i64,
        time: &str,
        writes: Vec<Write>,
        clock: &mut Clock,
    ) -> anyhow::Result<(Vec<u8>, Vec<Created>)> {
        let prev_data = self.tree.root();
        let mut created = Vec::new();
        let mut done = Vec::new();
        for write in writes {
            done.push(self.write(write, clock, &mut created)?);
        }
        let (rev, data) = (clock.tid(self.clock_id), self.tree.root());
        let block = commit::sign(&self.did, rev, &data, &self.key);
        let cid = Cid::dag_cbor(&block);
        let paths: Vec<_> = done.iter().map(|d| d.path.as_str()).collect();
        let proof = self.tree.proof(&paths).context("no proof for a commit")?;
        let records = done.iter().filter_map(|d| Some((d.cid?, d.record.clone())));
        let blocks = car::write(&cid, std::iter::once((cid, block.clone())).chain(proof).chain(records));
        let since = self.head.as_ref().map(|head| head.rev.to_string());
        let frame = Frame::Commit(CommitFrame {
            seq,
            repo: &self.did,
            rev: &rev.to_string(),
            since: since.as_deref(),
            commit: cid,
            prev_data: (!self.legacy).then_some(prev_data),
            blocks: &blocks,
            ops: done.iter().map(|d| d.op(self.legacy)).collect(),
            too_big: false,
            rebase: false,
            time,
        })
        .encode();
        self.head = Some(Head { rev, block });
        Ok((frame, created))
    }

    /// #sync at the newest commit.
    pub(super) fn sync(&self, seq: i64, time: &str) -> Option<Vec<u8>> {
        let head = self.head.as_ref()?;
        let cid = Cid::dag_cbor(&head.block);
        let blocks = car::write(&cid, [(cid, &head.block)]);
        Some(Frame::Sync(SyncFrame { seq, did: &self.did, rev: &head.rev.to_string(), blocks: &blocks, time }).encode())
    }

    fn write(&mut self, write: Write, clock: &mut Clock, created: &mut Vec<Created>) -> anyhow::Result<Done> {
        match write {
            Write::Create(draft) => {
                let path = format!("{}/{}", draft.collection, self.key_of(&draft, clock));
                let record = draft.record.encode();
                let cid = Cid::dag_cbor(&record);
                self.tree.insert(&path, cid).with_context(|| format!("cannot create {path}"))?;
                self.held.push(Held { collection: draft.collection, path: path.clone(), cid });
                created.push((draft.collection, Target { uri: format!("at://{}/{path}", self.did), cid, root: draft.root.clone() }));
                self.remember(draft);
                Ok(Done { action: "create", path, cid: Some(cid), prev: None, record })
            }
            Write::Update(held, draft) => {
                let record = draft.record.encode();
                let cid = Cid::dag_cbor(&record);
                self.tree.insert(&held.path, cid).with_context(|| format!("cannot update {}", held.path))?;
                for mine in self.held.iter_mut().filter(|h| h.path == held.path) {
                    mine.cid = cid;
                }
                created.push((held.collection, Target { uri: format!("at://{}/{}", self.did, held.path), cid, root: draft.root }));
                Ok(Done { action: "update", path: held.path, cid: Some(cid), prev: Some(held.cid), record })
            }
            Write::Delete(held) => {
                self.tree.remove(&held.path).with_context(|| format!("cannot delete {}", held.path))?;
                self.held.retain(|h| h.path != held.path);
                Ok(Done { action: "delete", path: held.path, cid: None, prev: Some(held.cid), record: Vec::new() })
            }
        }
    }

    /// The key of a new record: a TID but for the few collections that have others.
    fn key_of(&self, draft: &Draft, clock: &mut Clock) -> String {
        let tid = clock.tid(self.clock_id).to_string();
        match draft.collection {
            "app.bsky.actor.profile" => "self".to_owned(),
            "app.bsky.feed.generator" => format!("feed-{tid}"),
            _ => tid,
        }
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

impl Done {
    fn op(&self, legacy: bool) -> OpFrame<'_> {
        OpFrame { action: self.action, path: &self.path, cid: self.cid, prev: self.prev.filter(|_| !legacy) }
    }
}
