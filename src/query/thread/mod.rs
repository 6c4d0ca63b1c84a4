//! A thread: what hangs together around a post, and what of it is shown. Pure: decided from what was read and gathered, never from the
//! database.

pub mod flat;
mod order;

use std::collections::{HashMap, HashSet};

pub use order::Sort;

use super::hydrate::{Hydration, Subject, Wanted};
use crate::collection::feed::post::FLAG_VIOLATES;
use crate::collection::{Coll, Post, Ref};

/// A thread as it is held, before anything is left out.
#[derive(Debug)]
pub struct Thread {
    /// The post that the thread is shown around.
    pub anchor: Ref,
    /// The post that the thread began with.
    pub root: Ref,
    /// The anchor and the posts above it, the nearest first, each once.
    chain: Vec<Post>,
    /// Posts above the anchor that are shown.
    height: usize,
    /// Each post below the anchor stands here once.
    replies: HashMap<Ref, Vec<Ref>>,
    /// What the author of the first post wrote on from there, one post below the other: the place of each, the first post's is 0.
    own: HashMap<Ref, usize>,
}

/// What stands in the place of a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    Post,
    /// It is not held, or hidden.
    NotFound,
    /// Its author is kept apart from the audience, or from who answers it.
    Blocked,
}

/// A post above the anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    pub place: Ref,
    /// The post below it.
    pub of: Ref,
    pub seen: Seen,
}

impl Thread {
    /// `above`: the anchor and the posts that it answers, the nearest first. `below`: the replies, each behind what it answers. `own`: those of
    /// the author of the first post, as far as they were found. `None`: the anchor is not held.
    #[must_use]
    pub fn new(above: Vec<Post>, height: usize, below: &[(Ref, Ref)], own: &[(Ref, Ref)]) -> Option<Self> {
        let anchor = above.first()?;
        let (anchor, root) = (anchor.place(), first_of(anchor));
        // Updated posts may answer each other in a circle.
        let mut met = HashSet::new();
        let chain: Vec<Post> = above.into_iter().take_while(|post| met.insert(post.place())).collect();
        let mut met = HashSet::from([anchor]);
        let mut replies: HashMap<Ref, Vec<Ref>> = HashMap::new();
        for (reply, parent) in below {
            if met.insert(*reply) {
                replies.entry(*parent).or_default().push(*reply);
            }
        }
        Some(Self { anchor, root, chain, height, replies, own: chain_of_own(root, own).into_iter().zip(0..).collect() })
    }

    /// What has to be known to show it.
    #[must_use]
    pub fn wants(&self) -> Wanted {
        let above = self.chain.iter().map(Post::place);
        let posts = above.chain(self.replies.values().flatten().copied()).collect();
        Wanted { posts, likes_by: Some(self.root.author), ..Wanted::default() }
    }

    /// Whether the anchor violates the gate of its thread: it is shown alone.
    #[must_use]
    pub fn stands_alone(&self) -> bool {
        self.chain.first().is_none_or(|anchor| anchor.flags & FLAG_VIOLATES != 0)
    }

    /// The posts above the anchor, the nearest first, up to the first that is not shown, the height that was asked for, or the end of the
    /// thread. `apart_first`: that the authors of a post and of its reply block each other counts for more than that the post is not held, or
    /// of another thread.
    #[must_use]
    pub fn parents(&self, state: &Hydration, apart_first: bool) -> Vec<Parent> {
        let mut parents: Vec<Parent> = Vec::new();
        if self.stands_alone() {
            return parents;
        }
        let mut met = HashSet::from([self.anchor]);
        for child in self.chain.iter().take(self.height) {
            let Some(place) = child.parent.filter(|parent| met.insert(*parent)) else { break };
            let of = child.place();
            let splits = state.splits(of, Some(place));
            if splits && apart_first {
                parents.push(Parent { place, of, seen: Seen::Blocked });
                break;
            }
            let Some(post) = state.post(place) else {
                parents.push(Parent { place, of, seen: Seen::NotFound });
                break;
            };
            if first_of(&post.row) != self.root {
                break;
            }
            let blocked = state.is_blocked(place.author) || splits;
            parents.push(Parent { place, of, seen: if blocked { Seen::Blocked } else { Seen::Post } });
            if blocked {
                break;
            }
        }
        parents
    }

    /// The replies to a post that are held and not hidden, the newest first; without those whose author and its own block each other, and
    /// those that wait for a review, unless they are kept apart from the audience anyway.
    #[must_use]
    pub fn replies(&self, of: Ref, state: &Hydration) -> Vec<Ref> {
        let replies = self.replies.get(&of).into_iter().flatten().copied();
        let reviewed = |reply: Ref| state.shows_under_review(reply.author, Some(Subject::record(Coll::POST, reply)));
        let reviewed = |reply: Ref| reviewed(reply) || state.is_blocked(reply.author);
        let shown = |reply: &Ref| state.post(*reply).is_some() && !state.splits(*reply, Some(of)) && reviewed(*reply);
        let mut shown: Vec<Ref> = replies.filter(shown).collect();
        shown.sort_by_cached_key(|reply| std::cmp::Reverse(order::time(*reply, state)));
        shown
    }

    /// Replies to a post that were read.
    fn read(&self, of: Ref) -> usize {
        self.replies.get(&of).map_or(0, Vec::len)
    }
}

/// The first post of the thread that a post stands in: itself, where it answers none.
fn first_of(post: &Post) -> Ref {
    post.thread().unwrap_or(post.place())
}

/// From the first post down: of the replies of its author to their own post the oldest, and so on.
fn chain_of_own(root: Ref, own: &[(Ref, Ref)]) -> Vec<Ref> {
    let mut next: HashMap<Ref, Ref> = HashMap::new();
    for (reply, parent) in own {
        let oldest = next.entry(*parent).or_insert(*reply);
        if reply.rkey < oldest.rkey {
            *oldest = *reply;
        }
    }
    let (mut chain, mut met) = (vec![root], HashSet::from([root]));
    let mut last = root;
    while let Some(reply) = next.get(&last).filter(|reply| met.insert(**reply)) {
        chain.push(*reply);
        last = *reply;
    }
    chain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(rkey: i64, author: i32) -> Ref {
        Ref { rkey, author }
    }

    fn post(place: Ref, parent: Option<Ref>, root: Option<Ref>) -> Post {
        let Ref { rkey, author } = place;
        Post { rkey, author, flags: i16::from(parent.is_some()), parent, root, quote: None, mentions: Vec::new(), sort: None }
    }

    #[test]
    fn the_author_s_thread_is_the_oldest_line_of_its_own_replies() {
        let root = at(1, 1);
        // 2 and 3 answer the root, 4 the younger of them, 5 the older; 6 answers somebody else.
        let own = [(at(3, 1), root), (at(2, 1), root), (at(4, 1), at(3, 1)), (at(5, 1), at(2, 1)), (at(6, 1), at(9, 2))];
        assert_eq!(chain_of_own(root, &own), [root, at(2, 1), at(5, 1)]);
        assert_eq!(chain_of_own(root, &[]), [root]);
        assert_eq!(chain_of_own(root, &[(at(2, 1), root), (root, at(2, 1))]), [root, at(2, 1)], "posts in a circle");
    }

    #[test]
    fn a_circle_of_posts_is_cut() {
        let (a, b) = (post(at(1, 1), Some(at(2, 2)), None), post(at(2, 2), Some(at(1, 1)), None));
        let below = [(at(2, 2), at(1, 1)), (at(1, 1), at(2, 2)), (at(2, 2), at(1, 1))];
        let thread = Thread::new(vec![a.clone(), b.clone(), a, b], 80, &below, &[]).unwrap();
        assert_eq!((thread.chain.len(), thread.replies.len()), (2, 1));
        assert_eq!(thread.replies[&at(1, 1)], [at(2, 2)]);
    }

    #[test]
    fn what_is_not_held_has_no_thread() {
        assert!(Thread::new(Vec::new(), 80, &[], &[]).is_none());
    }
}
