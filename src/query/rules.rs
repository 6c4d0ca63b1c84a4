//! What of a page its audience may see. Pure: decided from what was gathered, never from the database, so that a rule is one function and
//! holds everywhere.

use super::Audience;
use super::hydrate::{Block, Hydration, Label, Labels, Mute, Subject};
use crate::collection::actor::profile::ProfileFields;
use crate::collection::feed::post::{FLAG_DETACHED, FLAG_QUOTE, FLAG_VIOLATES};
use crate::collection::{Coll, Ref};
use crate::db::read::notification::{Notice, Why};

/// Labels that remove their subject.
const TAKEDOWNS: [&str; 2] = ["!takedown", "!suspend"];
const NEEDS_REVIEW: &str = "needs-review";
const IMPERSONATION: &str = "impersonation";
const NO_STRANGERS: &str = "!no-unauthenticated";

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
        self.is_listed(account) && !self.are_apart(account, owner)
    }

    /// Whether a list of accounts shows this one.
    #[must_use]
    pub fn is_listed(&self, account: i32) -> bool {
        self.actor(account).is_some() && !self.is_blocked(account)
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

    /// Whether the audience follows this account.
    #[must_use]
    pub fn is_followed(&self, account: i32) -> bool {
        self.audience.viewer.is_some_and(|viewer| self.relations.follow(viewer, account).is_some())
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
        let record = Subject::record(notice.why.coll(), notice.record);
        let is_reviewed = matches!(notice.why, Why::Mention | Why::Reply | Why::Quote | Why::Like | Why::Follow);
        let is_told = !self.is_redacted(record) && (!is_reviewed || self.shows_under_review(author, Some(record)));
        is_held && !from_hidden && !unwanted && is_told && self.holds_notice_subject(notice)
    }

    /// What is shown of what is said of a subject. That a review is needed is for this service to act on where its labeler may hide, and never
    /// shown.
    pub fn labels(&self, subject: Subject) -> impl Iterator<Item = &Label> {
        self.labels.of(subject).iter().filter(|label| !self.asks_for_review(label))
    }

    /// Whether a labeler that may hide has taken the subject down.
    #[must_use]
    pub fn is_redacted(&self, subject: Subject) -> bool {
        self.labels.take_down(subject, self.audience)
    }

    /// Whether a labeler that may hide says that an account is not who it claims to be.
    #[must_use]
    pub fn is_impersonation(&self, account: i32) -> bool {
        self.is_said(Subject::account(account), &[IMPERSONATION])
    }

    /// Whether a reply, a notification or what was searched for, made by `author` and perhaps a record itself, is shown although a review may
    /// be needed: to who follows the author, and to the author.
    #[must_use]
    pub fn shows_under_review(&self, author: i32, record: Option<Subject>) -> bool {
        let mut subjects = std::iter::once(Subject::account(author)).chain(record);
        let is_under_review = subjects.any(|subject| self.is_said(subject, &[NEEDS_REVIEW]));
        let viewer = self.audience.viewer;
        let follows = |viewer| viewer == author || self.relations.follow(viewer, author).is_some();
        !is_under_review || viewer.is_some_and(follows)
    }

    /// Whether an account does not want to be shown to those who are not signed in, as it says itself or a labeler of it, and nobody is.
    /// Only for threads of version 2: everything else leaves it to clients.
    #[must_use]
    pub fn refuses_strangers(&self, account: i32) -> bool {
        if self.audience.viewer.is_some() {
            return false;
        }
        let profile = self.any_actor(account).and_then(|actor| ProfileFields::of(actor.profile.as_deref()?));
        let says_itself = profile.is_some_and(|profile| profile.self_labels().any(|val| val == NO_STRANGERS));
        let subjects = [Subject::account(account), Subject::single(Coll::PROFILE, account)];
        says_itself || subjects.into_iter().flat_map(|subject| self.labels(subject)).any(|label| label.val == NO_STRANGERS)
    }

    /// Whether a labeler that may hide says one of `vals`.
    fn is_said(&self, subject: Subject, vals: &[&str]) -> bool {
        self.labels.say(subject, self.audience, vals)
    }

    fn asks_for_review(&self, label: &Label) -> bool {
        label.val == NEEDS_REVIEW && self.audience.labelers.redacts(label.labeler)
    }
}

impl Labels {
    /// Whether a labeler that may hide has taken the subject down, for this audience.
    #[must_use]
    pub fn take_down(&self, subject: Subject, audience: Audience) -> bool {
        !audience.sees_takedowns && self.say(subject, audience, &TAKEDOWNS)
    }

    /// Whether a labeler that may hide says one of `vals`.
    fn say(&self, subject: Subject, audience: Audience, vals: &[&str]) -> bool {
        self.of(subject).iter().any(|label| audience.labelers.redacts(label.labeler) && vals.contains(&label.val.as_str()))
    }
}
