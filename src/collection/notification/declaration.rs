//! `app.bsky.notification.declaration`: who may subscribe to what an account does.

use super::super::Coll;
use super::super::fields::Fields;
use super::super::types::Type;

pub(in super::super) const TYPE: Type = Type::whole(Coll::NOTIFICATION_DECLARATION);

/// What views read of the declaration.
#[derive(Debug, Clone)]
pub struct NotificationDeclaration<'a> {
    /// `followers`, `mutuals` or `none`; other words mean what the reader makes of them.
    pub allow_subscriptions: Option<&'a str>,
}

impl<'a> NotificationDeclaration<'a> {
    /// `None` where the record is no map.
    #[must_use]
    pub fn of(record: &'a [u8]) -> Option<Self> {
        let all = Fields::of(record)?;
        Some(Self { allow_subscriptions: all.text("allowSubscriptions") })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::testing::{assert_kept_whole, dag_cbor};
    use super::*;

    #[test]
    fn the_declaration_is_read() {
        let record = dag_cbor(&json!({"$type": "app.bsky.notification.declaration", "allowSubscriptions": "mutuals"}));
        assert_eq!(NotificationDeclaration::of(&record).unwrap().allow_subscriptions, Some("mutuals"));
        assert_kept_whole(Coll::NOTIFICATION_DECLARATION, &record);
    }
}
