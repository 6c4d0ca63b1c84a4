//! `app.bsky.labeler.service`: an account labels, with these values.

use super::super::Coll;
use super::super::fields::Fields;
use super::super::types::Type;
use crate::atproto::cbor::Reader;

pub(in super::super) const TYPE: Type = Type::whole(Coll::LABELER);

/// What views read of a labeler.
#[derive(Debug, Clone)]
pub struct LabelerFields<'a> {
    /// Values and their definitions, as the record has them.
    pub policies: Option<Fields<'a>>,
    pub created_at: &'a str,
    /// What may be reported to it; `None`: anything.
    pub reason_types: Option<Reader<'a>>,
    pub subject_types: Option<Reader<'a>>,
    pub subject_collections: Option<Reader<'a>>,
    all: Fields<'a>,
}

impl<'a> LabelerFields<'a> {
    /// `None` where the record is no map.
    #[must_use]
    pub fn of(record: &'a [u8]) -> Option<Self> {
        let all = Fields::of(record)?;
        Some(Self {
            policies: all.map("policies"),
            created_at: all.text("createdAt").unwrap_or_default(),
            reason_types: all.get("reasonTypes"),
            subject_types: all.get("subjectTypes"),
            subject_collections: all.get("subjectCollections"),
            all,
        })
    }

    /// The values that it may put on things.
    pub fn values(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.policies.clone().into_iter().flat_map(|policies| policies.items("labelValues")).filter_map(|mut item| item.text().ok())
    }

    /// The values of the labels that the author put on it.
    pub fn self_labels(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.all.self_labels()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::testing::{assert_kept_whole, dag_cbor};
    use super::*;

    #[test]
    fn a_labeler_is_read() {
        let record = dag_cbor(&json!({
            "$type": "app.bsky.labeler.service", "createdAt": "2024-03-15T12:00:00.000Z", "reasonTypes": ["com.atproto.moderation.defs#reasonSpam"],
            "policies": {"labelValues": ["spam", "!hide"], "labelValueDefinitions": [
                {"identifier": "spam", "severity": "inform", "blurs": "none", "locales": [{"lang": "en", "name": "Spam", "description": "Spam"}]},
            ]},
        }));
        let fields = LabelerFields::of(&record).unwrap();
        assert_eq!(fields.values().collect::<Vec<_>>(), ["spam", "!hide"]);
        assert_eq!(fields.policies.as_ref().unwrap().items("labelValueDefinitions").count(), 1);
        assert_eq!(fields.created_at, "2024-03-15T12:00:00.000Z");
        assert!(fields.reason_types.is_some() && fields.subject_types.is_none() && fields.subject_collections.is_none());
        assert_eq!(fields.self_labels().count(), 0);
        assert_kept_whole(Coll::LABELER, &record);
    }
}
