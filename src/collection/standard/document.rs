//! `site.standard.document`: an article of a publication elsewhere.

use super::super::Coll;
use super::super::fields::{Fields, StrongRef};
use super::super::types::Type;
use crate::atproto::Cid;

pub(in super::super) const TYPE: Type = Type::whole(Coll::DOCUMENT);

/// What views read of a document.
#[derive(Debug, Clone)]
pub struct DocumentFields<'a> {
    /// The publication, by its address or its URL.
    pub site: &'a str,
    /// Where it stands under the publication.
    pub path: Option<&'a str>,
    pub title: &'a str,
    pub description: Option<&'a str>,
    /// The CID of the picture.
    pub cover_image: Option<Cid>,
    /// The post that announced it.
    pub post: Option<StrongRef<'a>>,
    pub published_at: &'a str,
    pub updated_at: Option<&'a str>,
}

impl<'a> DocumentFields<'a> {
    /// `None` where the record is no map.
    #[must_use]
    pub fn of(record: &'a [u8]) -> Option<Self> {
        let all = Fields::of(record)?;
        Some(Self {
            site: all.text("site").unwrap_or_default(),
            path: all.text("path"),
            title: all.text("title").unwrap_or_default(),
            description: all.text("description"),
            cover_image: all.blob("coverImage"),
            post: all.strong_ref("bskyPostRef"),
            published_at: all.text("publishedAt").unwrap_or_default(),
            updated_at: all.text("updatedAt"),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::testing::{assert_kept_whole, dag_cbor};
    use super::*;

    #[test]
    fn a_document_is_read() {
        let site = "at://did:plc:alice/site.standard.publication/3lwafzkjqm25s";
        let record = dag_cbor(&json!({
            "$type": "site.standard.document", "site": site, "path": "/on-lists", "title": "On lists", "publishedAt": "2026-01-02T03:04:05.000Z",
            "tags": ["lists"], "textContent": "Lists are ...",
            "bskyPostRef": {"uri": "at://did:plc:alice/app.bsky.feed.post/3jzfcijpj2z2a", "cid": Cid::dag_cbor(b"post").to_string()},
        }));
        let fields = DocumentFields::of(&record).unwrap();
        assert_eq!((fields.site, fields.path, fields.title), (site, Some("/on-lists"), "On lists"));
        assert_eq!((fields.description, fields.cover_image, fields.updated_at), (None, None, None));
        assert_eq!(fields.post.map(|post| post.uri), Some("at://did:plc:alice/app.bsky.feed.post/3jzfcijpj2z2a"));
        assert_eq!(fields.published_at, "2026-01-02T03:04:05.000Z");
        assert_kept_whole(Coll::DOCUMENT, &record);
    }
}
