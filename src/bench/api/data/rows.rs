//! All rows of a network, in the order in which they are written, a few thousand at once. Pure but for where they go.

use fastrand::Rng;

use super::super::chance::{did, handle};
use super::edges::{self, Reactions, Times};
use super::plan::Plan;
use super::posts::{Posts, id, place};
use super::records;
use crate::atproto::{Cid, Tid, datetime};
use crate::collection::{self, Coll, Edge, EdgeKind, SubjectKind};
use crate::db::bulk::{Account, Key};
use crate::db::notif::Notif;
use crate::db::post::Stored;
use crate::db::record::Path;
use crate::db::repo::Repo;
use crate::db::stat::{ActorDelta, PostStat, Subject};

/// Rows of one statement.
const BATCH: usize = 4_000;
/// Names that requests are made of.
const NAMES: usize = 2_000;
/// Time of the network in microseconds: 60 days, in which each writer posts about once a day.
const SPAN: i64 = 60 * 24 * 60 * 60 * 1_000_000;

/// Rows of one table.
#[derive(Debug)]
pub(super) enum Rows {
    Accounts(Vec<(Account, Repo)>),
    /// Keys and records of profiles, packed.
    Profiles(Vec<(Key, Path, Vec<u8>)>),
    Posts(Vec<Stored>, Vec<Notif>),
    Edges(EdgeKind, Vec<Edge>),
    Subjects(Vec<(Subject, PostStat)>),
    Actors(Vec<ActorDelta>),
}

/// The addresses of posts that requests name.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    pub hot: String,
    pub threads: Vec<String>,
    pub posts: Vec<String>,
}

/// Makes the network that ends at `end` (microseconds since 1970), and gives its rows to `give`.
pub(super) fn all(plan: &Plan, end: i64, mut give: impl FnMut(Rows) -> anyhow::Result<()>) -> anyhow::Result<Addresses> {
    let begin = end - SPAN;
    accounts(plan, end, &mut give)?;
    profiles(plan, begin, &mut give)?;
    let mut posts = Posts::new(plan, begin, end);
    write_posts(&mut posts, &mut give)?;
    let mut reactions = vec![Reactions::default(); posts.all.len()];
    let times = |rows, clock| Times::new(begin, end, rows, clock);
    batches(edges::reposts(plan, &posts, times(plan.reposts, 1), &mut reactions), &mut |rows| give(Rows::Edges(EdgeKind::Repost, rows)))?;
    let pairs = edges::follow_pairs(plan);
    let actors = actors(plan, &posts, &pairs);
    batches(edges::account_edges(pairs, times(plan.follows, 2)), &mut |rows| give(Rows::Edges(EdgeKind::Follow, rows)))?;
    let blocks = edges::account_edges(edges::block_pairs(plan), times(plan.blocks, 3));
    batches(blocks, &mut |rows| give(Rows::Edges(EdgeKind::Block, rows)))?;
    batches(edges::likes(plan, &posts, times(plan.likes, 4), &mut reactions), &mut |rows| give(Rows::Edges(EdgeKind::Like, rows)))?;
    batches(subjects(&posts, &reactions), &mut |rows| give(Rows::Subjects(rows)))?;
    batches(actors.into_iter(), &mut |rows| give(Rows::Actors(rows)))?;
    Ok(addresses(plan, &posts))
}

/// Gives out what comes, [`BATCH`] at once.
fn batches<T>(rows: impl Iterator<Item = T>, give: &mut dyn FnMut(Vec<T>) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut rows = rows.peekable();
    while rows.peek().is_some() {
        give(rows.by_ref().take(BATCH).collect())?;
    }
    Ok(())
}

fn accounts(plan: &Plan, end: i64, give: &mut dyn FnMut(Rows) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let row = |n: u32| {
        let account = Account { id: id(n), did: did(plan.seed, n), handle: handle(n) };
        let data = Some(Cid::dag_cbor(&n.to_le_bytes()));
        (account, Repo { rev: Some(Tid::from_micros(end, 0)), data, handle: Some(handle(n)), ..Repo::default() })
    };
    batches((0..plan.accounts).map(row), &mut |rows| give(Rows::Accounts(rows)))
}

fn profiles(plan: &Plan, begin: i64, give: &mut dyn FnMut(Rows) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut rng = Rng::with_seed(plan.seed ^ 0x9f01);
    let created = datetime::format_micros(begin);
    let row = |n: u32| {
        let key = Key { author: id(n), coll: Coll::PROFILE.number(), rkey: -i64::from(n) - 1, text: "self" };
        let path = Path { coll: Coll::PROFILE, at: collection::Ref { rkey: key.rkey, author: key.author } };
        let record = collection::pack(&records::profile(&mut rng, n, &created)).unwrap_or_default();
        (key, path, record)
    };
    batches((0..plan.profiles).map(row), &mut |rows| give(Rows::Profiles(rows)))
}

fn write_posts(posts: &mut Posts<'_>, give: &mut dyn FnMut(Rows) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let (mut stored, mut notifs) = (Vec::new(), Vec::new());
    while let Some((post, of_post)) = posts.next()? {
        stored.push(post);
        notifs.extend(of_post);
        if stored.len() == BATCH {
            give(Rows::Posts(std::mem::take(&mut stored), std::mem::take(&mut notifs)))?;
        }
    }
    give(Rows::Posts(stored, notifs))
}

/// The counts of all posts that have any.
fn subjects<'a>(posts: &'a Posts<'_>, reactions: &'a [Reactions]) -> impl Iterator<Item = (Subject, PostStat)> + use<'a> {
    posts.all.iter().zip(reactions).filter_map(|(post, of)| {
        let at = place(post);
        // Likes and reposts name their subject by its CID, replies and quotes are not asked for it.
        let cid = (of.likes + of.reposts > 0).then_some(post.cid);
        let stat = PostStat { likes: of.likes, reposts: of.reposts, replies: post.replies, quotes: post.quotes, cid };
        (stat != PostStat::default()).then_some((Subject { sr: at.rkey, sa: at.author, kind: SubjectKind::Post.number() }, stat))
    })
}

/// The counts of all accounts that have any.
fn actors(plan: &Plan, posts: &Posts<'_>, follows: &[(u32, u32)]) -> Vec<ActorDelta> {
    let mut actors: Vec<ActorDelta> = (0..plan.accounts).map(|n| ActorDelta { account: id(n), ..ActorDelta::default() }).collect();
    let mut count = |account: u32, add: fn(&mut ActorDelta)| {
        if let Some(actor) = usize::try_from(account).ok().and_then(|at| actors.get_mut(at)) {
            add(actor);
        }
    };
    for post in &posts.all {
        count(post.author, |actor| actor.posts += 1);
    }
    for (author, subject) in follows {
        count(*author, |actor| actor.follows += 1);
        count(*subject, |actor| actor.followers += 1);
    }
    actors.retain(|actor| (actor.followers, actor.follows, actor.posts) != (0, 0, 0));
    actors
}

fn addresses(plan: &Plan, posts: &Posts<'_>) -> Addresses {
    let every = (posts.all.len() / NAMES).max(1);
    let some = (0..plan.posts).step_by(every);
    Addresses {
        hot: posts.hot.and_then(|place| posts.uri(place)).unwrap_or_default(),
        threads: posts.threads.iter().filter_map(|place| posts.uri(*place)).collect(),
        posts: some.filter_map(|place| posts.uri(place)).collect(),
    }
}
