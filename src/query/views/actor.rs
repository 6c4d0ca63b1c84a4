//! Accounts: `app.bsky.actor.defs`.

use serde::Serialize;

use super::urls::Preset;
use super::{Label, Views, label};
use crate::atproto::{Cid, datetime};
use crate::collection::StrongRef;
use crate::collection::actor::profile::ProfileFields;
use crate::query::hydrate::Actor;

/// What stands for a handle that was not verified.
pub const UNVERIFIED_HANDLE: &str = "handle.invalid";

/// `#profileViewBasic`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProfileViewBasic<'a> {
    pub did: &'a str,
    pub handle: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pronouns: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
    pub labels: Vec<Label<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
}

/// `#profileViewDetailed`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProfileViewDetailed<'a> {
    #[serde(flatten)]
    pub basic: ProfileViewBasic<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub banner: Option<String>,
    pub followers_count: i32,
    pub follows_count: i32,
    pub posts_count: i32,
    pub associated: Associated,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned_post: Option<Reference<'a>>,
}

/// `#profileAssociated`: what else the account has published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Associated {
    pub lists: i64,
    pub feedgens: i64,
    pub starter_packs: i64,
    pub labeler: bool,
}

/// `com.atproto.repo.strongRef`.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Reference<'a> {
    pub uri: &'a str,
    pub cid: &'a str,
}

impl<'a> From<StrongRef<'a>> for Reference<'a> {
    fn from(reference: StrongRef<'a>) -> Self {
        Self { uri: reference.uri, cid: reference.cid }
    }
}

impl<'a> Views<'a> {
    /// An account in few words; `None` where it is hidden.
    #[must_use]
    pub fn basic(&self, id: i32) -> Option<ProfileViewBasic<'a>> {
        let actor = self.state.actor(id)?;
        Some(self.basic_of(actor, profile(actor).as_ref()))
    }

    /// An account's own page; `None` where it is hidden.
    #[must_use]
    pub fn detailed(&self, id: i32, associated: Associated) -> Option<ProfileViewDetailed<'a>> {
        let actor = self.state.actor(id)?;
        let profile = profile(actor);
        let basic = self.basic_of(actor, profile.as_ref());
        let profile = profile.as_ref();
        let https = |url: &&str| url.starts_with("https://");
        Some(ProfileViewDetailed {
            basic,
            description: profile.and_then(|p| p.description),
            website: profile.and_then(|p| p.website).filter(https),
            banner: profile.and_then(|p| p.banner).map(|cid| self.urls.image(Preset::Banner, &actor.did, &cid)),
            followers_count: actor.followers,
            follows_count: actor.follows,
            posts_count: actor.posts,
            associated,
            pinned_post: profile.and_then(|p| p.pinned_post).map(Reference::from),
        })
    }

    fn basic_of(&self, actor: &'a Actor, profile: Option<&ProfileFields<'a>>) -> ProfileViewBasic<'a> {
        ProfileViewBasic {
            did: &actor.did,
            handle: actor.handle.as_deref().unwrap_or(UNVERIFIED_HANDLE),
            display_name: profile.and_then(|p| p.display_name),
            pronouns: profile.and_then(|p| p.pronouns),
            avatar: profile.and_then(|p| p.avatar).map(|cid| self.urls.image(Preset::Avatar, &actor.did, &cid)),
            labels: profile.map_or_else(Vec::new, |p| own_labels(actor, p)),
            created_at: profile.and_then(|p| p.created_at).and_then(datetime::parse_micros).map(datetime::format_micros),
        }
    }
}

fn profile(actor: &Actor) -> Option<ProfileFields<'_>> {
    ProfileFields::of(actor.profile.as_deref()?)
}

fn own_labels<'a>(actor: &'a Actor, profile: &ProfileFields<'a>) -> Vec<Label<'a>> {
    if profile.self_labels().next().is_none() {
        return Vec::new();
    }
    let cid = Cid::dag_cbor(actor.profile.as_deref().unwrap_or_default()).to_string();
    label::own(&actor.did, &format!("at://{}/app.bsky.actor.profile/self", actor.did), &cid, profile.all())
}
