//! Threads: what a post is told to its ancestors, and what it has to wait for. Bounded by the height of the climb.

use super::{Gates, Posts};
use crate::collection::{Post, Ref};

/// How far up a reply notifies: its parent has height 1.
pub(in crate::index) const MAX_HEIGHT: i32 = 4;

/// What a climb from a reply found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::index) struct Climb {
    /// Held ancestors, the nearest first.
    pub ancestors: Vec<Ref>,
    /// The ancestor where the climb ended because it is not held.
    pub missing: Option<Ref>,
}

/// Climbs from a reply: to the first ancestor that is not held, at most to [`MAX_HEIGHT`], not beyond one that the root's author hides.
pub(in crate::index) fn climb(post: &Post, posts: &Posts<'_>, gates: &Gates) -> Climb {
    let mut climb = Climb::default();
    let hidden = post.thread().and_then(|root| gates.thread(root)).map_or(&[][..], |gate| &gate.hidden);
    let mut next = post.parent;
    for _ in 0..MAX_HEIGHT {
        let Some(place) = next else { break };
        let Some(ancestor) = posts.get(place) else {
            climb.missing = Some(place);
            break;
        };
        climb.ancestors.push(place);
        if hidden.contains(&place) {
            break;
        }
        next = ancestor.parent;
    }
    climb
}
