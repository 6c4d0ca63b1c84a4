//! From what somebody does to the writes of a commit.

use super::act::Act;
use super::records::{self, Draft};
use super::repo::Write;
use super::target::Target;
use super::{Network, repo};
use crate::atproto::datetime;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

impl Network {
    /// What `act` writes to the account's repo; a post where it is not possible.
    pub(super) fn writes(&mut self, account: usize, act: Act) -> Vec<Write> {
        let created = self.created();
        let writes = match act {
            Act::Post => self.post(account, &created),
            Act::Delete => self.delete(account),
            Act::SelfThread => self.self_thread(account, &created),
            Act::Several => self.several(account, &created),
            act => self.draft(account, act, &created).map(Write::Put).into_iter().collect(),
        };
        if writes.is_empty() { self.post(account, &created) } else { writes }
    }

    /// Several records, each under a new key, since two on one path would make the commit wrong.
    fn several(&mut self, account: usize, created: &str) -> Vec<Write> {
        let mut writes = Vec::new();
        for _ in 0..self.rng.usize(2..6) {
            match self.rng.choice([Act::Like, Act::Repost, Act::Post, Act::Follow, Act::List, Act::ListItem]) {
                Some(Act::Post) => writes.extend(self.post(account, created)),
                Some(act) => writes.extend(self.draft(account, act, created).map(Write::Put)),
                None => {}
            }
        }
        writes
    }

    fn draft(&mut self, account: usize, act: Act, created: &str) -> Option<Draft> {
        let (targets, rng) = (&self.targets, &mut self.rng);
        Some(match act {
            Act::Like => {
                let via = targets.repost(rng).filter(|_| rng.u32(0..100) < 17);
                records::like(targets.likable(rng)?, via, rng, created)
            }
            Act::Repost => {
                let via = targets.repost(rng).filter(|_| rng.u32(0..100) < 40);
                records::repost(targets.post(rng)?, via, rng, created)
            }
            Act::Follow => {
                let via = targets.pack(rng).filter(|_| rng.u32(0..20) == 0).cloned();
                let subject = self.somebody_else(account)?;
                records::follow(&self.did(subject), via.as_ref(), created)
            }
            Act::Block => {
                let subject = self.somebody_else(account)?;
                records::block(&self.did(subject), created)
            }
            Act::Verification => {
                let subject = self.somebody_else(account)?;
                records::verification(&self.did(subject), &repo::handle(subject, 0), created)
            }
            Act::Duplicate => self.repos.get(&account)?.edge(rng)?.created_at(created),
            Act::ListItem => self.list_item(account, created)?,
            Act::ListBlock => records::listblock(&targets.list(rng)?.uri, created),
            Act::UpdatePost => self.update_post(account, created)?,
            Act::GateLater => self.gate_later(account, created)?,
            Act::ChangeGate => self.change_gate(account)?,
            Act::Stray => self.stray(account, created)?,
            Act::Invalid => self.invalid_draft(account, created),
            Act::Foreign => records::foreign(rng),
            act => return self.whole(account, act, created),
        })
    }

    /// Somebody put on one of the account's own lists; the list itself where it has none.
    fn list_item(&mut self, account: usize, created: &str) -> Option<Draft> {
        let subject = self.somebody_known();
        let did = self.did(subject);
        let repo = self.repos.get(&account)?;
        let list = repo.any_of(&mut self.rng, "app.bsky.graph.list").map(|list| list.uri(&repo.did));
        Some(match list {
            Some(list) => records::listitem(&list, &did, created),
            None => records::list(&mut self.rng, created),
        })
    }

    /// A record whose reference says nothing to an index.
    fn stray(&mut self, account: usize, created: &str) -> Option<Draft> {
        let post = self.targets.post(&mut self.rng)?.clone();
        let by_handle = |uri: String| Target::new(account, uri, post.cid, None);
        Some(match self.rng.u32(0..6) {
            // A gate of another's post; a gate under another key than its post's.
            0 => records::threadgate(&post.uri, Some(&[]), created),
            1 => {
                let held = self.unanswered(account)?;
                let uri = held.uri(&self.did(account));
                records::threadgate(&uri, Some(&[]), created).under(self.key(account))
            }
            2 => records::postgate(&post.uri, true, created),
            3 => records::listitem(&self.targets.list(&mut self.rng)?.uri, &self.did(account), created),
            4 => records::listblock(&post.uri, created),
            // A handle moves, so it names no record.
            _ => {
                let uri = format!("at://{}/app.bsky.feed.post/{}", repo::handle(account, 0), self.key(account));
                records::like(&by_handle(uri), None, &mut self.rng, created)
            }
        })
    }

    /// A record that is not allowed; now and then in place of a good one.
    fn invalid_draft(&mut self, account: usize, created: &str) -> Draft {
        let draft = Draft { is_invalid: true, ..records::invalid(&mut self.rng, created) };
        self.invalid.insert(draft.cid());
        let replaced = if draft.collection == "app.bsky.feed.post" && self.rng.u32(0..3) == 0 { self.unanswered(account) } else { None };
        match replaced {
            Some(held) => draft.under(held.rkey),
            None => draft,
        }
    }

    /// A `createdAt`: a moment ago, but for imports of old posts, clocks that are wrong, and clients with forms of their own.
    pub(super) fn created(&mut self) -> String {
        let now = self.clock.micros() - self.rng.i64(1..400_000);
        match self.rng.u32(0..200) {
            0 => datetime::format_micros(now - self.rng.i64(DAY..1000 * DAY)),
            1 => datetime::format_micros(now + self.rng.i64(60_000_000..2 * DAY)),
            2 => datetime::format_micros(now).replace('Z', "+00:00"),
            3 => datetime::format_micros(now).replace('Z', "456Z"),
            4 => datetime::format_micros(now).chars().take(19).chain(['Z']).collect(),
            _ => datetime::format_micros(now),
        }
    }
}
