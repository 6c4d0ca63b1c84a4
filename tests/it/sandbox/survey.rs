//! What a stream holds, counted: read by nobody but the protocol's own types.

use std::collections::{BTreeMap, HashMap, HashSet};

use appviewd::atproto::car::Car;
use appviewd::atproto::cbor::Value;
use appviewd::atproto::commit::SignedCommit;
use appviewd::atproto::frame::{CommitFrame, Frame};
use appviewd::atproto::{Cid, Tid, datetime};

/// How often each thing was seen, by a name.
#[derive(Default)]
pub struct Survey {
    pub seen: BTreeMap<String, u32>,
    /// Operations in all.
    pub ops: u32,
    /// Posts by address: how deep in their thread, and how many answers came.
    posts: HashMap<String, (u32, u32)>,
    /// Addresses of parents that had not been seen when they were answered.
    awaited: HashSet<String>,
    gated: HashSet<String>,
    edges: HashSet<String>,
    /// What the last #account said of a repo: active, deleted.
    accounts: HashMap<String, (bool, bool)>,
    data: HashMap<String, Cid>,
}

impl Survey {
    pub fn of<'f>(frames: impl IntoIterator<Item = &'f Vec<u8>>) -> Self {
        let mut survey = Self::default();
        frames.into_iter().for_each(|bytes| survey.frame(&Frame::parse(bytes).unwrap()));
        survey
    }

    pub fn count(&self, what: &str) -> u32 {
        self.seen.get(what).copied().unwrap_or(0)
    }

    /// How many of 1,000 operations are this.
    pub fn per_mille(&self, what: &str) -> f64 {
        f64::from(self.count(what)) * 1000.0 / f64::from(self.ops)
    }

    fn add(&mut self, what: impl Into<String>) {
        *self.seen.entry(what.into()).or_default() += 1;
    }

    fn add_if(&mut self, holds: bool, what: &str) {
        if holds {
            self.add(what);
        }
    }

    fn frame(&mut self, frame: &Frame<'_>) {
        match frame {
            Frame::Commit(frame) => self.commit(frame),
            Frame::Sync(frame) => {
                let car = Car::parse(frame.blocks).unwrap();
                let data = SignedCommit::decode(car.get(&car.root()).unwrap()).unwrap().data;
                let same = self.data.insert(frame.did.to_owned(), data) == Some(data);
                self.add(if same { "#sync same" } else { "#sync other" });
            }
            Frame::Identity(frame) => self.add(if frame.handle.is_some() { "#identity" } else { "#identity without a handle" }),
            Frame::Account(frame) => {
                self.add(format!("#account {}", if frame.active { "active" } else { frame.status.unwrap_or("inactive") }));
                let now = (frame.active, frame.status == Some("deleted"));
                let before = self.accounts.insert(frame.did.to_owned(), now);
                self.add_if(frame.active && before.is_some_and(|(_, deleted)| deleted), "born again");
                if frame.active && before.is_some_and(|(_, deleted)| deleted) {
                    self.data.remove(frame.did);
                }
            }
            other => panic!("{other:?}"),
        }
    }

    fn commit(&mut self, frame: &CommitFrame<'_>) {
        let car = Car::parse(frame.blocks).unwrap();
        self.data.insert(frame.repo.to_owned(), SignedCommit::decode(car.get(&frame.commit).unwrap()).unwrap().data);
        self.add_if(self.accounts.get(frame.repo).is_some_and(|(active, _)| !active), "commit of an inactive account");
        self.add_if(frame.ops.len() > 2, "commit of several");
        let posts = frame.ops.iter().filter(|op| op.path.starts_with("app.bsky.feed.post/")).count();
        self.add_if(posts > 2, "thread in one commit");
        for op in &frame.ops {
            self.ops += 1;
            let (collection, rkey) = op.path.split_once('/').unwrap();
            self.add(if op.action == "create" { collection.to_owned() } else { op.action.to_owned() });
            self.add(format!("{} {collection}", op.action));
            self.add_if(collection == "app.bsky.feed.post" && rkey.parse::<Tid>().is_err(), "post under an odd key");
            let uri = format!("at://{}/{}", frame.repo, op.path);
            match op.cid.and_then(|cid| car.get(&cid)) {
                Some(block) => self.record(frame, &uri, collection, &Value::decode(block).unwrap()),
                None => self.add_if(self.posts.get(&uri).is_some_and(|(_, answers)| *answers > 0), "answered post deleted"),
            }
        }
    }

    fn record(&mut self, frame: &CommitFrame<'_>, uri: &str, collection: &str, record: &Value) {
        let now = datetime::parse_micros(frame.time).unwrap();
        if let Some(created) = text(record, &["createdAt"]).and_then(datetime::parse_micros) {
            self.add_if(created > now + 60_000_000, "created in the future");
            self.add_if(created < now - 86_400_000_000, "created long ago");
        }
        let subject = record.get("subject").and_then(|subject| subject.as_text().or_else(|| text(subject, &["uri"])));
        if let Some(subject) = subject {
            let list = text(record, &["list"]).unwrap_or_default();
            let twice = !self.edges.insert(format!("{} {collection} {subject} {list}", frame.repo));
            self.add_if(twice, &format!("duplicate {collection}"));
        }
        self.add_if(record.get("via").is_some(), &format!("via {collection}"));
        match collection {
            "app.bsky.feed.post" => self.post(uri, record),
            "app.bsky.feed.threadgate" | "app.bsky.feed.postgate" => self.gate(frame, record),
            "app.bsky.actor.profile" => {
                self.add_if(record.get("joinedViaStarterPack").is_some(), "joined");
                self.add_if(record.get("pinnedPost").is_some(), "pinned");
            }
            _ => {}
        }
    }

    fn post(&mut self, uri: &str, record: &Value) {
        let mut depth = 0;
        if let Some(parent) = text(record, &["reply", "parent", "uri"]) {
            let root = text(record, &["reply", "root", "uri"]).unwrap();
            self.add("reply");
            self.add_if(self.gated.contains(root), "reply in a gated thread");
            let known = self.posts.get_mut(parent);
            depth = known.as_ref().map_or(1, |(depth, _)| depth + 1);
            match known {
                Some((_, answers)) => *answers += 1,
                None => drop(self.awaited.insert(parent.to_owned())),
            }
        }
        let was_awaited = self.awaited.remove(uri);
        self.add_if(was_awaited, "reply before its parent");
        self.add_if(depth >= 6, "deep reply");
        let answers = self.posts.get(uri).map_or(0, |post| post.1);
        self.posts.insert(uri.to_owned(), (depth, answers));
        for embed in [record.get("embed"), record.get("embed").and_then(|embed| embed.get("media"))].into_iter().flatten() {
            self.add(text(embed, &["$type"]).unwrap());
        }
        let quoted = text(record, &["embed", "record", "uri"]).or_else(|| text(record, &["embed", "record", "record", "uri"]));
        if let Some(quoted) = quoted {
            self.add(format!("embed of {}", quoted.split('/').nth(3).unwrap()));
            self.add_if(self.gated.contains(quoted), "quote of a gated post");
        }
        let Some(words) = text(record, &["text"]) else { return };
        self.add_if(words.contains('\0'), "U+0000");
        for (script, from, to) in [
            ("Cyrillic", '\u{400}', '\u{4ff}'),
            ("Arabic", '\u{600}', '\u{6ff}'),
            ("Thai", '\u{e00}', '\u{e7f}'),
            ("CJK", '\u{4e00}', '\u{9fff}'),
            ("Hangul", '\u{ac00}', '\u{d7a3}'),
            ("combining", '\u{300}', '\u{36f}'),
            ("joined emoji", '\u{200d}', '\u{200d}'),
        ] {
            self.add_if(words.chars().any(|c| (from..=to).contains(&c)), script);
        }
        if let Some(Value::Array(facets)) = record.get("facets") {
            for facet in facets {
                self.facet(words, facet);
            }
        }
    }

    /// A facet's bytes are what it says: a mention begins with @, a tag with #.
    fn facet(&mut self, words: &str, facet: &Value) {
        let at = |key| match facet.get("index").and_then(|index| index.get(key)) {
            Some(Value::Int(at)) => usize::try_from(*at).unwrap(),
            other => panic!("{key} is {other:?}"),
        };
        let shown = words.get(at("byteStart")..at("byteEnd")).expect("a slice of the text");
        let Some(Value::Array(features)) = facet.get("features") else { panic!("no features") };
        let kind = text(&features[0], &["$type"]).unwrap();
        match kind.rsplit('#').next().unwrap() {
            "mention" => assert!(shown.starts_with('@'), "{shown}"),
            "tag" => assert!(shown.starts_with('#'), "{shown}"),
            _ => assert!(shown.ends_with('…'), "{shown}"),
        }
        self.add(kind);
    }

    fn gate(&mut self, frame: &CommitFrame<'_>, record: &Value) {
        let Some(post) = text(record, &["post"]) else { return };
        let own = post.strip_prefix(&format!("at://{}/", frame.repo));
        self.add_if(own.is_none(), "gate of another's post");
        let with = own.is_some_and(|path| frame.ops.iter().any(|op| op.path == path && op.action == "create"));
        self.add_if(with, "gate with its post");
        self.add_if(!with && own.is_some(), "gate of an old post");
        self.gated.insert(post.to_owned());
        match record.get("allow") {
            None => self.add("allow absent"),
            Some(Value::Array(rules)) if rules.is_empty() => self.add("allow nobody"),
            Some(Value::Array(rules)) => {
                for rule in rules {
                    self.add(format!("allow {}", text(rule, &["$type"]).unwrap().rsplit('#').next().unwrap()));
                }
            }
            _ => {}
        }
        for list in ["hiddenReplies", "detachedEmbeddingUris", "embeddingRules"] {
            self.add_if(record.get(list).is_some(), list);
        }
    }

    /// The most answers that one post got.
    pub fn most_answers(&self) -> u32 {
        self.posts.values().map(|post| post.1).max().unwrap_or(0)
    }
}

fn text<'v>(value: &'v Value, path: &[&str]) -> Option<&'v str> {
    path.iter().try_fold(value, |value, key| value.get(key))?.as_text()
}
