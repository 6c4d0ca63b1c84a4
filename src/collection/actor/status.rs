//! `app.bsky.actor.status`: what an account is doing now, for a while.

use super::super::Coll;
use super::super::fields::Fields;
use super::super::types::Type;

pub(in super::super) const TYPE: Type = Type::whole(Coll::STATUS);

/// What views read of a status.
#[derive(Debug, Clone)]
pub struct StatusFields<'a> {
    /// A token, `app.bsky.actor.status#live` as a rule.
    pub status: &'a str,
    pub created_at: &'a str,
    /// How long it holds; `None`: until it is changed.
    pub duration_minutes: Option<i64>,
    /// What is shown with it.
    pub embed: Option<Fields<'a>>,
}

impl<'a> StatusFields<'a> {
    /// `None` where the record is no map.
    #[must_use]
    pub fn of(record: &'a [u8]) -> Option<Self> {
        let all = Fields::of(record)?;
        Some(Self {
            status: all.text("status").unwrap_or_default(),
            created_at: all.text("createdAt").unwrap_or_default(),
            duration_minutes: all.int("durationMinutes"),
            embed: all.map("embed"),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::testing::{assert_kept_whole, dag_cbor};
    use super::*;

    #[test]
    fn a_live_status_is_read() {
        let record = dag_cbor(&json!({
            "$type": "app.bsky.actor.status", "status": "app.bsky.actor.status#live", "createdAt": "2025-10-09T08:53:20.000Z", "durationMinutes": 240,
            "embed": {"$type": "app.bsky.embed.external", "external": {"uri": "https://www.twitch.tv/alice", "title": "Alice plays", "description": ""}},
        }));
        let fields = StatusFields::of(&record).unwrap();
        assert_eq!(
            (fields.status, fields.created_at, fields.duration_minutes),
            ("app.bsky.actor.status#live", "2025-10-09T08:53:20.000Z", Some(240))
        );
        assert_eq!(fields.embed.unwrap().map("external").unwrap().text("title"), Some("Alice plays"));
        assert_kept_whole(Coll::STATUS, &record);
    }
}
