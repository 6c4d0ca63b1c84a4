//! What else an account has: `app.bsky.actor.defs#profileAssociated`.

use serde::Serialize;

use crate::query::hydrate::{Actor, Chat, Germ, Subscriptions};
use crate::query::profile::Published;

/// `#profileAssociated`.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Associated<'a> {
    /// These three only on an account's own page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lists: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feedgens: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starter_packs: Option<i64>,
    /// That it does not label is said only on an account's own page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labeler: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat: Option<AssociatedChat<'a>>,
    pub activity_subscription: ActivitySubscription,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub germ: Option<AssociatedGerm<'a>>,
}

/// `#profileAssociatedChat`.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AssociatedChat<'a> {
    pub allow_incoming: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_group_invites: Option<&'a str>,
}

/// `#profileAssociatedActivitySubscription`.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ActivitySubscription {
    pub allow_subscriptions: &'static str,
}

/// `#profileAssociatedGerm`.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AssociatedGerm<'a> {
    pub message_me_url: &'a str,
    pub show_button_to: &'a str,
}

impl<'a> Associated<'a> {
    /// Of an account in few words.
    #[must_use]
    pub fn of(actor: &'a Actor) -> Self {
        let declared = actor.declared.as_deref();
        let chat = |chat: &'a Chat| AssociatedChat { allow_incoming: &chat.incoming, allow_group_invites: chat.groups.as_deref() };
        let germ = |germ: &'a Germ| AssociatedGerm { message_me_url: &germ.url, show_button_to: &germ.button };
        let allow_subscriptions = match declared.map(|declared| declared.subscriptions).unwrap_or_default() {
            Subscriptions::Followers => "followers",
            Subscriptions::Mutuals => "mutuals",
            Subscriptions::Nobody => "none",
        };
        Self {
            lists: None,
            feedgens: None,
            starter_packs: None,
            labeler: actor.labeler.then_some(true),
            chat: declared.and_then(|declared| declared.chat.as_ref()).map(chat),
            activity_subscription: ActivitySubscription { allow_subscriptions },
            germ: declared.and_then(|declared| declared.germ.as_ref()).map(germ),
        }
    }

    /// The same with what the account has published.
    #[must_use]
    pub fn with(self, published: Published) -> Self {
        Self {
            lists: Some(published.lists),
            feedgens: Some(published.generators),
            starter_packs: Some(published.packs),
            labeler: Some(self.labeler.unwrap_or(false)),
            ..self
        }
    }
}
