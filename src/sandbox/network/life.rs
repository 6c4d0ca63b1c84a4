//! How accounts come and go: they appear, change their names, leave, come back, and are born again.

use super::super::directory;
use super::records::{self, Profile};
use super::repo::{self, Repo, Standing, Write};
use super::{ATTEMPTS, Network};
use crate::atproto::frame::{AccountFrame, Frame, IdentityFrame};

/// Every so many accounts have no handle that their host knows.
const NAMELESS_EVERY: usize = 23;
/// Handles given up that may be taken by others.
const MAX_FREE: usize = 20;
/// Words for why an account is away: those of the lexicon, and one of a later time.
const AWAY: [&str; 8] = ["deactivated", "deactivated", "takendown", "takendown", "suspended", "throttled", "desynchronized", "hibernating"];

impl Network {
    /// An account is there for the first time, with a profile.
    pub(super) fn appear(&mut self, account: usize) -> anyhow::Result<()> {
        let mut repo = Repo::new(self.seed, account)?;
        repo.handle = (account % NAMELESS_EVERY != NAMELESS_EVERY - 1).then(|| repo::handle(account, 0));
        self.repos.insert(account, repo);
        self.begin(account)
    }

    /// #identity, #account and the first commit of a repo.
    fn begin(&mut self, account: usize) -> anyhow::Result<()> {
        self.identity(account);
        self.account(account, Standing::Active, None);
        let created = self.created();
        let joined = self.targets.pack(&mut self.rng).filter(|_| self.rng.u32(0..12) == 0).map(super::target::Target::strong_ref);
        let name = format!("Person {account}");
        let profile = records::profile(&name, Profile { joined, pinned: None }, &mut self.rng, &created);
        self.commit(account, vec![Write::Put(profile)])
    }

    /// An account goes away. Those who are known by many are not deleted: too much would depend on when.
    pub(super) fn leave(&mut self, account: usize) {
        let deletes = if self.habits.dense { 3 } else { 6 };
        if account > self.accounts / 2 && self.rng.u32(0..deletes) == 0 {
            self.targets.forget_author(account);
            self.wishes.forget_author(account);
            return self.account(account, Standing::Deleted, Some("deleted"));
        }
        let word = self.rng.choice(AWAY).filter(|_| self.rng.u32(0..12) > 0);
        self.account(account, Standing::Away, word);
    }

    /// An account is active again: one that was deleted begins anew, with an empty repo.
    pub(super) fn come_back(&mut self, account: usize) -> anyhow::Result<()> {
        let Some(repo) = self.repos.get_mut(&account) else { return Ok(()) };
        if repo.standing == Standing::Deleted {
            repo.begin_anew();
            return self.begin(account);
        }
        self.identity(account);
        self.account(account, Standing::Active, None);
        self.sync(account)
    }

    /// A new handle; now and then one that somebody else had.
    pub(super) fn change_handle(&mut self, account: usize) {
        let taken = if self.rng.u32(0..4) == 0 { self.free_handles.pop() } else { None };
        let Some(repo) = self.repos.get_mut(&account) else { return };
        repo.renamed += 1;
        let handle = taken.unwrap_or_else(|| repo::handle(account, repo.renamed));
        if let Some(old) = repo.handle.replace(handle)
            && self.free_handles.len() < MAX_FREE
        {
            self.free_handles.push(old);
        }
        self.identity(account);
    }

    /// #sync: at the commit that everybody knows, or at a new one of the same tree; where rare things are frequent, also at a tree whose
    /// last operations were lost.
    pub(super) fn sync(&mut self, account: usize) -> anyhow::Result<()> {
        let lost = self.habits.dense && self.rng.u32(0..4) == 0;
        if lost && let Some(repo) = self.repos.get_mut(&account) {
            repo.commit(vec![Write::Put(records::foreign(&mut self.rng))], &mut self.clock)?;
        } else if self.rng.bool()
            && let Some(repo) = self.repos.get_mut(&account)
        {
            repo.sign_again(&mut self.clock);
        }
        let (seq, time) = (self.seq + 1, self.clock.time());
        if let Some(frame) = self.repos.get(&account).and_then(|repo| repo.sync(seq, &time)) {
            self.emit(frame);
        }
        Ok(())
    }

    fn identity(&mut self, account: usize) {
        let Some(repo) = self.repos.get(&account) else { return };
        if let Some(directory) = &self.directory {
            directory.set(&repo.did, directory::Account::new(repo.handle.as_deref(), repo.public_key()));
            directory.entrust(&repo.did, repo.secret_key());
        }
        let frame = IdentityFrame { seq: self.seq + 1, did: &repo.did, time: &self.clock.time(), handle: repo.handle.as_deref() };
        let frame = Frame::Identity(frame).encode();
        self.emit(frame);
    }

    fn account(&mut self, account: usize, standing: Standing, status: Option<&str>) {
        let Some(repo) = self.repos.get_mut(&account) else { return };
        repo.standing = standing;
        let active = standing == Standing::Active;
        let frame = AccountFrame { seq: self.seq + 1, did: &repo.did, time: &self.clock.time(), active, status };
        let frame = Frame::Account(frame).encode();
        self.emit(frame);
    }

    /// An account, another one than `account`, that was there before.
    pub(super) fn present(&mut self, account: usize) -> Option<usize> {
        (0..ATTEMPTS).find_map(|_| self.somebody_else(account).filter(|other| self.repos.contains_key(other)))
    }
}
