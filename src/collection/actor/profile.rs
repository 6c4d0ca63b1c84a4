//! `app.bsky.actor.profile`: kept whole, with the starter pack that it came through; the fields that views read are found when they are asked for.

use super::super::fields::{Fields, StrongRef};
use super::super::refs::Target;
use super::super::types::{Shape, Type};
use super::super::{Coll, Derived, Ids, Names, Place, RecordError, Row};
use crate::atproto::Cid;

/// What views read of a profile. Nothing in it is required.
#[derive(Debug, Clone)]
pub struct ProfileFields<'a> {
    pub display_name: Option<&'a str>,
    pub description: Option<&'a str>,
    pub pronouns: Option<&'a str>,
    pub website: Option<&'a str>,
    pub created_at: Option<&'a str>,
    /// The CIDs of the pictures.
    pub avatar: Option<Cid>,
    pub banner: Option<Cid>,
    pub pinned_post: Option<StrongRef<'a>>,
    pub joined_via_starter_pack: Option<StrongRef<'a>>,
    all: Fields<'a>,
}

impl<'a> ProfileFields<'a> {
    /// The fields of a profile; `None` where the record is no map.
    #[must_use]
    pub fn of(record: &'a [u8]) -> Option<Self> {
        let all = Fields::of(record)?;
        Some(Self {
            display_name: all.text("displayName"),
            description: all.text("description"),
            pronouns: all.text("pronouns"),
            website: all.text("website"),
            created_at: all.text("createdAt"),
            avatar: all.blob("avatar"),
            banner: all.blob("banner"),
            pinned_post: all.strong_ref("pinnedPost"),
            joined_via_starter_pack: all.strong_ref("joinedViaStarterPack"),
            all,
        })
    }

    /// The values of the labels that the author put on the account.
    pub fn self_labels(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.all.self_labels()
    }

    /// Every other field.
    #[must_use]
    pub fn all(&self) -> &Fields<'a> {
        &self.all
    }
}

pub(in super::super) const TYPE: Type = Type { coll: Coll::PROFILE, shape: Shape::Own { names, row } };

fn pack(record: &[u8]) -> Option<Target<'_>> {
    Target::of(Fields::of(record)?.strong_ref("joinedViaStarterPack")?.uri, Coll::STARTERPACK)
}

fn names<'a>(record: &'a [u8], into: &mut Names<'a>) {
    if let Some(pack) = pack(record) {
        pack.name(into);
    }
}

fn row(_: Place, record: &[u8], ids: &dyn Ids) -> Result<Row, RecordError> {
    let pack = pack(record).map(|pack| pack.resolve(ids)).transpose()?;
    Ok(Row::Whole(pack.map_or(Derived::Nothing, Derived::Join)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::testing::{Numbers, assert_kept_whole, dag_cbor};
    use super::*;

    #[test]
    fn a_profile_is_read_and_joins_through_its_starter_pack() {
        let cid = Cid::dag_cbor(b"pack").to_string();
        let mut record = json!({
            "$type": "app.bsky.actor.profile", "displayName": "Alice", "description": "Writes", "createdAt": "2025-10-09T08:53:20.123Z",
            "joinedViaStarterPack": {"uri": "at://did:plc:bob/app.bsky.graph.starterpack/3jzfcijpj2z2b", "cid": cid},
            "labels": {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "!no-unauthenticated"}]},
        });
        let bytes = dag_cbor(&record);
        let fields = ProfileFields::of(&bytes).unwrap();
        assert_eq!((fields.display_name, fields.description, fields.avatar), (Some("Alice"), Some("Writes"), None));
        assert_eq!(fields.self_labels().collect::<Vec<_>>(), ["!no-unauthenticated"]);
        let numbers = Numbers::default();
        let row = numbers.row(Coll::PROFILE, &bytes);
        assert_eq!(row, Row::Whole(Derived::Join(numbers.at("did:plc:bob", "3jzfcijpj2z2b"))));
        for other in ["at://did:plc:bob/app.bsky.graph.list/3jzfcijpj2z2b", "at://did:plc:bob"] {
            record["joinedViaStarterPack"]["uri"] = json!(other);
            assert_kept_whole(Coll::PROFILE, &dag_cbor(&record));
        }
    }
}
