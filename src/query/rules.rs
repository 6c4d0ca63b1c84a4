//! What of a page its audience may see. Pure: decided from what was gathered, never from the database, so that a rule is one function and
//! holds everywhere.

use super::hydrate::{Block, Hydration, Mute};
use crate::collection::feed::post::{FLAG_DETACHED, FLAG_QUOTE, FLAG_VIOLATES};
use crate::collection::{Coll, Ref};
use crate::db::read::notification::Notice;

impl Hydration {
    /// Whether the audience and this account are kept apart: one of them blocks the other, itself or by a list.
    #[must_use]
    pub fn is_blocked(&self, account: i32) -> bool {
        let viewer = self.audience.viewer.filter(|_| !self.audience.sees_own_blocks);
        viewer.is_some_and(|viewer| self.relations.is_block_between(viewer, account))
    }

    /// Whether two others block each other, and the audience is not above that.
    #[must_use]
    pub fn are_apart(&self, one: i32, other: i32) -> bool {
        !self.audience.sees_others_blocks && self.relations.is_block_between(one, other)
    }

    /// Whether a list of those who did something with what `owner` owns shows this account.
    #[must_use]
    pub fn lists(&self, account: i32, owner: i32) -> bool {
        self.actor(account).is_some() && !self.is_blocked(account) && !self.are_apart(account, owner)
    }

    /// Whether the feed of `by` shows this post: of a reposter or, for itself, of its author.
    #[must_use]
    pub fn shows_in_author_feed(&self, place: Ref, by: i32) -> bool {
        let muted = |account| self.mute(account).is_full();
        self.shows_in_feed(place, by) && (!muted(place.author) || muted(by))
    }

    /// Whether the timeline of the audience shows this post, brought by `by`.
    #[must_use]
    pub fn shows_in_timeline(&self, place: Ref, by: i32, is_repost: bool) -> bool {
        let Some(post) = self.post(place) else { return false };
        let (author, originator) = (self.mute(place.author), self.mute(by));
        let muted = author.is_full()
            || originator.is_full()
            || (is_repost && originator.is_of_reposts())
            || (post.row.flags & FLAG_QUOTE != 0 && author.is_of_quotes());
        let parent = post.row.parent;
        let grandparent = parent.and_then(|parent| self.post(parent)?.row.parent);
        let answers_blocked = [parent, grandparent].into_iter().flatten().any(|ancestor| self.is_blocked(ancestor.author));
        self.shows_in_feed(place, by) && !muted && !answers_blocked
    }

    fn shows_in_feed(&self, place: Ref, by: i32) -> bool {
        self.post(place).is_some() && self.actor(by).is_some() && !self.is_blocked(place.author) && !self.is_blocked(by)
    }

    /// How the audience mutes this account.
    #[must_use]
    pub fn mute(&self, account: i32) -> Mute {
        self.relations.mute(account)
    }

    /// How the audience blocks this account.
    #[must_use]
    pub fn blocking(&self, account: i32) -> Option<Block> {
        self.relations.block(self.audience.viewer?, account)
    }

    /// Whether this account blocks the audience.
    #[must_use]
    pub fn is_blocking_audience(&self, account: i32) -> bool {
        self.audience.viewer.is_some_and(|viewer| self.relations.block(account, viewer).is_some())
    }

    /// Whether a post violates the gate of its thread.
    #[must_use]
    pub fn violates_gate(&self, place: Ref) -> bool {
        self.post(place).is_some_and(|post| post.row.flags & FLAG_VIOLATES != 0)
    }

    /// Whether what a post quotes is not shown in it, because who is quoted does not want it.
    #[must_use]
    pub fn is_detached(&self, place: Ref) -> bool {
        self.post(place).is_some_and(|post| post.row.flags & FLAG_DETACHED != 0)
    }

    /// Whether a post and what it answers or quotes are kept apart by their authors.
    #[must_use]
    pub fn splits(&self, place: Ref, other: Option<Ref>) -> bool {
        other.is_some_and(|other| self.are_apart(place.author, other.author))
    }

    /// Whether its recipient is told of a notification.
    #[must_use]
    pub fn shows_notice(&self, notice: &Notice) -> bool {
        let author = notice.record.author;
        let from_hidden = self.actor(author).is_none() || self.is_blocked(author) || self.mute(author).is_full();
        // A verification that is gone is told of all the same.
        let is_held = notice.why.coll() == Coll::VERIFICATION || self.notice_record(notice).is_some();
        let unwanted = self.is_of_muted_thread(notice) || self.is_of_hidden_reply(notice);
        is_held && !from_hidden && !unwanted && self.holds_notice_subject(notice)
    }
}
