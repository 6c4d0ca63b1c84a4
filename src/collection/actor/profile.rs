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
        let labels = self.all.map("labels");
        labels.into_iter().flat_map(|labels| labels.items("values")).filter_map(|item| Fields::at(item)?.text("val"))
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
