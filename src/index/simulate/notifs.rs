//! Notifications that are rows: what is there of each touched record, and how a wanted set becomes rows. One a record, recipient and
//! reason; never one to oneself.

use std::collections::{BTreeMap, HashMap};

use super::Slot;
use crate::collection::Ref;
use crate::db::notif::{Notif, Reason};

/// The notifications of every touched record.
#[derive(Debug, Default)]
pub(in crate::index) struct Notifs(pub HashMap<Ref, BTreeMap<(i32, Reason), Slot<Notif>>>);

impl Notifs {
    /// Takes in a notification that is there.
    pub fn settle(&mut self, notif: Notif) {
        self.0.entry(notif.record).or_default().insert((notif.recipient, notif.reason), Slot::held(notif));
    }

    /// What a record notifies now, as far as `of` takes the reasons.
    fn now(&self, record: Ref, of: fn(Reason) -> bool) -> impl Iterator<Item = &Notif> {
        let slots = self.0.get(&record).into_iter().flat_map(BTreeMap::values);
        slots.filter_map(|slot| slot.now.as_ref()).filter(move |notif| of(notif.reason))
    }

    /// Whether a post notifies this account, for whatever reason.
    pub fn reaches(&self, post: Ref, recipient: i32) -> bool {
        self.now(post, Reason::is_of_post).any(|notif| notif.recipient == recipient)
    }

    /// Adds a notification, unless the record already notifies the recipient for that reason, or the recipient is its author.
    pub fn add(&mut self, notif: Notif) {
        if notif.recipient != notif.record.author {
            self.0.entry(notif.record).or_default().entry((notif.recipient, notif.reason)).or_default().now.get_or_insert(notif);
        }
    }

    /// Has a post notify exactly these: what holds by recipient and reason stays as it is.
    pub fn set_of_post(&mut self, post: Ref, wanted: &[Notif]) {
        let gone =
            self.now(post, Reason::is_of_post).filter(|now| !wanted.iter().any(|w| (w.recipient, w.reason) == (now.recipient, now.reason)));
        for (recipient, reason) in gone.map(|now| (now.recipient, now.reason)).collect::<Vec<_>>() {
            self.remove(post, recipient, reason);
        }
        for notif in wanted {
            self.add(*notif);
        }
    }

    /// Takes a post's notifications of replies back.
    pub fn remove_replies(&mut self, post: Ref) {
        for recipient in self.now(post, |reason| reason == Reason::Reply).map(|now| now.recipient).collect::<Vec<_>>() {
            self.remove(post, recipient, Reason::Reply);
        }
    }

    fn remove(&mut self, record: Ref, recipient: i32, reason: Reason) {
        if let Some(slot) = self.0.get_mut(&record).and_then(|slots| slots.get_mut(&(recipient, reason))) {
            slot.now = None;
        }
    }
}
