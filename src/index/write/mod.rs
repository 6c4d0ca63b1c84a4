//! Writes the net difference between what was read and what the events made of it: one statement a table and kind of change, sorted keys.

mod derived;

use futures_util::future::join_all;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::item::{Body, Item};
use super::simulate::{EdgeSlot, Now, PostSlot, Slot, World};
use crate::collection::{Coll, Edge, EdgeKind, Ref, search, unpack};
use crate::db::dead_letter::{Letter, Place};
use crate::db::gap::Gap;
use crate::db::record::{Kept, Path};
use crate::db::reject::Reject;
use crate::db::repo::Repo;
use crate::db::stat::{ActorDelta, PostStat, Subject};
use crate::db::{Transaction, dead_letter, edge, gap, identity, post, record, reject, repo, stat};

/// An event of a partition, as far as it is written down as it came.
#[derive(Clone, Copy)]
pub(super) struct Sourced<'a> {
    pub source: &'a str,
    pub part: i32,
    pub item: &'a Item,
}

/// Writes everything that `world` changed, and what `items` leave behind by themselves.
pub(super) async fn all(tx: &Transaction<'_>, world: &World<'_>, items: &[Sourced<'_>]) -> Result<(), Error> {
    let results = tokio::join!(
        repos(tx, world),
        all_edges(tx, world),
        raw(tx, world),
        posts(tx, world),
        kept(tx, world),
        stats(tx, world),
        actors(tx, world),
        letters(tx, world),
        identities(tx, world),
        leftovers(tx, items),
        // On the heap: futures that hold this one stay small.
        Box::pin(derived::all(tx, world)),
    );
    let (r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, derived) = results;
    first_cause([r0, r1, r2, r3, r4, r5, r6, r7, r8, r9].into_iter().chain(derived))
}

/// One refused statement has all later ones refused too: theirs is not the reason.
fn first_cause(results: impl IntoIterator<Item = Result<(), Error>>) -> Result<(), Error> {
    let mut later = Ok(());
    for result in results {
        match result {
            Err(e) if e.code() == Some(&SqlState::IN_FAILED_SQL_TRANSACTION) => later = Err(e),
            Err(e) => return Err(e),
            Ok(()) => {}
        }
    }
    later
}

async fn repos(tx: &Transaction<'_>, world: &World<'_>) -> Result<(), Error> {
    let mut new: Vec<(i32, &Repo)> = Vec::new();
    let mut changed: Vec<(i32, &Repo)> = Vec::new();
    for (account, slot) in &world.repos.0 {
        match (&slot.before, &slot.now) {
            (None, Some(now)) => new.push((*account, now)),
            (Some(before), Some(now)) if before != now => changed.push((*account, now)),
            _ => {}
        }
    }
    new.sort_unstable_by_key(|(account, _)| *account);
    changed.sort_unstable_by_key(|(account, _)| *account);
    if !changed.is_empty() {
        repo::update(tx, &changed).await?;
    }
    if !new.is_empty() {
        repo::insert(tx, &new).await?;
    }
    Ok(())
}

/// Handles and keys that are to be resolved from now on.
async fn identities(tx: &Transaction<'_>, world: &World<'_>) -> Result<(), Error> {
    let (events, first) = (world.identities.with_event(), world.identities.without_event(&world.repos));
    if !events.is_empty() {
        identity::mark(tx, &events).await?;
    }
    if !first.is_empty() {
        identity::add(tx, &first).await?;
    }
    Ok(())
}

async fn all_edges(tx: &Transaction<'_>, world: &World<'_>) -> Result<(), Error> {
    first_cause(join_all(EdgeKind::ALL.map(|kind| edges(tx, world, kind))).await)
}

/// Removes changed edges and adds what they are now: two statements for every kind of change.
async fn edges(tx: &Transaction<'_>, world: &World<'_>, kind: EdgeKind) -> Result<(), Error> {
    let changed = world.edges.slots.iter().filter(|((of, _), slot)| *of == kind && slot.edge.before != slot.edge.now);
    let (mut gone, mut new): (Vec<Ref>, Vec<Edge>) = (Vec::new(), Vec::new());
    for ((_, place), slot) in changed {
        gone.extend(slot.edge.before.map(|_| *place));
        new.extend(slot.edge.now);
    }
    gone.sort_unstable_by_key(|place| (place.author, place.rkey));
    new.sort_unstable_by_key(|edge| (edge.rkey, edge.author));
    if !gone.is_empty() {
        edge::delete(tx, kind, &gone).await?;
    }
    if !new.is_empty() {
        edge::insert(tx, kind, &new).await?;
    }
    Ok(())
}

/// The records of edges that columns do not hold follow their edges.
async fn raw(tx: &Transaction<'_>, world: &World<'_>) -> Result<(), Error> {
    let is_raw = |edge: &Option<Edge>| edge.is_some_and(|edge| edge.is_raw());
    let (mut gone, mut new): (Vec<Path>, Vec<Kept<'_>>) = (Vec::new(), Vec::new());
    for ((kind, at), EdgeSlot { edge, raw }) in &world.edges.slots {
        let path = Path { coll: kind.coll(), at: *at };
        match raw.as_deref() {
            Some(record) => new.push(Kept { path, record }),
            None if is_raw(&edge.before) && !is_raw(&edge.now) => gone.push(path),
            None => {}
        }
    }
    gone.sort_unstable_by_key(path_order);
    new.sort_unstable_by_key(|kept| path_order(&kept.path));
    if !gone.is_empty() {
        record::delete_raw(tx, &gone).await?;
    }
    if !new.is_empty() {
        record::put_raw(tx, &new).await?;
    }
    Ok(())
}

async fn posts(tx: &Transaction<'_>, world: &World<'_>) -> Result<(), Error> {
    let (mut gone, mut new, mut marked) = (Vec::new(), Vec::new(), Vec::new());
    for (place, PostSlot { post: Slot { before, now }, new: stored, .. }) in &world.posts.slots {
        match (before, now, stored) {
            (before, Some(now), Some(stored)) => {
                gone.extend(before.as_ref().map(|_| *place));
                new.push((*stored, now.flags));
            }
            (Some(_), None, _) => gone.push(*place),
            (Some(before), Some(now), None) if before.flags != now.flags => marked.push(now),
            _ => {}
        }
    }
    gone.sort_unstable_by_key(|place| (place.rkey, place.author));
    new.sort_unstable_by_key(|(stored, _)| (stored.post.rkey, stored.post.author));
    marked.sort_unstable_by_key(|post| (post.rkey, post.author));
    if !marked.is_empty() {
        post::set_flags(tx, &marked).await?;
    }
    if !gone.is_empty() {
        post::delete(tx, &gone).await?;
    }
    if !new.is_empty() {
        post::insert(tx, &new).await?;
    }
    Ok(())
}

async fn kept(tx: &Transaction<'_>, world: &World<'_>) -> Result<(), Error> {
    let (mut gone, mut new) = (Vec::new(), Vec::new());
    for (path, slot) in &world.kept.0 {
        match slot.now {
            Now::New(record) => new.push((Kept { path: *path, record }, found_by(*path, record))),
            Now::Nothing if slot.before => gone.push(*path),
            Now::Nothing | Now::Held => {}
        }
    }
    gone.sort_unstable_by_key(path_order);
    new.sort_unstable_by_key(|(kept, _)| path_order(&kept.path));
    if !gone.is_empty() {
        record::delete(tx, &gone).await?;
    }
    if !new.is_empty() {
        record::put(tx, &new).await?;
    }
    Ok(())
}

/// What a kept record is found by: of profiles their names. `None`: nobody looks for its kind.
fn found_by(path: Path, packed: &[u8]) -> Option<Vec<i32>> {
    (path.coll == Coll::PROFILE).then(|| unpack(packed).map_or_else(|_| Vec::new(), |record| search::of_profile(path.at.author, &record)))
}

fn path_order(path: &Path) -> (i32, i16, i64) {
    (path.at.author, path.coll.number(), path.at.rkey)
}

async fn stats(tx: &Transaction<'_>, world: &World<'_>) -> Result<(), Error> {
    let mut new: Vec<(Subject, PostStat)> = Vec::new();
    let mut changed: Vec<(Subject, PostStat)> = Vec::new();
    for (subject, Slot { before, now }) in &world.counts.subjects {
        match (before, now) {
            (None, Some(now)) if *now != PostStat::default() => new.push((*subject, *now)),
            (Some(before), Some(now)) if before != now => changed.push((*subject, *now)),
            _ => {}
        }
    }
    new.sort_unstable_by_key(|(subject, _)| *subject);
    changed.sort_unstable_by_key(|(subject, _)| *subject);
    if !changed.is_empty() {
        stat::update(tx, &changed).await?;
    }
    if !new.is_empty() {
        stat::insert(tx, &new).await?;
    }
    Ok(())
}

async fn actors(tx: &Transaction<'_>, world: &World<'_>) -> Result<(), Error> {
    let moved = |delta: &&ActorDelta| (delta.followers, delta.follows, delta.posts) != (0, 0, 0);
    let mut deltas: Vec<ActorDelta> = world.counts.actors.values().filter(moved).copied().collect();
    deltas.sort_unstable_by_key(|delta| delta.account);
    if !deltas.is_empty() {
        stat::add_to_actors(tx, &deltas).await?;
    }
    Ok(())
}

async fn letters(tx: &Transaction<'_>, world: &World<'_>) -> Result<(), Error> {
    let (mut gone, mut new): (Vec<Place>, Vec<&Letter>) = (Vec::new(), Vec::new());
    for (account, slots) in &world.letters.slots {
        for ((coll, rkey), slot) in slots {
            if slot.before && !slot.held {
                gone.push(Place { account: *account, coll: coll.clone(), rkey: rkey.clone() });
            }
            new.extend(&slot.new);
        }
    }
    gone.sort_unstable();
    new.sort_unstable_by_key(|letter| (letter.seq, letter.account, &letter.coll, &letter.rkey));
    if !gone.is_empty() {
        dead_letter::delete(tx, &gone.iter().collect::<Vec<_>>()).await?;
    }
    if !new.is_empty() {
        dead_letter::insert(tx, &new).await?;
    }
    let mut days: Vec<_> = world.letters.days.values().copied().collect();
    days.sort_unstable_by_key(|day| (day.account, day.day));
    if !days.is_empty() {
        dead_letter::put_days(tx, &days).await?;
    }
    Ok(())
}

/// What ingest alone saw, written down as it came.
async fn leftovers(tx: &Transaction<'_>, items: &[Sourced<'_>]) -> Result<(), Error> {
    let (mut rejects, mut gaps) = (Vec::new(), Vec::new());
    for Sourced { source, part, item } in items {
        match &item.body {
            Body::Reject { reason, frame } | Body::Unreadable { reason, frame } => {
                rejects.push(Reject { source, at: item.at, account: item.account, time: item.time, reason, frame });
            }
            Body::Gap { from, to } => gaps.push(Gap { source, part: *part, from: *from, to: *to, time: item.time }),
            _ => {}
        }
    }
    if !rejects.is_empty() {
        reject::insert(tx, &rejects).await?;
    }
    if !gaps.is_empty() {
        gap::insert(tx, &gaps).await?;
    }
    Ok(())
}
