//! What an account declares of itself: its status, who may subscribe to it, and who may write to it. Parts of the account: remembered with it.

use crate::atproto::Cid;
use crate::collection::actor::status::StatusFields;
use crate::collection::chat::declaration::ChatDeclaration;
use crate::collection::germnetwork::declaration::GermDeclaration;
use crate::collection::notification::declaration::NotificationDeclaration;
use crate::collection::{Coll, unpack};
use crate::db::read::actor;
use crate::query::QueryError;

/// What an account declares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Declared {
    pub status: Option<Status>,
    pub subscriptions: Subscriptions,
    pub chat: Option<Chat>,
    pub germ: Option<Germ>,
}

/// `app.bsky.actor.status`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    pub rkey: i64,
    /// The record's bytes.
    pub record: Vec<u8>,
    /// Their hash.
    pub cid: Cid,
    /// Operators of this service took it down.
    pub taken_down: bool,
}

/// Who may subscribe to what an account does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Subscriptions {
    /// Where nothing is said, or nothing that is known.
    #[default]
    Followers,
    Mutuals,
    Nobody,
}

/// Who may write to an account, in its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chat {
    pub incoming: Box<str>,
    pub groups: Option<Box<str>>,
}

/// That an account can be written to through Germ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Germ {
    pub url: Box<str>,
    pub button: Box<str>,
}

impl Declared {
    /// Bytes that it takes, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let status = self.status.as_ref().map_or(0, |status| status.record.len());
        let chat = self.chat.as_ref().map_or(0, |chat| chat.incoming.len() + chat.groups.as_ref().map_or(0, |groups| groups.len()));
        size_of::<Self>() + status + chat + self.germ.as_ref().map_or(0, |germ| germ.url.len() + germ.button.len())
    }
}

/// `None`: nothing but the defaults.
pub(super) fn read(records: Vec<actor::Declared>) -> Result<Option<Box<Declared>>, QueryError> {
    let mut declared = Declared::default();
    for stored in records {
        let record = unpack(&stored.record)?;
        match stored.coll {
            // Its owner is shown that it was taken down.
            Coll::STATUS => declared.status = status(record, stored.rkey, stored.taken_down),
            Coll::NOTIFICATION_DECLARATION if !stored.taken_down => declared.subscriptions = subscriptions(&record),
            Coll::CHAT_DECLARATION if !stored.taken_down => declared.chat = chat(&record),
            Coll::GERM_DECLARATION if !stored.taken_down => declared.germ = germ(&record),
            _ => {}
        }
    }
    Ok(Some(declared).filter(|declared| *declared != Declared::default()).map(Box::new))
}

fn status(record: Vec<u8>, rkey: i64, taken_down: bool) -> Option<Status> {
    StatusFields::of(&record)?;
    Some(Status { rkey, cid: Cid::dag_cbor(&record), record, taken_down })
}

fn subscriptions(record: &[u8]) -> Subscriptions {
    match NotificationDeclaration::of(record).and_then(|declaration| declaration.allow_subscriptions) {
        Some("mutuals") => Subscriptions::Mutuals,
        Some("none") => Subscriptions::Nobody,
        _ => Subscriptions::Followers,
    }
}

fn chat(record: &[u8]) -> Option<Chat> {
    let fields = ChatDeclaration::of(record)?;
    Some(Chat { incoming: fields.allow_incoming?.into(), groups: fields.allow_group_invites.map(Into::into) })
}

fn germ(record: &[u8]) -> Option<Germ> {
    let fields = GermDeclaration::of(record)?;
    Some(Germ { url: fields.message_me_url?.into(), button: fields.show_button_to?.into() })
}
