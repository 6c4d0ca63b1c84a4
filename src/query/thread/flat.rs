//! A thread as one list: the posts above, the anchor, and the replies below it, each behind what it answers.
//!
//! Source: `app.bsky.unspecced.getPostThreadV2` and `getPostThreadOtherV2`.

use super::order::Standing;
use super::{Parent, Seen, Sort, Thread};
use crate::collection::Ref;
use crate::query::hydrate::Hydration;

/// A reply that says no more than this is not shown among the others: people save posts with it.
const PUSHPIN: &str = "\u{1F4CC}";

/// How a thread is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub sort: Sort,
    /// Levels below the anchor.
    pub below: i64,
    /// Replies to each post but the anchor.
    pub branching: usize,
}

/// The list.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Flat {
    pub items: Vec<Item>,
    /// Whether there are replies to the anchor that are shown apart.
    pub has_others: bool,
}

/// A place in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    pub place: Ref,
    /// 0 is the anchor; what stands above it is negative.
    pub depth: i64,
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Post(Marks),
    /// With the post that answers it.
    NotFound(Ref),
    Blocked,
    /// Its author shows it only to who is signed in.
    NotForAll,
}

/// What is said of a post besides its view.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks {
    pub more_parents: bool,
    /// Replies that are not in the list; an estimate.
    pub more_replies: i64,
    /// Place in the author's own thread, from 1 on, and its length; the length is 1 where the first post stands alone.
    pub own: Option<(usize, usize)>,
    pub hidden_by_gate: bool,
    pub muted: bool,
}

/// Why a reply is shown apart from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Apart {
    by_gate: bool,
    muted: bool,
}

impl Thread {
    /// The whole list; of an anchor that the audience is kept apart from only what stands for it, and nothing where that is hidden.
    #[must_use]
    pub fn flat(&self, state: &Hydration, shape: Shape) -> Flat {
        let place = self.anchor;
        if state.post(place).is_none() {
            return Flat::default();
        }
        if state.is_blocked(place.author) {
            return Flat { items: vec![Item { place, depth: 0, kind: Kind::Blocked }], has_others: false };
        }
        let mut flat = Flat { items: self.above(state), has_others: false };
        if state.refuses_strangers(place.author) {
            flat.items.push(Item { place, depth: 0, kind: Kind::NotForAll });
            return flat;
        }
        let marks = Marks { own: self.place_in_own(place), ..Marks::default() };
        flat.items.push(Item { place, depth: 0, kind: Kind::Post(marks) });
        if !self.stands_alone() {
            flat.has_others = shape.below > 0 && self.allowed(place, state).iter().any(|reply| self.apart(*reply, state).is_some());
            flat.items.extend(self.below(state, shape));
        }
        flat
    }

    /// The replies to the anchor that are shown apart from the others: first what only its author marks, then what the thread's author hides,
    /// then of muted accounts.
    #[must_use]
    pub fn others(&self, state: &Hydration) -> Vec<Item> {
        let anchor = self.anchor;
        if self.stands_alone() || state.post(anchor).is_none() || state.is_blocked(anchor.author) || state.refuses_strangers(anchor.author)
        {
            return Vec::new();
        }
        let others = self.allowed(anchor, state).into_iter().filter_map(|reply| Some((reply, self.apart(reply, state)?)));
        let mut others: Vec<(Standing, Apart)> = others
            .map(|(reply, apart)| {
                let rank = match self.rank_by_author(reply, state) {
                    Some(rank) => rank,
                    None if apart.muted => u8::MAX,
                    None => u8::MAX - if apart.by_gate { 1 } else { 2 },
                };
                (Standing::of(reply, rank, state), apart)
            })
            .collect();
        others.sort_by(|(one, _), (other, _)| one.compare(other, Sort::Newest));
        let item = |(standing, apart): (Standing, Apart)| {
            let marks = Marks { hidden_by_gate: apart.by_gate, muted: apart.muted, ..Marks::default() };
            Item { place: standing.place, depth: 1, kind: Kind::Post(marks) }
        };
        others.into_iter().map(item).collect()
    }

    /// The posts above the anchor, the first one first.
    fn above(&self, state: &Hydration) -> Vec<Item> {
        let parents = self.parents(state, false);
        let last = parents.len();
        let item = |(depth, parent): (i64, &Parent)| {
            let place = parent.place;
            let is_last = usize::try_from(depth).is_ok_and(|depth| depth == last);
            let kind = match parent.seen {
                Seen::NotFound => Kind::NotFound(parent.of),
                Seen::Blocked => Kind::Blocked,
                Seen::Post if state.refuses_strangers(place.author) => Kind::NotForAll,
                Seen::Post => {
                    let more_parents = is_last && state.post(place).is_some_and(|post| post.row.parent.is_some());
                    Kind::Post(Marks { more_parents, own: self.place_in_own(place), ..Marks::default() })
                }
            };
            Item { place, depth: -depth, kind }
        };
        let mut items: Vec<Item> = (1..).zip(&parents).map(item).collect();
        items.reverse();
        items
    }

    /// The replies below the anchor, in their order.
    fn below(&self, state: &Hydration, shape: Shape) -> Vec<Item> {
        let mut items = Vec::new();
        // What is still to be listed, the next one last.
        let mut stack = self.level(self.anchor, 1, state, shape);
        while let Some((place, depth)) = stack.pop() {
            let visible = self.level(place, depth + 1, state, shape);
            let shown = visible.len().min(shape.branching);
            // Replies that are counted and were not read, and those that were left out here.
            let counted = state.post(place).map_or(0, |post| i64::from(post.stat.replies));
            let unread = counted.saturating_sub(length(self.read(place))).max(0);
            let more_replies = unread.saturating_add(length(visible.len() - shown));
            let marks = Marks { more_replies, own: self.place_in_own(place), ..Marks::default() };
            items.push(Item { place, depth, kind: Kind::Post(marks) });
            stack.extend(visible.into_iter().rev().take(shown).rev());
        }
        items
    }

    /// The replies to a post that are shown with it, on this level; the first one last.
    fn level(&self, of: Ref, depth: i64, state: &Hydration, shape: Shape) -> Vec<(Ref, i64)> {
        if depth > shape.below {
            return Vec::new();
        }
        let shown = self.allowed(of, state).into_iter().filter(|reply| self.apart(*reply, state).is_none());
        let rank = |reply: Ref| match self.rank_by_author(reply, state) {
            Some(rank) => rank,
            None if state.is_followed(reply.author) => u8::MAX - 1,
            None => u8::MAX,
        };
        let mut standings: Vec<Standing> = shown.map(|reply| Standing::of(reply, rank(reply), state)).collect();
        standings.sort_by(|one, other| other.compare(one, shape.sort));
        standings.into_iter().map(|standing| (standing.place, depth)).collect()
    }

    /// The replies to a post that the audience may see, here or apart.
    fn allowed(&self, of: Ref, state: &Hydration) -> Vec<Ref> {
        let replies = self.replies(of, state).into_iter();
        replies.filter(|reply| !state.is_blocked(reply.author) && !state.refuses_strangers(reply.author)).collect()
    }

    /// Why a reply is not shown among the others; `None`: it is.
    fn apart(&self, reply: Ref, state: &Hydration) -> Option<Apart> {
        let by_gate = state.audience.viewer != Some(reply.author) && state.is_hidden_by_gate(reply, self.root);
        let muted = state.mute(reply.author).is_full();
        (by_gate || muted || state.text(reply).is_some_and(|text| text.trim() == PUSHPIN)).then_some(Apart { by_gate, muted })
    }

    /// Whose replies come first: the author's thread, others by its author, those of the one who reads.
    fn rank_by_author(&self, reply: Ref, state: &Hydration) -> Option<u8> {
        if self.own.contains_key(&reply) {
            Some(0)
        } else if reply.author == self.root.author {
            Some(1)
        } else {
            (state.audience.viewer == Some(reply.author)).then_some(2)
        }
    }

    fn place_in_own(&self, place: Ref) -> Option<(usize, usize)> {
        Some((self.own.get(&place)? + 1, self.own.len()))
    }
}

fn length(items: usize) -> i64 {
    i64::try_from(items).unwrap_or(i64::MAX)
}
