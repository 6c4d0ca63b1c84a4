//! Starter packs: `app.bsky.graph.defs#starterPackViewBasic`.

use serde::Serialize;

use super::actor::Basic;
use super::{Label, Views, dated};
use crate::atproto::json::RecordJson;
use crate::collection::graph::starterpack::StarterPackFields;
use crate::collection::{Coll, Ref};
use crate::query::hydrate::Subject;

/// `#starterPackViewBasic`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StarterPackViewBasic<'a> {
    pub uri: String,
    pub cid: String,
    pub record: RecordJson<'a>,
    pub creator: Basic<'a>,
    pub joined_week_count: i64,
    pub joined_all_time_count: i64,
    pub labels: Vec<Label<'a>>,
    pub indexed_at: String,
}

impl<'a> Views<'a> {
    /// The starter pack through which an account or a follow came, by the address that its record has.
    #[must_use]
    pub fn pack_at(&self, uri: &str) -> Option<StarterPackViewBasic<'a>> {
        self.pack_basic(self.state.named_pack(uri)?)
    }

    /// A starter pack in few words; `None` where it is not held or hidden, or its owner is.
    #[must_use]
    pub fn pack_basic(&self, place: Ref) -> Option<StarterPackViewBasic<'a>> {
        let pack = self.state.pack(place)?;
        let (creator, uri) = (self.basic(place.author)?, self.uri(Coll::STARTERPACK, place)?);
        Some(StarterPackViewBasic {
            cid: pack.cid.to_string(),
            record: RecordJson(&pack.record),
            creator,
            joined_week_count: pack.joined_this_week,
            joined_all_time_count: pack.joined,
            labels: self.labels(Subject::record(Coll::STARTERPACK, place), &uri).collect(),
            indexed_at: dated(StarterPackFields::of(&pack.record)?.created_at),
            uri,
        })
    }
}
