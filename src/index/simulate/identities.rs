//! Which accounts are to be resolved because of what was played: handles and keys are asked for later, by who has the time.

use std::collections::BTreeSet;

use super::Repos;

/// Accounts whose handle or key may have changed.
#[derive(Debug, Default)]
pub(in crate::index) struct Identities {
    /// Of which an #identity event came: at once, whatever is known.
    events: BTreeSet<i32>,
    /// That are active (again): where nothing is known.
    active: BTreeSet<i32>,
}

impl Identities {
    pub fn event(&mut self, account: i32) {
        self.events.insert(account);
    }

    pub fn active(&mut self, account: i32) {
        self.active.insert(account);
    }

    /// Those with an event.
    pub fn with_event(&self) -> Vec<i32> {
        self.events.iter().copied().collect()
    }

    /// Those without that are active or were never seen before.
    pub fn without_event(&self, repos: &Repos) -> Vec<i32> {
        let is_new = repos.0.iter().filter(|(_, slot)| slot.before.is_none() && slot.now.is_some());
        let all: BTreeSet<i32> = is_new.map(|(account, _)| *account).chain(self.active.iter().copied()).collect();
        all.difference(&self.events).copied().collect()
    }
}
