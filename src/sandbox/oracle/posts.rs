//! What a post derives from other posts, settled at the end of its commit: verdicts, notifications of replies, what it waits for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Oracle;
use super::gates::Case;
use super::history::Cause;
use super::notices::{Notice, Reason};
use super::record::{Post, author};

/// Heights of the ancestors that are notified: the post itself and these are five.
const CLIMB: usize = 4;

/// What is known of a post that is held, besides its record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// The thread's gate was asked; the verdict stands until the post is updated.
    pub judged: bool,
    pub violates: bool,
    /// Quotes a post that nobody may quote.
    pub detached: bool,
}

/// Which reply waits for which post.
#[derive(Debug, Default)]
pub(super) struct Waits {
    pub missing: BTreeMap<String, String>,
    replies: BTreeMap<String, BTreeSet<String>>,
}

impl Waits {
    pub fn set(&mut self, reply: &str, missing: Option<String>) {
        if let Some(old) = self.missing.remove(reply)
            && let Some(replies) = self.replies.get_mut(&old)
        {
            replies.remove(reply);
        }
        if let Some(missing) = missing {
            self.replies.entry(missing.clone()).or_default().insert(reply.to_owned());
            self.missing.insert(reply.to_owned(), missing);
        }
    }

    fn of(&self, missing: &str) -> Vec<String> {
        self.replies.get(missing).into_iter().flatten().cloned().collect()
    }
}

/// Where a climb from a reply to its thread's beginning came.
struct Climb {
    /// Ancestors that are told, the nearest first.
    told: Vec<String>,
    missing: Option<String>,
}

impl Oracle {
    /// A post that this commit created or updated, at the commit's end.
    pub(super) fn look(&mut self, uri: &str, cause: Cause, time: i64) {
        let Some(post) = self.history.posts.now(uri) else { return };
        let detached = post.quote.as_deref().is_some_and(|quote| author(quote) != author(uri) && self.history.closed.now(quote));
        self.standing.insert(uri.to_owned(), Standing { detached, ..Standing::default() });
        self.judge(uri, &post);
        let climb = self.climb(&post);
        let at = if cause == Cause::Updated { time } else { post.at };
        let wanted = self.wanted(uri, &post, &climb.told, at);
        self.notices.retain(uri, |held| wanted.iter().any(|new| new.recipient == held.recipient && new.reason == held.reason));
        for notice in wanted {
            self.notices.add(uri, notice);
        }
        self.wait(uri, climb.missing);
        self.history.looks.entry(uri.to_owned()).or_default().push((self.history.now, cause));
    }

    /// A post has come: replies that waited for it are looked at again.
    pub(super) fn arrive(&mut self, missing: &str) {
        if self.history.posts.now(missing).is_none() {
            return;
        }
        for uri in self.waits.of(missing) {
            let Some(post) = self.history.posts.now(uri.as_str()) else { continue };
            self.judge(&uri, &post);
            let standing = self.standing.get(&uri).cloned().unwrap_or_default();
            let climb = self.climb(&post);
            if standing.violates {
                self.notices.retain(&uri, |held| held.reason != Reason::Reply);
            } else {
                let told = self.notices.of(&uri).iter().map(|held| held.recipient.clone()).collect::<BTreeSet<_>>();
                for notice in self.replies(&uri, &climb.told, post.at).into_iter().filter(|new| !told.contains(&new.recipient)) {
                    self.notices.add(&uri, notice);
                }
            }
            self.wait(&uri, climb.missing);
            self.history.looks.entry(uri).or_default().push((self.history.now, Cause::Woken));
        }
    }

    /// The thread's gate, as it is now, is asked once, as soon as the root is held.
    fn judge(&mut self, uri: &str, post: &Post) {
        let Some(thread) = post.thread() else { return };
        let Some(root) = self.history.posts.now(thread) else { return };
        let (replier, root_author) = (author(uri), author(thread));
        let gate = self.history.gates.now(thread);
        let follow = |from: &str, to: &str| self.history.follows.now(&(from.to_owned(), to.to_owned()));
        let case = Case {
            replier,
            root_author,
            root: &root,
            gate: gate.as_deref(),
            follows: follow(replier, root_author),
            followed: follow(root_author, replier),
        };
        let violates = case.violates(|list| self.history.members.now(&(list.to_owned(), replier.to_owned())));
        if let Some(standing) = self.standing.get_mut(uri).filter(|standing| !standing.judged) {
            (standing.judged, standing.violates) = (true, violates);
        }
    }

    fn climb(&self, post: &Post) -> Climb {
        let gate = post.thread().and_then(|thread| self.history.gates.now(thread));
        let mut climb = Climb { told: Vec::new(), missing: None };
        let mut next = post.parent.clone();
        while let Some(uri) = next.take().filter(|_| climb.told.len() < CLIMB) {
            let Some(ancestor) = self.history.posts.now(uri.as_str()) else {
                climb.missing = Some(uri);
                break;
            };
            next.clone_from(&ancestor.parent);
            if gate.as_ref().is_some_and(|gate| gate.hidden.contains(&uri)) {
                next = None;
            }
            climb.told.push(uri);
        }
        climb
    }

    /// What a reply waits for: an ancestor, or else its root while the gate is not judged; one that violates waits for nothing.
    fn wait(&mut self, uri: &str, missing: Option<String>) {
        let standing = self.standing.get(uri).cloned().unwrap_or_default();
        let root = || {
            let thread = self.history.posts.now(uri).and_then(|post| post.thread().map(str::to_owned));
            thread.filter(|thread| !standing.judged && self.history.posts.now(thread.as_str()).is_none())
        };
        let missing = if standing.violates { None } else { missing.or_else(root) };
        self.waits.set(uri, missing);
    }

    /// The notices that a post wants now: one a recipient, the first reason that there is.
    fn wanted(&mut self, uri: &str, post: &Arc<Post>, ancestors: &[String], at: i64) -> Vec<Notice> {
        let standing = self.standing.get(uri).cloned().unwrap_or_default();
        let mention = |did: &String| Notice { recipient: did.clone(), reason: Reason::Mention, about: None, at };
        let quote = |post: &String| Notice { recipient: author(post).to_owned(), reason: Reason::Quote, about: Some(post.clone()), at };
        let mut all: Vec<_> = post.mentions.iter().map(mention).collect();
        all.extend(post.quote.iter().filter(|_| !standing.detached).map(quote));
        if !standing.violates {
            all.extend(self.replies(uri, ancestors, at));
        }
        let mut told = BTreeSet::from([author(uri).to_owned()]);
        all.retain(|notice| told.insert(notice.recipient.clone()));
        let now = self.history.now;
        self.history.wanted.extend(all.iter().map(|notice| (now, uri.to_owned(), notice.recipient.clone())));
        all
    }

    /// The notices of a reply, the nearest ancestor of each author.
    fn replies(&mut self, uri: &str, ancestors: &[String], at: i64) -> Vec<Notice> {
        let mut told = BTreeSet::new();
        let first = ancestors.iter().filter(|ancestor| told.insert(author(ancestor)));
        let reply =
            |ancestor: &String| Notice { recipient: author(ancestor).to_owned(), reason: Reason::Reply, about: Some(ancestor.clone()), at };
        let notices: Vec<_> = first.map(reply).collect();
        let now = self.history.now;
        self.history.wanted.extend(notices.iter().map(|notice| (now, uri.to_owned(), notice.recipient.clone())));
        notices
    }
}
