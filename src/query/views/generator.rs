//! Feed generators: `app.bsky.feed.defs#generatorView`.

use serde::Serialize;

use super::actor::ProfileView;
use super::urls::Preset;
use super::{Label, Views, dated};
use crate::atproto::json::RecordJson;
use crate::collection::feed::generator::GeneratorFields;
use crate::collection::{Coll, Ref};
use crate::db::record::Path;
use crate::query::hydrate::Subject;

/// `#generatorView`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GeneratorView<'a> {
    pub uri: String,
    pub cid: String,
    pub did: &'a str,
    pub creator: ProfileView<'a>,
    pub display_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description_facets: Option<RecordJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
    pub like_count: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepts_interactions: Option<bool>,
    pub labels: Vec<Label<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub viewer: Option<GeneratorViewerState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_mode: Option<&'a str>,
    pub indexed_at: String,
}

/// `#generatorViewerState`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct GeneratorViewerState {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub like: Option<String>,
}

impl<'a> Views<'a> {
    /// A feed generator; `None` where it is not held or hidden, or its owner is.
    #[must_use]
    pub fn generator(&self, place: Ref) -> Option<GeneratorView<'a>> {
        let generator = self.state.service(Path { coll: Coll::GENERATOR, at: place })?;
        let fields = GeneratorFields::of(&generator.record)?;
        let (creator, uri) = (self.profile(place.author)?, self.uri(Coll::GENERATOR, place)?);
        let like = |author| GeneratorViewerState { like: generator.like.and_then(|rkey| self.uri(Coll::LIKE, Ref { rkey, author })) };
        Some(GeneratorView {
            cid: generator.cid.to_string(),
            did: fields.did,
            display_name: fields.display_name,
            description: fields.description,
            description_facets: fields.description_facets.and_then(|mut facets| facets.raw().ok()).map(RecordJson),
            avatar: fields.avatar.map(|picture| self.urls.image(Preset::Avatar, creator.basic.did, &picture)),
            like_count: generator.likes,
            accepts_interactions: fields.accepts_interactions,
            labels: self.labels(Subject::record(Coll::GENERATOR, place), &uri).collect(),
            viewer: self.state.audience.viewer.map(like),
            content_mode: fields.content_mode,
            indexed_at: dated(fields.created_at),
            creator,
            uri,
        })
    }
}
