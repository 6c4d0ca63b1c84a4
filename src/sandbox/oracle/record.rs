//! What a record says that an index derives something from. Reads the lexicons' fields; never looks at anything but the record.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::atproto::cbor::Value;
use crate::atproto::{AtUri, Cid, Did, Tid, datetime};

pub(super) const POST: &str = "app.bsky.feed.post";
pub(super) const LIKE: &str = "app.bsky.feed.like";
pub(super) const REPOST: &str = "app.bsky.feed.repost";
pub(super) const FOLLOW: &str = "app.bsky.graph.follow";
pub(super) const BLOCK: &str = "app.bsky.graph.block";
pub(super) const LIST: &str = "app.bsky.graph.list";
pub(super) const LISTBLOCK: &str = "app.bsky.graph.listblock";
pub(super) const LISTITEM: &str = "app.bsky.graph.listitem";
pub(super) const VERIFICATION: &str = "app.bsky.graph.verification";
pub(super) const STARTERPACK: &str = "app.bsky.graph.starterpack";
pub(super) const THREADGATE: &str = "app.bsky.feed.threadgate";
pub(super) const POSTGATE: &str = "app.bsky.feed.postgate";
pub(super) const PROFILE: &str = "app.bsky.actor.profile";

/// Collections whose records are kept; of all others the index holds nothing.
const KEPT: &[&str] = &[
    POST,
    LIKE,
    REPOST,
    FOLLOW,
    BLOCK,
    LIST,
    LISTBLOCK,
    LISTITEM,
    VERIFICATION,
    STARTERPACK,
    THREADGATE,
    POSTGATE,
    PROFILE,
    "app.bsky.actor.status",
    "app.bsky.actor.contentVisibilityDeclaration",
    "app.bsky.feed.generator",
    "app.bsky.labeler.service",
    "app.bsky.notification.declaration",
    "chat.bsky.actor.declaration",
    "com.germnetwork.declaration",
    "site.standard.document",
    "site.standard.publication",
    "site.standard.graph.recommend",
    "site.standard.graph.subscription",
    "site.standard.theme.basic",
    "com.atproto.lexicon.schema",
];

/// What can be liked and reposted.
const LIKABLE: &[&str] = &[POST, "app.bsky.feed.generator", LIST, STARTERPACK, "app.bsky.labeler.service"];

/// Accounts that one post can mention.
const MAX_MENTIONS: usize = 50;

pub(super) fn is_kept(collection: &str) -> bool {
    KEPT.contains(&collection)
}

/// A record that is held.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    pub cid: Cid,
    /// The earlier of createdAt and the message's time, microseconds since 1970.
    pub at: i64,
    pub says: Says,
}

impl Record {
    /// The post, where it is one.
    #[must_use]
    pub fn post(&self) -> Option<&Post> {
        if let Says::Post(post) = &self.says { Some(post) } else { None }
    }
}

/// What an index derives from a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Says {
    /// Nothing, or nothing that could be followed: it is only kept.
    Nothing,
    Edge(Edge),
    Post(Arc<Post>),
    /// Who may reply to its author's post of the same key.
    Gate(Arc<Gate>),
    /// Nobody may quote its author's post of the same key.
    NoQuotes,
    /// A profile that came through this starter pack.
    Joined(String),
}

/// From its author to a subject. Edges of one author to one subject are one pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// A DID or the address of a record; of a list item the list's address.
    pub subject: String,
    /// Of a list item: who is on the list.
    pub member: Option<String>,
}

/// What a post says of others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Post {
    pub parent: Option<String>,
    /// Where the thread began, if that is not the parent.
    pub root: Option<String>,
    pub quote: Option<String>,
    /// DIDs, each once.
    pub mentions: Vec<String>,
    /// When it sorts, microseconds since 1970.
    pub at: i64,
}

impl Post {
    /// The post whose author says who may reply.
    #[must_use]
    pub fn thread(&self) -> Option<&str> {
        self.root.as_deref().or(self.parent.as_deref())
    }
}

/// Who may reply, besides the members of lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Whom the post mentions.
    Mentioned,
    /// Who follows the post's author.
    Followers,
    /// Whom the post's author follows.
    Followed,
}

/// Rules of a thread.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gate {
    /// Only those may reply to whom a rule applies.
    pub closed: bool,
    pub rules: BTreeSet<Rule>,
    /// Lists whose members may reply, where they are the post's author's own.
    pub lists: BTreeSet<String>,
    /// Replies that the author hides.
    pub hidden: BTreeSet<String>,
}

impl Says {
    /// What the record at `uri` says; `at` is when it sorts.
    pub(super) fn of(uri: &str, record: &Value, at: i64) -> Self {
        let derived = match collection(uri) {
            POST => Some(Self::Post(Arc::new(post(record, at)))),
            LIKE | REPOST => reference(record.get("subject"), LIKABLE).map(Edge::to),
            FOLLOW | BLOCK | VERIFICATION => did(record.get("subject")).map(Edge::to),
            LISTBLOCK => address(record.get("subject"), &[LIST]).map(Edge::to),
            LISTITEM => member(uri, record),
            THREADGATE => own_post(uri, record).then(|| Self::Gate(Arc::new(gate(record)))),
            POSTGATE => (own_post(uri, record) && quotes_forbidden(record)).then_some(Self::NoQuotes),
            PROFILE => reference(record.get("joinedViaStarterPack"), &[STARTERPACK]).map(Self::Joined),
            _ => None,
        };
        derived.unwrap_or(Self::Nothing)
    }

    /// The edge, where it is one.
    #[must_use]
    pub fn edge(&self) -> Option<&Edge> {
        if let Self::Edge(edge) = self { Some(edge) } else { None }
    }
}

impl Edge {
    fn to(subject: String) -> Says {
        Says::Edge(Self { subject, member: None })
    }
}

/// createdAt, microseconds since 1970; `None` where there is none.
pub(super) fn created_at(record: &Value) -> Option<i64> {
    text(record.get("createdAt")).and_then(datetime::parse_micros)
}

fn post(record: &Value, at: i64) -> Post {
    let reply = |end: &str| record.get("reply").and_then(|reply| reference(reply.get(end), &[POST]));
    let (parent, root) = (reply("parent"), reply("root"));
    Post {
        root: root.filter(|root| Some(root) != parent.as_ref()),
        parent,
        quote: reference(embedded(record), &[POST]),
        mentions: mentions(record),
        at,
    }
}

/// The reference that a post's embed quotes.
fn embedded(post: &Value) -> Option<&Value> {
    let embed = post.get("embed")?;
    match kind(embed)? {
        "app.bsky.embed.record" => embed.get("record"),
        "app.bsky.embed.recordWithMedia" => embed.get("record")?.get("record"),
        _ => None,
    }
}

fn mentions(post: &Value) -> Vec<String> {
    let mut dids = Vec::new();
    for feature in items(post.get("facets")).iter().flat_map(|facet| items(facet.get("features"))) {
        if kind(feature) == Some("app.bsky.richtext.facet#mention")
            && let Some(did) = did(feature.get("did"))
            && !dids.contains(&did)
        {
            dids.push(did);
        }
    }
    dids.truncate(MAX_MENTIONS);
    dids
}

/// A list item counts where the list is its author's own.
fn member(uri: &str, record: &Value) -> Option<Says> {
    let subject = address(record.get("list"), &[LIST]).filter(|list| author(list) == author(uri))?;
    Some(Says::Edge(Edge { subject, member: Some(did(record.get("subject"))?) }))
}

/// Gates are their author's, for a post of their own key, which is a TID.
fn own_post(uri: &str, record: &Value) -> bool {
    let post = address(record.get("post"), &[POST]);
    post.is_some_and(|post| author(&post) == author(uri) && key(&post) == key(uri) && key(uri).parse::<Tid>().is_ok())
}

fn gate(record: &Value) -> Gate {
    let mut gate = Gate { closed: record.get("allow").is_some(), ..Gate::default() };
    for rule in items(record.get("allow")) {
        match kind(rule) {
            Some("app.bsky.feed.threadgate#mentionRule") => gate.rules.extend([Rule::Mentioned]),
            Some("app.bsky.feed.threadgate#followerRule") => gate.rules.extend([Rule::Followers]),
            Some("app.bsky.feed.threadgate#followingRule") => gate.rules.extend([Rule::Followed]),
            Some("app.bsky.feed.threadgate#listRule") => {
                gate.lists.extend(address(rule.get("list"), &[LIST]));
            }
            _ => {}
        }
    }
    let hidden = items(record.get("hiddenReplies")).iter();
    gate.hidden.extend(hidden.filter_map(|reply| address(Some(reply), &[POST])));
    gate
}

fn quotes_forbidden(record: &Value) -> bool {
    items(record.get("embeddingRules")).iter().any(|rule| kind(rule) == Some("app.bsky.feed.postgate#disableRule"))
}

/// The address in a `com.atproto.repo.strongRef` to a record of one of these collections.
fn reference(strong_ref: Option<&Value>, collections: &[&str]) -> Option<String> {
    address(strong_ref?.get("uri"), collections)
}

fn address(value: Option<&Value>, collections: &[&str]) -> Option<String> {
    let uri = text(value)?;
    AtUri::parse(uri).filter(|uri| collections.contains(&uri.collection)).map(|_| uri.to_owned())
}

fn did(value: Option<&Value>) -> Option<String> {
    text(value).filter(|did| Did::is_valid(did)).map(str::to_owned)
}

fn kind(value: &Value) -> Option<&str> {
    text(value.get("$type"))
}

fn text(value: Option<&Value>) -> Option<&str> {
    value.and_then(Value::as_text)
}

fn items(value: Option<&Value>) -> &[Value] {
    if let Some(Value::Array(items)) = value { items } else { &[] }
}

/// The DID in an address.
pub(super) fn author(uri: &str) -> &str {
    part(uri, 0)
}

pub(super) fn collection(uri: &str) -> &str {
    part(uri, 1)
}

pub(super) fn key(uri: &str) -> &str {
    part(uri, 2)
}

fn part(uri: &str, at: usize) -> &str {
    uri.trim_start_matches("at://").split('/').nth(at).unwrap_or_default()
}
