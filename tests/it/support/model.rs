//! What the index must hold after a list of frames: played one by one, in order, with nothing but maps. Knows the protocol and DESIGN's rules,
//! and shares no code with ingest, queue, lexicon, collection or index.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use appviewd::atproto::car::Car;
use appviewd::atproto::cbor::Value;
use appviewd::atproto::commit::SignedCommit;
use appviewd::atproto::frame::{CommitFrame, Frame, SyncFrame};
use appviewd::atproto::mst::EMPTY_ROOT;
use appviewd::atproto::{AtUri, Cid, Tid};

/// Namespaces whose records are kept though nothing is derived from them.
const KEPT: &[&str] = &["app.bsky.", "chat.bsky."];

/// The expected state of an index.
#[derive(Debug, Default)]
pub struct Model {
    pub repos: BTreeMap<String, Repo>,
    /// Records held, by `at://` address.
    pub records: BTreeMap<String, Record>,
    /// Record ops that their lexicons do not allow, by `at://` address; the newest op of each path.
    pub dead_letters: BTreeSet<String>,
    /// Which edges point from one author to one subject, by (collection, author, subject).
    edges: BTreeMap<(String, String, String), Edges>,
    invalid: HashSet<Cid>,
}

/// What is known of a repo.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Repo {
    pub rev: Option<Tid>,
    pub data: Option<Cid>,
    pub desynchronized: bool,
    /// Why it is hidden; `None` = active.
    pub status: Option<String>,
    pub handle: Option<String>,
}

/// A record that is held.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    pub cid: Cid,
    pub links: Links,
}

/// What a record points at.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Links {
    /// Of a like, repost (an `at://` address), follow or block (a DID).
    pub subject: Option<String>,
    pub parent: Option<String>,
    /// Where the thread began, if that is not the parent.
    pub root: Option<String>,
    pub quote: Option<String>,
}

/// Edges of one author to one subject.
#[derive(Debug, Default)]
struct Edges {
    keys: BTreeSet<String>,
    counted: Option<String>,
}

/// The names of counts, in the order in which a line shows them.
const COUNTS: &[&str] = &["likes", "reposts", "replies", "quotes", "followers", "follows", "posts"];

/// Counts of a record or an account, by name.
pub type Counts = BTreeMap<String, BTreeMap<&'static str, u64>>;

impl Model {
    /// The state after these frames. `invalid` are the CIDs of records that their lexicons do not allow.
    pub fn of<'f>(frames: impl IntoIterator<Item = &'f Vec<u8>>, invalid: &HashSet<Cid>) -> Self {
        let mut model = Self { invalid: invalid.clone(), ..Self::default() };
        for bytes in frames {
            model.play(&Frame::parse(bytes).expect("a readable frame"));
        }
        model
    }

    /// An empty index, to which records of these CIDs are not allowed.
    pub fn with_invalid(invalid: HashSet<Cid>) -> Self {
        Self { invalid, ..Self::default() }
    }

    /// One message more.
    pub fn play(&mut self, frame: &Frame<'_>) {
        match frame {
            Frame::Commit(frame) => self.commit(frame),
            Frame::Sync(frame) => self.sync(frame),
            Frame::Identity(frame) => {
                let repo = self.repo(frame.did);
                if let Some(handle) = frame.handle {
                    repo.handle = Some(handle.to_owned());
                }
            }
            Frame::Account(frame) => {
                let status = (!frame.active).then(|| frame.status.unwrap_or("inactive").to_owned());
                self.repo(frame.did).status = status;
            }
            Frame::Info { .. } | Frame::Error { .. } | Frame::Other { .. } => {}
        }
    }

    fn repo(&mut self, did: &str) -> &mut Repo {
        self.repos.entry(did.to_owned()).or_default()
    }

    fn commit(&mut self, frame: &CommitFrame<'_>) {
        let rev: Tid = frame.rev.parse().expect("a TID");
        let car = Car::parse(frame.blocks).expect("a CAR");
        let commit = SignedCommit::decode(car.get(&frame.commit).expect("the commit block")).expect("a commit");
        let repo = self.repo(frame.repo);
        if repo.rev.is_some_and(|held| held >= rev) {
            return;
        }
        let broken = repo.rev.is_some()
            && (frame.since != repo.rev.map(|r| r.to_string()).as_deref() || frame.prev_data.is_some_and(|p| Some(p) != repo.data));
        repo.desynchronized |= broken;
        (repo.rev, repo.data) = (Some(rev), Some(commit.data));
        for op in &frame.ops {
            let uri = format!("at://{}/{}", frame.repo, op.path);
            match op.cid {
                Some(cid) => self.put(uri, cid, car.get(&cid).expect("the record's block")),
                None => self.take(&uri),
            }
        }
    }

    fn sync(&mut self, frame: &SyncFrame<'_>) {
        let rev: Tid = frame.rev.parse().expect("a TID");
        let car = Car::parse(frame.blocks).expect("a CAR");
        let commit = SignedCommit::decode(car.get(&car.root()).expect("the commit block")).expect("a commit");
        let repo = self.repo(frame.did);
        if repo.rev.is_some_and(|held| held >= rev) {
            return;
        }
        if repo.data.unwrap_or(*EMPTY_ROOT) == commit.data {
            (repo.rev, repo.data) = (Some(rev), Some(commit.data));
        } else {
            repo.desynchronized = true;
        }
    }

    /// A record comes to stand at `uri`.
    pub fn put(&mut self, uri: String, cid: Cid, block: &[u8]) {
        self.dead_letters.remove(&uri);
        if !KEPT.iter().any(|kept| collection(&uri).starts_with(kept)) {
            return;
        }
        if self.invalid.contains(&cid) {
            self.take(&uri);
            self.dead_letters.insert(uri);
            return;
        }
        let links = Links::of(collection(&uri), &Value::decode(block).expect("a record"));
        let moved = self.records.get(&uri).is_some_and(|held| held.links.subject != links.subject);
        if moved {
            self.take(&uri);
        }
        if let Some(edges) = self.edges_of(&uri, &links) {
            edges.keys.insert(uri.clone());
            edges.counted.get_or_insert(uri.clone());
        }
        self.records.insert(uri, Record { cid, links });
    }

    /// The record at `uri` goes.
    pub fn take(&mut self, uri: &str) {
        self.dead_letters.remove(uri);
        let Some(record) = self.records.remove(uri) else { return };
        if let Some(edges) = self.edges_of(uri, &record.links) {
            edges.keys.remove(uri);
            if edges.counted.as_deref() == Some(uri) {
                // TIDs sort as text, and all keys here share their prefix.
                edges.counted = edges.keys.first().cloned();
            }
        }
    }

    fn edges_of(&mut self, uri: &str, links: &Links) -> Option<&mut Edges> {
        let key = (collection(uri).to_owned(), author(uri).to_owned(), links.subject.clone()?);
        Some(self.edges.entry(key).or_default())
    }

    /// The addresses of all edges that count.
    pub fn counted(&self) -> HashSet<&str> {
        self.edges.values().filter_map(|edges| edges.counted.as_deref()).collect()
    }

    /// The state in the lines of `support::dump`.
    pub fn lines(&self) -> Vec<String> {
        let counted = self.counted();
        let mut lines: Vec<String> = self.repos.iter().map(|(did, repo)| repo.line(did)).collect();
        for (uri, record) in &self.records {
            lines.push(format!("record {uri} {}", record.cid));
            lines.extend(record.links.line(uri, counted.contains(uri.as_str())));
        }
        for (whose, counts) in self.counts() {
            let shown = COUNTS.iter().filter_map(|what| Some(format!("{what}={}", counts.get(what)?)));
            lines.push(format!("count {whose} {}", shown.collect::<Vec<_>>().join(" ")));
        }
        lines.extend(self.dead_letters.iter().map(|uri| format!("letter {uri}")));
        lines.sort();
        lines
    }

    /// Every count that is not 0: of records by address, of accounts by DID.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::new();
        let mut add = |whose: &str, what| *counts.entry(whose.to_owned()).or_default().entry(what).or_default() += 1;
        for (collection, author, subject) in self.edges.iter().filter(|(_, edges)| edges.counted.is_some()).map(|(key, _)| key) {
            match collection.as_str() {
                "app.bsky.feed.like" => add(subject, "likes"),
                "app.bsky.feed.repost" => add(subject, "reposts"),
                "app.bsky.graph.follow" => {
                    add(subject, "followers");
                    add(author, "follows");
                }
                _ => {}
            }
        }
        for (uri, record) in self.records.iter().filter(|(uri, _)| collection(uri) == "app.bsky.feed.post") {
            add(author(uri), "posts");
            record.links.parent.iter().for_each(|parent| add(parent, "replies"));
            record.links.quote.iter().for_each(|quote| add(quote, "quotes"));
        }
        counts
    }
}

impl Repo {
    fn line(&self, did: &str) -> String {
        let state = if self.desynchronized { "desynchronized" } else { "synced" };
        let status = self.status.as_deref().unwrap_or("active");
        let (rev, data, handle) = (or_none(self.rev), or_none(self.data), or_none(self.handle.as_ref()));
        format!("repo {did} rev={rev} data={data} {state} {status} handle={handle}")
    }
}

impl Links {
    fn line(&self, uri: &str, counted: bool) -> Option<String> {
        if let Some(subject) = &self.subject {
            return Some(format!("edge {uri} -> {subject} {}", if counted { "counted" } else { "duplicate" }));
        }
        let any = [&self.parent, &self.root, &self.quote].into_iter().any(Option::is_some);
        let (parent, root, quote) = (or_none(self.parent.as_ref()), or_none(self.root.as_ref()), or_none(self.quote.as_ref()));
        any.then(|| format!("thread {uri} parent={parent} root={root} quote={quote}"))
    }

    fn of(collection: &str, record: &Value) -> Self {
        let text = |value: Option<&Value>| value.and_then(Value::as_text).map(str::to_owned);
        let uri = |reference: Option<&Value>| text(reference.and_then(|r| r.get("uri"))).filter(|uri| AtUri::parse(uri).is_some());
        match collection {
            "app.bsky.feed.like" | "app.bsky.feed.repost" => Self { subject: uri(record.get("subject")), ..Self::default() },
            "app.bsky.graph.follow" | "app.bsky.graph.block" => Self { subject: text(record.get("subject")), ..Self::default() },
            "app.bsky.feed.post" => {
                let post = |reference: Option<&Value>| uri(reference).filter(|uri| self::collection(uri) == "app.bsky.feed.post");
                let reply = |end: &str| post(record.get("reply").and_then(|reply| reply.get(end)));
                let (parent, root) = (reply("parent"), reply("root"));
                Self { root: root.filter(|root| Some(root) != parent.as_ref()), parent, quote: post(quoted(record)), subject: None }
            }
            _ => Self::default(),
        }
    }
}

/// The reference that a post's embed quotes.
fn quoted(post: &Value) -> Option<&Value> {
    let embed = post.get("embed")?;
    match embed.get("$type")?.as_text()? {
        "app.bsky.embed.record" => embed.get("record"),
        "app.bsky.embed.recordWithMedia" => embed.get("record")?.get("record"),
        _ => None,
    }
}

fn or_none(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |v| v.to_string())
}

fn author(uri: &str) -> &str {
    uri.trim_start_matches("at://").split('/').next().unwrap_or_default()
}

fn collection(uri: &str) -> &str {
    uri.trim_start_matches("at://").split('/').nth(1).unwrap_or_default()
}
