//! Accounts: `app.bsky.actor.defs`.

use serde::Serialize;
use serde_json::value::RawValue;

use super::associated::Associated;
use super::list::ListViewBasic;
use super::pack::StarterPackViewBasic;
use super::status::StatusView;
use super::urls::Preset;
use super::verification::VerificationState;
use super::{Label, Views, label};
use crate::atproto::Cid;
use crate::collection::actor::profile::ProfileFields;
use crate::collection::{Coll, Ref, StrongRef};
use crate::query::hydrate::{Actor, Subject, WrittenActor};
use crate::query::profile::Published;

/// What stands for a handle that was not verified.
pub const UNVERIFIED_HANDLE: &str = "handle.invalid";

/// Known followers that a profile shows, and known likers that a post does; the lexicon allows no more.
pub(super) const SHOWN_KNOWN: usize = 5;

/// An account in few words: as it was written once, where nobody else says anything of it and nobody in particular reads, or as it was made
/// for one page.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Basic<'a> {
    /// `#profileViewBasic`.
    Written(&'a RawValue),
    Made(Box<ProfileViewBasic<'a>>),
}

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
    pub avatar: Option<&'a str>,
    pub associated: Associated<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub viewer: Option<ViewerState<'a>>,
    pub labels: Vec<Label<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification: Option<VerificationState<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Box<StatusView<'a>>>,
}

/// `#profileView`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProfileView<'a> {
    #[serde(flatten)]
    pub basic: ProfileViewBasic<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub indexed_at: Option<&'a str>,
}

/// `#viewerState`: what the one who reads and this account have made of each other.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "the lexicon has them")]
pub struct ViewerState<'a> {
    pub muted: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub muted_only_reposts: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub muted_only_quoteposts: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub muted_by_list: Option<ListViewBasic<'a>>,
    pub blocked_by: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocking: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocking_by_list: Option<ListViewBasic<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub following: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub followed_by: Option<String>,
    /// Only on an account's own page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known_followers: Option<KnownFollowers<'a>>,
}

/// `#knownFollowers`.
#[derive(Debug, Clone, Serialize)]
pub struct KnownFollowers<'a> {
    pub count: i64,
    pub followers: Vec<Basic<'a>>,
}

/// `app.bsky.feed.defs#blockedAuthor`.
#[derive(Debug, Clone, Serialize)]
pub struct BlockedAuthor<'a> {
    pub did: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub viewer: Option<Blocks>,
}

/// `#viewerState` of an account of which nothing is told but who blocks whom.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Blocks {
    pub blocked_by: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocking: Option<String>,
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
    pub indexed_at: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub banner: Option<String>,
    pub followers_count: i32,
    pub follows_count: i32,
    pub posts_count: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joined_via_starter_pack: Option<Box<StarterPackViewBasic<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned_post: Option<Reference<'a>>,
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

impl<'a> ProfileViewBasic<'a> {
    /// An account as nobody but itself speaks of it.
    pub(super) fn alone(actor: &'a Actor, said: &'a WrittenActor) -> Self {
        Self {
            did: &actor.did,
            handle: actor.handle.as_deref().unwrap_or(UNVERIFIED_HANDLE),
            display_name: said.name.as_deref(),
            pronouns: said.pronouns.as_deref(),
            avatar: said.avatar.as_deref(),
            associated: Associated::of(actor),
            viewer: None,
            labels: Vec::new(),
            created_at: said.created_at.as_deref(),
            verification: None,
            status: None,
        }
    }
}

impl<'a> Views<'a> {
    /// An account in few words; `None` where it is hidden.
    #[must_use]
    pub fn basic(&self, id: i32) -> Option<Basic<'a>> {
        let actor = self.state.actor(id)?;
        let written = self.said(actor).basic.as_deref().filter(|_| self.is_plain(id, actor));
        Some(written.map_or_else(|| Basic::Made(Box::new(self.basic_of(id, actor))), Basic::Written))
    }

    /// An account in a list of accounts; `None` where it is hidden.
    #[must_use]
    pub fn profile(&self, id: i32) -> Option<ProfileView<'a>> {
        let actor = self.state.actor(id)?;
        let basic = self.basic_of(id, actor);
        // The profile is not dated in the index: its own time stands for both.
        let indexed_at = basic.created_at;
        Some(ProfileView { basic, description: self.said(actor).description.as_deref(), indexed_at })
    }

    /// What stands for an account that is kept apart from somebody.
    #[must_use]
    pub fn blocked_author(&self, id: i32) -> Option<BlockedAuthor<'a>> {
        let did = &self.state.any_actor(id)?.did;
        let state = self.viewer(id);
        Some(BlockedAuthor { did, viewer: state.map(|state| Blocks { blocked_by: state.blocked_by, blocking: state.blocking }) })
    }

    /// What the audience and an account have made of each other; `None` where nobody in particular reads.
    #[must_use]
    pub fn viewer(&self, id: i32) -> Option<ViewerState<'a>> {
        let viewer = self.state.audience.viewer?;
        if viewer == id {
            return Some(ViewerState::default());
        }
        let (blocking, blocked_by) = (self.state.blocking(id), self.state.is_blocking_audience(id));
        let follow = |author, subject| {
            let rkey = self.state.relations.follow(author, subject).filter(|_| blocking.is_none() && !blocked_by)?;
            self.uri(Coll::FOLLOW, Ref { rkey, author })
        };
        let blocking_uri = blocking.and_then(|block| match block.direct {
            Some(rkey) => self.uri(Coll::BLOCK, Ref { rkey, author: viewer }),
            None => self.uri(Coll::LIST, block.list?),
        });
        let mute = self.state.mute(id);
        Some(ViewerState {
            muted: mute.is_full(),
            muted_only_reposts: mute.is_of_reposts(),
            muted_only_quoteposts: mute.is_of_quotes(),
            muted_by_list: mute.list.and_then(|list| self.list_basic(list)),
            blocked_by,
            blocking: blocking_uri,
            blocking_by_list: blocking.and_then(|block| self.list_basic(block.list?)),
            following: follow(viewer, id),
            followed_by: follow(id, viewer),
            known_followers: None,
        })
    }

    /// An account's own page; `None` where it is hidden.
    #[must_use]
    pub fn detailed(&self, id: i32, published: Published) -> Option<ProfileViewDetailed<'a>> {
        let actor = self.state.actor(id)?;
        let profile = actor.profile.as_deref().and_then(ProfileFields::of);
        let mut basic = self.basic_of(id, actor);
        if let Some(viewer) = &mut basic.viewer {
            viewer.known_followers = self.known_followers(id);
        }
        basic.associated = basic.associated.with(published);
        let (profile, counts) = (profile.as_ref(), self.state.counts(id));
        let https = |url: &&str| url.starts_with("https://");
        Some(ProfileViewDetailed {
            indexed_at: basic.created_at,
            basic,
            description: profile.and_then(|p| p.description),
            website: profile.and_then(|p| p.website).filter(https),
            banner: profile.and_then(|p| p.banner).map(|cid| self.urls.image(Preset::Banner, &actor.did, &cid)),
            followers_count: counts.followers,
            follows_count: counts.follows,
            posts_count: counts.posts,
            joined_via_starter_pack: profile.and_then(|p| self.pack_at(p.joined_via_starter_pack?.uri)).map(Box::new),
            pinned_post: profile.and_then(|p| p.pinned_post).map(Reference::from),
        })
    }

    /// Some of those who follow an account and whom the audience follows, also where a block stands between the two.
    fn known_followers(&self, id: i32) -> Option<KnownFollowers<'a>> {
        let known = self.state.known(id)?;
        let shown = known.some.iter().filter(|follower| self.state.lists(**follower, id));
        let followers = shown.filter_map(|follower| self.basic(*follower)).take(SHOWN_KNOWN).collect();
        Some(KnownFollowers { count: known.count, followers })
    }

    /// Whether nothing is said of an account but by itself, and its views are the same for everyone: nobody in particular reads.
    fn is_plain(&self, id: i32, actor: &Actor) -> bool {
        let unlabelled = |subject| self.state.labels(subject).next().is_none();
        let is_unlabelled = || unlabelled(Subject::account(id)) && unlabelled(Subject::single(Coll::PROFILE, id));
        let is_verified = actor.trusted || actor.verified;
        self.state.audience.viewer.is_none() && !is_verified && actor.status().is_none() && is_unlabelled()
    }

    fn basic_of(&self, id: i32, actor: &'a Actor) -> ProfileViewBasic<'a> {
        ProfileViewBasic {
            viewer: self.viewer(id),
            labels: self.account_labels(id, actor),
            verification: self.verification(id, actor),
            status: self.status(id, actor).map(Box::new),
            ..ProfileViewBasic::alone(actor, self.said(actor))
        }
    }

    /// What is said of an account, of its profile, and by itself.
    fn account_labels(&self, id: i32, actor: &'a Actor) -> Vec<Label<'a>> {
        let mut labels: Vec<Label<'a>> = self.labels(Subject::account(id), &actor.did).collect();
        let has_own = self.said(actor).has_own_labels;
        let subject = Subject::single(Coll::PROFILE, id);
        if has_own || self.state.labels(subject).next().is_some() {
            let uri = format!("at://{}/app.bsky.actor.profile/self", actor.did);
            labels.extend(self.labels(subject, &uri));
            if let Some(own) = actor.profile.as_deref().filter(|_| has_own).and_then(ProfileFields::of) {
                let cid = Cid::dag_cbor(actor.profile.as_deref().unwrap_or_default()).to_string();
                labels.extend(label::own(&actor.did, &uri, &cid, own.all()));
            }
        }
        labels
    }
}
