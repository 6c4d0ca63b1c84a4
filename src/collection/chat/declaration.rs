//! `chat.bsky.actor.declaration`: who may write to an account.

use super::super::Coll;
use super::super::fields::Fields;
use super::super::types::Type;

pub(in super::super) const TYPE: Type = Type::whole(Coll::CHAT_DECLARATION);

/// What views read of the declaration.
#[derive(Debug, Clone)]
pub struct ChatDeclaration<'a> {
    /// `all`, `none` or `following`; other words mean what the reader makes of them.
    pub allow_incoming: Option<&'a str>,
    /// The same of groups.
    pub allow_group_invites: Option<&'a str>,
}

impl<'a> ChatDeclaration<'a> {
    /// `None` where the record is no map.
    #[must_use]
    pub fn of(record: &'a [u8]) -> Option<Self> {
        let all = Fields::of(record)?;
        Some(Self { allow_incoming: all.text("allowIncoming"), allow_group_invites: all.text("allowGroupInvites") })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::testing::{assert_kept_whole, dag_cbor};
    use super::*;

    #[test]
    fn the_declaration_is_read() {
        let record = dag_cbor(&json!({"$type": "chat.bsky.actor.declaration", "allowIncoming": "following"}));
        let fields = ChatDeclaration::of(&record).unwrap();
        assert_eq!((fields.allow_incoming, fields.allow_group_invites), (Some("following"), None));
        assert_kept_whole(Coll::CHAT_DECLARATION, &record);
    }
}
