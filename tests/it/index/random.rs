//! Random histories: in any split into batches they come to what the oracle expects.

use std::collections::HashSet;

use appviewd::atproto::Cid;
use appviewd::queue::{Action, Body, Event, Op};
use appviewd::sandbox::oracle::{self, Oracle};

use super::kit::*;
use crate::support::{dump, judge};

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

/// The event in the oracle.
pub fn play(oracle: &mut Oracle, event: &Event) {
    let did = event.did.as_ref().unwrap().as_str();
    match &event.body {
        Body::Identity { handle } => oracle.identity(did, handle.as_deref()),
        Body::Account { active, status } => oracle.account(did, *active, status.as_deref(), event.time),
        Body::Commit(commit) => {
            let paths: Vec<_> = commit.ops.iter().map(|op| format!("{}/{}", op.collection, op.rkey)).collect();
            let ops = commit.ops.iter().zip(&paths).map(|(op, path)| oracle::Op { path, record: op.cid.map(|cid| (cid, &op.record[..])) });
            oracle.commit(&oracle::Commit {
                repo: did,
                rev: commit.rev,
                since: commit.since,
                prev_data: commit.prev_data,
                data: commit.data,
                time: event.time,
                ops: ops.collect(),
            });
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn any_split_of_any_history_comes_to_what_the_oracle_expects() {
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
        let mut oracle = Oracle::new(invalid_cids.clone());
        let mut desk = Desk::open().await;
        let largest = [1, 3, 40, 400][random.0.usize(..4)];
        let mut left = &history[..];
        while !left.is_empty() {
            let (batch, rest) = left.split_at(random.0.usize(1..=largest).min(left.len()));
            for event in batch {
                play(&mut oracle, event);
            }
            desk.apply(batch.to_vec()).await;
            left = rest;
        }
        let found = dump::lines(&desk.client).await;
        judge::compare_in_order(&found, &oracle).assert_equal(&format!("seed {seed}, batches up to {largest}"));
        assert!(found.len() > 40, "a history that leaves little shows little");
        let orphans =
            "SELECT count(*) FROM record_exc x WHERE NOT EXISTS (SELECT 1 FROM \"like\" l WHERE l.author = x.author AND l.rkey = x.rkey
            AND l.flags & 2 <> 0 AND x.coll = 3) AND NOT EXISTS (SELECT 1 FROM repost r WHERE r.author = x.author AND r.rkey = x.rkey
            AND r.flags & 2 <> 0 AND x.coll = 4) AND x.coll IN (3, 4)";
        assert_eq!(desk.number(orphans).await, 0, "bytes without their edge");
    }
}
