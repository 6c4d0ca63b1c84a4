//! The people of the sandbox: who they are, what they do, and the frames that a relay sends of it.

mod act;
mod clock;
mod records;
mod repo;
mod target;
mod words;

use std::collections::{HashMap, HashSet, VecDeque};

use fastrand::Rng;

use self::act::Act;
use self::clock::Clock;
use self::records::Draft;
use self::repo::{Repo, Write};
use self::target::Targets;
use crate::atproto::crypto::SigningKey;
use crate::atproto::frame::{AccountFrame, Frame, IdentityFrame};
use crate::atproto::{Cid, datetime};

pub use self::clock::BEGINNING;

/// Most time between two events, in microseconds.
const MAX_PAUSE: i64 = 20_000;
/// Attempts to find somebody who can do what was chosen, before a plain post is written instead.
const ATTEMPTS: usize = 4;

/// One message of the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    pub seq: i64,
    pub frame: Vec<u8>,
}

/// A network of a number of accounts. The same seed gives the same frames.
#[derive(Debug)]
pub struct Network {
    seed: u64,
    accounts: usize,
    rng: Rng,
    clock: Clock,
    seq: i64,
    repos: HashMap<usize, Repo>,
    targets: Targets,
    ready: VecDeque<Made>,
    invalid: HashSet<Cid>,
}

impl Network {
    /// A network that begins at [`BEGINNING`] with sequence number 1; at least one account.
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
            rng: Rng::with_seed(seed),
            clock: Clock::new(micros),
            seq: 0,
            repos: HashMap::new(),
            targets: Targets::default(),
            ready: VecDeque::new(),
            invalid: HashSet::new(),
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
        loop {
            if let Some(made) = self.ready.pop_front() {
                return Ok(made);
            }
            self.clock.advance(self.rng.i64(500..MAX_PAUSE));
            self.act()?;
        }
    }

    /// Somebody does something; its messages become ready.
    fn act(&mut self) -> anyhow::Result<()> {
        let account = self.someone();
        if !self.repos.contains_key(&account) {
            return self.appear(account);
        }
        if self.repos.get(&account).is_some_and(|repo| !repo.active) && self.rng.u32(0..3) > 0 {
            self.come_back(account);
            return Ok(());
        }
        match Act::choose(&mut self.rng) {
            Act::ChangeHandle => self.identity(account, true),
            Act::Deactivate => self.leave(account),
            Act::Sync => self.sync(account),
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

    fn appear(&mut self, account: usize) -> anyhow::Result<()> {
        self.repos.insert(account, Repo::new(self.seed, account)?);
        self.identity(account, false);
        self.account(account, None);
        let profile = records::profile(&repo::handle(account, 0), &mut self.rng, &self.clock.time());
        self.commit(account, vec![Write::Create(profile)])
    }

    fn leave(&mut self, account: usize) {
        let statuses = ["deactivated", "takendown", "suspended"];
        let status = self.rng.choice(statuses).unwrap_or("deactivated");
        self.account(account, Some(status));
    }

    fn come_back(&mut self, account: usize) {
        self.identity(account, false);
        self.account(account, None);
        self.sync(account);
    }

    /// What `act` writes to the account's repo; a post where it is not possible.
    fn writes(&mut self, account: usize, act: Act) -> Vec<Write> {
        let created = datetime::format_micros(self.clock.micros() - self.rng.i64(1..400_000));
        let wanted = match act {
            Act::Several => (0..self.rng.usize(2..6)).filter_map(|_| self.several(account, &created)).collect(),
            _ => self.write(account, act, &created).into_iter().collect::<Vec<_>>(),
        };
        if wanted.is_empty() { vec![Write::Create(self.post(&created))] } else { wanted }
    }

    /// One of several writes of a commit: no deletes and updates, since two on one path would make the commit wrong.
    fn several(&mut self, account: usize, created: &str) -> Option<Write> {
        let acts = [Act::Like, Act::Post, Act::Follow, Act::Other];
        let act = self.rng.choice(acts)?;
        self.write(account, act, created)
    }

    fn write(&mut self, account: usize, act: Act, created: &str) -> Option<Write> {
        let (targets, rng) = (&self.targets, &mut self.rng);
        let draft = match act {
            Act::Like => {
                let via = targets.repost(rng).filter(|_| rng.u32(0..100) < 17);
                records::like(targets.likable(rng)?, via, created)
            }
            Act::Repost => {
                let via = targets.repost(rng).filter(|_| rng.u32(0..100) < 40);
                records::repost(targets.post(rng)?, via, created)
            }
            Act::Follow | Act::Block => {
                let subject = (0..ATTEMPTS).map(|_| self.somebody_known()).find(|s| *s != account).map(|s| self.did(s))?;
                if act == Act::Follow { records::follow(&subject, created) } else { records::block(&subject, created) }
            }
            Act::Duplicate => self.repos.get(&account)?.edge(&mut self.rng)?.created_at(created),
            Act::Other => {
                let subject = self.somebody_known();
                records::other(&self.targets, &repo::did(self.seed, subject), &mut self.rng, created)
            }
            Act::Invalid => self.invalid_draft(created),
            Act::Foreign => records::foreign(rng),
            Act::Delete => return self.repos.get(&account)?.held(&mut self.rng, None).map(Write::Delete),
            Act::UpdateProfile => {
                let held = self.repos.get(&account)?.held(&mut self.rng, Some("app.bsky.actor.profile"))?;
                return Some(Write::Update(held, records::profile(&repo::handle(account, 0), &mut self.rng, created)));
            }
            Act::UpdatePost => {
                let held = self.repos.get(&account)?.held(&mut self.rng, Some("app.bsky.feed.post"))?;
                return Some(Write::Update(held, self.post(created)));
            }
            Act::Post | Act::Several | Act::ChangeHandle | Act::Deactivate | Act::Sync => self.post(created),
        };
        Some(Write::Create(draft))
    }

    fn post(&mut self, created: &str) -> Draft {
        let mention = self.somebody_known();
        records::post(&self.targets, &repo::did(self.seed, mention), &mut self.rng, created)
    }

    fn invalid_draft(&mut self, created: &str) -> Draft {
        let draft = if self.rng.bool() { records::invalid_like(created) } else { records::invalid_post(&mut self.rng, created) };
        self.invalid.insert(Cid::dag_cbor(&draft.record.encode()));
        draft
    }

    fn commit(&mut self, account: usize, writes: Vec<Write>) -> anyhow::Result<()> {
        let Some(repo) = self.repos.get_mut(&account) else { return Ok(()) };
        let (seq, time) = (self.seq + 1, self.clock.time());
        let (frame, created) = repo.commit(seq, &time, writes, &mut self.clock)?;
        for (collection, target) in created {
            if !self.invalid.contains(&target.cid) {
                self.targets.remember(collection, target, &mut self.rng);
            }
        }
        self.emit(frame);
        Ok(())
    }

    fn identity(&mut self, account: usize, renamed: bool) {
        let Some(repo) = self.repos.get_mut(&account) else { return };
        repo.renamed += u32::from(renamed);
        let handle = repo::handle(account, repo.renamed);
        let time = self.clock.time();
        let frame = Frame::Identity(IdentityFrame { seq: self.seq + 1, did: &repo.did, time: &time, handle: Some(&handle) }).encode();
        self.emit(frame);
    }

    fn account(&mut self, account: usize, status: Option<&str>) {
        let Some(repo) = self.repos.get_mut(&account) else { return };
        repo.active = status.is_none();
        let time = self.clock.time();
        let frame = AccountFrame { seq: self.seq + 1, did: &repo.did, time: &time, active: repo.active, status };
        let frame = Frame::Account(frame).encode();
        self.emit(frame);
    }

    fn sync(&mut self, account: usize) {
        let (seq, time) = (self.seq + 1, self.clock.time());
        if let Some(frame) = self.repos.get(&account).and_then(|repo| repo.sync(seq, &time)) {
            self.emit(frame);
        }
    }

    fn emit(&mut self, frame: Vec<u8>) {
        self.seq += 1;
        self.ready.push_back(Made { seq: self.seq, frame });
    }
}
