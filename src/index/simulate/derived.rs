//! What a record derives by itself, as its op is played: gates, joins, verifications begun and ended. What depends on other posts is
//! settled later (`arrivals`).

use super::World;
use crate::collection::{Coll, Derived, Ref, sort_key};
use crate::db::notif::{Notif, Reason};
use crate::db::record::Path;

impl World<'_> {
    /// A record that is kept whole derives this now; a record that went derives nothing. `time`: the event's indexedAt.
    pub(super) fn derive(&mut self, path: Path, derived: &Derived, time: i64) {
        match path.coll {
            Coll::THREADGATE => {
                let gate = if let Derived::Threadgate(gate) = derived { Some(gate) } else { None };
                self.gates.put_thread(path.at, gate);
            }
            Coll::POSTGATE => self.gates.put_post(path.at, *derived == Derived::Postgate),
            Coll::PROFILE => self.join(path.at, if let Derived::Join(pack) = derived { Some(*pack) } else { None }, time),
            _ => {}
        }
    }

    fn join(&mut self, profile: Ref, pack: Option<Ref>, time: i64) {
        self.joins.set(profile.author, pack, time);
        if let Some(pack) = pack {
            self.notify(profile, pack.author, Reason::Joined, Some(pack.rkey), time);
        }
    }

    /// A verification is of `after` now and was of `before`; both are accounts.
    pub(super) fn verified(&mut self, verification: Ref, before: Option<i32>, after: Option<i32>, time: i64) {
        if before == after {
            return;
        }
        if let Some(subject) = before {
            self.notify(verification, subject, Reason::Unverified, None, time);
        }
        if let Some(subject) = after {
            self.notify(verification, subject, Reason::Verified, None, time);
        }
    }

    fn notify(&mut self, record: Ref, recipient: i32, reason: Reason, about: Option<i64>, time: i64) {
        self.notifs.add(Notif { record, recipient, reason, about, sort: sort_key(record.rkey, None, time) });
    }

    /// What stood on a post's path told others and waited; that goes with it, whatever comes after it.
    pub(super) fn forget_post(&mut self, place: Ref) {
        self.notifs.set_of_post(place, &[]);
        self.waiting.set(place, None);
    }
}
