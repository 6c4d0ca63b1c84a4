//! `app.bsky.feed.generator`: a feed that a service puts together.

use super::super::Coll;
use super::super::fields::Fields;
use super::super::types::Type;
use crate::atproto::Cid;
use crate::atproto::cbor::Reader;

pub(in super::super) const TYPE: Type = Type::whole(Coll::GENERATOR);

/// What views read of a feed generator.
#[derive(Debug, Clone)]
pub struct GeneratorFields<'a> {
    /// The service.
    pub did: &'a str,
    pub display_name: &'a str,
    pub description: Option<&'a str>,
    /// Facets of the description.
    pub description_facets: Option<Reader<'a>>,
    /// The CID of the picture.
    pub avatar: Option<Cid>,
    pub accepts_interactions: Option<bool>,
    pub content_mode: Option<&'a str>,
    pub created_at: &'a str,
    all: Fields<'a>,
}

impl<'a> GeneratorFields<'a> {
    /// `None` where the record is no map.
    #[must_use]
    pub fn of(record: &'a [u8]) -> Option<Self> {
        let all = Fields::of(record)?;
        Some(Self {
            did: all.text("did").unwrap_or_default(),
            display_name: all.text("displayName").unwrap_or_default(),
            description: all.text("description"),
            description_facets: all.get("descriptionFacets"),
            avatar: all.blob("avatar"),
            accepts_interactions: all.bool("acceptsInteractions"),
            content_mode: all.text("contentMode"),
            created_at: all.text("createdAt").unwrap_or_default(),
            all,
        })
    }

    /// The values of the labels that the author put on it.
    pub fn self_labels(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.all.self_labels()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::testing::{assert_kept_whole, dag_cbor};
    use super::*;

    #[test]
    fn a_feed_generator_is_read() {
        let avatar = Cid::dag_cbor(b"picture");
        let record = dag_cbor(&json!({
            "$type": "app.bsky.feed.generator", "did": "did:web:feeds.example.com", "displayName": "Science", "description": "By scientists",
            "acceptsInteractions": true, "contentMode": "app.bsky.feed.defs#contentModeUnspecified", "createdAt": "2023-05-19T16:34:43.123Z",
            "avatar": {"$type": "blob", "ref": {"$link": avatar.to_string()}, "mimeType": "image/jpeg", "size": 12_345},
            "labels": {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "graphic-media"}]},
        }));
        let fields = GeneratorFields::of(&record).unwrap();
        assert_eq!((fields.did, fields.display_name, fields.description), ("did:web:feeds.example.com", "Science", Some("By scientists")));
        assert_eq!((fields.avatar, fields.accepts_interactions, fields.created_at), (Some(avatar), Some(true), "2023-05-19T16:34:43.123Z"));
        assert_eq!(fields.content_mode, Some("app.bsky.feed.defs#contentModeUnspecified"));
        assert!(fields.description_facets.is_none());
        assert_eq!(fields.self_labels().collect::<Vec<_>>(), ["graphic-media"]);
        assert_kept_whole(Coll::GENERATOR, &record);
    }
}
