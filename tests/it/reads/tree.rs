//! A thread that a test grows post by post, and its answers in short.

use std::collections::HashMap;

use appviewd::atproto::cbor::Value;
use appviewd::atproto::{Cid, Tid};
use serde_json::Value as Json;

use super::world::{ALICE, BOB, CAROL, World, follow, key, post, reference, time, uri};

pub const POST: &str = "app.bsky.feed.post";
pub const THREADGATE: &str = "app.bsky.feed.threadgate";
pub const DAVE: &str = "did:plc:daveaaaaaaaaaaaaaaaaaaaa";
/// Reads, and has made nothing of anyone.
pub const EVE: &str = "did:plc:eveaaaaaaaaaaaaaaaaaaaaa";

/// A world with posts that have names: their texts.
pub struct Tree {
    pub world: World,
    posts: HashMap<String, Said>,
    seconds: i64,
}

#[derive(Clone)]
struct Said {
    uri: String,
    cid: Cid,
    did: String,
    key: String,
    root: String,
}

impl Tree {
    pub async fn start() -> Self {
        Self { world: World::start().await, posts: HashMap::new(), seconds: 0 }
    }

    /// The first post of a thread, a second after what was said before.
    pub async fn first(&mut self, did: &str, name: &str) {
        self.put(did, name, name, vec![]).await;
    }

    /// A reply to the post `to`.
    pub async fn reply(&mut self, did: &str, name: &str, to: &str) {
        let root = self.posts[to].root.clone();
        self.reply_in(did, name, to, &root).await;
    }

    /// A reply that says that it belongs to the thread of `root`.
    pub async fn reply_in(&mut self, did: &str, name: &str, to: &str, root: &str) {
        let (parent, first) = (&self.posts[to], &self.posts[root]);
        let reply = Value::map([("root", reference(&first.uri, first.cid)), ("parent", reference(&parent.uri, parent.cid))]);
        self.put(did, name, root, vec![("reply", reply)]).await;
    }

    /// A first post with more fields.
    pub async fn put(&mut self, did: &str, name: &str, root: &str, more: Vec<(&str, Value)>) {
        self.seconds += 1;
        let key = key(self.seconds);
        let cid = self.world.put(did, POST, &key, &post(name, self.seconds, more)).await;
        let said = Said { uri: uri(did, POST, &key), cid, did: did.to_owned(), key, root: root.to_owned() };
        self.posts.insert(name.to_owned(), said);
    }

    pub async fn delete(&mut self, name: &str) {
        let said = self.posts[name].clone();
        self.world.delete(&said.did, POST, &said.key).await;
    }

    pub async fn block(&mut self, by: &str, of: &str) {
        self.edge("app.bsky.graph.block", by, of).await;
    }

    pub async fn follow(&mut self, by: &str, of: &str) {
        self.edge("app.bsky.graph.follow", by, of).await;
    }

    /// `by` likes the post of this name; the address of the like.
    pub async fn like(&mut self, by: &str, name: &str) -> String {
        self.seconds += 1;
        let (said, at) = (&self.posts[name], key(self.seconds));
        let like = super::world::edge("app.bsky.feed.like", &said.uri, said.cid, self.seconds);
        self.world.put(by, "app.bsky.feed.like", &at, &like).await;
        uri(by, "app.bsky.feed.like", &at)
    }

    async fn edge(&mut self, collection: &str, by: &str, of: &str) {
        self.seconds += 1;
        self.world.put(by, collection, &key(self.seconds), &follow(collection, of, self.seconds)).await;
    }

    /// A list of `owner` with one member; its address.
    pub async fn list(&mut self, owner: &str, member: &str) -> String {
        self.seconds += 1;
        let (list, text) = (uri(owner, "app.bsky.graph.list", &key(self.seconds)), |text: &str| Value::text(text));
        let record = [("name", text("Those")), ("purpose", text("app.bsky.graph.defs#modlist"))];
        self.record(owner, "app.bsky.graph.list", &key(self.seconds), record.to_vec()).await;
        let record = [("list", text(&list)), ("subject", text(member))];
        self.record(owner, "app.bsky.graph.listitem", &key(self.seconds), record.to_vec()).await;
        list
    }

    /// The gate of the thread that began with the post `name`.
    pub async fn gate(&mut self, name: &str, more: Vec<(&str, Value)>) {
        let said = self.posts[name].clone();
        let more = std::iter::once(("post", Value::text(&*said.uri))).chain(more).collect();
        self.record(&said.did, THREADGATE, &said.key, more).await;
    }

    /// Hides replies in the thread that began with the post `name`.
    pub async fn hide(&mut self, name: &str, replies: &[&str]) {
        let hidden = replies.iter().map(|reply| Value::text(&*self.posts[*reply].uri)).collect();
        self.gate(name, vec![("hiddenReplies", Value::Array(hidden))]).await;
    }

    pub async fn record(&mut self, did: &str, collection: &str, key: &str, more: Vec<(&str, Value)>) {
        let base = [("$type", Value::text(collection)), ("createdAt", Value::text(time(self.seconds)))];
        self.world.put(did, collection, key, &Value::map(base.into_iter().chain(more))).await;
    }

    /// `by` mutes an account, as the command does it.
    pub async fn mute(&self, by: &str, of: &str) {
        let sql =
            "INSERT INTO mute (account, subject, time) SELECT a.id, s.id, 1 FROM account a, account s WHERE a.did = $1 AND s.did = $2";
        let client = self.world.postgres.connect().await;
        client.execute("INSERT INTO account (did) VALUES ($1) ON CONFLICT DO NOTHING", &[&by]).await.unwrap();
        assert_eq!(client.execute(sql, &[&by, &of]).await.unwrap(), 1);
    }

    /// A chain of `count` posts in all that begins with the reply `name`, straight into the table; the address of the last one.
    pub async fn chain(&self, name: &str, count: i64) -> String {
        let sql = "INSERT INTO post (rkey, author, flags, rec, parent_r, parent_a, root_r, root_a)
            SELECT rkey + n * 4096, author, flags, rec, rkey + (n - 1) * 4096, author, parent_r, parent_a
            FROM post, generate_series(1, $2::int8) n WHERE rkey = $1";
        let first = self.posts[name].key.parse::<Tid>().unwrap().value();
        self.world.postgres.connect().await.execute(sql, &[&first, &(count - 1)]).await.unwrap();
        uri(&self.posts[name].did, POST, &Tid::from_value(first + (count - 1) * 4096).unwrap().to_string())
    }

    /// `count` more posts like the reply `name`, later ones, straight into the table.
    pub async fn crowd(&self, name: &str, count: i64) {
        let sql = "INSERT INTO post (rkey, author, flags, rec, parent_r, parent_a, root_r, root_a)
            SELECT rkey + n * 4096 + 1, author, flags, rec, parent_r, parent_a, root_r, root_a
            FROM post, generate_series(1, $2::int8) n WHERE rkey = $1";
        let first = self.posts[name].key.parse::<Tid>().unwrap().value();
        self.world.postgres.connect().await.execute(sql, &[&first, &count]).await.unwrap();
    }

    pub fn uri(&self, name: &str) -> &str {
        &self.posts[name].uri
    }

    fn name(&self, uri: &str) -> &str {
        self.posts.iter().find(|(_, said)| said.uri == uri).map_or("?", |(name, _)| name)
    }

    /// The answer of a method to `viewer` (empty: nobody in particular), which must be one.
    pub async fn ask(&self, viewer: &str, path: &str) -> Json {
        let path = format!("/xrpc/{path}");
        let answer = if viewer.is_empty() { self.world.get(&path).await } else { self.world.get_as(viewer, &path).await };
        assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
        answer.json()
    }

    /// `getPostThread`; `more` begins with `&`.
    pub async fn nested(&self, viewer: &str, anchor: &str, more: &str) -> Json {
        self.ask(viewer, &format!("app.bsky.feed.getPostThread?uri={}{more}", self.uri(anchor))).await
    }

    /// The same in short: `parent > anchor(reply(reply), reply)`, with `!` before what is blocked and `?` before what is not found.
    pub async fn short(&self, viewer: &str, anchor: &str, more: &str) -> String {
        let output = self.nested(viewer, anchor, more).await;
        let (mut above, mut at) = (String::new(), &output["thread"]["parent"]);
        while at.is_object() {
            above = format!("{} > {above}", self.node(at));
            at = &at["parent"];
        }
        format!("{above}{}", self.node(&output["thread"]))
    }

    fn node(&self, node: &Json) -> String {
        match node["$type"].as_str().unwrap() {
            "app.bsky.feed.defs#notFoundPost" => format!("?{}", self.name(node["uri"].as_str().unwrap())),
            "app.bsky.feed.defs#blockedPost" => format!("!{}", self.name(node["uri"].as_str().unwrap())),
            _ => {
                let name = node["post"]["record"]["text"].as_str().unwrap();
                let replies = node["replies"].as_array().map_or(String::new(), |replies| {
                    let replies: Vec<String> = replies.iter().map(|reply| self.node(reply)).collect();
                    if replies.is_empty() { String::new() } else { format!("({})", replies.join(", ")) }
                });
                format!("{name}{replies}")
            }
        }
    }

    /// `getPostThreadV2`; `more` begins with `&`.
    pub async fn flat(&self, viewer: &str, anchor: &str, more: &str) -> Json {
        self.ask(viewer, &format!("app.bsky.unspecced.getPostThreadV2?anchor={}{more}", self.uri(anchor))).await
    }

    /// The items of a list: depth and name, with `!` for blocked, `?` for not found, `-` for not shown to all.
    pub fn items(&self, output: &Json) -> Vec<String> {
        let item = |item: &Json| {
            let name = self.name(item["uri"].as_str().unwrap());
            let mark = match item["value"]["$type"].as_str().unwrap().split_once('#').unwrap().1 {
                "threadItemBlocked" => "!",
                "threadItemNotFound" => "?",
                "threadItemNoUnauthenticated" => "-",
                _ => "",
            };
            format!("{} {mark}{name}", item["depth"])
        };
        output["thread"].as_array().unwrap().iter().map(item).collect()
    }

    /// The items of `getPostThreadV2`, and whether there are others.
    pub async fn list_of(&self, viewer: &str, anchor: &str, more: &str) -> (Vec<String>, bool) {
        let output = self.flat(viewer, anchor, more).await;
        (self.items(&output), output["hasOtherReplies"].as_bool().unwrap())
    }

    /// The items of `getPostThreadOtherV2`.
    pub async fn others(&self, viewer: &str, anchor: &str) -> Vec<String> {
        self.items(&self.ask(viewer, &format!("app.bsky.unspecced.getPostThreadOtherV2?anchor={}", self.uri(anchor))).await)
    }
}

/// ALICE begins; BOB and CAROL answer her, and so it goes on.
///
/// `root(carol(alice-c), bob(dave(bob-d(carol-b))))`
pub async fn talk() -> Tree {
    let mut tree = Tree::start().await;
    tree.first(ALICE, "root").await;
    tree.reply(BOB, "bob", "root").await;
    tree.reply(DAVE, "dave", "bob").await;
    tree.reply(BOB, "bob-d", "dave").await;
    tree.reply(CAROL, "carol-b", "bob-d").await;
    tree.reply(CAROL, "carol", "root").await;
    tree.reply(ALICE, "alice-c", "carol").await;
    tree
}
