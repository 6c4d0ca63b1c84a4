//! The sandbox's feed generator: feeds that were set, and for all others the newest posts. Looks at who asks as a real one does: no token is
//! nobody, and a wrong one is refused.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::atproto::jwt::Claims;
use crate::atproto::{Jwt, PublicKey};

/// The service of every feed in the sandbox, in its directory of did:plc.
pub const FEEDS_DID: &str = "did:plc:feedsandboxaaaaaaaaaaaaa";
/// Where it is.
pub const FEEDS_URL: &str = "https://feeds.sandbox.test";

/// Newest posts that are remembered.
const POSTS: usize = 500;
/// Feeds that are described.
const FEEDS: usize = 1000;
/// Items of a page unless somebody asks for another number.
const PAGE: usize = 50;

/// Its feeds, and what it was asked last.
#[derive(Debug, Default)]
pub struct Feeds(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    offered: BTreeSet<String>,
    set: HashMap<String, Value>,
    newest: VecDeque<String>,
    last: Option<Asked>,
}

/// A question, as it came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    pub feed: String,
    pub limit: Option<usize>,
    pub cursor: Option<String>,
    pub authorization: Option<String>,
    pub language: Option<String>,
    pub topics: Option<String>,
}

impl Feeds {
    /// Has the feed at this address be the newest posts.
    pub fn offer(&self, feed: &str) {
        let mut state = self.state();
        if state.offered.len() < FEEDS {
            state.offered.insert(feed.to_owned());
        }
    }

    /// Has the feed at this address answer so, whatever is asked.
    pub fn set(&self, feed: &str, answer: Value) {
        self.state().set.insert(feed.to_owned(), answer);
    }

    /// There is a post, newer than all others.
    pub fn post(&self, uri: &str) {
        let mut state = self.state();
        state.newest.push_front(uri.to_owned());
        state.newest.truncate(POSTS);
    }

    /// What was asked last.
    #[must_use]
    pub fn last(&self) -> Option<Asked> {
        self.state().last.clone()
    }

    /// `app.bsky.feed.describeFeedGenerator`
    pub(super) fn described(&self) -> Value {
        let state = self.state();
        let feeds: Vec<Value> = state.offered.iter().map(|uri| json!({ "uri": uri })).collect();
        json!({ "did": FEEDS_DID, "feeds": feeds })
    }

    /// `app.bsky.feed.getFeedSkeleton`: a status and a body. `key`: the key of whoever says that they ask ([`issuer`]), as their document has it.
    pub(super) fn skeleton(&self, asked: Asked, key: Option<&str>) -> (u16, Value) {
        let viewer = asked.authorization.as_deref().map(|given| viewer(given, key));
        let mut state = self.state();
        state.last = Some(asked.clone());
        if viewer == Some(None) {
            return (401, json!({"error": "AuthenticationRequired", "message": "bad token"}));
        }
        if let Some(answer) = state.set.get(&asked.feed) {
            return (200, answer.clone());
        }
        if !state.offered.contains(&asked.feed) {
            return (400, json!({"error": "UnknownFeed", "message": "there is no such feed here"}));
        }
        let viewer = viewer.flatten().unwrap_or_else(|| "nobody".to_owned());
        let from = asked.cursor.and_then(|cursor| cursor.parse::<usize>().ok()).unwrap_or(0);
        let (limit, context) = (asked.limit.unwrap_or(PAGE), format!("for {viewer}"));
        let items: Vec<Value> =
            state.newest.iter().skip(from).take(limit).map(|uri| json!({"post": uri, "feedContext": context})).collect();
        let next = from.saturating_add(items.len());
        if next < state.newest.len() { (200, json!({"feed": items, "cursor": next.to_string()})) } else { (200, json!({ "feed": items })) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who says that they made a token.
pub(super) fn issuer(authorization: &str) -> Option<String> {
    Some(parsed(authorization)?.1.iss)
}

fn parsed(authorization: &str) -> Option<(Jwt<'_>, Claims)> {
    let jwt = Jwt::parse(authorization.strip_prefix("Bearer ")?).ok()?;
    let claims = jwt.claims().ok()?;
    Some((jwt, claims))
}

/// Who made a token for this service and method; `None`: it does not hold.
fn viewer(authorization: &str, key: Option<&str>) -> Option<String> {
    let (jwt, claims) = parsed(authorization)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs_f64();
    let is_for_us = claims.aud.split('#').next() == Some(FEEDS_DID) && claims.lxm.as_deref() == Some("app.bsky.feed.getFeedSkeleton");
    let holds = PublicKey::from_multibase(key?).ok()?.verify(jwt.signed.as_bytes(), &jwt.signature);
    (is_for_us && holds && claims.exp.as_f64()? > now).then_some(claims.iss)
}
