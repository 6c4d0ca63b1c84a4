//! `app.bsky.graph.starterpack`: accounts and feeds for who is new.

use super::super::Coll;
use super::super::fields::Fields;
use super::super::types::Type;

pub(in super::super) const TYPE: Type = Type::whole(Coll::STARTERPACK);

/// What views read of a starter pack.
#[derive(Debug, Clone)]
pub struct StarterPackFields<'a> {
    pub name: &'a str,
    pub description: Option<&'a str>,
    /// The address of the list of its accounts.
    pub list: &'a str,
    pub created_at: &'a str,
    all: Fields<'a>,
}

impl<'a> StarterPackFields<'a> {
    /// `None` where the record is no map.
    #[must_use]
    pub fn of(record: &'a [u8]) -> Option<Self> {
        let all = Fields::of(record)?;
        Some(Self {
            name: all.text("name").unwrap_or_default(),
            description: all.text("description"),
            list: all.text("list").unwrap_or_default(),
            created_at: all.text("createdAt").unwrap_or_default(),
            all,
        })
    }

    /// The addresses of its feeds.
    pub fn feeds(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.all.items("feeds").filter_map(|item| Fields::at(item)?.text("uri"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::testing::{assert_kept_whole, dag_cbor};
    use super::*;

    #[test]
    fn a_starter_pack_is_read() {
        let (list, feed) = ("at://did:plc:alice/app.bsky.graph.list/3jzfcijpj2z2a", "at://did:plc:bob/app.bsky.feed.generator/science");
        let record = dag_cbor(&json!({
            "$type": "app.bsky.graph.starterpack", "name": "Science", "list": list, "feeds": [{"uri": feed}],
            "createdAt": "2024-06-26T18:00:00.000Z", "updatedAt": "2024-06-27T18:00:00.000Z",
        }));
        let fields = StarterPackFields::of(&record).unwrap();
        assert_eq!((fields.name, fields.list, fields.description), ("Science", list, None));
        assert_eq!(fields.created_at, "2024-06-26T18:00:00.000Z");
        assert_eq!(fields.feeds().collect::<Vec<_>>(), [feed]);
        assert_kept_whole(Coll::STARTERPACK, &record);
    }
}
