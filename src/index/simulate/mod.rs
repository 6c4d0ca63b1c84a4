//! The events played in memory, in their order, against the settled state of everything they touch. Pure: what was read goes in, the net
//! difference comes out; never SQL, never a clock.

mod arrivals;
mod counts;
mod derived;
mod edges;
mod gates;
mod identities;
mod joins;
mod kept;
mod letters;
mod notifs;
mod pending;
mod posts;
mod repos;
mod threads;

pub(super) use counts::{Counts, subject_of, subject_post};
pub(super) use edges::{EdgeSlot, Edges};
pub(super) use gates::{Gates, following, membership, own_lists};
pub(super) use identities::Identities;
pub(super) use joins::Joins;
pub(super) use kept::{Kept, Now};
pub(super) use letters::{Letters, day};
pub(super) use notifs::Notifs;
pub(super) use pending::Waiting;
pub(super) use posts::{PostSlot, Posts};
pub(super) use repos::Repos;
pub(super) use threads::MAX_HEIGHT;

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::item::{Body, Commit, Item, RecordOp, Row, Verdict};
use super::{Applied, IndexError};
use crate::collection::{self, Coll, Derived, EdgeKind, FLAG_RAW};
use crate::db::dead_letter::Letter;
use crate::db::record::Path;
use crate::db::repo::Status;
use crate::queue::Action;

/// How far a rev may be ahead of indexedAt, in microseconds: a later one would block its repo until its time has come.
pub(super) const MAX_AHEAD: i64 = 5 * 60 * 1_000_000;

/// What becomes of ops that the database refused: by the numbers of event and op.
pub(super) type Refused = BTreeMap<(usize, usize), Refusal>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It becomes a dead letter for this reason.
    Dead(String),
    /// It is left out, to find out whether another one is to blame.
    Skip,
}

/// A value as it was read, and as it is now.
#[derive(Debug, Clone)]
pub(super) struct Slot<T> {
    pub before: Option<T>,
    pub now: Option<T>,
}

/// Nothing was there, nothing is.
impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self { before: None, now: None }
    }
}

impl<T: Clone> Slot<T> {
    pub fn held(value: T) -> Self {
        Self { before: Some(value.clone()), now: Some(value) }
    }
}

/// Everything that a transaction touches.
#[derive(Debug, Default)]
pub(super) struct World<'a> {
    pub repos: Repos,
    pub edges: Edges<'a>,
    pub posts: Posts<'a>,
    pub kept: Kept<'a>,
    pub counts: Counts,
    pub gates: Gates,
    pub joins: Joins,
    pub notifs: Notifs,
    pub waiting: Waiting,
    pub letters: Letters,
    pub identities: Identities,
    pub applied: Applied,
}

/// The protocol's word for an action.
fn word(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Update => "update",
        Action::Delete => "delete",
    }
}

/// Where an op comes from, for a dead letter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin<'a> {
    pub item: &'a Item,
    pub account: i32,
    pub commit: &'a Commit,
}

impl<'a> World<'a> {
    /// The account whose purge must be complete before `item` is played.
    pub fn waits_for(&mut self, item: &Item) -> Option<i32> {
        let (Body::Commit(commit), Some(account)) = (&item.body, item.account) else { return None };
        let applies = !self.repos.is_deleted(account) && !self.repos.is_stale(account, commit.rev);
        (applies && self.repos.is_purged(account)).then_some(account)
    }

    /// What was done, with the accounts that are to be resolved because of it.
    pub fn outcome(self) -> Applied {
        let identities = self.identities.with_event().len() + self.identities.without_event(&self.repos).len();
        Applied { identities: u64::try_from(identities).unwrap_or(0), ..self.applied }
    }

    /// Plays one event; `number` is its number in `refused`.
    pub fn play(&mut self, item: &'a Item, number: usize, refused: &Refused) -> Result<(), IndexError> {
        self.applied.events += 1;
        let Some(account) = item.account else {
            match item.body {
                Body::Gap { .. } => self.applied.gaps += 1,
                _ => self.applied.unreadable += 1,
            }
            return Ok(());
        };
        match &item.body {
            Body::Commit(commit) => return self.commit(Origin { item, account, commit }, number, refused),
            Body::Sync { rev, data } => self.repos.sync(account, *rev, data, &mut self.applied),
            Body::Identity { handle } => {
                self.repos.identity(account, handle.as_deref());
                self.identities.event(account);
            }
            Body::Account { status } => {
                self.repos.status(account, *status, item.time, &mut self.applied);
                if *status == Status::Active {
                    self.identities.active(account);
                }
            }
            Body::Reject { reason, .. } => {
                self.applied.rejects += 1;
                self.repos.desynchronize(account, reason);
            }
            Body::Unreadable { .. } => self.applied.unreadable += 1,
            Body::Gap { .. } => self.applied.gaps += 1,
        }
        Ok(())
    }

    fn commit(&mut self, origin: Origin<'a>, number: usize, refused: &Refused) -> Result<(), IndexError> {
        if self.repos.is_deleted(origin.account) {
            self.applied.of_deleted += 1;
            return Ok(());
        }
        let ahead = origin.commit.rev.micros().saturating_sub(origin.item.time) > MAX_AHEAD;
        if self.repos.is_stale(origin.account, origin.commit.rev) {
            self.applied.stale += 1;
            return Ok(());
        }
        if ahead {
            self.applied.ahead += 1;
            for op in origin.commit.ops.iter().filter(|op| op.verdict.path().is_some()) {
                self.bury(origin, op, "the commit's rev is over 5 minutes ahead of its time");
            }
            return Ok(());
        }
        self.repos.commit(origin.account, origin.commit, &mut self.applied);
        for (at, op) in origin.commit.ops.iter().enumerate() {
            match refused.get(&(number, at)) {
                Some(Refusal::Skip) => {}
                Some(Refusal::Dead(reason)) => self.kill(origin, op, reason),
                None => self.op(origin, op)?,
            }
        }
        self.settle_arrivals(origin.item.time);
        Ok(())
    }

    fn op(&mut self, origin: Origin<'a>, op: &'a RecordOp) -> Result<(), IndexError> {
        match &op.verdict {
            Verdict::Put(..) | Verdict::Delete(_) => self.perform(origin.account, op, origin.item.time)?,
            Verdict::Dead(_, reason) => self.kill(origin, op, reason),
            Verdict::Ignored => self.applied.ignored += 1,
        }
        Ok(())
    }

    /// Puts or deletes the record of an op that is neither dead nor ignored; the letter of its path goes. `time`: the event's indexedAt. What
    /// posts derive from others is left for [`Self::settle_arrivals`].
    pub fn perform(&mut self, account: i32, op: &'a RecordOp, time: i64) -> Result<(), IndexError> {
        self.letters.remove(account, op.collection.as_str(), op.rkey.as_str());
        match &op.verdict {
            Verdict::Put(path, row) => {
                let held = self.holds(*path);
                self.put(*path, row, &op.record, time)?;
                *(if held { &mut self.applied.updated } else { &mut self.applied.created }) += 1;
            }
            Verdict::Delete(path) => {
                let held = self.holds(*path);
                self.remove(*path, time);
                *(if held { &mut self.applied.deleted } else { &mut self.applied.absent }) += 1;
            }
            Verdict::Dead(..) | Verdict::Ignored => {}
        }
        Ok(())
    }

    /// A record that cannot be indexed: what stood on its path goes, since the repo does not hold it any more.
    fn kill(&mut self, origin: Origin<'a>, op: &RecordOp, reason: &str) {
        if let Some(path) = op.verdict.path() {
            self.remove(path, origin.item.time);
        }
        self.bury(origin, op, reason);
    }

    fn bury(&mut self, origin: Origin<'a>, op: &RecordOp, reason: &str) {
        let letter = Letter {
            account: origin.account,
            coll: op.collection.as_str().to_owned(),
            rkey: op.rkey.as_str().to_owned(),
            action: word(op.action).to_owned(),
            rev: origin.commit.rev,
            seq: origin.item.at.seq,
            time: origin.item.time,
            cid: op.cid,
            reason: reason.to_owned(),
            record: op.record.clone(),
        };
        self.letters.add(letter, &mut self.applied);
    }

    fn holds(&self, path: Path) -> bool {
        self.kept.holds(path) || self.posts.holds(path) || EdgeKind::of(path.coll).is_some_and(|kind| self.edges.holds(kind, path.at))
    }

    /// Puts a record in place of what stands on its path.
    pub fn put(&mut self, path: Path, row: &'a Row, record: &[u8], time: i64) -> Result<(), IndexError> {
        match row {
            Row::Edge { kind, edge, cid, raw } => {
                self.kept.remove(path);
                let (mut edge, mut raw) = (*edge, raw.as_deref().map(Cow::Borrowed));
                let named = self.counts.name(*kind, &edge, cid.as_ref());
                if raw.is_none() && !named {
                    edge.flags |= FLAG_RAW;
                    raw = Some(Cow::Owned(collection::pack(record).map_err(|e| IndexError::Other(e.to_string()))?));
                }
                let before = self.verifies(path);
                self.edges.put(*kind, edge, raw, &mut self.counts);
                self.verified(path.at, before, self.verifies(path), time);
            }
            Row::Post(stored) => {
                self.kept.remove(path);
                self.waiting.set(path.at, None);
                self.posts.put(stored, &mut self.counts);
            }
            Row::Whole { packed, derived } => {
                self.clear(path, time);
                self.kept.put(path, packed);
                self.derive(path, derived, time);
            }
        }
        Ok(())
    }

    fn remove(&mut self, path: Path, time: i64) {
        self.clear(path, time);
        self.derive(path, &Derived::Nothing, time);
    }

    /// Takes away what stands on a path, but for what a whole record derives.
    fn clear(&mut self, path: Path, time: i64) {
        self.kept.remove(path);
        if path.coll == Coll::POST {
            self.forget_post(path.at);
        }
        self.posts.remove(path, &mut self.counts);
        if let Some(kind) = EdgeKind::of(path.coll) {
            let before = self.verifies(path);
            self.edges.remove(kind, path.at, &mut self.counts);
            self.verified(path.at, before, None, time);
        }
    }

    /// The account that the verification on this path is of.
    fn verifies(&self, path: Path) -> Option<i32> {
        (path.coll == Coll::VERIFICATION).then(|| self.edges.get(EdgeKind::Verification, path.at).map(|edge| edge.sa))?
    }
}
