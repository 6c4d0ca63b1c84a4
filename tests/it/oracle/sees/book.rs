//! The end state of a network as plain sets: what the oracle expects to be held, and what was said beside the stream (mutes, takedowns,
//! labels). Facts only; what follows of them for who reads is said in the files beside. Never reads the database, never calls the read side.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use appviewd::atproto::car::Car;
use appviewd::atproto::cbor::Value;
use appviewd::atproto::{Cid, Frame, Tid};
use appviewd::sandbox::Oracle;
use appviewd::sandbox::oracle::{Counts, Edge, Gate, Post, Says};

pub const POST: &str = "app.bsky.feed.post";
pub const LIKE: &str = "app.bsky.feed.like";
pub const REPOST: &str = "app.bsky.feed.repost";
pub const GENERATOR: &str = "app.bsky.feed.generator";
pub const FOLLOW: &str = "app.bsky.graph.follow";
pub const BLOCK: &str = "app.bsky.graph.block";
pub const LIST: &str = "app.bsky.graph.list";
pub const LISTBLOCK: &str = "app.bsky.graph.listblock";
pub const PROFILE: &str = "app.bsky.actor.profile";

/// What a labeler says; all labelers here may hide.
#[derive(Debug, Clone)]
pub struct Said {
    pub src: String,
    /// A DID or an address.
    pub uri: String,
    pub val: String,
}

/// How one account blocks another.
#[derive(Debug, Clone, Default)]
pub struct Block {
    pub direct: Option<String>,
    pub lists: Vec<String>,
}

/// What accounts said through the API.
#[derive(Debug, Default)]
pub struct Private {
    /// By who mutes and who is muted: 0 everything, else the sum of 1 reposts, 2 quote posts.
    pub mutes: BTreeMap<(String, String), u8>,
    pub list_mutes: BTreeSet<(String, String)>,
    pub thread_mutes: BTreeSet<(String, String)>,
    /// DIDs and addresses.
    pub takedowns: BTreeSet<String>,
    pub labels: Vec<Said>,
    /// Up to when notifications were seen, microseconds since 1970.
    pub seen: BTreeMap<String, i64>,
}

/// A notification that is no edge.
#[derive(Debug, Clone)]
pub struct Notice {
    pub reason: String,
    pub uri: String,
    pub about: Option<String>,
    pub at: i64,
}

pub struct Book {
    pub oracle: Oracle,
    pub private: Private,
    values: HashMap<Cid, Value>,
    /// Edges that count: address, and what it says, by collection.
    edges: BTreeMap<String, Vec<(String, Edge)>>,
    /// The same by collection, author and subject: the address.
    pairs: HashMap<(String, String, String), String>,
    /// Who is on each list, as its owner says.
    members: HashMap<String, Vec<String>>,
    flags: BTreeSet<(String, String)>,
    pub counts: Counts,
    blocks: HashMap<(String, String), Block>,
    labels: HashMap<String, Vec<Said>>,
    replies: HashMap<String, Vec<String>>,
    pub notices: BTreeMap<String, Vec<Notice>>,
}

pub fn author(uri: &str) -> &str {
    uri.trim_start_matches("at://").split('/').next().unwrap()
}

pub fn collection(uri: &str) -> &str {
    uri.trim_start_matches("at://").split('/').nth(1).unwrap_or_default()
}

pub fn key(uri: &str) -> &str {
    uri.rsplit('/').next().unwrap()
}

/// When the key of a record was made; a key that is no TID is older than all.
pub fn key_time(uri: &str) -> i64 {
    key(uri).parse::<Tid>().map_or(i64::MIN, Tid::micros)
}

impl Book {
    pub fn new(oracle: Oracle, frames: &[Vec<u8>], private: Private) -> Self {
        let lines = oracle.lines();
        let counted: BTreeSet<&str> =
            lines.iter().filter(|line| line.starts_with("edge ") && line.ends_with(" counted")).map(|line| word(line, 1)).collect();
        let mut edges: BTreeMap<String, Vec<(String, Edge)>> = BTreeMap::new();
        for (uri, record) in &oracle.records {
            if let Says::Edge(edge) = &record.says
                && counted.contains(uri.as_str())
            {
                edges.entry(collection(uri).to_owned()).or_default().push((uri.clone(), edge.clone()));
            }
        }
        let flags = lines.iter().filter(|line| line.starts_with("flags ")).map(|line| (word(line, 1).to_owned(), word(line, 2).to_owned()));
        let mut book = Self {
            values: values(frames),
            flags: flags.collect(),
            counts: oracle.counts(),
            pairs: HashMap::new(),
            members: HashMap::new(),
            blocks: HashMap::new(),
            labels: HashMap::new(),
            replies: HashMap::new(),
            notices: notices(&lines),
            oracle,
            private,
            edges,
        };
        book.sort_out();
        book.blocks = book.find_blocks();
        book
    }

    /// So that nothing is looked for among everything.
    fn sort_out(&mut self) {
        for (uri, edge) in self.edges.values().flatten() {
            let Edge { subject, member } = edge.clone();
            match member {
                Some(member) if author(uri) == author(&subject) => self.members.entry(subject).or_default().push(member),
                Some(_) => {}
                None => drop(self.pairs.insert((collection(uri).to_owned(), author(uri).to_owned(), subject), uri.clone())),
            }
        }
        for (uri, record) in &self.oracle.records {
            if let Some(parent) = record.post().and_then(|post| post.parent.clone()) {
                self.replies.entry(parent).or_default().push(uri.clone());
            }
        }
        for said in &self.private.labels {
            self.labels.entry(said.uri.clone()).or_default().push(said.clone());
        }
    }

    /// Who blocks whom: by a block, or by the block of a list to keep people out, whose owner is there.
    fn find_blocks(&self) -> HashMap<(String, String), Block> {
        let mut blocks: HashMap<(String, String), Block> = HashMap::new();
        for (uri, edge) in self.edges(BLOCK) {
            blocks.entry((author(uri).to_owned(), edge.subject.clone())).or_default().direct = Some(uri.to_owned());
        }
        for (uri, edge) in self.edges(LISTBLOCK).filter(|(_, edge)| self.is_in_force(&edge.subject)) {
            for member in self.members(&edge.subject) {
                blocks.entry((author(uri).to_owned(), member.to_owned())).or_default().lists.push(edge.subject.clone());
            }
        }
        blocks
    }

    /// Edges of a collection that count.
    pub fn edges(&self, collection: &str) -> impl Iterator<Item = (&str, &Edge)> {
        self.edges.get(collection).into_iter().flatten().map(|(uri, edge)| (uri.as_str(), edge))
    }

    /// Who is on a list: only its owner says so.
    pub fn members<'b>(&'b self, list: &'b str) -> impl Iterator<Item = &'b str> {
        self.members.get(list).into_iter().flatten().map(String::as_str)
    }

    /// Whether a list blocks and mutes who is on it.
    pub fn is_in_force(&self, list: &str) -> bool {
        let keeps_out = self.value(list).is_some_and(|list| text(list, "purpose") == Some("app.bsky.graph.defs#modlist"));
        keeps_out && self.shows(author(list))
    }

    pub fn is_held(&self, uri: &str) -> bool {
        self.oracle.records.contains_key(uri)
    }

    pub fn cid(&self, uri: &str) -> Option<String> {
        self.oracle.records.get(uri).map(|record| record.cid.to_string())
    }

    /// The record that is held at an address.
    pub fn value(&self, uri: &str) -> Option<&Value> {
        self.values.get(&self.oracle.records.get(uri)?.cid)
    }

    /// The post that is held at an address.
    pub fn post(&self, uri: &str) -> Option<&Post> {
        self.oracle.records.get(uri)?.post()
    }

    pub fn posts(&self) -> impl Iterator<Item = (&str, &Post)> {
        self.oracle.records.iter().filter_map(|(uri, record)| Some((uri.as_str(), record.post()?)))
    }

    pub fn replies(&self, parent: &str) -> impl Iterator<Item = &str> {
        self.replies.get(parent).into_iter().flatten().map(String::as_str)
    }

    /// The gate of the thread that began with this post, and where it is.
    pub fn gate(&self, post: &str) -> Option<(String, &Gate)> {
        let uri = post.replace(POST, "app.bsky.feed.threadgate");
        match &self.oracle.records.get(&uri)?.says {
            Says::Gate(gate) => Some((uri, gate)),
            _ => None,
        }
    }

    /// The record that says who may quote this post.
    fn postgate(&self, post: &str) -> Option<(&Says, &Value)> {
        let uri = post.replace(POST, "app.bsky.feed.postgate");
        let gate = self.value(&uri).filter(|gate| text(gate, "post") == Some(post))?;
        Some((&self.oracle.records.get(&uri)?.says, gate))
    }

    pub fn is_closed(&self, post: &str) -> bool {
        self.postgate(post).is_some_and(|(says, _)| *says == Says::NoQuotes)
    }

    /// Whether the author of `quoted` has taken it out of `quoting`.
    pub fn is_taken_out(&self, quoted: &str, quoting: &str) -> bool {
        let gate = self.postgate(quoted).filter(|_| key(quoted).parse::<Tid>().is_ok());
        gate.is_some_and(|(_, gate)| items(gate, "detachedEmbeddingUris").iter().any(|uri| uri.as_text() == Some(quoting)))
    }

    /// `violates` or `detached`.
    pub fn has_flag(&self, uri: &str, flag: &str) -> bool {
        self.flags.contains(&(uri.to_owned(), flag.to_owned()))
    }

    pub fn count(&self, of: &str, what: &str) -> u64 {
        self.counts.get(of).and_then(|counts| counts.get(what)).copied().unwrap_or(0)
    }

    pub fn said<'b>(&'b self, of: &'b str) -> impl Iterator<Item = &'b Said> {
        self.labels.get(of).into_iter().flatten()
    }

    pub fn is_gone(&self, subject: &str) -> bool {
        self.private.takedowns.contains(subject) || self.said(subject).any(|said| ["!takedown", "!suspend"].contains(&said.val.as_str()))
    }

    /// Whether an account is shown.
    pub fn shows(&self, did: &str) -> bool {
        self.oracle.shows(did) && !self.is_gone(did)
    }

    /// Whether a record is shown to who is not kept apart from its author.
    pub fn shows_record(&self, uri: &str) -> bool {
        self.is_held(uri) && self.shows(author(uri)) && !self.is_gone(uri)
    }

    pub fn block(&self, by: &str, of: &str) -> Option<&Block> {
        self.blocks.get(&(by.to_owned(), of.to_owned())).filter(|_| by != of)
    }

    pub fn are_apart(&self, one: &str, other: &str) -> bool {
        self.block(one, other).is_some() || self.block(other, one).is_some()
    }

    /// The edge of a collection by which `by` names `of`.
    pub fn edge(&self, collection: &str, by: &str, of: &str) -> Option<&str> {
        self.pairs.get(&(collection.to_owned(), by.to_owned(), of.to_owned())).map(String::as_str)
    }

    /// The follow by which `by` follows `of`.
    pub fn follow(&self, by: &str, of: &str) -> Option<&str> {
        self.edge(FOLLOW, by, of)
    }
}

/// Every record that the frames hold.
pub fn values(frames: &[Vec<u8>]) -> HashMap<Cid, Value> {
    let mut values = HashMap::new();
    for frame in frames {
        let Ok(Frame::Commit(commit)) = Frame::parse(frame) else { continue };
        let blocks = Car::parse(commit.blocks).unwrap();
        for cid in commit.ops.iter().filter_map(|op| op.cid) {
            values.insert(cid, Value::decode(blocks.get(&cid).unwrap()).unwrap());
        }
    }
    values
}

/// `notif <recipient did> <reason> <record uri> about=<uri> at=<microseconds>`
fn notices(lines: &[String]) -> BTreeMap<String, Vec<Notice>> {
    let mut notices: BTreeMap<String, Vec<Notice>> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.starts_with("notif ")) {
        let about = word(line, 4).trim_start_matches("about=");
        let notice = Notice {
            reason: word(line, 2).to_owned(),
            uri: word(line, 3).to_owned(),
            about: (about != "-").then(|| about.to_owned()),
            at: word(line, 5).trim_start_matches("at=").parse().unwrap(),
        };
        notices.entry(word(line, 1).to_owned()).or_default().push(notice);
    }
    notices
}

fn word(line: &str, at: usize) -> &str {
    line.split(' ').nth(at).unwrap()
}

pub fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_text)
}

pub fn items<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    if let Some(Value::Array(items)) = value.get(key) { items } else { &[] }
}
