//! Labelers: `app.bsky.labeler.defs#labelerView`.

use serde::Serialize;

use super::actor::ProfileView;
use super::{Label, Views, dated};
use crate::collection::labeler::service::LabelerFields;
use crate::collection::{Coll, Fields, Ref};
use crate::db::record::Path;

/// `#labelerView`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LabelerView<'a> {
    pub uri: String,
    pub cid: String,
    pub creator: ProfileView<'a>,
    pub like_count: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub viewer: Option<LabelerViewerState>,
    pub indexed_at: String,
    pub labels: Vec<Label<'a>>,
}

/// `#labelerViewerState`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LabelerViewerState {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub like: Option<String>,
}

impl<'a> Views<'a> {
    /// A labeler; `None` where it is not held or hidden, or its owner is.
    #[must_use]
    pub fn labeler(&self, place: Ref) -> Option<LabelerView<'a>> {
        let labeler = self.state.service(Path { coll: Coll::LABELER, at: place })?;
        let fields = LabelerFields::of(&labeler.record)?;
        let (creator, uri, cid) = (self.profile(place.author)?, self.uri(Coll::LABELER, place)?, labeler.cid.to_string());
        let like = |author| LabelerViewerState { like: labeler.like.and_then(|rkey| self.uri(Coll::LIKE, Ref { rkey, author })) };
        Some(LabelerView {
            like_count: labeler.likes,
            viewer: self.state.audience.viewer.map(like),
            indexed_at: dated(fields.created_at),
            labels: self.record_labels(Coll::LABELER, place, (creator.basic.did, &uri, &cid), &Fields::of(&labeler.record)?),
            uri,
            cid,
            creator,
        })
    }
}
