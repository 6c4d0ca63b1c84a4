//! Who may reply and who may quote: the verdict over one reply, from what stands in it and in the books of two accounts. Never says when.

use super::record::{Gate, Post, Rule, author};

/// Everything that a verdict over a reply looks at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case<'a> {
    pub replier: &'a str,
    pub root_author: &'a str,
    pub root: &'a Post,
    pub gate: Option<&'a Gate>,
    /// The replier follows the root's author.
    pub follows: bool,
    /// The root's author follows the replier.
    pub followed: bool,
}

impl Case<'_> {
    /// Whether the reply violates the gate. `on_list` tells whether the replier is on a list.
    pub fn violates(&self, on_list: impl Fn(&str) -> bool) -> bool {
        let Some(gate) = self.gate.filter(|gate| gate.closed && self.replier != self.root_author) else { return false };
        let holds = |rule: &Rule| match rule {
            Rule::Mentioned => self.root.mentions.iter().any(|did| did == self.replier),
            Rule::Followers => self.follows,
            Rule::Followed => self.followed,
        };
        let allowed = gate.rules.iter().any(holds) || gate.lists.iter().any(|list| author(list) == self.root_author && on_list(list));
        !allowed
    }
}
