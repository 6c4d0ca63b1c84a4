//! Gates: who may reply to and quote which post, as it stands now. A verdict is asked for once, when the post comes; a later change of a
//! gate, a follow or a list changes none.

use std::collections::{HashMap, HashSet};

use super::{Edges, Posts, Slot};
use crate::collection::feed::threadgate::{RULE_CLOSED, RULE_FOLLOWED, RULE_FOLLOWERS, RULE_LISTS, RULE_MENTIONED};
use crate::collection::{EdgeKind, Pair, Ref, Threadgate};

/// The gates of every touched post, of the roots of touched replies, and of quoted posts.
#[derive(Debug, Default)]
pub(in crate::index) struct Gates {
    pub threads: HashMap<Ref, Slot<Threadgate>>,
    /// Posts that nobody may quote.
    pub posts: HashMap<Ref, Slot<()>>,
    /// Whom held posts mention: of those whose gate asks for it.
    pub mentions: HashMap<Ref, HashSet<i32>>,
}

/// What a reply's gate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::index) enum Verdict {
    Allowed,
    Violates,
    /// The root is not held: not judged yet.
    NotYet,
}

/// A list's edges by the list and a member; the list is `author`'s.
pub(in crate::index) fn membership(list: Ref, member: i32) -> Pair {
    Pair { author: list.author, sr: list.rkey, sa: member, kind: 0 }
}

/// That `author` follows `subject`.
pub(in crate::index) fn following(author: i32, subject: i32) -> Pair {
    Pair { author, sr: 0, sa: subject, kind: 0 }
}

/// The lists of a gate that count: those of the root's author.
pub(in crate::index) fn own_lists(gate: &Threadgate, root: Ref) -> impl Iterator<Item = Ref> {
    gate.lists.iter().copied().filter(move |list| list.author == root.author)
}

impl Gates {
    pub fn put_thread(&mut self, post: Ref, gate: Option<&Threadgate>) {
        self.threads.entry(post).or_default().now = gate.cloned();
    }

    pub fn put_post(&mut self, post: Ref, closed: bool) {
        self.posts.entry(post).or_default().now = closed.then_some(());
    }

    pub fn thread(&self, root: Ref) -> Option<&Threadgate> {
        self.threads.get(&root)?.now.as_ref()
    }

    /// Whether an account may not quote this post.
    pub fn closed_to(&self, post: Ref, quoter: i32) -> bool {
        post.author != quoter && self.posts.get(&post).is_some_and(|slot| slot.now.is_some())
    }

    /// May `replier` reply below `root`?
    pub fn judge(&self, root: Ref, replier: i32, posts: &Posts<'_>, edges: &Edges<'_>) -> Verdict {
        if posts.get(root).is_none() {
            return Verdict::NotYet;
        }
        let closed = self.thread(root).filter(|gate| gate.rules & RULE_CLOSED != 0 && root.author != replier);
        match closed {
            Some(gate) if !self.allows(gate, root, replier, posts, edges) => Verdict::Violates,
            _ => Verdict::Allowed,
        }
    }

    fn allows(&self, gate: &Threadgate, root: Ref, replier: i32, posts: &Posts<'_>, edges: &Edges<'_>) -> bool {
        let rule = |rule: i16| gate.rules & rule != 0;
        rule(RULE_MENTIONED) && self.mentions(root, replier, posts)
            || rule(RULE_FOLLOWERS) && edges.has(EdgeKind::Follow, following(replier, root.author))
            || rule(RULE_FOLLOWED) && edges.has(EdgeKind::Follow, following(root.author, replier))
            || rule(RULE_LISTS) && own_lists(gate, root).any(|list| edges.has(EdgeKind::ListItem, membership(list, replier)))
    }

    fn mentions(&self, root: Ref, account: i32, posts: &Posts<'_>) -> bool {
        match posts.slots.get(&root).and_then(|slot| slot.new) {
            Some(stored) => stored.post.mentions.contains(&account),
            None => self.mentions.get(&root).is_some_and(|mentioned| mentioned.contains(&account)),
        }
    }
}
