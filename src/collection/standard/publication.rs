//! `site.standard.publication`: a blog or magazine elsewhere.

use super::super::Coll;
use super::super::fields::Fields;
use super::super::types::Type;
use crate::atproto::Cid;

pub(in super::super) const TYPE: Type = Type::whole(Coll::PUBLICATION);

/// What views read of a publication.
#[derive(Debug, Clone)]
pub struct PublicationFields<'a> {
    pub url: &'a str,
    pub name: &'a str,
    pub description: Option<&'a str>,
    /// The CID of the picture.
    pub icon: Option<Cid>,
    /// Colours.
    pub theme: Option<Fields<'a>>,
    /// Whether readers may be led to it.
    pub show_in_discover: bool,
}

impl<'a> PublicationFields<'a> {
    /// `None` where the record is no map.
    #[must_use]
    pub fn of(record: &'a [u8]) -> Option<Self> {
        let all = Fields::of(record)?;
        Some(Self {
            url: all.text("url").unwrap_or_default(),
            name: all.text("name").unwrap_or_default(),
            description: all.text("description"),
            icon: all.blob("icon"),
            theme: all.map("basicTheme"),
            show_in_discover: all.map("preferences").and_then(|wishes| wishes.bool("showInDiscover")).unwrap_or(true),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::testing::{assert_kept_whole, dag_cbor};
    use super::*;

    #[test]
    fn a_publication_is_read() {
        let mut record = json!({
            "$type": "site.standard.publication", "url": "https://alice.example.com", "name": "Alice writes", "description": "Now and then",
            "basicTheme": {"$type": "site.standard.theme.basic", "accent": {"r": 1, "g": 2, "b": 3}},
        });
        let bytes = dag_cbor(&record);
        let fields = PublicationFields::of(&bytes).unwrap();
        assert_eq!((fields.url, fields.name, fields.description), ("https://alice.example.com", "Alice writes", Some("Now and then")));
        assert!(fields.icon.is_none() && fields.theme.is_some() && fields.show_in_discover);
        assert_kept_whole(Coll::PUBLICATION, &bytes);
        record["preferences"] = json!({"showInDiscover": false});
        assert!(!PublicationFields::of(&dag_cbor(&record)).unwrap().show_in_discover);
    }
}
