//! A database with an index over it, and repos that make commits.

use std::sync::Arc;

use appviewd::atproto::cbor::Value;
use appviewd::atproto::mst::EMPTY_ROOT;
use appviewd::atproto::{Cid, Position, Tid};
use appviewd::config;
use appviewd::config::database::Database;
use appviewd::db::pool::Pools;
use appviewd::db::{Client, migrate, offset};
use appviewd::index::{Applied, Batch, Index, IndexError, Prepared};
use appviewd::queue::{Action, Body, Commit, Event, Op};
use bytes::Bytes;

use crate::support::dump;
use crate::support::postgres::Postgres;

/// When everything begins, in microseconds: 2025-10-09T08:53:20Z.
pub const BEGIN: i64 = 1_760_000_000_000_000;
pub const SOURCE: &str = "relay.test";
pub const PARTS: i32 = 4;

pub const LIKE: &str = "app.bsky.feed.like";
pub const REPOST: &str = "app.bsky.feed.repost";
pub const POST: &str = "app.bsky.feed.post";
pub const FOLLOW: &str = "app.bsky.graph.follow";
pub const BLOCK: &str = "app.bsky.graph.block";
pub const LIST: &str = "app.bsky.graph.list";
pub const PROFILE: &str = "app.bsky.actor.profile";
pub const LISTITEM: &str = "app.bsky.graph.listitem";
pub const PACK: &str = "app.bsky.graph.starterpack";
pub const THREADGATE: &str = "app.bsky.feed.threadgate";
pub const POSTGATE: &str = "app.bsky.feed.postgate";
pub const VERIFICATION: &str = "app.bsky.graph.verification";

/// A migrated database, an index over it, and where partition 0 stands.
pub struct Desk {
    pub postgres: Postgres,
    pub pools: Pools,
    pub index: Index,
    pub client: Client,
    pub at: Position,
}

impl Desk {
    pub async fn open() -> Self {
        Self::with(config::index::Index::default()).await
    }

    pub async fn with(options: config::index::Index) -> Self {
        let postgres = Postgres::start().await;
        let pools = Pools::new(&Database { url: Some(postgres.url()), pool_size: 6, ..Database::default() }).unwrap();
        migrate::with_pool(&pools.writer).await.unwrap();
        let client = pools.writer.get().await.unwrap();
        let at = Position::new(0, 0);
        offset::insert_missing(&client, SOURCE, PARTS, at).await.unwrap();
        Self { postgres, pools, index: Index::new(options), client, at }
    }

    /// The events as the next batch of partition 0, numbered from where it stands.
    pub fn batch(&self, events: Vec<Event>) -> Batch {
        let numbered = (self.at.seq + 1..).zip(events).map(|(seq, event)| Event { seq, ..event });
        let events: Vec<_> = numbered.collect();
        let new = Position::new(self.at.epoch, events.last().map_or(self.at.seq, |event| event.seq));
        Batch { source: Arc::from(SOURCE), part: 0, old: self.at, new, events }
    }

    pub async fn prepare(&mut self, batch: Batch) -> Prepared {
        self.index.prepare(&mut self.client, batch).await.unwrap()
    }

    pub async fn try_apply(&mut self, events: Vec<Event>) -> Result<Applied, IndexError> {
        let prepared = self.prepare(self.batch(events)).await;
        let applied = self.index.apply(&mut self.client, std::slice::from_ref(&prepared)).await?;
        self.at = prepared.reached();
        Ok(applied)
    }

    pub async fn apply(&mut self, events: impl IntoIterator<Item = Event>) -> Applied {
        self.try_apply(events.into_iter().collect()).await.unwrap()
    }

    /// The dump, without the records' own lines.
    pub async fn lines(&self) -> Vec<String> {
        dump::lines(&self.client).await.into_iter().filter(|line| !line.starts_with("record ")).collect()
    }

    /// The dump's lines of this sort.
    pub async fn lines_of(&self, sort: &str) -> Vec<String> {
        dump::lines(&self.client).await.into_iter().filter(|line| line.split(' ').next() == Some(sort)).collect()
    }

    pub async fn number(&self, sql: &str) -> i64 {
        self.client.query_one(sql, &[]).await.unwrap().get(0)
    }
}

/// An account and the state of its repo.
#[derive(Debug, Clone)]
pub struct Repo {
    pub did: String,
    pub rev: Option<Tid>,
    pub data: Cid,
    /// Milliseconds since [`BEGIN`] of its next commit.
    pub clock: i64,
}

impl Repo {
    pub fn new(name: &str) -> Self {
        Self { did: format!("did:plc:{name}"), rev: None, data: *EMPTY_ROOT, clock: 0 }
    }

    pub fn event(&self, body: Body) -> Event {
        Event { seq: 0, time: BEGIN + self.clock * 1000, did: Some(self.did.parse().unwrap()), body }
    }

    /// A commit that follows the one before it.
    pub fn commit(&mut self, ops: impl IntoIterator<Item = Op>) -> Event {
        self.clock += 1;
        let rev = Tid::from_micros(BEGIN + self.clock * 1000, 1);
        let data = Cid::dag_cbor(format!("{} {rev}", self.did).as_bytes());
        let commit = Commit {
            rev,
            since: self.rev,
            prev_data: Some(self.data),
            data,
            commit: data,
            block: None,
            fault: None,
            ops: ops.into_iter().collect(),
        };
        (self.rev, self.data) = (Some(rev), data);
        self.event(Body::Commit(commit))
    }

    pub fn uri(&self, collection: &str, rkey: &str) -> String {
        format!("at://{}/{collection}/{rkey}", self.did)
    }
}

/// The commit of an event, to be changed.
pub fn commit_of(event: &mut Event) -> &mut Commit {
    let Body::Commit(commit) = &mut event.body else { panic!("no commit") };
    commit
}

/// The `n`th record key.
pub fn key(n: i64) -> String {
    Tid::from_micros(BEGIN + n * 1000, 0).to_string()
}

/// createdAt of the `n`th record.
pub fn created(n: i64) -> String {
    let (seconds, millis) = (32_000 + n.div_euclid(1000), n.rem_euclid(1000));
    format!("2025-10-09T{:02}:{:02}:{:02}.{millis:03}Z", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

pub fn put(action: Action, collection: &str, rkey: &str, record: &Value) -> Op {
    let record = record.encode();
    Op {
        action,
        collection: collection.parse().unwrap(),
        rkey: rkey.parse().unwrap(),
        cid: Some(Cid::dag_cbor(&record)),
        prev: None,
        record: Bytes::from(record),
    }
}

pub fn create(collection: &str, n: i64, record: &Value) -> Op {
    put(Action::Create, collection, &key(n), record)
}

pub fn update(collection: &str, n: i64, record: &Value) -> Op {
    put(Action::Update, collection, &key(n), record)
}

pub fn delete(collection: &str, n: i64) -> Op {
    Op {
        action: Action::Delete,
        collection: collection.parse().unwrap(),
        rkey: key(n).parse().unwrap(),
        cid: None,
        prev: None,
        record: Bytes::new(),
    }
}

/// The CID that edges name for a subject, where nothing else is said.
pub fn named(uri: &str) -> Cid {
    Cid::dag_cbor(uri.as_bytes())
}

pub fn strong_ref(uri: &str, cid: Cid) -> Value {
    Value::map([("uri", Value::text(uri)), ("cid", Value::text(cid.to_string()))])
}

/// A like or repost.
pub fn edge(collection: &str, subject: &str, n: i64) -> Value {
    edge_naming(collection, subject, named(subject), n)
}

pub fn edge_naming(collection: &str, subject: &str, cid: Cid, n: i64) -> Value {
    Value::map([("$type", Value::text(collection)), ("subject", strong_ref(subject, cid)), ("createdAt", Value::text(created(n)))])
}

/// A follow or block.
pub fn tie(collection: &str, did: &str, n: i64) -> Value {
    Value::map([("$type", Value::text(collection)), ("subject", Value::text(did)), ("createdAt", Value::text(created(n)))])
}

pub fn post(text: &str, n: i64) -> Value {
    Value::map([("$type", Value::text(POST)), ("text", Value::text(text)), ("createdAt", Value::text(created(n)))])
}

fn with(value: Value, key: &str, field: Value) -> Value {
    let Value::Map(mut entries) = value else { panic!("no map") };
    entries.push((key.to_owned(), field));
    Value::Map(entries)
}

pub fn reply(parent: &str, n: i64) -> Value {
    reply_in(parent, parent, n)
}

pub fn reply_in(root: &str, parent: &str, n: i64) -> Value {
    let end = |uri: &str| strong_ref(uri, named(uri));
    with(post("reply", n), "reply", Value::map([("root", end(root)), ("parent", end(parent))]))
}

/// The post, with facets that mention these.
pub fn mentioning(post: Value, dids: &[&str]) -> Value {
    let facet = |did: &&str| {
        let mention = Value::map([("$type", Value::text("app.bsky.richtext.facet#mention")), ("did", Value::text(*did))]);
        let index = Value::map([("byteStart", Value::Int(0)), ("byteEnd", Value::Int(1))]);
        Value::map([("index", index), ("features", Value::Array(vec![mention]))])
    };
    with(post, "facets", Value::Array(dids.iter().map(facet).collect()))
}

pub fn quote(quoted: &str, n: i64) -> Value {
    quoting(post("quote", n), quoted)
}

/// The post, with what it quotes.
pub fn quoting(post: Value, quoted: &str) -> Value {
    let embed = Value::map([("$type", Value::text("app.bsky.embed.record")), ("record", strong_ref(quoted, named(quoted)))]);
    with(post, "embed", embed)
}

/// A rule of a thread gate: `mention`, `follower`, `following`.
pub fn rule(name: &str) -> Value {
    Value::map([("$type", Value::text(format!("{THREADGATE}#{name}Rule")))])
}

pub fn list_rule(list: &str) -> Value {
    with(rule("list"), "list", Value::text(list))
}

/// Who may reply to a post (`None`: everyone), and what is hidden below it.
pub fn threadgate(post: &str, allow: Option<Vec<Value>>, hidden: &[String], n: i64) -> Value {
    let mut gate = Value::map([("$type", Value::text(THREADGATE)), ("post", Value::text(post)), ("createdAt", Value::text(created(n)))]);
    if let Some(rules) = allow {
        gate = with(gate, "allow", Value::Array(rules));
    }
    with(gate, "hiddenReplies", Value::Array(hidden.iter().map(|uri| Value::text(uri.as_str())).collect()))
}

/// Nobody may quote the post.
pub fn postgate(post: &str, n: i64) -> Value {
    let rule = Value::map([("$type", Value::text(format!("{POSTGATE}#disableRule")))]);
    let gate = Value::map([("$type", Value::text(POSTGATE)), ("post", Value::text(post)), ("createdAt", Value::text(created(n)))]);
    with(gate, "embeddingRules", Value::Array(vec![rule]))
}

pub fn list_item(list: &str, did: &str, n: i64) -> Value {
    with(tie(LISTITEM, did, n), "list", Value::text(list))
}

pub fn verification(did: &str, n: i64) -> Value {
    with(with(tie(VERIFICATION, did, n), "handle", Value::text("name.test")), "displayName", Value::text("Name"))
}

/// A profile that came through a starter pack.
pub fn profile_through(pack: &str, name: &str) -> Value {
    let profile = Value::map([("$type", Value::text(PROFILE)), ("displayName", Value::text(name))]);
    with(profile, "joinedViaStarterPack", strong_ref(pack, named(pack)))
}

/// A post that its lexicon does not allow: its text is a number.
pub fn invalid(n: i64) -> Value {
    Value::map([("$type", Value::text(POST)), ("text", Value::Int(n)), ("createdAt", Value::text(created(n)))])
}

pub fn list(name: &str, n: i64) -> Value {
    Value::map([
        ("$type", Value::text(LIST)),
        ("name", Value::text(name)),
        ("purpose", Value::text("app.bsky.graph.defs#curatelist")),
        ("createdAt", Value::text(created(n))),
    ])
}
