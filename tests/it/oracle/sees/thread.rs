//! A thread as posts inside posts.

use serde_json::{Value as Json, json};

use super::book::{LIKE, author, text};
use super::eyes::{Eyes, object};

const THREAD_POST: &str = "app.bsky.feed.defs#threadViewPost";

impl Eyes<'_> {
    /// The thread around a post, so many posts above it and so many levels below; `None`: there is no such post.
    pub fn thread(&self, anchor: &str, height: usize, depth: usize) -> Option<Json> {
        self.post(anchor, 0)?;
        let root = self.root(anchor);
        let thread = if self.is_blocked(author(anchor)) {
            self.blocked_post(anchor)
        } else {
            let violates = self.book.has_flag(anchor, "violates");
            let parent = if violates { None } else { self.above(anchor, &root, height) };
            let replies = if violates { None } else { self.below(anchor, &root, depth) };
            self.node(anchor, &root, parent, replies)
        };
        Some(object([("thread", Some(thread)), ("threadgate", self.gate(&root))]))
    }

    /// The post that the thread of a post began with.
    pub fn root(&self, post: &str) -> String {
        self.book.post(post).and_then(|held| held.thread()).unwrap_or(post).to_owned()
    }

    fn node(&self, uri: &str, root: &str, parent: Option<Json>, replies: Option<Json>) -> Json {
        let like = self.book.edge(LIKE, author(root), uri).filter(|_| self.book.shows(author(root))).map(Json::from);
        object([
            ("$type", Some(THREAD_POST.into())),
            ("post", self.post(uri, 0)),
            ("parent", parent),
            ("replies", replies),
            ("threadContext", Some(object([("rootAuthorLike", like)]))),
        ])
    }

    fn above(&self, child: &str, root: &str, height: usize) -> Option<Json> {
        let named = self.book.value(child)?.get("reply").and_then(|reply| text(reply.get("parent")?, "uri"));
        let parent = named.filter(|_| height > 0)?;
        // Whose author and that of the reply block each other is blocked, held or not.
        if self.book.are_apart(author(child), author(parent)) {
            return Some(self.blocked_post(parent));
        }
        if self.post(parent, 0).is_none() {
            return Some(json!({"$type": "app.bsky.feed.defs#notFoundPost", "uri": parent, "notFound": true}));
        }
        if self.root(parent) != root {
            return None;
        }
        if self.is_blocked(author(parent)) {
            return Some(self.blocked_post(parent));
        }
        Some(self.node(parent, root, self.above(parent, root, height - 1), None))
    }

    /// The newest first.
    fn below(&self, parent: &str, root: &str, depth: usize) -> Option<Json> {
        if depth == 0 {
            return None;
        }
        let shows = |uri: &str| {
            let did = author(uri);
            let belongs = !self.book.has_flag(uri, "violates") && self.root(uri) == root;
            let apart = self.book.are_apart(did, author(parent));
            belongs && !apart && self.book.shows_record(uri) && (self.is_blocked(did) || self.sees_under_review(did, uri))
        };
        let mut replies: Vec<&str> = self.book.replies(parent).filter(|uri| shows(uri)).collect();
        replies.sort_by_key(|uri| std::cmp::Reverse((self.book.oracle.sorts_at(uri), *uri)));
        let reply = |uri: &&str| {
            if self.is_blocked(author(uri)) { self.blocked_post(uri) } else { self.node(uri, root, None, self.below(uri, root, depth - 1)) }
        };
        Some(replies.iter().map(reply).collect())
    }
}
