//! A feed whose order a stranger's service gives: its addresses become posts and reposts, and what may not be shown is left out. Never
//! filled up: asking a service for more may make it forget what was not seen.

use std::collections::HashMap;

use super::feed::{Item, wants};
use crate::collection::{Coll, Edge, EdgeKind, Ref};
use crate::db::read::feed::Posted;
use crate::db::{Client, edge};
use crate::query::hydrate::Hydration;
use crate::query::{Audience, QueryError, Source, names};

/// What the service put into the feed, as addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pick<'a> {
    pub post: &'a str,
    /// The repost that it is shown for.
    pub repost: Option<&'a str>,
}

/// Which of the picks are shown, by their place among `picks`, and their state. A repost that is not held, or of another post, is not shown.
///
/// # Errors
/// The database's; stored bytes that cannot be unpacked.
pub async fn picked(source: &Source, audience: Audience, picks: &[Pick<'_>]) -> Result<(Vec<(usize, Item)>, Hydration), QueryError> {
    let client: &Client = source;
    let (posts, reposts) = tokio::try_join!(
        names::records(client, Coll::POST, picks.iter().map(|pick| pick.post)),
        names::records(client, Coll::REPOST, picks.iter().filter_map(|pick| pick.repost)),
    )?;
    let places: Vec<Ref> = reposts.values().copied().collect();
    let edges = if places.is_empty() { Vec::new() } else { edge::at(client, EdgeKind::Repost, &places).await? };
    let edges: HashMap<Ref, Edge> = edges.into_iter().map(|edge| (edge.place(), edge)).collect();
    let item = |pick: &Pick<'_>| {
        let post = *posts.get(pick.post)?;
        let Some(repost) = pick.repost else {
            return Some(Item::of_post(Posted { rkey: post.rkey, author: post.author, at: post.rkey }));
        };
        let edge = edges.get(reposts.get(repost)?)?;
        (Ref { rkey: edge.sr, author: edge.sa } == post).then(|| Item::of_repost(*edge))
    };
    let items: Vec<(usize, Item)> = picks.iter().enumerate().filter_map(|(at, pick)| Some((at, item(pick)?))).collect();
    let wanted = wants(&items.iter().map(|(_, item)| *item).collect::<Vec<_>>());
    let state = Hydration::load(source, audience, &wanted).await?;
    let shown = |item: &Item| state.shows_in_timeline(item.post, item.by(), item.repost.is_some());
    let items = items.into_iter().filter(|(_, item)| shown(item)).collect();
    Ok((items, state))
}
