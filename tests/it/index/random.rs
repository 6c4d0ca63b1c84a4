//! Random histories: in any split into batches they come to what an independent model says.

use std::collections::HashSet;

use appviewd::atproto::Cid;
use appviewd::queue::{Action, Body, Event, Op};

use super::kit::*;
use crate::support::dump;
use crate::support::model::Model;

const ACCOUNTS: usize = 6;

struct Random(fastrand::Rng);

impl Random {
    fn account(&mut self) -> usize {
        self.0.usize(..ACCOUNTS)
    }

    /// One of few posts, so that edges meet.
    fn post(&mut self, repos: &[Repo]) -> String {
        repos[self.account()].uri(POST, &key(self.0.i64(0..4)))
    }

    fn op(&mut self, repos: &[Repo]) -> Op {
        let (n, action) = (self.0.i64(0..6), [Action::Create, Action::Update][self.0.usize(..2)]);
        let collection = [LIKE, LIKE, REPOST, FOLLOW, BLOCK, POST, POST, LIST][self.0.usize(..8)];
        if self.0.u8(..) < 70 {
            return delete(collection, n);
        }
        let subject = self.post(repos);
        let record = match collection {
            LIKE | REPOST if self.0.u8(..) < 40 => edge_naming(collection, &subject, Cid::dag_cbor(&[self.0.u8(..3)]), n),
            LIKE | REPOST => edge(collection, &subject, n),
            FOLLOW | BLOCK => tie(collection, &repos[self.account()].did, n),
            POST if self.0.u8(..) < 40 => invalid(n),
            POST => [reply(&subject, n), quote(&subject, n), post(&self.0.u16(..).to_string(), n)][self.0.usize(..3)].clone(),
            _ => list(&self.0.u16(..).to_string(), n),
        };
        put(action, collection, &key(n), &record)
    }

    fn event(&mut self, repos: &mut [Repo], history: &[Event]) -> Event {
        let account = self.account();
        let (before, repo) = (repos.to_vec(), &mut repos[account]);
        match self.0.u8(..) {
            0..10 => repo.event(Body::Identity { handle: Some(format!("h{}.test", self.0.u8(..))) }),
            10..20 => repo.event(Body::Account { active: self.0.bool(), status: Some("takendown".to_owned()) }),
            20..30 if !history.is_empty() => history[self.0.usize(..history.len())].clone(),
            30..36 => {
                repo.commit([]);
                repo.commit([self.op(&before)])
            }
            _ => {
                let count = self.0.usize(..5);
                repo.commit((0..count).map(|_| self.op(&before)).collect::<Vec<_>>())
            }
        }
    }
}

/// The event in the model, by the same rules as its frames.
fn play(model: &mut Model, event: &Event) {
    let did = event.did.as_ref().unwrap().to_string();
    let repo = model.repos.entry(did.clone()).or_default();
    match &event.body {
        Body::Identity { handle } => repo.handle.clone_from(handle),
        Body::Account { active, status } => repo.status = status.clone().filter(|_| !active),
        Body::Commit(commit) => {
            if repo.rev.is_some_and(|held| held >= commit.rev) {
                return;
            }
            repo.desynchronized |= repo.rev.is_some() && (repo.rev != commit.since || repo.data != commit.prev_data);
            (repo.rev, repo.data) = (Some(commit.rev), Some(commit.data));
            for op in &commit.ops {
                let uri = format!("at://{did}/{}/{}", op.collection, op.rkey);
                match op.cid {
                    Some(cid) => model.put(uri, cid, &op.record),
                    None => model.take(&uri),
                }
            }
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn any_split_of_any_history_comes_to_the_model_s_state() {
    let invalid_cids: HashSet<Cid> = (0..6).map(|n| Cid::dag_cbor(&invalid(n).encode())).collect();
    for seed in 0..12 {
        let mut random = Random(fastrand::Rng::with_seed(seed));
        let mut repos: Vec<_> = (0..ACCOUNTS).map(|n| Repo::new(&format!("r{n}"))).collect();
        let mut history: Vec<Event> = Vec::new();
        for _ in 0..250 {
            let event = random.event(&mut repos, &history);
            // #account events are ordered by their own time, which never falls here but for repeated ones.
            if matches!(event.body, Body::Account { .. }) && history.contains(&event) {
                continue;
            }
            history.push(event);
        }
        for (n, event) in (0..).zip(&mut history) {
            event.time = BEGIN + 60_000_000 + n;
        }
        let mut model = Model::with_invalid(invalid_cids.clone());
        let mut desk = Desk::open().await;
        let largest = [1, 3, 40, 400][random.0.usize(..4)];
        let mut left = &history[..];
        while !left.is_empty() {
            let (batch, rest) = left.split_at(random.0.usize(1..=largest).min(left.len()));
            for event in batch {
                play(&mut model, event);
            }
            desk.apply(batch.to_vec()).await;
            left = rest;
        }
        let (found, expected) = (dump::lines(&desk.client).await, model.lines());
        let diff: Vec<_> = found.iter().filter(|l| !expected.contains(l)).map(|l| format!("+ {l}")).collect();
        let missing: Vec<_> = expected.iter().filter(|l| !found.contains(l)).map(|l| format!("- {l}")).collect();
        assert!(found == expected, "seed {seed}, batches up to {largest}:\n{}\n{}", diff.join("\n"), missing.join("\n"));
        assert!(expected.len() > 40, "a history that leaves little shows little");
        let orphans =
            "SELECT count(*) FROM record_exc x WHERE NOT EXISTS (SELECT 1 FROM \"like\" l WHERE l.author = x.author AND l.rkey = x.rkey
            AND l.flags & 2 <> 0 AND x.coll = 3) AND NOT EXISTS (SELECT 1 FROM repost r WHERE r.author = x.author AND r.rkey = x.rkey
            AND r.flags & 2 <> 0 AND x.coll = 4) AND x.coll IN (3, 4)";
        assert_eq!(desk.number(orphans).await, 0, "bytes without their edge");
    }
}
