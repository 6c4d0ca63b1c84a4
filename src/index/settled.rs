//! Reads the settled state of everything that events touch, in two rounds: what stands on their paths, then what belongs to the subjects
//! of old and new rows. Only under the apply lock does it stay true.

use std::collections::BTreeSet;
use std::collections::HashSet;
use std::hash::Hash;

use futures_util::future::try_join_all;
use tokio_postgres::Error;

use super::item::{Body, Item, Row, Verdict};
use super::simulate::{MAX_AHEAD, Slot, World, day, subject_of, subject_post};
use crate::collection::{Coll, Edge, EdgeKind, Pair, Post, Ref};
use crate::db::record::Path;
use crate::db::stat::Subject;
use crate::db::{Transaction, dead_letter, edge, post, record, repo, stat};

/// What stands on these is read first.
#[derive(Default)]
struct Paths {
    accounts: BTreeSet<i32>,
    all: HashSet<Path>,
    /// (account, day) of ops that may become dead letters.
    days: BTreeSet<(i32, i32)>,
}

/// What belongs to these is read second.
#[derive(Default)]
struct Subjects {
    pairs: HashSet<(EdgeKind, Pair)>,
    counted: HashSet<Subject>,
}

/// Everything that `items` touch, as it is now. `refused`: any op may become a dead letter.
pub(super) async fn read<'a>(tx: &Transaction<'_>, items: &[&Item], refused: bool) -> Result<World<'a>, Error> {
    let mut world = World::default();
    let paths = Paths::of(items, refused);
    let mut subjects = Subjects::default();
    subjects.of_items(items);
    first_round(tx, &paths, &mut world, &mut subjects).await?;
    second_round(tx, &subjects, &mut world).await?;
    Ok(world)
}

impl Paths {
    fn of(items: &[&Item], refused: bool) -> Self {
        let mut paths = Self::default();
        for item in items {
            let Some(account) = item.account else { continue };
            paths.accounts.insert(account);
            let Body::Commit(commit) = &item.body else { continue };
            paths.all.extend(commit.ops.iter().filter_map(|op| op.verdict.path()));
            let dead = commit.ops.iter().any(|op| matches!(op.verdict, Verdict::Dead(..)));
            if refused || dead || commit.rev.micros().saturating_sub(item.time) > MAX_AHEAD {
                paths.days.insert((account, day(item.time)));
            }
        }
        paths
    }

    fn of_coll(&self, coll: Coll) -> Vec<Ref> {
        sorted(self.all.iter().filter(|path| path.coll == coll).map(|path| path.at), |at| (at.author, at.rkey))
    }
}

impl Subjects {
    fn of_items(&mut self, items: &[&Item]) {
        for item in items {
            let Body::Commit(commit) = &item.body else { continue };
            for op in &commit.ops {
                match &op.verdict {
                    Verdict::Put(_, Row::Edge { kind, edge, .. }) => self.edge(*kind, edge),
                    Verdict::Put(_, Row::Post(stored)) => self.post(&stored.post),
                    _ => {}
                }
            }
        }
    }

    fn edge(&mut self, kind: EdgeKind, edge: &Edge) {
        self.pairs.insert((kind, edge.pair()));
        self.counted.extend(subject_of(kind, edge));
    }

    fn post(&mut self, post: &Post) {
        self.counted.extend([post.parent, post.quote].into_iter().flatten().map(subject_post));
    }

    fn pairs_of(&self, kind: EdgeKind) -> Vec<Pair> {
        sorted(self.pairs.iter().filter(|(of, _)| *of == kind).map(|(_, pair)| *pair), |pair| *pair)
    }
}

/// In the order of `key`: neighbours in an index are asked for one after the other.
fn sorted<T, K: Ord + Hash>(values: impl Iterator<Item = T>, key: impl Fn(&T) -> K) -> Vec<T> {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable_by_key(key);
    values
}

async fn first_round(tx: &Transaction<'_>, paths: &Paths, world: &mut World<'_>, subjects: &mut Subjects) -> Result<(), Error> {
    let accounts: Vec<i32> = paths.accounts.iter().copied().collect();
    let all = sorted(paths.all.iter().copied(), |path| (path.at.author, path.coll, path.at.rkey));
    let days: Vec<(i32, i32)> = paths.days.iter().copied().collect();
    let posts = paths.of_coll(Coll::POST);
    let places = EdgeKind::ALL.map(|kind| (kind, paths.of_coll(kind.coll())));
    let edges = places.iter().map(|(kind, places)| unless_empty(places, |keys| edge::at(tx, *kind, keys)));
    let (repos, letters, days, kept, posts, edges) = tokio::try_join!(
        unless_empty(&accounts, |keys| repo::of(tx, keys)),
        unless_empty(&accounts, |keys| dead_letter::held(tx, keys)),
        unless_empty(&days, |keys| dead_letter::days(tx, keys)),
        unless_empty(&all, |keys| record::held(tx, keys)),
        unless_empty(&posts, |keys| post::at(tx, keys)),
        try_join_all(edges),
    )?;
    world.repos.0.extend(repos.into_iter().map(|(account, repo)| (account, Slot::held(repo))));
    for place in letters {
        world.letters.settle(place);
    }
    world.letters.days.extend(days.into_iter().map(|day| ((day.account, day.day), day)));
    for path in kept {
        world.kept.settle(path);
    }
    for post in posts {
        subjects.post(&post);
        world.posts.settle(post);
    }
    for (kind, held) in EdgeKind::ALL.into_iter().zip(edges) {
        for edge in held {
            subjects.edge(kind, &edge);
            world.edges.settle(kind, edge);
        }
    }
    Ok(())
}

async fn second_round(tx: &Transaction<'_>, subjects: &Subjects, world: &mut World<'_>) -> Result<(), Error> {
    let counted = sorted(subjects.counted.iter().copied(), |subject| *subject);
    let pairs = EdgeKind::ALL.map(|kind| (kind, subjects.pairs_of(kind)));
    let edges = pairs.iter().map(|(kind, pairs)| unless_empty(pairs, |keys| edge::of(tx, *kind, keys)));
    let (stats, edges) = tokio::try_join!(unless_empty(&counted, |keys| stat::of(tx, keys)), try_join_all(edges))?;
    world.counts.subjects.extend(stats.into_iter().map(|(subject, stat)| (subject, Slot::held(stat))));
    for (kind, held) in EdgeKind::ALL.into_iter().zip(edges) {
        for edge in held {
            world.edges.settle(kind, edge);
        }
    }
    Ok(())
}

/// Spares the database a question about nothing.
async fn unless_empty<'k, K, T, F>(keys: &'k [K], ask: impl FnOnce(&'k [K]) -> F) -> Result<Vec<T>, Error>
where
    F: Future<Output = Result<Vec<T>, Error>>,
{
    if keys.is_empty() { Ok(Vec::new()) } else { ask(keys).await }
}
