//! What a reader is notified of, newest first.

use serde_json::{Value as Json, json};

use super::book::{FOLLOW, LIKE, POST, PROFILE, REPOST, author, collection, key_time, text};
use super::compare::having;
use super::eyes::{Eyes, object, time};
use super::lists::{Item, List};

/// Stands for a verification that is gone: the reference's.
const DELETED: &str = "app.bsky.notification.defs#recordDeleted";
const DELETED_CID: &str = "bafyreidad6nyekfa4a67yfb573ptxiv6s7kyxyg2ra6qbbemcruadvtuim";

/// That the reader is told of a record.
struct Told<'b> {
    reason: &'b str,
    uri: &'b str,
    /// The reader's own record that it is about.
    about: Option<&'b str>,
    at: i64,
}

impl<'b> Eyes<'b> {
    /// Each under its reason and address.
    pub fn notifications(&self) -> List {
        let Some(viewer) = self.viewer else { return Err("AuthMissing") };
        let mut told = self.told(viewer);
        told.sort_by_key(|told| std::cmp::Reverse(told.at));
        let newest = told.iter().find(|told| self.notification(told, 0).is_some()).map(|told| told.at);
        let seen = self.book.private.seen.get(viewer).copied().or(newest).unwrap_or_default();
        let item = |told: &Told<'_>| Item { id: format!("{} {}", told.reason, told.uri), at: told.at, view: self.notification(told, seen) };
        Ok(told.iter().map(item).collect())
    }

    /// Everything, shown or not; nobody is told of what they did themselves.
    fn told(&self, viewer: &'b str) -> Vec<Told<'b>> {
        let book = self.book;
        let mut told = Vec::new();
        for (collection, reason, via_reason) in [(LIKE, "like", "like-via-repost"), (REPOST, "repost", "repost-via-repost")] {
            for (uri, edge) in book.edges(collection).filter(|(uri, _)| author(uri) != viewer) {
                let mut tell = |reason, about: &'b str| {
                    if author(about) == viewer {
                        told.push(Told { reason, uri, about: Some(about), at: key_time(uri) });
                    }
                };
                tell(reason, edge.subject.as_str());
                let via = book.value(uri).and_then(|like| text(like.get("via")?, "uri"));
                via.filter(|via| self::collection(via) == REPOST).into_iter().for_each(|via| tell(via_reason, via));
            }
        }
        for (uri, _) in book.edges(FOLLOW).filter(|(uri, edge)| edge.subject == viewer && author(uri) != viewer) {
            told.push(Told { reason: "follow", uri, about: None, at: key_time(uri) });
        }
        let rows = book.notices.get(viewer).into_iter().flatten();
        told.extend(rows.map(|row| Told { reason: &row.reason, uri: &row.uri, about: row.about.as_deref(), at: row.at }));
        told
    }

    /// `seen`: up to when the reader has seen them.
    fn notification(&self, told: &Told<'_>, seen: i64) -> Option<Json> {
        let (book, viewer, did) = (self.book, self.viewer?, author(told.uri));
        let is_verification = told.reason.ends_with("verified");
        let is_held = book.is_held(told.uri) && (collection(told.uri) != POST || book.shows_record(told.uri));
        let is_reviewed = ["reply", "quote", "mention", "like", "follow"].contains(&told.reason);
        let is_hidden = self.is_blocked(did) || self.is_muted(did) || (is_reviewed && !self.sees_under_review(did, told.uri));
        if is_hidden || !(is_held || is_verification) || told.about.is_some_and(|about| !book.is_held(about)) {
            return None;
        }
        // Who hides a reply below their own post is not told of it; who mutes a thread of nothing in it.
        let root = |post: &str| book.post(post).and_then(|held| held.thread()).unwrap_or(post).to_owned();
        let own_root = Some(root(told.uri)).filter(|root| told.reason == "reply" && author(root) == viewer);
        if own_root.and_then(|root| book.gate(&root)).is_some_and(|(_, gate)| gate.hidden.contains(told.uri)) {
            return None;
        }
        let is_silent = |post: &str| book.private.thread_mutes.contains(&(viewer.to_owned(), root(post)));
        if told.about.is_some_and(|about| collection(about) == POST && is_silent(about)) {
            return None;
        }
        let deleted = !is_held;
        Some(object([
            ("uri", Some(told.uri.into())),
            ("cid", if deleted { Some(DELETED_CID.into()) } else { book.cid(told.uri).map(Json::from) }),
            ("author", Some(self.account(did)?)),
            ("reason", Some(told.reason.into())),
            ("reasonSubject", told.about.map(Json::from)),
            ("starterPack", self.pack_of(told.uri)),
            ("record", deleted.then(|| json!({"$type": DELETED}))),
            ("isRead", Some((seen.div_euclid(1000) > told.at.div_euclid(1000)).into())),
            ("indexedAt", Some(time(told.at))),
            ("labels", Some(if collection(told.uri) == PROFILE || !deleted { self.labels(told.uri) } else { Vec::new() }.into())),
        ]))
    }

    /// The starter pack through which somebody follows.
    fn pack_of(&self, follow: &str) -> Option<Json> {
        let via = self.book.value(follow).filter(|_| collection(follow) == FOLLOW).and_then(|follow| text(follow.get("via")?, "uri"))?;
        let is_shown = collection(via) == "app.bsky.graph.starterpack" && self.book.shows_record(via);
        is_shown.then(|| having(&json!({"uri": via, "cid": self.book.cid(via), "creator": self.account(author(via))})))
    }
}
