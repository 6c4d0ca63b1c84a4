//! What of the expected state depends on which of two repos' messages came first, and why nothing else does.
//!
//! A reply looks at the posts above it, at the gate of its thread and at who follows whom when it comes, or when what it waited for comes.
//! Each is looked at in every state that it has among the events that may change places; where the outcomes differ, the outcome is loose.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::Oracle;
use super::gates::Case;
use super::history::{Cause, Tick, Window};
use super::record::{Post, author};

/// Ancestors that a reply looks at.
const CLIMB: usize = 4;

/// What cannot be known from the messages alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loose {
    /// Replies of which nobody can say whether they violate their gate.
    verdicts: BTreeSet<String>,
    /// Quotes of which nobody can say whether they were allowed.
    quotes: BTreeSet<String>,
    /// Posts whose number of replies depends on a verdict.
    counts: BTreeSet<String>,
    /// Replies whose notifications as replies, or whose waiting, are uncertain.
    replies: BTreeSet<String>,
    /// Records and those who may or may not be told of them.
    told: BTreeSet<(String, String)>,
}

impl Loose {
    /// What of a line is certain: all of it, a part, or nothing.
    #[must_use]
    pub fn exact<'l>(&self, line: &'l str) -> Option<Cow<'l, str>> {
        let words: Vec<&str> = line.split(' ').collect();
        let certain = match *words.as_slice() {
            ["flags", uri, "violates"] => !self.verdicts.contains(uri),
            ["flags", uri, "detached"] => !self.quotes.contains(uri),
            ["pending", uri, ..] => !self.replies.contains(uri),
            ["notif", _, "reply", uri, ..] if self.replies.contains(uri) => false,
            ["notif", recipient, _, uri, ..] => !self.told.contains(&(uri.to_owned(), recipient.to_owned())),
            ["count", uri, ref counts @ ..] if self.counts.contains(uri) => {
                let counts: Vec<&str> = counts.iter().filter(|count| !count.starts_with("replies=")).copied().collect();
                return (!counts.is_empty()).then(|| Cow::Owned(format!("count {uri} {}", counts.join(" "))));
            }
            _ => true,
        };
        certain.then_some(Cow::Borrowed(line))
    }

    /// What is uncertain, as sorted lines.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.verdicts.iter().map(|uri| format!("loose flags {uri} violates")).collect();
        lines.extend(self.quotes.iter().map(|uri| format!("loose flags {uri} detached")));
        lines.extend(self.counts.iter().map(|uri| format!("loose count {uri} replies")));
        lines.extend(self.replies.iter().map(|uri| format!("loose pending {uri}")));
        lines.extend(self.replies.iter().map(|uri| format!("loose notif * reply {uri}")));
        lines.extend(self.told.iter().map(|(uri, did)| format!("loose notif {did} * {uri}")));
        lines.sort();
        lines
    }

    /// Whether everything is certain.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Outcomes that a verdict can have.
#[derive(Debug, Clone, Copy, Default)]
struct Outcomes {
    yes: bool,
    no: bool,
}

impl Outcomes {
    fn add(&mut self, outcome: bool) {
        *(if outcome { &mut self.yes } else { &mut self.no }) = true;
    }

    fn differ(self) -> bool {
        self.yes && self.no
    }
}

/// A post as it was from one look on.
#[derive(Debug)]
struct Version {
    tick: Tick,
    /// When it was updated again.
    until: Tick,
    post: Arc<Post>,
}

impl Oracle {
    /// What depends on the order between repos.
    #[must_use]
    pub fn loose(&self) -> Loose {
        let mut loose = Loose::default();
        for (uri, looks) in &self.history.looks {
            let versions = self.versions(uri, looks);
            self.judge_quotes(uri, &versions, &mut loose);
            self.judge_replies(uri, &versions, &mut loose);
            if looks.iter().any(|(tick, cause)| self.chain_moves(*tick, *cause, &versions)) {
                loose.replies.insert(uri.clone());
            }
        }
        self.purged_recipients(&mut loose);
        loose
    }

    fn versions(&self, uri: &str, looks: &[(Tick, Cause)]) -> Vec<Version> {
        let ticks: Vec<Tick> = looks.iter().filter(|(_, cause)| *cause != Cause::Woken).map(|(tick, _)| *tick).collect();
        let ends = ticks.iter().skip(1).copied().chain([Tick::MAX]);
        let posts = self.history.posts.log(uri);
        ticks.iter().zip(ends).filter_map(|(tick, until)| Some(Version { tick: *tick, until, post: posts.at(*tick)? })).collect()
    }

    /// Whether a quoted post was closed when the quote came.
    fn judge_quotes(&self, uri: &str, versions: &[Version], loose: &mut Loose) {
        for version in versions {
            let Some(quote) = version.post.quote.as_deref().filter(|quote| author(quote) != author(uri)) else { continue };
            let mut outcomes = Outcomes::default();
            self.history.closed.log(quote).seen(self.history.window(version.tick)).for_each(|closed| outcomes.add(closed));
            if outcomes.differ() {
                loose.told.insert((uri.to_owned(), author(quote).to_owned()));
                if version.until == Tick::MAX {
                    loose.quotes.insert(uri.to_owned());
                }
            }
        }
    }

    /// Whether each version of a reply violates the gate, in every order.
    fn judge_replies(&self, uri: &str, versions: &[Version], loose: &mut Loose) {
        for version in versions {
            let Some(root) = version.post.thread().filter(|root| author(root) != author(uri)) else { continue };
            if self.history.gates.log(root).is_empty() || !self.verdicts(uri, root, version).differ() {
                continue;
            }
            loose.replies.insert(uri.to_owned());
            if version.until == Tick::MAX {
                loose.verdicts.insert(uri.to_owned());
                loose.counts.extend(version.post.parent.clone());
            }
        }
    }

    fn verdicts(&self, uri: &str, root: &str, version: &Version) -> Outcomes {
        let (window, posts) = (self.history.window(version.tick), self.history.posts.log(root));
        let mut outcomes = Outcomes::default();
        let ticks: Vec<Tick> = std::iter::once(window.after).chain(self.owner_ticks(uri, root, window)).collect();
        let gone = posts.changes(window).find(|(_, before, after)| before.is_some() && after.is_none()).map(|(tick, ..)| tick);
        for tick in ticks {
            match self.verdict(uri, root, version.tick, tick) {
                Some(verdict) => outcomes.add(verdict),
                None if gone.is_some_and(|gone| gone <= tick) => outcomes.add(false),
                None => {}
            }
        }
        let held = posts.seen(window).any(|post| post.is_some());
        let first = posts
            .changes(if held { window } else { Window { after: window.until, until: Tick::MAX } })
            .find(|(_, before, after)| before.is_none() && after.is_some());
        if let Some((arrival, ..)) = first.filter(|(arrival, ..)| self.history.window(*arrival).after < version.until) {
            // It waited: judged by what the root's author had when the root came, and the replier at any time from then on.
            let waiting = self.history.window(arrival);
            let from = version.tick.max(waiting.after);
            let follows = self.history.follows.log(&(author(uri).to_owned(), author(root).to_owned()));
            let later = follows.ticks(Window { after: from, until: waiting.until });
            for replier in std::iter::once(from).chain(later) {
                outcomes.add(self.verdict(uri, root, replier, arrival).unwrap_or(false));
            }
            // A reply waits for one post at a time: while that one is an ancestor, nobody looks when the root comes.
            if self.waits_below(version, root) {
                outcomes.add(false);
            }
        }
        outcomes
    }

    /// Whether an ancestor between this post and its root may be missed when the post comes, without coming among the same events.
    fn waits_below(&self, version: &Version, root: &str) -> bool {
        let window = self.history.window(version.tick);
        let mut next = version.post.parent.clone();
        for _ in 0..CLIMB {
            let Some(uri) = next.take().filter(|uri| uri != root) else { break };
            let log = self.history.posts.log(uri.as_str());
            let goes = log.changes(window).any(|(_, before, after)| before.is_some() && after.is_none());
            if goes || log.seen(window).all(|post| post.is_none()) {
                return true;
            }
            next = log.at(window.until).and_then(|ancestor| ancestor.parent.clone());
        }
        false
    }

    /// Events of a window by which the root's author changes what a verdict looks at.
    fn owner_ticks(&self, uri: &str, root: &str, window: Window) -> Vec<Tick> {
        let (replier, owner) = (author(uri).to_owned(), author(root).to_owned());
        let gates = self.history.gates.log(root);
        let lists: BTreeSet<String> = gates.seen(window).flatten().flat_map(|gate| gate.lists.clone()).collect();
        let mut ticks: Vec<Tick> = self.history.posts.log(root).ticks(window).chain(gates.ticks(window)).collect();
        ticks.extend(self.history.follows.log(&(owner, replier.clone())).ticks(window));
        for list in lists {
            ticks.extend(self.history.members.log(&(list, replier.clone())).ticks(window));
        }
        ticks
    }

    /// The verdict by what the replier had at one event and the root's author at another; `None`: the root is not held then.
    fn verdict(&self, uri: &str, root: &str, replier_at: Tick, owner_at: Tick) -> Option<bool> {
        let (replier, root_author) = (author(uri), author(root));
        let held = self.history.posts.log(root).at(owner_at)?;
        let gate = self.history.gates.log(root).at(owner_at);
        let follows = |from: &str, to: &str, at: Tick| self.history.follows.log(&(from.to_owned(), to.to_owned())).at(at);
        let case = Case {
            replier,
            root_author,
            root: &held,
            gate: gate.as_deref(),
            follows: follows(replier, root_author, replier_at),
            followed: follows(root_author, replier, owner_at),
        };
        Some(case.violates(|list| self.history.members.log(&(list.to_owned(), replier.to_owned())).at(owner_at)))
    }

    /// Whether what a look saw above the post could have been something else, so that others would have been told.
    fn chain_moves(&self, tick: Tick, cause: Cause, versions: &[Version]) -> bool {
        let Some(at) = versions.iter().rposition(|version| version.tick <= tick) else { return false };
        let Some(post) = versions.get(at).map(|version| &version.post) else { return false };
        let replaces_another = cause == Cause::Updated && at > 0 && versions.get(at - 1).is_some_and(|before| before.post != *post);
        let (window, gates) = (self.history.window(tick), post.thread().map(|thread| self.history.gates.log(thread)));
        let moves = |post: &str| {
            self.history.posts.log(post).changes(window).any(|(_, before, after)| match (before, after) {
                (Some(before), Some(after)) => before.parent != after.parent,
                (Some(_), None) => true,
                (None, Some(_)) => replaces_another,
                (None, None) => false,
            })
        };
        if post.thread().is_some_and(moves) {
            return true;
        }
        let mut next = post.parent.clone();
        for _ in 0..CLIMB {
            let Some(uri) = next.take() else { break };
            let hidden: Vec<bool> = gates.map_or_else(Vec::new, |gates| {
                gates.seen(window).map(|gate| gate.is_some_and(|gate| gate.hidden.contains(&uri))).collect()
            });
            if moves(&uri) || (hidden.contains(&true) && hidden.contains(&false)) {
                return true;
            }
            if !hidden.contains(&true) {
                next = self.history.posts.log(uri.as_str()).at(window.until).and_then(|ancestor| ancestor.parent.clone());
            }
        }
        false
    }

    /// Who was told something and lost all rows among the same events may have either.
    fn purged_recipients(&self, loose: &mut Loose) {
        let mut purged: HashMap<&str, Vec<Window>> = HashMap::new();
        for (tick, did) in &self.history.purges {
            purged.entry(did).or_default().push(self.history.window(*tick));
        }
        for (tick, uri, recipient) in &self.history.wanted {
            if purged.get(recipient.as_str()).is_some_and(|windows| windows.iter().any(|window| window.holds(*tick))) {
                loose.told.insert((uri.clone(), recipient.clone()));
            }
        }
    }
}
