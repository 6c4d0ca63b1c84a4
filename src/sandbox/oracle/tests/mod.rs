//! Small histories, each with what must follow from it.

mod accounts;
mod edges;
mod orders;
mod threads;

use std::collections::HashMap;

use super::record::{FOLLOW, LIST, LISTITEM, POST, POSTGATE, THREADGATE};
use super::{Commit, Op, Oracle};
use crate::atproto::cbor::Value;
use crate::atproto::{Cid, Tid, datetime};

/// When every test begins, microseconds since 1970.
const BEGIN: i64 = 1_700_000_000_000_000;
const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;

/// An oracle and the people of a test, each named by a word; every commit is an hour after the one before it.
struct Story {
    oracle: Oracle,
    clock: i64,
    revs: HashMap<String, Tid>,
}

/// A record to be written, or `None` for one to be deleted, at `collection/rkey`.
type Write = (String, Option<Value>);

impl Story {
    fn new() -> Self {
        Self { oracle: Oracle::default(), clock: BEGIN, revs: HashMap::new() }
    }

    /// Somebody's commit; its time.
    fn commit(&mut self, who: &str, writes: impl IntoIterator<Item = Write>) -> i64 {
        self.clock += 60 * MINUTE;
        let rev = Tid::from_micros(self.clock, 0);
        let since = self.revs.insert(who.to_owned(), rev);
        let blocks: Vec<_> = writes.into_iter().map(|(path, record)| (path, record.map(|record| record.encode()))).collect();
        let op = |(path, block): &'_ (String, Option<Vec<u8>>)| -> (String, Option<(Cid, Vec<u8>)>) {
            (path.clone(), block.as_ref().map(|block| (Cid::dag_cbor(block), block.clone())))
        };
        let ops: Vec<_> = blocks.iter().map(op).collect();
        self.oracle.commit(&Commit {
            repo: &did(who),
            rev,
            since,
            prev_data: None,
            data: Cid::dag_cbor(&self.clock.to_be_bytes()),
            time: self.clock,
            ops: ops.iter().map(|(path, record)| Op { path, record: record.as_ref().map(|(cid, block)| (*cid, &block[..])) }).collect(),
        });
        self.clock
    }

    /// The same for one record.
    fn write(&mut self, who: &str, write: Write) -> i64 {
        self.commit(who, [write])
    }

    fn status(&mut self, who: &str, status: Option<&str>) {
        self.clock += MINUTE;
        self.oracle.account(&did(who), status.is_none(), status, self.clock);
    }

    /// The lines, without the long beginnings of DIDs and addresses of posts, that then begin so.
    fn lines(&self, kind: &str) -> Vec<String> {
        let mut lines: Vec<_> = self.oracle.lines().iter().map(|line| short(line)).filter(|line| line.starts_with(kind)).collect();
        lines.sort();
        lines
    }

    fn loose(&self) -> Vec<String> {
        self.oracle.loose().lines().into_iter().map(|line| short(&line)).collect()
    }

    /// `<recipient> <reason> <record>`, without the rest.
    fn told(&self) -> Vec<String> {
        let words = |line: String| line.split(' ').skip(1).take(3).collect::<Vec<_>>().join(" ");
        self.lines("notif ").into_iter().map(words).collect()
    }
}

fn short(line: &str) -> String {
    let mut line = line.replace("at://did:plc:", "").replace("did:plc:", "").replace("/app.bsky.feed.post/", "/");
    for n in 0..100 {
        line = line.replace(&key(n), &n.to_string());
    }
    line
}

fn did(who: &str) -> String {
    format!("did:plc:{who}")
}

/// The n-th key; its time is [`BEGIN`], which differs from that of every commit.
fn key(n: i64) -> String {
    Tid::from_micros(BEGIN + n, 0).to_string()
}

fn uri(who: &str, collection: &str, n: i64) -> String {
    format!("at://{}/{collection}/{}", did(who), key(n))
}

fn post_uri(who: &str, n: i64) -> String {
    uri(who, POST, n)
}

fn strong_ref(uri: &str) -> Value {
    Value::map([("uri", Value::text(uri)), ("cid", Value::text(Cid::dag_cbor(b"any").to_string()))])
}

fn kind(name: &str) -> Value {
    Value::map([("$type", Value::text(name))])
}

/// A record at the n-th key.
fn record<'a>(collection: &str, n: i64, fields: impl IntoIterator<Item = (&'a str, Value)>) -> Write {
    (format!("{collection}/{}", key(n)), Some(Value::map(fields)))
}

fn delete(collection: &str, n: i64) -> Write {
    (format!("{collection}/{}", key(n)), None)
}

fn post(n: i64) -> Write {
    record(POST, n, [("text", Value::text("hello"))])
}

/// A reply; `root` `None`: the parent began the thread.
fn reply(n: i64, parent: &str, root: Option<&str>) -> Write {
    let reply = Value::map([("parent", strong_ref(parent)), ("root", strong_ref(root.unwrap_or(parent)))]);
    record(POST, n, [("text", Value::text("yes")), ("reply", reply)])
}

fn quote(n: i64, quoted: &str) -> Write {
    let embed = Value::map([("$type", Value::text("app.bsky.embed.record")), ("record", strong_ref(quoted))]);
    record(POST, n, [("text", Value::text("look")), ("embed", embed)])
}

/// The post with one more facet for each account.
fn mentioning((path, record): Write, who: &[&str]) -> Write {
    let feature = |who: &&str| {
        let mention = [("$type", Value::text("app.bsky.richtext.facet#mention")), ("did", Value::text(did(who)))];
        Value::map([("features", Value::Array(vec![Value::map(mention)]))])
    };
    with((path, record), "facets", Value::Array(who.iter().map(feature).collect()))
}

fn created((path, record): Write, micros: i64) -> Write {
    with((path, record), "createdAt", Value::text(datetime::format_micros(micros)))
}

fn with((path, record): Write, field: &str, value: Value) -> Write {
    let Some(Value::Map(mut entries)) = record else { panic!("a record") };
    entries.push((field.to_owned(), value));
    (path, Some(Value::Map(entries)))
}

fn follow(n: i64, whom: &str) -> Write {
    record(FOLLOW, n, [("subject", Value::text(did(whom)))])
}

fn list_item(n: i64, list: &str, member: &str) -> Write {
    record(LISTITEM, n, [("list", Value::text(list)), ("subject", Value::text(did(member)))])
}

/// The gate of somebody's post `n`; a rule is the last part of its type, or the address of a list.
fn gate(who: &str, n: i64, rules: &[&str], hidden: &[&str]) -> Write {
    let rule = |rule: &&str| {
        if !rule.starts_with("at://") {
            return kind(&format!("app.bsky.feed.threadgate#{rule}"));
        }
        Value::map([("$type", Value::text("app.bsky.feed.threadgate#listRule")), ("list", Value::text(*rule))])
    };
    let fields = [
        ("post", Value::text(post_uri(who, n))),
        ("allow", Value::Array(rules.iter().map(rule).collect())),
        ("hiddenReplies", Value::Array(hidden.iter().map(|uri| Value::text(*uri)).collect())),
    ];
    record(THREADGATE, n, fields)
}

/// Nobody may quote somebody's post `n`.
fn no_quotes(who: &str, n: i64) -> Write {
    let rules = Value::Array(vec![kind("app.bsky.feed.postgate#disableRule")]);
    record(POSTGATE, n, [("post", Value::text(post_uri(who, n))), ("embeddingRules", rules)])
}

fn list_uri(who: &str, n: i64) -> String {
    uri(who, LIST, n)
}
