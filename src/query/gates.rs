//! What gates say of a post and the one who reads. Pure, as all rules.

use super::hydrate::{Gate, Hydration};
use crate::collection::Ref;
use crate::collection::feed::post::FLAG_REPLY;
use crate::collection::feed::threadgate::RULE_CLOSED;

impl Hydration {
    /// Whether the one who reads may not reply to this post, as things are now; `None`: nobody in particular reads, or there is no gate.
    #[must_use]
    pub fn may_not_reply(&self, place: Ref) -> Option<bool> {
        let viewer = self.audience.viewer?;
        if self.violates_gate(place) {
            return Some(true);
        }
        let root = self.post(place)?.row.thread().unwrap_or(place);
        let gate = self.gates.thread(root)?;
        let says = gate.says.rules;
        Some(says & RULE_CLOSED != 0 && root.author != viewer && says & !RULE_CLOSED & gate.fulfilled == 0)
    }

    /// Whether the one who reads may not quote this post.
    #[must_use]
    pub fn may_not_quote(&self, place: Ref) -> bool {
        let closed = self.post(place).and_then(|post| post.gate.as_ref()).is_some_and(|gate| gate.closed);
        closed && self.audience.viewer != Some(place.author)
    }

    /// Whether the author of `quoted` no longer wants it to be shown in the post at `uri`.
    #[must_use]
    pub fn detaches(&self, quoted: Ref, uri: &str) -> bool {
        let gate = self.post(quoted).and_then(|post| post.gate.as_ref());
        gate.is_some_and(|gate| gate.detached.iter().any(|detached| **detached == *uri))
    }

    /// Whether the author of the thread that began with `root` hides this reply.
    #[must_use]
    pub fn is_hidden_by_gate(&self, reply: Ref, root: Ref) -> bool {
        self.gates.thread(root).is_some_and(|gate| gate.says.hidden.contains(&reply))
    }

    /// The gate that is shown with a post: only with the first one of a thread.
    #[must_use]
    pub fn gate_of(&self, place: Ref) -> Option<&Gate> {
        let is_first = self.post(place)?.row.flags & FLAG_REPLY == 0;
        self.gates.thread(place).filter(|_| is_first)
    }
}
