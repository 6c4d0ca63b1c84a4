//! `com.germnetwork.declaration`: that an account can be written to through Germ.

use super::super::Coll;
use super::super::fields::Fields;
use super::super::types::Type;

pub(in super::super) const TYPE: Type = Type::whole(Coll::GERM_DECLARATION);

/// What views read of the declaration; its keys are no business of an index.
#[derive(Debug, Clone)]
pub struct GermDeclaration<'a> {
    /// Where a message begins.
    pub message_me_url: Option<&'a str>,
    /// To whom that is shown.
    pub show_button_to: Option<&'a str>,
}

impl<'a> GermDeclaration<'a> {
    /// `None` where the record is no map.
    #[must_use]
    pub fn of(record: &'a [u8]) -> Option<Self> {
        let message_me = Fields::of(record)?.map("messageMe");
        Some(Self {
            message_me_url: message_me.as_ref().and_then(|m| m.text("messageMeUrl")),
            show_button_to: message_me.as_ref().and_then(|m| m.text("showButtonTo")),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::testing::{assert_kept_whole, dag_cbor};
    use super::*;

    #[test]
    fn the_declaration_is_read() {
        let record = dag_cbor(&json!({
            "$type": "com.germnetwork.declaration", "version": "1.1.0", "currentKey": {"$bytes": "A7HmzOLZ3CLnAMXVzOZlYQ"},
            "messageMe": {"messageMeUrl": "https://landing.ger.mx/newUser", "showButtonTo": "usersIFollow"},
        }));
        let fields = GermDeclaration::of(&record).unwrap();
        assert_eq!((fields.message_me_url, fields.show_button_to), (Some("https://landing.ger.mx/newUser"), Some("usersIFollow")));
        assert_kept_whole(Coll::GERM_DECLARATION, &record);
    }
}
