//! `app.bsky.graph.list`: a list of accounts; who is on it stands in its items.

use super::super::Coll;
use super::super::fields::Fields;
use super::super::types::Type;
use crate::atproto::Cid;
use crate::atproto::cbor::Reader;

pub(in super::super) const TYPE: Type = Type::whole(Coll::LIST);

/// What views and rules read of a list.
#[derive(Debug, Clone)]
pub struct ListFields<'a> {
    pub name: &'a str,
    /// A token: `app.bsky.graph.defs#curatelist`, `...#modlist`, `...#referencelist`.
    pub purpose: &'a str,
    pub description: Option<&'a str>,
    /// Facets of the description.
    pub description_facets: Option<Reader<'a>>,
    /// The CID of the picture.
    pub avatar: Option<Cid>,
    pub created_at: &'a str,
    all: Fields<'a>,
}

impl<'a> ListFields<'a> {
    /// `None` where the record is no map.
    #[must_use]
    pub fn of(record: &'a [u8]) -> Option<Self> {
        let all = Fields::of(record)?;
        Some(Self {
            name: all.text("name").unwrap_or_default(),
            purpose: all.text("purpose").unwrap_or_default(),
            description: all.text("description"),
            description_facets: all.get("descriptionFacets"),
            avatar: all.blob("avatar"),
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
    fn a_list_is_read() {
        let record = dag_cbor(&json!({
            "$type": "app.bsky.graph.list", "name": "Spammers", "purpose": "app.bsky.graph.defs#modlist", "createdAt": "2024-02-02T02:02:02.000Z",
            "description": "See example.com", "descriptionFacets": [{
                "index": {"byteStart": 4, "byteEnd": 15},
                "features": [{"$type": "app.bsky.richtext.facet#link", "uri": "https://example.com"}],
            }],
        }));
        let fields = ListFields::of(&record).unwrap();
        assert_eq!((fields.name, fields.purpose), ("Spammers", "app.bsky.graph.defs#modlist"));
        assert_eq!((fields.description, fields.avatar), (Some("See example.com"), None));
        assert!(fields.description_facets.is_some());
        assert_eq!(fields.self_labels().count(), 0);
        assert_kept_whole(Coll::LIST, &record);
    }
}
