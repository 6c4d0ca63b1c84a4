//! `app.bsky.feed.*`.

pub(super) mod get_author_feed;
pub(super) mod get_feed;
pub(super) mod get_feed_generator;
pub(super) mod get_feed_generators;
pub(super) mod get_likes;
pub(super) mod get_post_thread;
pub(super) mod get_posts;
pub(super) mod get_quotes;
pub(super) mod get_reposted_by;
pub(super) mod get_timeline;
pub(super) mod search_posts;

use serde::Serialize;

use super::Call;
use super::reading::Reading;
use crate::api::failure::of_query;
use crate::atproto::Did;
use crate::collection::feed::generator::GeneratorFields;
use crate::collection::{Coll, Ref};
use crate::db::record::Path;
use crate::http::{Failure, Response};
use crate::query::hydrate::{Hydration, Wanted};
use crate::query::names;
use crate::query::skeleton::Page;
use crate::query::skeleton::feed::{Cursor, Item, repost_cids};
use crate::query::views::Views;
use crate::query::views::feed::{FeedItem, Reason};

/// A page of a feed.
#[derive(Default, Serialize)]
struct Feed<'a> {
    feed: Vec<FeedItem<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

/// The answer with a page of a feed, and the pinned post before it.
async fn feed(reading: &Reading, call: &Call, pin: Option<Ref>, page: &Page<Item, Cursor>) -> Result<Response, Failure> {
    let cids = repost_cids(&reading.client, &page.items, &page.state).await.map_err(of_query)?;
    let views = Views { state: &page.state, urls: &call.api.urls };
    let pin = pin.and_then(|pin| views.feed_item(pin, Some(Reason::Pin {})));
    let items = page.items.iter().filter_map(|item| {
        let reason = match &item.repost {
            Some(edge) => Some(views.repost_reason(edge, cids.get(&edge.place()))?),
            None => None,
        };
        views.feed_item(item.post, reason)
    });
    reading.ok_at_rev(&Feed { feed: pin.into_iter().chain(items).collect(), cursor: page.cursor.map(|cursor| cursor.to_string()) })
}

/// A feed generator that a request names.
struct Found {
    place: Ref,
    /// Its service.
    did: Did,
    state: Hydration,
}

/// The feed generator at `uri`, where it may be shown.
async fn generator(reading: &Reading, uri: &str) -> Result<Found, Failure> {
    let unknown = || Failure::invalid("could not find feed");
    let found = names::records(&reading.client, Coll::GENERATOR, std::iter::once(uri)).await.map_err(of_query)?;
    let place = *found.get(uri).ok_or_else(unknown)?;
    let path = Path { coll: Coll::GENERATOR, at: place };
    let state = reading.load(&Wanted { records: vec![path], ..Wanted::default() }).await?;
    let fields = state.service(path).and_then(|generator| GeneratorFields::of(&generator.record));
    let did = fields.and_then(|fields| fields.did.parse().ok()).ok_or_else(unknown)?;
    Ok(Found { place, did, state })
}
