//! Reads the settled state of everything that events touch, in rounds: what stands on their paths and waits for them, then what belongs to
//! the subjects of old and new rows, then what the rules of gates ask for. Only under the apply lock does it stay true. Never asks about
//! nothing: a round has no more questions than its events need.

mod gates;
mod keys;

use futures_util::future::try_join_all;
use tokio_postgres::Error;

use self::keys::{Paths, Subjects, places};
use super::item::Item;
use super::simulate::{MAX_HEIGHT, Slot, World};
use crate::collection::{Coll, Edge, EdgeKind, Post, Ref, Threadgate};
use crate::db::notif::Notif;
use crate::db::pack_join::PackJoin;
use crate::db::pending::Pending;
use crate::db::stat::{PostStat, Subject};
use crate::db::{Transaction, dead_letter, edge, notif, pack_join, pending, post, postgate, record, repo, stat, threadgate};

/// Everything that `items` touch, as it is now. `refused`: any op may become a dead letter.
pub(super) async fn read<'a>(tx: &Transaction<'_>, items: &[&Item], refused: bool) -> Result<World<'a>, Error> {
    let mut world = World::default();
    let mut subjects = Subjects::of_items(items);
    first_round(tx, &Paths::of(items, refused), &mut world, &mut subjects).await?;
    let (counted, threads, derived) = tokio::try_join!(counted(tx, &subjects), threads(tx, &subjects), derived(tx, &subjects))?;
    counted.settle(&mut world);
    threads.settle(&mut world);
    derived.settle(&mut world);
    gates::round(tx, items, &subjects, &mut world).await?;
    Ok(world)
}

async fn first_round(tx: &Transaction<'_>, paths: &Paths, world: &mut World<'_>, subjects: &mut Subjects) -> Result<(), Error> {
    let accounts: Vec<i32> = paths.accounts.iter().copied().collect();
    let mut all: Vec<_> = paths.all.iter().copied().collect();
    all.sort_unstable_by_key(|path| (path.at.author, path.coll, path.at.rkey));
    let days: Vec<(i32, i32)> = paths.days.iter().copied().collect();
    let (posts, arrivals) = (paths.of_coll(Coll::POST), places(paths.arrivals.iter().copied()));
    let stands = EdgeKind::ALL.map(|kind| (kind, paths.of_coll(kind.coll())));
    let edges = stands.iter().map(|(kind, places)| unless_empty(places, |keys| edge::at(tx, *kind, keys)));
    let (repos, letters, days, kept, posts, waiting, edges) = tokio::try_join!(
        unless_empty(&accounts, |keys| repo::of(tx, keys)),
        unless_empty(&accounts, |keys| dead_letter::held(tx, keys)),
        unless_empty(&days, |keys| dead_letter::days(tx, keys)),
        unless_empty(&all, |keys| record::held(tx, keys)),
        unless_empty(&posts, |keys| post::at(tx, keys)),
        unless_empty(&arrivals, |keys| pending::waiting_for(tx, keys)),
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
        subjects.held(&post);
        world.posts.settle(post);
    }
    for (row, post) in waiting {
        subjects.waiting(&row, &post);
        world.waiting.settle(row);
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

/// Counts of subjects, and the edges of pairs.
struct Counted {
    stats: Vec<(Subject, PostStat)>,
    edges: Vec<(EdgeKind, Vec<Edge>)>,
}

async fn counted(tx: &Transaction<'_>, subjects: &Subjects) -> Result<Counted, Error> {
    let mut counted: Vec<_> = subjects.counted.iter().copied().collect();
    counted.sort_unstable();
    let pairs = EdgeKind::ALL.map(|kind| (kind, subjects.pairs_of(kind)));
    let edges = pairs.iter().map(|(kind, pairs)| unless_empty(pairs, |keys| edge::of(tx, *kind, keys)));
    let (stats, edges) = tokio::try_join!(unless_empty(&counted, |keys| stat::of(tx, keys)), try_join_all(edges))?;
    Ok(Counted { stats, edges: EdgeKind::ALL.into_iter().zip(edges).collect() })
}

impl Counted {
    fn settle(self, world: &mut World<'_>) {
        world.counts.subjects.extend(self.stats.into_iter().map(|(subject, stat)| (subject, Slot::held(stat))));
        for (kind, edges) in self.edges {
            for edge in edges {
                world.edges.settle(kind, edge);
            }
        }
    }
}

/// Ancestors and roots of replies, and gates.
struct Threads {
    posts: Vec<Post>,
    gates: Vec<(Ref, Threadgate)>,
    closed: Vec<Ref>,
}

async fn threads(tx: &Transaction<'_>, subjects: &Subjects) -> Result<Threads, Error> {
    let of = |refs: &std::collections::HashSet<Ref>| places(refs.iter().copied());
    let (parents, roots) = (of(&subjects.parents), of(&subjects.roots));
    let (threadgates, postgates) = (of(&subjects.threadgates), of(&subjects.postgates));
    let (mut posts, roots, gates, closed) = tokio::try_join!(
        unless_empty(&parents, |keys| post::ancestors(tx, keys, MAX_HEIGHT)),
        unless_empty(&roots, |keys| post::at(tx, keys)),
        unless_empty(&threadgates, |keys| threadgate::of(tx, keys)),
        unless_empty(&postgates, |keys| postgate::of(tx, keys)),
    )?;
    posts.extend(roots);
    Ok(Threads { posts, gates, closed })
}

impl Threads {
    fn settle(self, world: &mut World<'_>) {
        for post in self.posts {
            world.posts.settle(post);
        }
        world.gates.threads.extend(self.gates.into_iter().map(|(post, gate)| (post, Slot::held(gate))));
        world.gates.posts.extend(self.closed.into_iter().map(|post| (post, Slot::held(()))));
    }
}

/// What touched records have derived so far.
struct Derived {
    notifs: Vec<Notif>,
    waiting: Vec<Pending>,
    joins: Vec<PackJoin>,
}

async fn derived(tx: &Transaction<'_>, subjects: &Subjects) -> Result<Derived, Error> {
    let (notifying, replies) = (places(subjects.notifying.iter().copied()), places(subjects.replies.iter().copied()));
    let profiles: Vec<i32> = subjects.profiles.iter().copied().collect();
    let (notifs, waiting, joins) = tokio::try_join!(
        unless_empty(&notifying, |keys| notif::of(tx, keys)),
        unless_empty(&replies, |keys| pending::of(tx, keys)),
        unless_empty(&profiles, |keys| pack_join::of(tx, keys)),
    )?;
    Ok(Derived { notifs, waiting, joins })
}

impl Derived {
    fn settle(self, world: &mut World<'_>) {
        for notif in self.notifs {
            world.notifs.settle(notif);
        }
        for row in self.waiting {
            world.waiting.settle(row);
        }
        for join in self.joins {
            world.joins.settle(join);
        }
    }
}

/// Spares the database a question about nothing.
async fn unless_empty<'k, K, T, F>(keys: &'k [K], ask: impl FnOnce(&'k [K]) -> F) -> Result<Vec<T>, Error>
where
    F: Future<Output = Result<Vec<T>, Error>>,
{
    if keys.is_empty() { Ok(Vec::new()) } else { ask(keys).await }
}
