//! Which posts embed a record that is no post: a feed generator, a labeler, a list, a starter pack.

use super::post::Post;
use crate::atproto::AtUri;
use crate::collection::feed::post::PostFields;
use crate::collection::{Coll, Ref};
use crate::db::Client;
use crate::db::record::Path;
use crate::query::maps::{Map, Set};
use crate::query::{QueryError, names};

/// The collections whose records views know how to show inside a post.
const SHOWN: [Coll; 4] = [Coll::GENERATOR, Coll::LABELER, Coll::LIST, Coll::STARTERPACK];

/// What each of these posts embeds, held or not, where it is no post: as a rule none does.
pub(super) async fn load(client: &Client, posts: &Map<Ref, Post>) -> Result<Map<Ref, Path>, QueryError> {
    let flagged = posts.iter().filter(|(_, post)| post.embeds_record);
    let uris: Vec<(Ref, &str)> = flagged.filter_map(|(place, post)| Some((*place, uri(&post.record)?))).collect();
    if uris.is_empty() {
        return Ok(Map::default());
    }
    let distinct: Set<&str> = uris.iter().map(|(_, uri)| *uri).collect();
    let paths = names::paths(client, distinct.into_iter()).await?;
    Ok(uris.into_iter().filter_map(|(post, uri)| Some((post, *paths.get(uri)?))).collect())
}

/// Whether a post embeds such a record, whose address is good.
pub(super) fn embeds_record(post: &[u8]) -> bool {
    uri(post).and_then(AtUri::parse).and_then(|uri| Coll::from_nsid(uri.collection)).is_some_and(|coll| SHOWN.contains(&coll))
}

fn uri(post: &[u8]) -> Option<&str> {
    Some(PostFields::of(post)?.embed?.record?.uri)
}
