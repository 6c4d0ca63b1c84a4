//! The people of the sandbox: who they are, what they do, and the frames that a relay sends of it.

mod act;
mod clock;
mod life;
mod records;
mod repo;
mod target;
mod thread;
mod whole;
mod wish;
mod words;
mod writing;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use fastrand::Rng;

use self::act::Act;
use self::clock::Clock;
use self::repo::{Repo, Standing, Unsent, Write};
use self::target::Targets;
use self::wish::Wishes;
use super::directory::Directory;
use crate::atproto::Cid;
use crate::atproto::crypto::SigningKey;

pub use self::clock::BEGINNING;

/// Most time between two events, in microseconds.
const MAX_PAUSE: i64 = 20_000;
/// Attempts to find somebody or something that fits, before something else is done.
const ATTEMPTS: usize = 4;
/// Most events by which a late commit comes after those who answer it.
const MAX_LATE: i64 = 30;
/// Acts in a row that lead to no message, before a late commit arrives early: all who could act may be waiting for theirs.
const MAX_IDLE: usize = 16;
/// Events between two things of which the order matters to an index, where a network keeps them apart.
const APART: i64 = 3000;

/// One message of the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    pub seq: i64,
    pub frame: Vec<u8>,
}

/// How the people of a network are.
#[derive(Debug, Clone, Copy)]
struct Habits {
    /// Rare things are done often.
    dense: bool,
    /// Events between two things of different repos whose order matters: a gate that changes and the next reply to its post, an answered
    /// post and its delete. 0 = nothing is kept apart.
    apart: i64,
}

/// A network of a number of accounts. The same seed gives the same frames, byte for byte.
#[derive(Debug)]
pub struct Network {
    seed: u64,
    accounts: usize,
    habits: Habits,
    rng: Rng,
    clock: Clock,
    seq: i64,
    repos: HashMap<usize, Repo>,
    targets: Targets,
    /// Hashes of the addresses of posts that have been answered.
    answered: HashSet<u64>,
    wishes: Wishes,
    /// Commits that are still on their way, by the number at which they arrive.
    late: VecDeque<Late>,
    /// Handles that nobody has any more.
    free_handles: Vec<String>,
    ready: VecDeque<Made>,
    invalid: HashSet<Cid>,
    /// Told of each account before its #identity.
    directory: Option<Arc<Directory>>,
}

#[derive(Debug)]
struct Late {
    due: i64,
    account: usize,
    commit: Unsent,
}

impl Network {
    /// A network that begins at [`BEGINNING`] with sequence number 1; at least one account. What depends on the order between repos is kept
    /// apart as far as people can.
    #[must_use]
    pub fn new(seed: u64, accounts: usize) -> Self {
        Self::beginning_at(seed, accounts, BEGINNING)
    }

    /// The same with another time, in microseconds since 1970, at which it begins.
    #[must_use]
    pub fn beginning_at(seed: u64, accounts: usize, micros: i64) -> Self {
        Self {
            seed,
            accounts: accounts.max(1),
            habits: Habits { dense: false, apart: APART },
            rng: Rng::with_seed(seed),
            clock: Clock::new(micros),
            seq: 0,
            repos: HashMap::new(),
            targets: Targets::default(),
            answered: HashSet::new(),
            wishes: Wishes::default(),
            late: VecDeque::new(),
            free_handles: Vec::new(),
            ready: VecDeque::new(),
            invalid: HashSet::new(),
            directory: None,
        }
    }

    /// The same people do the rare things often: a thousand events hold nearly everything that there is.
    #[must_use]
    pub fn dense(mut self) -> Self {
        self.habits.dense = true;
        self
    }

    /// The same people keep nothing apart: gates change while threads go on, answered posts are deleted. For those who read every event in
    /// the order of the stream.
    #[must_use]
    pub fn tangled(mut self) -> Self {
        self.habits.apart = 0;
        self
    }

    /// The same people tell `directory` who they are.
    #[must_use]
    pub fn known_to(mut self, directory: Arc<Directory>) -> Self {
        // Nobody acts for the service: its key is there because every account has one.
        if let Ok(key) = repo::key(self.seed, self.accounts) {
            directory.add_feeds(key.multibase());
        }
        self.directory = Some(directory);
        self
    }

    /// The feed generator hears of feeds and posts.
    fn tell_feeds(&self, collection: &str, uri: &str) {
        let Some(directory) = &self.directory else { return };
        match collection {
            "app.bsky.feed.generator" => directory.feeds.offer(uri),
            "app.bsky.feed.post" => directory.feeds.post(uri),
            _ => {}
        }
    }

    /// The DID of an account, whether it has appeared or not.
    #[must_use]
    pub fn did(&self, account: usize) -> String {
        repo::did(self.seed, account)
    }

    /// The key with which an account signs.
    ///
    /// # Errors
    /// A seed that gives no key, which cannot be found.
    pub fn signing_key(&self, account: usize) -> anyhow::Result<SigningKey> {
        repo::key(self.seed, account)
    }

    /// CIDs of the records that their lexicons do not allow, so far.
    #[must_use]
    pub fn invalid(&self) -> &HashSet<Cid> {
        &self.invalid
    }

    /// The next message.
    ///
    /// # Errors
    /// A repo that cannot be built: a fault of the sandbox itself.
    pub fn next_event(&mut self) -> anyhow::Result<Made> {
        let mut idle = 0;
        loop {
            if let Some(made) = self.ready.pop_front() {
                return Ok(made);
            }
            self.clock.advance(self.rng.i64(500..MAX_PAUSE));
            if self.late.front().is_some_and(|late| late.due <= self.seq || idle >= MAX_IDLE) {
                self.arrive();
            } else {
                self.act()?;
                idle += 1;
            }
        }
    }

    /// Somebody does something; its messages become ready. Nothing happens where whoever it would be waits for a late commit.
    fn act(&mut self) -> anyhow::Result<()> {
        if let Some(wish) = self.wishes.due(self.seq) {
            return self.grant(&wish);
        }
        let account = self.someone();
        let Some(repo) = self.repos.get(&account) else { return self.appear(account) };
        match repo.standing {
            _ if repo.silent => return Ok(()),
            Standing::Deleted if self.rng.bool() => return Ok(()),
            Standing::Away | Standing::Deleted if self.rng.u32(0..3) > 0 => return self.come_back(account),
            _ => {}
        }
        let (active, full) = (repo.standing == Standing::Active, repo.is_full());
        let act = if full { Act::Delete } else { Act::choose(self.habits.dense, &mut self.rng) };
        match act {
            Act::Leave | Act::LatePost if !active => {}
            Act::ChangeHandle => self.change_handle(account),
            Act::Leave => self.leave(account),
            Act::Sync => self.sync(account)?,
            Act::LatePost => self.late_post(account)?,
            act => {
                let writes = self.writes(account, act);
                self.commit(account, writes)?;
            }
        }
        Ok(())
    }

    /// An account; the first ones far more often.
    fn someone(&mut self) -> usize {
        let n = self.accounts;
        self.rng.usize(0..n).min(self.rng.usize(0..n))
    }

    /// An account to follow or to mention: a few are followed by many.
    fn somebody_known(&mut self) -> usize {
        let few = self.accounts.min(self.accounts / 20 + 1);
        if self.rng.bool() { self.rng.usize(0..few) } else { self.rng.usize(0..self.accounts) }
    }

    /// Somebody other than `account`.
    fn somebody_else(&mut self, account: usize) -> Option<usize> {
        (0..ATTEMPTS).map(|_| self.somebody_known()).find(|other| *other != account)
    }

    /// One commit of these writes, sent at once.
    fn commit(&mut self, account: usize, writes: Vec<Write>) -> anyhow::Result<()> {
        if let Some(commit) = self.carry_out(account, writes)? {
            let frame = commit.frame(self.seq + 1, &self.clock.time());
            self.emit(frame);
        }
        Ok(())
    }

    /// One commit of these writes, not yet sent; the others can already point at what it holds, unless the account is deleted.
    fn carry_out(&mut self, account: usize, writes: Vec<Write>) -> anyhow::Result<Option<Unsent>> {
        let Some(repo) = self.repos.get_mut(&account) else { return Ok(None) };
        let (commit, created) = repo.commit(writes, &mut self.clock)?;
        let seen = repo.standing != Standing::Deleted;
        for (collection, target) in created.into_iter().filter(|_| seen) {
            if !self.invalid.contains(&target.cid) {
                self.tell_feeds(collection, &target.uri);
                self.targets.remember(collection, target, &mut self.rng);
            }
        }
        Ok(Some(commit))
    }

    /// Keeps a commit back, while its account says nothing.
    fn delay(&mut self, account: usize, commit: Unsent) {
        if let Some(repo) = self.repos.get_mut(&account) {
            repo.silent = true;
            let due = self.seq + self.rng.i64(3..MAX_LATE);
            let at = self.late.partition_point(|late| late.due <= due);
            self.late.insert(at, Late { due, account, commit });
        }
    }

    /// The commit that is due first arrives.
    fn arrive(&mut self) {
        let Some(Late { account, commit, .. }) = self.late.pop_front() else { return };
        if let Some(repo) = self.repos.get_mut(&account) {
            repo.silent = false;
        }
        let frame = commit.frame(self.seq + 1, &self.clock.time());
        self.emit(frame);
    }

    fn emit(&mut self, frame: Vec<u8>) {
        self.seq += 1;
        self.ready.push_back(Made { seq: self.seq, frame });
    }
}
