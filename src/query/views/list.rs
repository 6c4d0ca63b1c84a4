//! Lists: `app.bsky.graph.defs#listView*`.

use serde::Serialize;

use super::actor::ProfileView;
use super::urls::Preset;
use super::{Label, Views, dated};
use crate::atproto::json::RecordJson;
use crate::collection::graph::list::ListFields;
use crate::collection::{Coll, Fields, Ref};

/// `#listViewBasic`.
#[derive(Debug, Clone, Serialize)]
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub viewer: Option<ListViewerState>,
    pub indexed_at: String,
}

/// `#listViewerState`: whether the one who reads mutes and blocks those on the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ListViewerState {
    pub muted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocked: Option<String>,
}

/// `#listView`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListView<'a> {
    #[serde(flatten)]
    pub basic: ListViewBasic<'a>,
    pub creator: ProfileView<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description_facets: Option<RecordJson<'a>>,
}

impl<'a> Views<'a> {
    /// A list with its owner; `None` where it is not held or hidden, or its owner is.
    #[must_use]
    pub fn list(&self, place: Ref) -> Option<ListView<'a>> {
        let fields = ListFields::of(&self.state.list(place)?.record)?;
        Some(ListView {
            basic: self.list_basic(place)?,
            creator: self.profile(place.author)?,
            description: fields.description,
            description_facets: fields.description_facets.and_then(|mut facets| facets.raw().ok()).map(RecordJson),
        })
    }

    /// A list in few words; `None` as for [`Views::list`].
    #[must_use]
    pub fn list_basic(&self, place: Ref) -> Option<ListViewBasic<'a>> {
        let list = self.state.list(place)?;
        let (fields, owner) = (ListFields::of(&list.record)?, self.state.actor(place.author)?);
        let (uri, cid) = (self.uri(Coll::LIST, place)?, list.cid.to_string());
        let viewer = self.state.audience.viewer;
        let blocked = |author| self.uri(Coll::LISTBLOCK, Ref { rkey: list.block?, author });
        Some(ListViewBasic {
            name: fields.name,
            purpose: fields.purpose,
            avatar: fields.avatar.map(|picture| self.urls.image(Preset::Avatar, &owner.did, &picture)),
            list_item_count: list.items,
            labels: self.record_labels(Coll::LIST, place, (&owner.did, &uri, &cid), &Fields::of(&list.record)?),
            viewer: viewer.map(|viewer| ListViewerState { muted: list.muted, blocked: blocked(viewer) }),
            indexed_at: dated(fields.created_at),
            uri,
            cid,
        })
    }
}
