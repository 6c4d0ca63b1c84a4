//! What the network's people did, for tests/contract: facts of the oracle, and whom and what to ask about.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use appviewd::atproto::cbor::Value as Record;
use appviewd::atproto::{AtUri, Cid};
use appviewd::sandbox::Directory;
use appviewd::sandbox::directory::FEEDS_DID;
use appviewd::sandbox::oracle::{Counts, Edge, Oracle, Post, Says};
use serde_json::{Value, json};

/// Posts whose counts are asked for: those with most to count.
const POSTS: usize = 100;

pub struct World<'w> {
    /// What records say, by their CIDs.
    pub values: HashMap<Cid, Record>,
    pub oracle: &'w Oracle,
    pub directory: &'w Directory,
}

/// An edge record: its address, author and subject.
type Held<'w> = (&'w str, &'w str, &'w str);

fn author(uri: &str) -> &str {
    AtUri::parse(uri).unwrap().did
}

fn count(counts: &Counts, of: &str, what: &str) -> u64 {
    counts.get(of).and_then(|counts| counts.get(what)).copied().unwrap_or(0)
}

impl<'w> World<'w> {
    /// The object that tests/contract/world.mjs reads, without addresses.
    pub fn facts(&self) -> Value {
        let counts = self.oracle.counts();
        let shown: Vec<&str> = self.oracle.repos.keys().map(String::as_str).filter(|did| self.oracle.shows(did)).collect();
        let named: Vec<&str> = shown.iter().copied().filter(|did| self.directory.verified(did).is_some()).collect();
        let star = named.iter().copied().max_by_key(|did| count(&counts, did, "followers")).unwrap();
        let posts = self.posts(&counts);
        let post = posts.iter().find(|uri| author(uri) != star).unwrap().as_str();
        let me = named.iter().copied().filter(|did| *did != star && *did != author(post));
        let me = me.filter(|did| self.mine(did).is_some()).max_by_key(|did| count(&counts, did, "follows")).unwrap();
        // A reply that is shown, whose parent is, and neither of which a gate or a block could hide.
        let free =
            |post: &Post| post.parent.as_deref().zip(post.thread()).is_some_and(|(parent, root)| self.may_show(parent) && root == parent);
        let reply =
            posts.iter().find(|uri| self.oracle.records[*uri].post().is_some_and(|post| free(post) && !self.is_gated(post, uri))).unwrap();
        let list = self.oracle.records.keys().find(|uri| uri.contains("/app.bsky.graph.list/") && self.oracle.shows(author(uri))).unwrap();
        let feed =
            self.oracle.records.keys().find(|uri| uri.contains("/app.bsky.feed.generator/") && self.oracle.shows(author(uri))).unwrap();
        json!({
            "accounts": shown.iter().map(|did| self.account(&counts, did)).collect::<Vec<_>>(),
            "hidden": self.hidden(),
            "me": self.account(&counts, me),
            "star": self.account(&counts, star),
            "posts": posts.iter().map(|uri| self.post(&counts, uri)).collect::<Vec<_>>(),
            "post": self.post(&counts, post),
            "root": posts.iter().find(|uri| self.oracle.records[*uri].post().is_some_and(|post| post.thread().is_none())),
            "reply": reply,
            "parent": self.oracle.records[reply].post().unwrap().parent,
            "list": list,
            // Of two who block each other neither stands on a list about the other; reposters do.
            "edges": {
                "follows": self.others("app.bsky.graph.follow", |(_, from, to)| (from == star && !self.blocked(from, to)).then_some(to)),
                "followers": self.others("app.bsky.graph.follow", |(_, from, to)| (to == star && !self.blocked(from, to)).then_some(from)),
                "likers": self.others("app.bsky.feed.like", |(_, from, to)| (to == post && !self.blocked(from, author(post))).then_some(from)),
                "reposters": self.others("app.bsky.feed.repost", |(_, from, to)| (to == post).then_some(from)),
            },
            "feed": { "uri": feed, "service": FEEDS_DID },
            "written": self.feed(star),
            "mine": self.mine(me).unwrap(),
        })
    }

    fn may_show(&self, post: &str) -> bool {
        self.oracle.records.get(post).is_some_and(|record| record.post().is_some()) && self.oracle.shows(author(post))
    }

    /// Whether a gate stands over the thread of this reply, or a block between its author and whom it answers.
    fn is_gated(&self, post: &Post, uri: &str) -> bool {
        let root = post.thread().unwrap_or(uri);
        self.oracle.records.contains_key(&root.replace("/app.bsky.feed.post/", "/app.bsky.feed.threadgate/"))
            || self.blocked(author(root), author(uri))
    }

    /// Whether one of them blocks the other, directly or by a list.
    fn blocked(&self, a: &str, b: &str) -> bool {
        let is_on = |list: &str, did: &str| {
            let item = |says: &Says| matches!(says, Says::Edge(Edge { subject, member: Some(member) }) if subject == list && member == did);
            // Only the list's author says who is on it.
            let own = self.oracle.records.range(format!("at://{}/app.bsky.graph.listitem/", author(list))..);
            own.take_while(|(uri, _)| author(uri) == author(list)).any(|(_, record)| item(&record.says))
        };
        let says = |list: &str| self.values.get(&self.oracle.records.get(list)?.cid);
        let modlist = Some("app.bsky.graph.defs#modlist");
        let holds = |list: &str| {
            says(list).is_some_and(|list| crate::oracle::sees::book::text(list, "purpose") == modlist) && self.oracle.shows(author(list))
        };
        let lists = || self.edges("app.bsky.graph.listblock").filter(|(.., list)| holds(list));
        let by_list = |by: &str, did: &str| lists().any(|(_, from, list)| from == by && is_on(list, did));
        let alone = |by: &str, did: &str| self.edges("app.bsky.graph.block").any(|(_, from, to)| from == by && to == did);
        let blocks = |by, did| alone(by, did) || by_list(by, did);
        a != b && (blocks(a, b) || blocks(b, a))
    }

    fn sees(&self, did: &str, other: &str) -> bool {
        self.oracle.shows(other) && !self.blocked(did, other)
    }

    fn account(&self, counts: &Counts, did: &str) -> Value {
        json!({
            "did": did,
            "handle": self.directory.verified(did).unwrap_or_else(|| "handle.invalid".to_owned()),
            "followers": count(counts, did, "followers"),
            "follows": count(counts, did, "follows"),
            "posts": count(counts, did, "posts"),
        })
    }

    fn hidden(&self) -> Vec<Value> {
        let error = |status: &str| match status {
            "takendown" | "suspended" => "AccountTakedown",
            "deleted" => "InvalidRequest",
            _ => "AccountDeactivated",
        };
        let hidden = self.oracle.repos.iter().filter_map(|(did, repo)| Some((did, repo.status.as_deref()?)));
        hidden.map(|(did, status)| json!({ "did": did, "error": error(status) })).collect()
    }

    /// Posts of accounts that are shown, those with most to count first.
    fn posts(&self, counts: &Counts) -> Vec<String> {
        let shown = self.oracle.records.iter().filter(|(uri, record)| record.post().is_some() && self.oracle.shows(author(uri)));
        let mut posts: Vec<String> = shown.map(|(uri, _)| uri.clone()).collect();
        posts.sort_by_key(|uri| Reverse(counts.get(uri).map_or(0, |counts| counts.values().sum::<u64>())));
        posts.truncate(POSTS);
        posts
    }

    fn post(&self, counts: &Counts, uri: &str) -> Value {
        let certain = self.oracle.loose().exact(&format!("count {uri} replies=1")).is_some();
        json!({
            "uri": uri,
            "cid": self.oracle.records[uri].cid.to_string(),
            "likes": count(counts, uri, "likes"),
            "reposts": count(counts, uri, "reposts"),
            "replies": certain.then(|| count(counts, uri, "replies")),
            "quotes": count(counts, uri, "quotes"),
        })
    }

    fn edges(&self, collection: &str) -> impl Iterator<Item = Held<'w>> {
        let within = format!("/{collection}/");
        self.oracle.records.iter().filter_map(move |(uri, record)| match &record.says {
            Says::Edge(Edge { subject, member: None }) if uri.contains(&within) => Some((uri.as_str(), author(uri), subject.as_str())),
            _ => None,
        })
    }

    /// The accounts that `which` finds in the edges and that are shown, sorted, each once.
    fn others(&self, collection: &str, which: impl Fn(Held<'w>) -> Option<&'w str>) -> BTreeSet<&'w str> {
        self.edges(collection).filter_map(which).filter(|did| self.oracle.shows(did)).collect()
    }

    /// What is on an account's feed, sorted, as "<post> <repost>".
    fn feed(&self, did: &str) -> Vec<String> {
        let items = self.oracle.feed(did).into_iter();
        let mut feed: Vec<_> = items.map(|item| format!("{} {}", item.post, item.repost.unwrap_or_default())).collect();
        feed.sort();
        feed
    }

    /// A post that the account likes, somebody whom it follows, and all whom it does; `None` where there is no such.
    fn mine(&self, did: &str) -> Option<Value> {
        let one = |collection: &str, fits: &dyn Fn(&str) -> bool| {
            let subject = self.edges(collection).find(|(_, from, to)| *from == did && fits(to))?.2;
            let same = self.edges(collection).filter(|(_, from, to)| *from == did && *to == subject);
            Some(json!({ "subject": subject, "uris": same.map(|(uri, ..)| uri).collect::<Vec<_>>() }))
        };
        let is_post = |uri: &str| self.oracle.records.get(uri).is_some_and(|record| record.post().is_some());
        Some(json!({
            "liked": one("app.bsky.feed.like", &|uri| is_post(uri) && self.sees(did, author(uri)))?,
            "followed": one("app.bsky.graph.follow", &|to| self.sees(did, to))?,
            "follows": self.others("app.bsky.graph.follow", |(_, from, to)| (from == did).then_some(to)),
        }))
    }
}
