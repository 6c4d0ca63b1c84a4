//! Posts and what goes on under them: replies, threads in one commit, late posts, gates, and their changes.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::records::{self, Draft, Person, Reply, Rule};
use super::repo::{self, Write};
use super::target::{Named, Target};
use super::wish::{What, Wish};
use super::{ATTEMPTS, Network};
use crate::atproto::cbor::Value;

/// Answered posts that are remembered; then all are forgotten, and a few answered posts more are deleted.
const MAX_ANSWERED: usize = 1_000_000;
const POST: &str = "app.bsky.feed.post";
const THREADGATE: &str = "app.bsky.feed.threadgate";
const POSTGATE: &str = "app.bsky.feed.postgate";

/// What a new thread is to be like.
#[derive(Debug, Default)]
struct Opening {
    /// It has a thread gate.
    gated: bool,
    /// Who may answer, where the gate says it.
    allow: Option<Vec<Rule>>,
    /// Nobody may quote it, or a postgate that says nothing.
    closed: Option<bool>,
    /// Whom it names, follows or lists, so that they may answer.
    people: Vec<usize>,
    /// Records that go with it.
    with: Vec<Draft>,
    /// Who may answer is found in records that others read at another time.
    apart: bool,
}

fn hash(uri: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    uri.hash(&mut hasher);
    hasher.finish()
}

impl Network {
    /// A post, perhaps with its gates.
    pub(super) fn post(&mut self, account: usize, created: &str) -> Vec<Write> {
        let parent = if self.rng.u32(0..100) < 48 { self.targets.parent(&mut self.rng, self.seq).cloned() } else { None };
        if let Some(parent) = parent {
            return vec![Write::Put(self.answering(account, &parent, created))];
        }
        let opening = self.opening(account, created);
        self.open(account, opening, created).0
    }

    /// A post that comes after those who answer it.
    pub(super) fn late_post(&mut self, account: usize) -> anyhow::Result<()> {
        let created = self.created();
        let mut opening = self.opening(account, &created);
        opening.closed = None;
        if opening.apart {
            opening = Opening::default();
        }
        opening.people.extend(self.present(account));
        let people = opening.people.clone();
        let (writes, target) = self.open(account, opening, &created);
        if let Some(commit) = self.carry_out(account, writes)? {
            self.delay(account, commit);
            self.provoke(&target, &people, self.seq);
        }
        Ok(())
    }

    /// A thread of one author in one commit, as clients write it.
    pub(super) fn self_thread(&mut self, account: usize, created: &str) -> Vec<Write> {
        let opening = self.opening(account, created);
        let (mut writes, root) = self.open(account, opening, created);
        let mut last = root;
        for _ in 0..self.rng.usize(1..5) {
            let draft = self.answering(account, &last, created);
            last = Target::new(account, self.uri(account, &draft), draft.cid(), draft.root.clone());
            writes.push(Write::Put(draft));
        }
        writes
    }

    /// A reply.
    pub(super) fn answering(&mut self, account: usize, parent: &Target, created: &str) -> Draft {
        let reply = self.reply(parent);
        self.keyed_post(account, Some(reply), &[], created)
    }

    /// A post that quotes another.
    pub(super) fn quoting(&mut self, account: usize, quoted: &Target, created: &str) -> Draft {
        let embed = if self.rng.u32(0..4) == 0 { records::quote_with_media(quoted, &mut self.rng) } else { records::quote(quoted) };
        let draft = records::post(None, Some(embed), &[], &mut self.rng, created).under(self.key(account));
        let uri = self.uri(account, &draft);
        self.targets.quoted(&quoted.uri, uri);
        draft
    }

    /// Another version of a post that nobody has answered: a reply to the same, mostly.
    pub(super) fn update_post(&mut self, account: usize, created: &str) -> Option<Draft> {
        let held = self.unanswered(account)?;
        let kept = held.kept.as_deref().filter(|_| self.rng.u32(0..10) > 0);
        let kept = kept.and_then(|reply| Some(Reply { parent: reply.get("parent")?.clone(), root: Named::read(reply.get("root")?)? }));
        let reply = match kept {
            None if self.rng.u32(0..10) == 0 => self.targets.parent(&mut self.rng, self.seq).cloned().map(|parent| self.reply(&parent)),
            kept => kept,
        };
        let mentions: Vec<_> = self.sometimes_somebody(account).into_iter().map(|other| self.person(other)).collect();
        Some(self.keyed_post(account, reply, &mentions, created).under(held.rkey))
    }

    /// A post of the account that nobody has answered; any post where nothing is kept apart.
    pub(super) fn unanswered(&mut self, account: usize) -> Option<repo::Held> {
        let repo = self.repos.get(&account)?;
        let fits = |held: &repo::Held| self.habits.apart == 0 || !self.answered.contains(&hash(&held.uri(&repo.did)));
        (0..ATTEMPTS).find_map(|_| repo.any_of(&mut self.rng, POST).filter(|held| fits(held))).cloned()
    }

    /// A gate for an old post of the account's own.
    pub(super) fn gate_later(&mut self, account: usize, created: &str) -> Option<Draft> {
        let held = self.unanswered(account).filter(|held| held.kept.is_none())?;
        let repo = self.repos.get(&account)?;
        let uri = held.uri(&repo.did);
        if repo.get(THREADGATE, &held.rkey).is_some() {
            return None;
        }
        let allow = match self.rng.u32(0..3) {
            0 => Vec::new(),
            1 => vec![Rule::Mentioned],
            _ => vec![Rule::Followers],
        };
        let from = self.seq + self.habits.apart;
        self.targets.rest(&uri, from);
        self.provoke(&Target::new(account, uri.clone(), held.cid, None), &[], from);
        Some(records::threadgate(&uri, Some(&allow), created))
    }

    /// A reply hidden by the thread's author, or a quote detached.
    pub(super) fn change_gate(&mut self, account: usize) -> Option<Draft> {
        let repo = self.repos.get(&account)?;
        let from = self.seq + self.habits.apart;
        let choose = |rng: &mut _, collection| {
            let held = repo.any_of(rng, collection)?;
            let before = held.kept.as_deref()?.clone();
            let post = before.get("post").and_then(Value::as_text)?.to_owned();
            Some((held.rkey.clone(), before, post))
        };
        let hidden = choose(&mut self.rng, THREADGATE).and_then(|(rkey, before, post)| {
            let reply = self.targets.reply_in(&post)?.clone();
            Some((records::hiding(&before, std::slice::from_ref(&reply.uri)).under(rkey), post, reply))
        });
        if let Some((draft, post, reply)) = hidden {
            self.targets.rest(&post, from);
            self.provoke(&reply, &[], from + 1);
            return Some(draft);
        }
        let (rkey, before, post) = choose(&mut self.rng, POSTGATE)?;
        let quote = self.targets.quote_of(&post)?.to_owned();
        Some(records::detaching(&before, &[quote]).under(rkey))
    }

    /// Takes a record out: where it is a post that was answered, rather another one; with a post mostly its gates as well.
    pub(super) fn delete(&mut self, account: usize) -> Vec<Write> {
        let Some(repo) = self.repos.get(&account) else { return Vec::new() };
        let answered = |held: &repo::Held| held.collection == POST && self.answered.contains(&hash(&held.uri(&repo.did)));
        let gate = |held: &repo::Held| held.collection == THREADGATE || held.collection == POSTGATE;
        let spared =
            |held: &repo::Held, rng: &mut fastrand::Rng| self.habits.apart > 0 && (answered(held) || gate(held)) && rng.u32(0..20) > 0;
        let rare = if self.habits.dense { 2 } else { 12 };
        let chosen = (0..ATTEMPTS).find_map(|_| {
            let held = if self.rng.u32(0..rare) == 0 { repo.any_rare(&mut self.rng) } else { repo.any(&mut self.rng) }?;
            (!spared(held, &mut self.rng)).then_some(held)
        });
        let Some(held) = chosen.cloned() else { return Vec::new() };
        let mut gone = vec![held.clone()];
        if held.collection == POST {
            let uri = held.uri(&repo.did);
            if self.rng.u32(0..3) > 0 {
                gone.extend([THREADGATE, POSTGATE].iter().filter_map(|gate| repo.get(gate, &held.rkey)).cloned());
            }
            self.targets.forget(&uri);
            self.wishes.forget(&uri);
            self.answered.remove(&hash(&uri));
        }
        gone.into_iter().map(Write::Delete).collect()
    }

    /// The gates that a new thread of the account gets, if any.
    fn opening(&mut self, account: usize, created: &str) -> Opening {
        let (gated, closed) = if self.habits.dense { (40, 20) } else { (5, 2) };
        let mut opening = Opening::default();
        opening.people.extend(self.sometimes_somebody(account));
        if self.rng.u32(0..100) < closed {
            opening.closed = Some(self.rng.u32(0..5) > 0);
        }
        if self.rng.u32(0..100) >= gated {
            return opening;
        }
        let rules = if self.habits.dense { 24 } else { 16 };
        let rule = self.rng.u32(0..rules);
        opening.gated = true;
        opening.allow = match rule {
            0 => None,
            1..6 => Some(Vec::new()),
            6..14 => {
                opening.people.extend(self.present(account));
                Some(vec![Rule::Mentioned])
            }
            14 => Some(vec![Rule::Followers, Rule::Followed]),
            15..18 => Some(vec![Rule::Followers]),
            18..21 => Some(vec![Rule::Followed]),
            _ => Some(self.listed(account).into_iter().map(Rule::List).collect()),
        };
        if rule >= 14 {
            opening.apart = true;
            self.admit(account, &mut opening, created);
        }
        opening
    }

    /// The address of a list of the account's own.
    fn listed(&mut self, account: usize) -> Option<String> {
        let repo = self.repos.get(&account)?;
        repo.any_of(&mut self.rng, "app.bsky.graph.list").map(|list| list.uri(&repo.did))
    }

    /// Follows or lists somebody in the same commit, so that the rules admit them.
    fn admit(&mut self, account: usize, opening: &mut Opening, created: &str) {
        let Some(other) = self.present(account) else { return };
        let did = self.did(other);
        match opening.allow.iter().flatten().next_back() {
            Some(Rule::Followed) => opening.with.push(records::follow(&did, None, created)),
            Some(Rule::List(list)) => opening.with.push(records::listitem(list, &did, created)),
            _ => {}
        }
        opening.people.push(other);
    }

    /// The records of a new thread, and its first post as others see it. Who is named will answer.
    fn open(&mut self, account: usize, opening: Opening, created: &str) -> (Vec<Write>, Target) {
        let mentions: Vec<_> = opening.people.iter().map(|other| self.person(*other)).collect();
        let mut draft = self.keyed_post(account, None, &mentions, created);
        let uri = self.uri(account, &draft);
        let later = self.seq + self.habits.apart;
        draft.answered_from = if opening.apart { later } else { 0 };
        draft.quoted_from = if opening.closed == Some(true) { later } else { 0 };
        let target = Target::new(account, uri.clone(), draft.cid(), None);
        let mut writes = vec![draft];
        if opening.gated {
            writes.push(records::threadgate(&uri, opening.allow.as_deref(), created));
            self.provoke(&target, &opening.people, if opening.apart { later } else { self.seq + 1 });
        }
        writes.extend(opening.closed.map(|closed| records::postgate(&uri, closed, created)));
        writes.extend(opening.with);
        if opening.closed.is_some()
            && let Some(by) = self.somebody_else(account)
        {
            self.wishes.make(later + 1, Wish { by, what: What::Quote, target: target.clone() });
        }
        if self.rng.u32(0..3) == 0 {
            writes.reverse();
        }
        (writes.into_iter().map(Write::Put).collect(), target)
    }

    /// A post under a key that nobody has.
    fn keyed_post(&mut self, account: usize, reply: Option<Reply>, mentions: &[Person], created: &str) -> Draft {
        let rkey = self.key(account);
        let (embed, quoted) = self.embed();
        let draft = records::post(reply, embed, mentions, &mut self.rng, created).under(rkey);
        if let Some(quoted) = quoted {
            let uri = self.uri(account, &draft);
            self.targets.quoted(&quoted, uri);
        }
        draft
    }

    /// What a post carries, and the address of what it quotes.
    fn embed(&mut self) -> (Option<Value>, Option<String>) {
        let (targets, rng) = (&self.targets, &mut self.rng);
        let quote = |target: Option<&Target>, embed: Option<Value>| (embed, target.map(|target| target.uri.clone()));
        match rng.u32(0..100) {
            0..13 => (Some(records::images(rng)), None),
            13..29 => (Some(records::external(rng)), None),
            29..36 => {
                let target = targets.quotable(rng, self.seq);
                quote(target, target.map(records::quote))
            }
            36..39 => {
                let target = targets.quotable(rng, self.seq);
                quote(target, target.map(|target| records::quote_with_media(target, rng)))
            }
            39..41 => (Some(records::video(rng)), None),
            41 => (Some(records::gallery(rng)), None),
            42..44 => (targets.shown(rng).map(records::quote), None),
            _ => (None, None),
        }
    }

    /// What answers `parent`; now and then it names another thread's root, as broken clients do.
    fn reply(&mut self, parent: &Target) -> Reply {
        let wrong = if self.rng.u32(0..60) == 0 { self.targets.post(&mut self.rng).map(Target::thread) } else { None };
        let root = wrong.unwrap_or_else(|| parent.thread());
        if self.answered.len() >= MAX_ANSWERED {
            self.answered.clear();
        }
        self.answered.extend([hash(&parent.uri), hash(&root.uri)]);
        Reply { parent: parent.strong_ref(), root }
    }

    fn sometimes_somebody(&mut self, account: usize) -> Option<usize> {
        if self.rng.u32(0..12) == 0 { self.somebody_else(account) } else { None }
    }

    pub(super) fn person(&self, account: usize) -> Person {
        Person { did: self.did(account), handle: repo::handle(account, 0) }
    }

    /// A key for a new record of the account: a TID, and now and then another word.
    pub(super) fn key(&mut self, account: usize) -> String {
        let odd = if self.habits.dense { 30 } else { 200 };
        if self.rng.u32(0..odd) == 0 {
            return format!("odd.{:x}:key~", self.rng.u64(..));
        }
        self.repos.get(&account).map(|repo| repo.new_key(&mut self.clock)).unwrap_or_default()
    }

    pub(super) fn uri(&self, account: usize, draft: &Draft) -> String {
        self.repos.get(&account).map(|repo| repo.uri(draft)).unwrap_or_default()
    }
}
