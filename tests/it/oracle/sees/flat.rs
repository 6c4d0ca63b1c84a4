//! A thread as one list, and the replies that are shown apart from it.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::book::{LIKE, author, key, text};
use super::compare::having;
use super::eyes::{Eyes, object};

/// Posts above the anchor that are shown.
const ABOVE: usize = 50;
const PUSHPIN: &str = "\u{1F4CC}";

/// What of a thread is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub above: bool,
    pub below: usize,
    pub branching: usize,
    pub sort: &'static str,
}

/// A reply that is shown: here, or apart.
#[derive(Clone, Copy)]
struct Reply<'b> {
    uri: &'b str,
    hidden: bool,
    muted: bool,
    apart: bool,
}

fn item(uri: &str, depth: i64, value: &Json) -> Json {
    json!({"uri": uri, "depth": depth, "value": value})
}

fn kind(name: &str) -> Json {
    json!({"$type": format!("app.bsky.unspecced.defs#threadItem{name}")})
}

impl<'b> Eyes<'b> {
    /// The list around a post.
    pub fn flat(&self, anchor: &'b str, shape: Shape) -> Json {
        if self.post(anchor, 0).is_none() {
            return json!({"thread": [item(anchor, 0, &kind("NotFound"))], "hasOtherReplies": false});
        }
        let root = self.root(anchor);
        let whole = |thread: Vec<Json>, others: bool| {
            object([("thread", Some(thread.into())), ("hasOtherReplies", Some(others.into())), ("threadgate", self.gate(&root))])
        };
        if self.is_blocked(author(anchor)) {
            return whole(vec![self.blocked_item(anchor, 0)], false);
        }
        let violates = self.book.has_flag(anchor, "violates");
        let mut thread = if violates || !shape.above { Vec::new() } else { self.items_above(anchor, &root) };
        if self.refuses(author(anchor)) {
            thread.push(item(anchor, 0, &kind("NoUnauthenticated")));
            return whole(thread, false);
        }
        thread.push(self.post_item(anchor, &root, 0, Some(0), false));
        let others = !violates && shape.below > 0 && self.replies_to(anchor, &root).iter().any(|reply| reply.apart);
        if !violates {
            self.items_below(anchor, &root, 1, shape, &mut thread);
        }
        whole(thread, others)
    }

    /// The replies to a post that are shown apart.
    pub fn others(&self, anchor: &'b str) -> Vec<Json> {
        let is_alone = self.book.has_flag(anchor, "violates") || self.is_blocked(author(anchor)) || self.refuses(author(anchor));
        if self.post(anchor, 0).is_none() || is_alone {
            return Vec::new();
        }
        let root = self.root(anchor);
        let mut others: Vec<Reply<'b>> = self.replies_to(anchor, &root).into_iter().filter(|reply| reply.apart).collect();
        let rank = |reply: &Reply<'_>| match author(reply.uri) {
            did if did == author(&root) => 0,
            did if Some(did) == self.viewer => 1,
            _ if reply.muted => 4,
            _ if reply.hidden => 3,
            _ => 2,
        };
        others.sort_by_key(|reply| (rank(reply), Reverse((self.book.oracle.sorts_at(reply.uri), reply.uri))));
        let value = |reply: &Reply<'_>| {
            let mut value = kind("Post");
            for (field, content) in [
                ("post", self.post(reply.uri, 0).unwrap()),
                ("hiddenByThreadgate", reply.hidden.into()),
                ("mutedByViewer", reply.muted.into()),
                ("moreParents", false.into()),
                ("moreReplies", 0.into()),
                ("opThread", false.into()),
            ] {
                value[field] = content;
            }
            value
        };
        others.iter().map(|reply| item(reply.uri, 1, &value(reply))).collect()
    }

    /// Whether an account is not shown to who is not signed in.
    fn refuses(&self, did: &str) -> bool {
        let labels = self.account(did).map(|account| account["labels"].clone()).unwrap_or_default();
        let is_said = labels.as_array().into_iter().flatten().any(|label| label.as_str().unwrap().ends_with(" !no-unauthenticated"));
        self.viewer.is_none() && is_said
    }

    fn blocked_item(&self, uri: &str, depth: i64) -> Json {
        let mut value = kind("Blocked");
        value["author"] = self.blocked_author(author(uri));
        item(uri, depth, &value)
    }

    /// From the first one that is shown down to the one that `anchor` answers.
    fn items_above(&self, anchor: &str, root: &str) -> Vec<Json> {
        let (mut items, mut child) = (Vec::new(), anchor.to_owned());
        while items.len() < ABOVE {
            let reply = self.book.value(&child).and_then(|value| value.get("reply"));
            let Some(parent) = reply.and_then(|reply| text(reply.get("parent")?, "uri")) else { break };
            let depth = -1 - i64::try_from(items.len()).unwrap();
            if self.post(parent, 0).is_none() {
                items.push(item(parent, depth, &kind("NotFound")));
                break;
            }
            if self.root(parent) != root {
                break;
            }
            if self.is_blocked(author(parent)) || self.book.are_apart(author(&child), author(parent)) {
                items.push(self.blocked_item(parent, depth));
                break;
            }
            items.push(if self.refuses(author(parent)) {
                item(parent, depth, &kind("NoUnauthenticated"))
            } else {
                self.post_item(parent, root, depth, Some(0), false)
            });
            parent.clone_into(&mut child);
        }
        // Only of the first one it is said that it answers something that is not there.
        if let Some(first) = items.last_mut().filter(|first| first["value"].get("*has").is_some()) {
            let uri = first["uri"].as_str().unwrap().to_owned();
            first["value"]["*has"]["moreParents"] = self.book.value(&uri).unwrap().get("reply").is_some().into();
        }
        items.reverse();
        items
    }

    /// `more`: how many replies are said not to be in the list; `None`: any number.
    fn post_item(&self, uri: &str, root: &str, depth: i64, more: Option<u64>, more_parents: bool) -> Json {
        let own = self.own_thread(root);
        let place = own.iter().position(|post| post == uri);
        let numbered = place.filter(|_| own.len() > 1);
        let mut value = kind("Post");
        for (field, content) in [
            ("post", self.post(uri, 0).unwrap()),
            ("moreParents", more_parents.into()),
            ("opThread", place.is_some().into()),
            ("opThreadPostIndex", numbered.map(|place| place + 1).into()),
            ("opThreadPostCount", numbered.map(|_| own.len()).into()),
            ("hiddenByThreadgate", false.into()),
            ("mutedByViewer", false.into()),
        ] {
            value[field] = content;
        }
        if let Some(more) = more {
            value["moreReplies"] = more.into();
        }
        item(uri, depth, &having(&value))
    }

    /// The first post, and of its author's replies to each of these the oldest.
    fn own_thread(&self, root: &str) -> Vec<String> {
        let mut own = vec![root.to_owned()];
        let mut met: BTreeSet<String> = own.iter().cloned().collect();
        loop {
            let belongs = |uri: &&str| author(uri) == author(root) && self.root(uri) == root;
            let next = self.book.replies(own.last().unwrap()).filter(belongs).min_by_key(|uri| key(uri));
            match next {
                Some(next) if met.insert(next.to_owned()) => own.push(next.to_owned()),
                _ => return own,
            }
        }
    }

    /// What of the replies to a post the reader may see.
    fn replies_to(&self, of: &'b str, root: &str) -> Vec<Reply<'b>> {
        let book = self.book;
        let belongs = |uri: &&str| {
            let did = author(uri);
            let is_apart = book.are_apart(did, author(of)) || self.is_blocked(did);
            let is_there = book.shows_record(uri) && !book.has_flag(uri, "violates") && self.root(uri) == root;
            is_there && !is_apart && self.sees_under_review(did, uri) && !self.refuses(did)
        };
        let reply = |uri: &'b str| {
            let own = self.viewer == Some(author(uri));
            let hidden = !own && book.gate(root).is_some_and(|(_, gate)| gate.hidden.contains(uri));
            let muted = self.is_muted(author(uri));
            let is_pin = text(book.value(uri).unwrap(), "text").unwrap_or_default().trim() == PUSHPIN;
            Reply { uri, hidden, muted, apart: hidden || muted || is_pin }
        };
        book.replies(of).filter(belongs).map(reply).collect()
    }

    fn items_below(&self, of: &'b str, root: &str, depth: usize, shape: Shape, into: &mut Vec<Json>) {
        if depth > shape.below {
            return;
        }
        let own = self.own_thread(root);
        let rank = |uri: &str| match author(uri) {
            _ if own.iter().any(|post| post == uri) => 0,
            did if did == author(root) => 1,
            did if Some(did) == self.viewer => 2,
            did if self.viewer.is_some_and(|viewer| self.book.follow(viewer, did).is_some()) => 3,
            _ => 4,
        };
        let liked = |uri: &str| self.book.edge(LIKE, author(root), uri).is_some() && self.book.shows(author(root));
        let weight = |uri: &str| {
            #[expect(clippy::cast_precision_loss, reason = "a few likes")]
            let count = (self.book.count(uri, "likes") + 3) as f64;
            count.ln() * if liked(uri) { 1.45 } else { 1.0 }
        };
        let at = |uri: &'b str| (self.book.oracle.sorts_at(uri), uri);
        let mut shown: Vec<&'b str> = self.replies_to(of, root).iter().filter(|reply| !reply.apart).map(|reply| reply.uri).collect();
        shown.sort_by(|one, two| {
            let chosen = match shape.sort {
                "oldest" => at(one).cmp(&at(two)),
                "top" => weight(two).total_cmp(&weight(one)),
                _ => std::cmp::Ordering::Equal,
            };
            rank(one).cmp(&rank(two)).then(chosen).then(at(two).cmp(&at(one)))
        });
        let most = if depth > 1 { shape.branching } else { usize::MAX };
        for uri in shown.into_iter().take(most) {
            let counted = self.book.count(uri, "replies");
            let visible = self.replies_to(uri, root).iter().filter(|reply| !reply.apart).count();
            let space = if depth == shape.below { 0 } else { u64::try_from(shape.branching).unwrap() };
            // Where some of the replies that are counted are hidden, no number is promised.
            let more = (u64::try_from(visible).unwrap() == counted).then(|| counted.saturating_sub(space));
            into.push(self.post_item(uri, root, i64::try_from(depth).unwrap(), more, false));
            self.items_below(uri, root, depth + 1, shape, into);
        }
    }
}
