//! Random histories of everything that derives something: applied one by one, in small batches or all at once, they
//! leave the rows that the oracle expects.

use std::collections::{BTreeMap, HashSet};

use appviewd::atproto::Cid;
use appviewd::atproto::cbor::Value;
use appviewd::queue::{Action, Event, Op};
use appviewd::sandbox::oracle::Oracle;

use super::kit::*;
use super::random::play;
use crate::support::{dump, judge};

const ACCOUNTS: usize = 5;
const EVENTS: i64 = 220;

struct Random(fastrand::Rng);

impl Random {
    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.0.usize(..of.len())]
    }

    /// One of few, so that things meet.
    fn uri(&mut self, repos: &[Repo], collection: &str) -> String {
        repos[self.0.usize(..ACCOUNTS)].uri(collection, &key(self.0.i64(0..4)))
    }

    fn did(&mut self, repos: &[Repo]) -> String {
        repos[self.0.usize(..ACCOUNTS)].did.clone()
    }

    fn post(&mut self, repos: &[Repo], n: i64) -> Value {
        let mut record = post(&self.0.u16(..).to_string(), n);
        if self.0.u8(..) < 170 {
            record = reply_in(&self.uri(repos, POST), &self.uri(repos, POST), n);
        }
        if self.0.u8(..) < 60 {
            record = quoting(record, &self.uri(repos, POST));
        }
        if self.0.u8(..) < 80 {
            record = mentioning(record, &[&self.did(repos), &self.did(repos)]);
        }
        record
    }

    fn gate(&mut self, repos: &[Repo], post: &str, n: i64) -> Value {
        let mut allow = Vec::new();
        for name in ["mention", "follower", "following"] {
            if self.0.u8(..) < 90 {
                allow.push(rule(name));
            }
        }
        if self.0.bool() {
            allow.push(list_rule(&self.uri(repos, LIST)));
        }
        let hidden = [self.uri(repos, POST), self.uri(repos, POST)];
        threadgate(post, Some(allow).filter(|_| self.0.u8(..) < 220), &hidden, n)
    }

    fn op(&mut self, repos: &[Repo], author: usize) -> Op {
        let (n, action) = (self.0.i64(0..4), self.one(&[Action::Create, Action::Update]));
        let collections = [POST, POST, POST, POST, POST, THREADGATE, THREADGATE, POSTGATE, FOLLOW, FOLLOW, LISTITEM, VERIFICATION, PROFILE];
        let collection = self.one(&collections);
        let rkey = if collection == PROFILE { "self".to_owned() } else { key(n) };
        if self.0.u8(..) < 60 {
            return Op { rkey: rkey.parse().unwrap(), ..delete(collection, n) };
        }
        let own = repos[author].uri(POST, &key(n));
        let record = match collection {
            POST if self.0.u8(..) < 10 => invalid(n),
            POST => self.post(repos, n),
            THREADGATE => self.gate(repos, &own, n),
            POSTGATE => postgate(&own, n),
            FOLLOW => tie(FOLLOW, &self.did(repos), n),
            LISTITEM => list_item(&repos[author].uri(LIST, &key(self.0.i64(0..4))), &self.did(repos), n),
            VERIFICATION => verification(&self.did(repos), n),
            _ => profile_through(&self.uri(repos, PACK), &self.0.u16(..).to_string()),
        };
        put(action, collection, &rkey, &record)
    }
}

fn history(seed: u64) -> Vec<Event> {
    let mut random = Random(fastrand::Rng::with_seed(seed));
    let mut repos: Vec<_> = (0..ACCOUNTS).map(|n| Repo::new(&format!("r{n}"))).collect();
    let mut events = Vec::new();
    for n in 0..EVENTS {
        let (account, before) = (random.0.usize(..ACCOUNTS), repos.clone());
        let ops: Vec<_> = (0..random.0.usize(1..4)).map(|_| random.op(&before, account)).collect();
        let mut event = repos[account].commit(ops);
        // Minutes apart, so that times differ.
        event.time = BEGIN + 60_000_000 * (n + 1);
        events.push(event);
    }
    events
}

/// Everything that a database holds after the history, in batches of this size.
async fn outcome(events: &[Event], size: usize) -> Vec<String> {
    let mut desk = Desk::open().await;
    for batch in events.chunks(size) {
        desk.apply(batch.to_vec()).await;
    }
    assert_eq!(dump::miscounts(&desk.client).await, [""; 0]);
    dump::lines(&desk.client).await
}

#[tokio::test]
async fn a_history_leaves_what_the_oracle_expects_however_it_is_split() {
    let invalid_cids: HashSet<Cid> = (0..4).map(|n| Cid::dag_cbor(&invalid(n).encode())).collect();
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 0..3 {
        let events = history(seed);
        let mut oracle = Oracle::new(invalid_cids.clone());
        for event in &events {
            play(&mut oracle, event);
        }
        for size in [1, 3, 40, events.len()] {
            let lines = outcome(&events, size).await;
            judge::compare_in_order(&lines, &oracle).assert_equal(&format!("seed {seed}, batches of {size}"));
        }
        for line in oracle.lines() {
            *kinds.entry(line.split(' ').next().unwrap().to_owned()).or_default() += 1;
        }
    }
    for kind in ["notif", "pending", "gate", "join", "flags"] {
        assert!(kinds.get(kind).is_some_and(|lines| *lines > 3), "too few {kind} to show much: {kinds:?}");
    }
}
