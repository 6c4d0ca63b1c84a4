//! What an account is doing now: `app.bsky.actor.defs#statusView`.

use serde::Serialize;

use super::embed::Embed;
use super::{Label, Views};
use crate::atproto::datetime;
use crate::atproto::json::RecordJson;
use crate::collection::actor::status::StatusFields;
use crate::collection::{Coll, Fields, Ref};
use crate::query::hydrate::{Actor, Subject};

const MINUTE: i64 = 60_000_000;
/// A status that ends holds at least 5 minutes and at most 4 hours, whatever it says.
const SHORTEST: i64 = 5 * MINUTE;
const LONGEST: i64 = 240 * MINUTE;
/// How far the clock of whoever wrote it may be ahead of this one, as for events.
const AHEAD: i64 = 5 * MINUTE;

/// `#statusView`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusView<'a> {
    pub uri: String,
    pub cid: String,
    pub status: &'a str,
    pub record: RecordJson<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embed: Option<Embed<'a>>,
    pub labels: Vec<Label<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// Only to its owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_disabled: Option<bool>,
}

impl<'a> Views<'a> {
    /// What the account `id` is doing. What operators took down is shown to its owner alone, who is told so.
    pub(super) fn status(&self, id: i32, actor: &'a Actor) -> Option<StatusView<'a>> {
        let status = actor.status()?;
        let is_owner = self.state.audience.viewer == Some(id);
        let subject = Subject::record(Coll::STATUS, Ref { rkey: status.rkey, author: id });
        if !is_owner && (status.taken_down || self.state.is_redacted(subject)) {
            return None;
        }
        let fields = StatusFields::of(&status.record)?;
        let uri = format!("at://{}/app.bsky.actor.status/self", actor.did);
        let began = datetime::parse_micros(fields.created_at).unwrap_or(0);
        let expires = fields.duration_minutes.map(|minutes| ends(began, minutes));
        // One of tomorrow holds tomorrow: else it would hold from now on until then.
        let has_begun = began <= self.state.at.saturating_add(AHEAD);
        Some(StatusView {
            cid: status.cid.to_string(),
            status: fields.status,
            record: RecordJson(&status.record),
            embed: fields.embed.as_ref().and_then(|embed| self.status_embed(&actor.did, embed)),
            labels: self.labels(subject, &uri).collect(),
            expires_at: expires.map(datetime::format_micros),
            is_active: expires.map(|expires| has_begun && expires > self.state.at),
            is_disabled: is_owner.then_some(status.taken_down),
            uri,
        })
    }

    fn status_embed(&self, did: &str, embed: &Fields<'a>) -> Option<Embed<'a>> {
        let external = embed.map("external").filter(|_| embed.text("$type") == Some("app.bsky.embed.external"))?;
        Some(Embed::External { external: self.external(did, &external)? })
    }
}

/// When a status ends that is to hold for `minutes`, in microseconds since 1970.
fn ends(began: i64, minutes: i64) -> i64 {
    began.saturating_add(minutes.saturating_mul(MINUTE).clamp(SHORTEST, LONGEST))
}
