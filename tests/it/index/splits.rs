//! Random histories of everything that derives something: applied one by one, in small batches or all at once, they leave the same rows.

use appviewd::atproto::cbor::Value;
use appviewd::queue::{Action, Event, Op};

use super::kit::*;
use crate::support::dump;

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
    let mut lines = dump::lines(&desk.client).await;
    lines.extend(desk.derived().await);
    lines.sort();
    lines
}

#[tokio::test]
async fn a_history_leaves_the_same_rows_however_it_is_split() {
    let (mut waits, mut marks, mut replies) = (0, 0, 0);
    for seed in 0..4 {
        let events = history(seed);
        let one_by_one = outcome(&events, 1).await;
        for size in [3, 40, events.len()] {
            let lines = outcome(&events, size).await;
            let more: Vec<_> = lines.iter().filter(|line| !one_by_one.contains(line)).map(|line| format!("+ {line}")).collect();
            let less: Vec<_> = one_by_one.iter().filter(|line| !lines.contains(line)).map(|line| format!("- {line}")).collect();
            assert!(lines == one_by_one, "seed {seed}, batches of {size}:\n{}\n{}", more.join("\n"), less.join("\n"));
        }
        let count = |word: &str| one_by_one.iter().filter(|line| line.contains(word)).count();
        waits += count(" waits for ");
        marks += count(" violates");
        replies += count(" reply ");
    }
    assert!(waits > 3 && marks > 3 && replies > 10, "{waits} wait, {marks} violate, {replies} tell: too few to show much");
}
