//! Repos: the rev gate, the chain of commits, what is shown. Never looks at a record.

use std::collections::HashMap;

use super::Slot;
use crate::atproto::mst::EMPTY_ROOT;
use crate::atproto::{Cid, Tid};
use crate::db::repo::{Repo, Status};
use crate::index::Applied;
use crate::index::item::Commit;

/// Every repo that an event is of.
#[derive(Debug, Default)]
pub(in crate::index) struct Repos(pub HashMap<i32, Slot<Repo>>);

impl Repos {
    fn of(&mut self, account: i32) -> &mut Repo {
        self.0.entry(account).or_default().now.get_or_insert_default()
    }

    fn now(&self, account: i32) -> Option<&Repo> {
        self.0.get(&account)?.now.as_ref()
    }

    /// Whether `rev` is not newer than what is applied; a repo that was never seen gets its row by being asked for.
    pub fn is_stale(&mut self, account: i32, rev: Tid) -> bool {
        self.of(account).rev.is_some_and(|held| rev <= held)
    }

    /// Marks a repo as not whole; the first reason stays.
    pub fn desynchronize(&mut self, account: i32, reason: &str) {
        self.of(account).fault.get_or_insert_with(|| reason.to_owned());
    }

    /// Whether the account is deleted: its commits are not applied.
    pub fn is_deleted(&self, account: i32) -> bool {
        self.now(account).is_some_and(|repo| repo.status == Status::Deleted)
    }

    /// Whether rows of the account are still to be removed.
    pub fn is_purged(&self, account: i32) -> bool {
        self.now(account).is_some_and(|repo| repo.purge)
    }

    /// Moves a repo to a commit that passed the gate. The chain is held against what is known: a repo without a root, new or begun
    /// anew after a deletion, cannot break it.
    pub fn commit(&mut self, account: i32, commit: &Commit, applied: &mut Applied) {
        applied.commits += 1;
        let repo = self.of(account);
        match (&commit.prev_data, &repo.data) {
            (None, _) => applied.legacy += 1,
            (Some(prev), Some(held)) if commit.since != repo.rev || prev != held => {
                applied.broken_chains += 1;
                repo.fault.get_or_insert_with(|| "a commit does not follow the one before it".to_owned());
            }
            _ => {}
        }
        if let Some(fault) = &commit.fault {
            applied.faults += 1;
            repo.fault.get_or_insert_with(|| fault.clone());
        }
        (repo.rev, repo.data) = (Some(commit.rev), Some(commit.data));
    }

    /// #sync: the same root only moves the rev; another one says that operations are missing, and leaves rev and root at what is applied.
    /// A repo of which nothing is known is held to be empty, as new ones are.
    pub fn sync(&mut self, account: i32, rev: Tid, data: &Cid, applied: &mut Applied) {
        if self.is_stale(account, rev) {
            applied.stale += 1;
            return;
        }
        let repo = self.of(account);
        if repo.data.unwrap_or(*EMPTY_ROOT) == *data {
            (repo.rev, repo.data) = (Some(rev), Some(*data));
        } else {
            applied.sync_moved += 1;
            repo.fault.get_or_insert_with(|| "#sync names another state".to_owned());
        }
    }

    /// #identity: the handle, unchecked; an event without one says nothing about it.
    pub fn identity(&mut self, account: i32, handle: Option<&str>) {
        let repo = self.of(account);
        if let Some(handle) = handle {
            repo.handle = Some(handle.to_owned());
        }
    }

    /// #account: the newest by the event's own time holds, since sources and renumbered relays repeat old ones. A deletion ends the repo:
    /// its rev stays, so that old commits stay behind the gate, and what comes after has no chain to continue.
    pub fn status(&mut self, account: i32, status: Status, time: i64, applied: &mut Applied) {
        let repo = self.of(account);
        if repo.status_time.is_some_and(|held| time < held) {
            applied.late_accounts += 1;
        } else {
            (repo.status, repo.status_time) = (status, Some(time));
            if status == Status::Deleted {
                (repo.data, repo.fault, repo.purge) = (None, None, true);
            }
        }
    }
}
