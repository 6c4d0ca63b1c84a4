//! Counts, and the CID by which a subject's first edge named it. Changed only by rows that really come or go.

use std::collections::HashMap;

use super::Slot;
use crate::atproto::Cid;
use crate::collection::feed::post::FLAG_VIOLATES;
use crate::collection::{Edge, EdgeKind, KIND_MASK, KIND_SHIFT, Post, Ref, SubjectKind};
use crate::db::stat::{ActorDelta, PostStat, Subject};

/// Every subject and account whose counts may move.
#[derive(Debug, Default)]
pub(in crate::index) struct Counts {
    pub subjects: HashMap<Subject, Slot<PostStat>>,
    pub actors: HashMap<i32, ActorDelta>,
}

/// The subject of a like or repost; `None` for edges to accounts.
pub(in crate::index) fn subject_of(kind: EdgeKind, edge: &Edge) -> Option<Subject> {
    let counted = matches!(kind, EdgeKind::Like | EdgeKind::Repost);
    counted.then_some(Subject { sr: edge.sr, sa: edge.sa, kind: (edge.flags & KIND_MASK) >> KIND_SHIFT })
}

/// A post as what others reply to and quote.
pub(in crate::index) fn subject_post(post: Ref) -> Subject {
    Subject { sr: post.rkey, sa: post.author, kind: SubjectKind::Post.number() }
}

impl Counts {
    fn subject(&mut self, subject: Subject) -> &mut PostStat {
        self.subjects.entry(subject).or_default().now.get_or_insert_default()
    }

    fn actor(&mut self, account: i32) -> &mut ActorDelta {
        self.actors.entry(account).or_insert_with(|| ActorDelta { account, ..ActorDelta::default() })
    }

    /// An edge names its subject's CID: the first to do so is remembered. False: it names another one than that.
    pub fn name(&mut self, kind: EdgeKind, edge: &Edge, cid: Option<&Cid>) -> bool {
        match (subject_of(kind, edge), cid) {
            (Some(subject), Some(cid)) => self.subject(subject).cid.get_or_insert(*cid) == cid,
            _ => true,
        }
    }

    /// An edge that counts comes (1) or goes (-1).
    pub fn edge(&mut self, kind: EdgeKind, edge: &Edge, by: i32) {
        if let Some(subject) = subject_of(kind, edge) {
            let stat = self.subject(subject);
            let count = if kind == EdgeKind::Like { &mut stat.likes } else { &mut stat.reposts };
            *count = count.saturating_add(by);
        }
        if kind == EdgeKind::Follow {
            self.actor(edge.author).follows += by;
            self.actor(edge.sa).followers += by;
        }
    }

    /// A post comes (1) or goes (-1).
    pub fn post(&mut self, post: &Post, by: i32) {
        self.actor(post.author).posts += by;
        if post.flags & FLAG_VIOLATES == 0 {
            self.reply(post, by);
        }
        if let Some(quote) = post.quote {
            let stat = self.subject(subject_post(quote));
            stat.quotes = stat.quotes.saturating_add(by);
        }
    }

    /// A post comes (1) or goes (-1) as a reply that counts.
    pub fn reply(&mut self, post: &Post, by: i32) {
        if let Some(parent) = post.parent {
            let stat = self.subject(subject_post(parent));
            stat.replies = stat.replies.saturating_add(by);
        }
    }
}
