//! `app.bsky.actor.profile`: kept whole; the fields that views read are found when they are asked for.

use super::super::fields::{Fields, StrongRef};
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
