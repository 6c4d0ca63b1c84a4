//! What is to be read: what events name by themselves (first round), and what belongs to that and to the rows found there (second).

use std::collections::{BTreeSet, HashSet};

use crate::collection::{Coll, Derived, Edge, EdgeKind, Pair, Post, Ref};
use crate::db::pending::Pending;
use crate::db::record::Path;
use crate::db::stat::Subject;
use crate::index::item::{Body, Item, Row, Verdict};
use crate::index::simulate::{MAX_AHEAD, day, subject_of, subject_post};

/// What stands on these is read first.
#[derive(Default)]
pub(super) struct Paths {
    pub accounts: BTreeSet<i32>,
    pub all: HashSet<Path>,
    /// (account, day) of ops that may become dead letters.
    pub days: BTreeSet<(i32, i32)>,
    /// Posts that are put: something may wait for them.
    pub arrivals: HashSet<Ref>,
}

/// What belongs to these is read second.
#[derive(Default)]
pub(super) struct Subjects {
    pub pairs: HashSet<(EdgeKind, Pair)>,
    pub counted: HashSet<Subject>,
    /// Replied to: they and their ancestors are climbed.
    pub parents: HashSet<Ref>,
    /// Roots that are no parents.
    pub roots: HashSet<Ref>,
    pub threadgates: HashSet<Ref>,
    pub postgates: HashSet<Ref>,
    /// Records whose notifications may change.
    pub notifying: HashSet<Ref>,
    /// Held replies that may wait.
    pub replies: HashSet<Ref>,
    /// Accounts whose profile is put or removed.
    pub profiles: BTreeSet<i32>,
    /// (root, replier) of verdicts that may be made.
    pub verdicts: HashSet<(Ref, i32)>,
}

impl Paths {
    pub fn of(items: &[&Item], refused: bool) -> Self {
        let mut paths = Self::default();
        for item in items {
            let Some(account) = item.account else { continue };
            paths.accounts.insert(account);
            let Body::Commit(commit) = &item.body else { continue };
            for op in &commit.ops {
                paths.all.extend(op.verdict.path());
                if let Verdict::Put(path, Row::Post(_)) = &op.verdict {
                    paths.arrivals.insert(path.at);
                }
            }
            let dead = commit.ops.iter().any(|op| matches!(op.verdict, Verdict::Dead(..)));
            if refused || dead || commit.rev.micros().saturating_sub(item.time) > MAX_AHEAD {
                paths.days.insert((account, day(item.time)));
            }
        }
        paths
    }

    pub fn of_coll(&self, coll: Coll) -> Vec<Ref> {
        places(self.all.iter().filter(|path| path.coll == coll).map(|path| path.at))
    }
}

impl Subjects {
    pub fn of_items(items: &[&Item]) -> Self {
        let mut subjects = Self::default();
        for item in items {
            let Body::Commit(commit) = &item.body else { continue };
            for op in &commit.ops {
                if let Verdict::Put(path, row) = &op.verdict {
                    subjects.row(*path, row);
                }
                if let Some(path) = op.verdict.path() {
                    subjects.path(path);
                }
            }
        }
        subjects
    }

    fn row(&mut self, path: Path, row: &Row) {
        match row {
            Row::Edge { kind, edge, .. } => self.edge(*kind, edge),
            Row::Post(stored) => {
                self.post(&stored.post);
                self.verdict(&stored.post);
                self.postgates.extend(stored.post.quote);
            }
            Row::Whole { derived: Derived::Join(_), .. } => drop(self.notifying.insert(path.at)),
            Row::Whole { .. } => {}
        }
    }

    fn path(&mut self, path: Path) {
        match path.coll {
            Coll::THREADGATE => drop(self.threadgates.insert(path.at)),
            Coll::POSTGATE => drop(self.postgates.insert(path.at)),
            Coll::VERIFICATION => drop(self.notifying.insert(path.at)),
            Coll::PROFILE => drop(self.profiles.insert(path.at.author)),
            _ => {}
        }
    }

    pub fn edge(&mut self, kind: EdgeKind, edge: &Edge) {
        self.pairs.insert((kind, edge.pair()));
        self.counted.extend(subject_of(kind, edge));
    }

    fn post(&mut self, post: &Post) {
        self.counted.extend([post.parent, post.quote].into_iter().flatten().map(subject_post));
    }

    /// A post that an op is of, as it is held.
    pub fn held(&mut self, post: &Post) {
        self.post(post);
        self.notifying.insert(post.place());
        if post.thread().is_some() {
            self.replies.insert(post.place());
        }
    }

    /// A held reply that waits for a post that comes.
    pub fn waiting(&mut self, row: &Pending, post: &Post) {
        self.post(post);
        self.notifying.insert(post.place());
        self.thread(post);
        if !row.judged {
            self.verdict(post);
        }
    }

    /// What is climbed from a reply, and what is hidden there.
    fn thread(&mut self, post: &Post) {
        self.parents.extend(post.parent);
        self.roots.extend(post.root);
        self.threadgates.extend(post.thread());
    }

    fn verdict(&mut self, post: &Post) {
        self.thread(post);
        self.verdicts.extend(post.thread().filter(|root| root.author != post.author).map(|root| (root, post.author)));
    }

    pub fn pairs_of(&self, kind: EdgeKind) -> Vec<Pair> {
        let mut pairs: Vec<_> = self.pairs.iter().filter(|(of, _)| *of == kind).map(|(_, pair)| *pair).collect();
        pairs.sort_unstable();
        pairs
    }
}

/// In the order of an index: neighbours in it are asked for one after the other.
pub(super) fn places(refs: impl IntoIterator<Item = Ref>) -> Vec<Ref> {
    let mut places: Vec<Ref> = refs.into_iter().collect();
    places.sort_unstable_by_key(|at| (at.author, at.rkey));
    places
}
