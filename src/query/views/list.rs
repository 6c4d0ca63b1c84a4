//! Lists: `app.bsky.graph.defs#listView*`.

use serde::Serialize;

use super::urls::Preset;
use super::{Label, Views};
use crate::collection::graph::list::ListFields;
use crate::collection::{Coll, Fields, Ref};

/// `#listViewBasic`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListViewBasic<'a> {
    pub uri: String,
    pub cid: String,
    pub name: &'a str,
    pub purpose: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
    pub list_item_count: i64,
    pub labels: Vec<Label<'a>>,
}

impl<'a> Views<'a> {
    /// A list in few words; `None` where it is not held or its owner is hidden.
    #[must_use]
    pub fn list_basic(&self, place: Ref) -> Option<ListViewBasic<'a>> {
        let list = self.state.list(place)?;
        let (fields, owner) = (ListFields::of(&list.record)?, self.state.actor(place.author)?);
        let (uri, cid) = (self.uri(Coll::LIST, place)?, list.cid.to_string());
        Some(ListViewBasic {
            name: fields.name,
            purpose: fields.purpose,
            avatar: fields.avatar.map(|picture| self.urls.image(Preset::Avatar, &owner.did, &picture)),
            list_item_count: list.items,
            labels: self.record_labels(Coll::LIST, place, (&owner.did, &uri, &cid), &Fields::of(&list.record)?),
            uri,
            cid,
        })
    }
}
