//! What goes in and what comes out: events of one partition, the same ready to be applied, and what an apply did.

use std::sync::Arc;

use super::item::Item;
use crate::db::alias::Alias;
use crate::queue::{Event, Position};

/// All events of one partition in (old, new], in their order.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The relay's host.
    pub source: Arc<str>,
    pub part: i32,
    /// Where the partition's offset must stand.
    pub old: Position,
    /// Where it stands after the batch.
    pub new: Position,
    pub events: Vec<Event>,
}

/// A batch with its rows built, valid for one life of one database server.
#[derive(Debug)]
pub struct Prepared {
    pub(super) source: Arc<str>,
    pub(super) part: i32,
    pub(super) old: Position,
    pub(super) new: Position,
    /// Of the server whose ids the items hold.
    pub(super) generation: u64,
    /// The record keys that are no TID, with the ids that the items hold for them.
    pub(super) keys: Vec<(Alias, i64)>,
    pub(super) items: Vec<Item>,
}

impl Prepared {
    /// How many events there are.
    #[must_use]
    pub fn events(&self) -> usize {
        self.items.len()
    }

    /// The relay's host.
    #[must_use]
    pub fn source(&self) -> &Arc<str> {
        &self.source
    }

    #[must_use]
    pub fn part(&self) -> i32 {
        self.part
    }

    /// Where the partition's offset must stand for the batch to be applied.
    #[must_use]
    pub fn old(&self) -> Position {
        self.old
    }

    /// Where it stands afterwards.
    #[must_use]
    pub fn reached(&self) -> Position {
        self.new
    }
}

/// Why batches were applied only in part: a commit of an account whose purge is not complete stands in the way.
#[derive(Debug, Clone)]
pub struct Purging {
    /// What was applied: every batch, those of `waiting` up to where they wait.
    pub applied: Applied,
    /// One for each batch that was cut.
    pub waiting: Vec<Waiting>,
}

/// A partition that waits for a purge.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// The relay's host.
    pub source: Arc<str>,
    pub part: i32,
    /// Where its offset stands now.
    pub reached: Position,
    /// The account whose purge it waits for.
    pub account: i32,
}

/// What the events of an apply came to; each field is a counter to be added up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Applied {
    pub events: u64,
    /// Commits that passed the rev gate.
    pub commits: u64,
    /// Commits and #syncs whose rev is not newer than the stored one: passed over.
    pub stale: u64,
    /// Commits of accounts that are deleted: not applied.
    pub of_deleted: u64,
    /// Commits whose rev is too far ahead of their time: their ops become dead letters.
    pub ahead: u64,
    /// Ops of applied commits, by what they came to.
    pub created: u64,
    pub updated: u64,
    pub deleted: u64,
    /// Deletes of a path that is not held.
    pub absent: u64,
    /// Ops on collections that are not indexed.
    pub ignored: u64,
    /// Record ops parked as dead letters, and those beyond a repo's daily number, of which only the count is kept.
    pub dead_letters: u64,
    pub dead_letters_dropped: u64,
    /// Commits without `prevData`, whose chain cannot be checked.
    pub legacy: u64,
    /// Commits whose `since` or `prevData` is not what is held.
    pub broken_chains: u64,
    /// Commits that ingest found at fault.
    pub faults: u64,
    /// Waiting replies that were looked at again.
    pub woken: u64,
    /// Accounts that are to be resolved from now on, some of them perhaps already before.
    pub identities: u64,
    /// #syncs that name another root than the one held.
    pub sync_moved: u64,
    /// #account events older than the status held: passed over.
    pub late_accounts: u64,
    pub rejects: u64,
    pub unreadable: u64,
    pub gaps: u64,
}

impl std::ops::AddAssign for Applied {
    fn add_assign(&mut self, other: Self) {
        self.events += other.events;
        self.commits += other.commits;
        self.stale += other.stale;
        self.of_deleted += other.of_deleted;
        self.ahead += other.ahead;
        self.created += other.created;
        self.updated += other.updated;
        self.deleted += other.deleted;
        self.absent += other.absent;
        self.ignored += other.ignored;
        self.dead_letters += other.dead_letters;
        self.dead_letters_dropped += other.dead_letters_dropped;
        self.legacy += other.legacy;
        self.broken_chains += other.broken_chains;
        self.faults += other.faults;
        self.woken += other.woken;
        self.identities += other.identities;
        self.sync_moved += other.sync_moved;
        self.late_accounts += other.late_accounts;
        self.rejects += other.rejects;
        self.unreadable += other.unreadable;
        self.gaps += other.gaps;
    }
}
