//! A page of an author's feed: skeleton and hydration in rounds, until it is full or the feed ends. What cannot be shown (deleted, hidden,
//! threads that are not the author's) leaves no hole: the next round fills it.

use std::collections::{HashMap, HashSet};

use super::feed::{self, Cursor, Filter, Item};
use super::hydrate::Hydration;
use super::{QueryError, names};
use crate::atproto::Cid;
use crate::collection::actor::profile::ProfileFields;
use crate::collection::{Coll, Edge, EdgeKind, EdgeNames, Ref, unpack};
use crate::db::record::Path;
use crate::db::{Client, read};

/// Rounds at most: a feed of nothing but reposts of deleted posts ends early, with a cursor.
const ROUNDS: usize = 10;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Request {
    pub author: i32,
    pub filter: Filter,
    pub cursor: Cursor,
    pub limit: usize,
    /// Put the post that the author pinned first.
    pub pins: bool,
}

/// A page and all that it shows.
#[derive(Debug, Default)]
pub struct Page {
    /// The pinned post, where there is one to be shown.
    pub pin: Option<Ref>,
    pub items: Vec<Item>,
    pub cursor: Option<Cursor>,
    pub state: Hydration,
    /// CIDs of the reposts, by their key.
    pub repost_cids: HashMap<i64, Cid>,
}

/// The page.
///
/// # Errors
/// The database's; stored bytes that cannot be unpacked.
pub async fn page(client: &Client, request: Request) -> Result<Page, QueryError> {
    let mut page = Page::default();
    if request.pins {
        page.pin = pinned(client, request.author).await?;
    }
    let mut cursor = request.cursor;
    for _ in 0..ROUNDS {
        let wanted = request.limit.saturating_sub(page.items.len());
        let (items, next) = feed::author(client, request.author, request.filter, cursor, wanted).await?;
        round(client, &mut page, items, request).await?;
        page.cursor = next;
        match next {
            Some(next) if page.items.len() < request.limit => cursor = next,
            _ => break,
        }
    }
    page.pin = page.pin.filter(|pin| page.state.post(*pin).is_some());
    page.repost_cids = repost_cids(client, &page).await?;
    Ok(page)
}

async fn round(client: &Client, page: &mut Page, items: Vec<Item>, request: Request) -> Result<(), QueryError> {
    let mut places: Vec<Ref> = items.iter().map(|item| item.post).chain(page.pin).collect();
    places.sort_unstable_by_key(|place| (place.author, place.rkey));
    places.dedup();
    page.state.absorb(Hydration::of_posts(client, &places, &[request.author], true).await?);
    let own: HashSet<Ref> = items.iter().filter(|item| item.repost.is_none()).map(|item| item.post).collect();
    let shown = items.into_iter().filter(|item| {
        let in_thread = request.filter != Filter::OwnThreads || item.repost.is_some() || is_own_thread(item.post, &own, &page.state);
        page.state.post(item.post).is_some() && in_thread && !(item.repost.is_none() && page.pin == Some(item.post))
    });
    let shown: Vec<Item> = shown.collect();
    page.items.extend(shown);
    Ok(())
}

/// Whether every post from `post` up to the first one of its thread stands among `own`. Ends: each step needs another member of `own`.
fn is_own_thread(post: Ref, own: &HashSet<Ref>, state: &Hydration) -> bool {
    let mut at = post;
    for _ in 0..own.len() {
        let Some(found) = state.post(at).filter(|_| own.contains(&at)) else { return false };
        match found.row.parent {
            Some(parent) => at = parent,
            None => return found.row.flags & crate::collection::feed::post::FLAG_REPLY == 0,
        }
    }
    false
}

/// The post of their own that `author` pinned.
async fn pinned(client: &Client, author: i32) -> Result<Option<Ref>, QueryError> {
    let state = Hydration::of_actors(client, &[author]).await?;
    let profile = state.actor(author).and_then(|actor| ProfileFields::of(actor.profile.as_deref()?));
    let Some(pin) = profile.and_then(|profile| profile.pinned_post) else { return Ok(None) };
    let posts = names::posts(client, std::iter::once(pin.uri)).await?;
    Ok(posts.into_iter().find(|post| post.author == author))
}

/// The CIDs of the reposts on a page: of bytes rebuilt from columns, or kept raw.
async fn repost_cids(client: &Client, page: &Page) -> Result<HashMap<i64, Cid>, QueryError> {
    let reposts = || page.items.iter().filter_map(|item| item.repost);
    let mut cids: HashMap<i64, Cid> = reposts().filter_map(|edge| Some((edge.rkey, rebuilt_cid(&edge, &page.state)?))).collect();
    let raw: Vec<Path> = reposts().filter(Edge::is_raw).map(|edge| Path { coll: Coll::REPOST, at: edge.place() }).collect();
    if !raw.is_empty() {
        for (path, record) in read::record::raw(client, &raw).await? {
            cids.insert(path.at.rkey, Cid::dag_cbor(&unpack(&record)?));
        }
    }
    Ok(cids)
}

fn rebuilt_cid(edge: &Edge, state: &Hydration) -> Option<Cid> {
    if edge.is_raw() {
        return None;
    }
    let place = Ref { rkey: edge.sr, author: edge.sa };
    let (named_cid, rkey) = (state.post(place)?.stat.cid?, state.post_key(place)?);
    let (author, subject) = (&state.any_actor(edge.author)?.did, &state.any_actor(edge.sa)?.did);
    let names = EdgeNames { author, subject, rkey: Some(&rkey), cid: Some(&named_cid) };
    Some(Cid::dag_cbor(&edge.rebuild(EdgeKind::Repost, &names)?))
}
