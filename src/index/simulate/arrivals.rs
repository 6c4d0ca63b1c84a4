//! What the posts of a commit derive from other posts: verdicts of gates, notifications, what waits; and what waited for them. Asked at the
//! end of a commit, since clients write a post and its gates in one, in any order.

use super::World;
use super::gates::Verdict;
use super::posts::Arrival;
use super::threads::{Climb, climb};
use crate::collection::feed::post::{FLAG_DETACHED, FLAG_VIOLATES};
use crate::collection::{Post, Ref, sort_key};
use crate::db::notif::{Notif, Reason};
use crate::db::pending::Pending;

impl World<'_> {
    /// Settles the posts that came in a commit with this indexedAt: all of them first, then the replies that waited for one of them.
    pub fn settle_arrivals(&mut self, time: i64) {
        let arrived = self.posts.take_arrived();
        for (place, arrival) in &arrived {
            self.settle_post(*place, *arrival, time);
        }
        for (place, _) in &arrived {
            for waiting in self.waiting.for_post(*place) {
                self.applied.woken += 1;
                self.settle_waiting(waiting);
            }
        }
    }

    /// A post is new or changed: everything about it is decided anew.
    fn settle_post(&mut self, place: Ref, arrival: Arrival, time: i64) {
        let Some(post) = self.posts.get(place).cloned() else { return };
        let sort = match arrival {
            Arrival::New => post.sort,
            Arrival::Updated => sort_key(place.rkey, None, time),
        };
        let detached = post.quote.is_some_and(|quoted| self.gates.closed_to(quoted, place.author));
        let verdict = self.verdict(&post);
        let violates = verdict == Verdict::Violates;
        self.posts.mark(place, FLAG_DETACHED, detached, &mut self.counts);
        self.posts.mark(place, FLAG_VIOLATES, violates, &mut self.counts);
        let climb = if violates { Climb::default() } else { climb(&post, &self.posts, &self.gates) };
        let quoted = post.quote.filter(|_| !detached);
        self.notifs.set_of_post(place, &wanted(&post, quoted, &climb, sort));
        self.wait(&post, verdict, &climb);
    }

    /// Something that a reply waited for has come.
    fn settle_waiting(&mut self, waiting: Pending) {
        let place = waiting.reply;
        let Some(post) = self.posts.get(place).cloned() else { return };
        let verdict = if waiting.judged { Verdict::Allowed } else { self.verdict(&post) };
        if verdict == Verdict::Violates {
            self.posts.mark(place, FLAG_VIOLATES, true, &mut self.counts);
            self.notifs.remove_replies(place);
            self.waiting.set(place, None);
            return;
        }
        let climb = climb(&post, &self.posts, &self.gates);
        for ancestor in &climb.ancestors {
            if !self.notifs.reaches(place, ancestor.author) {
                self.notifs.add(reply(place, *ancestor, post.sort));
            }
        }
        self.wait(&post, verdict, &climb);
    }

    /// A post that is no reply violates no gate.
    fn verdict(&self, post: &Post) -> Verdict {
        post.thread().map_or(Verdict::Allowed, |root| self.gates.judge(root, post.author, &self.posts, &self.edges))
    }

    /// Has a reply wait for the ancestor that its climb missed, else for its root while the gate is not judged. What violates never waits.
    fn wait(&mut self, post: &Post, verdict: Verdict, climb: &Climb) {
        let root = post.thread().filter(|_| verdict == Verdict::NotYet);
        let missing = climb.missing.or(root);
        let row = missing.map(|missing| Pending { reply: post.place(), missing, judged: verdict != Verdict::NotYet });
        self.waiting.set(post.place(), row);
    }
}

fn reply(post: Ref, ancestor: Ref, sort: Option<i64>) -> Notif {
    Notif { record: post, recipient: ancestor.author, reason: Reason::Reply, about: Some(ancestor.rkey), sort }
}

/// The notifications that a post wants: one a recipient, the first reason that holds; none to its author.
fn wanted(post: &Post, quoted: Option<Ref>, climb: &Climb, sort: Option<i64>) -> Vec<Notif> {
    let record = post.place();
    let mention = |recipient: &i32| Notif { record, recipient: *recipient, reason: Reason::Mention, about: None, sort };
    let quote = |quoted: Ref| Notif { record, recipient: quoted.author, reason: Reason::Quote, about: Some(quoted.rkey), sort };
    let replies = climb.ancestors.iter().map(|ancestor| reply(record, *ancestor, sort));
    let mut wanted: Vec<Notif> = Vec::new();
    for notif in post.mentions.iter().map(mention).chain(quoted.map(quote)).chain(replies) {
        if notif.recipient != post.author && !wanted.iter().any(|other| other.recipient == notif.recipient) {
            wanted.push(notif);
        }
    }
    wanted
}
