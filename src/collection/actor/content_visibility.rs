//! `app.bsky.actor.contentVisibilityDeclaration`: whether an account wants to be recommended.

use super::super::Coll;
use super::super::fields::Fields;
use super::super::types::Type;

pub(in super::super) const TYPE: Type = Type::whole(Coll::CONTENT_VISIBILITY);

/// What rules read of the declaration.
#[derive(Debug, Clone)]
pub struct ContentVisibility {
    /// By algorithms.
    pub hide_from_recommendations: bool,
}

impl ContentVisibility {
    /// `None` where the record is no map.
    #[must_use]
    pub fn of(record: &[u8]) -> Option<Self> {
        let all = Fields::of(record)?;
        Some(Self { hide_from_recommendations: all.bool("hideFromAlgorithmicRecommendations").unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::testing::{assert_kept_whole, dag_cbor};
    use super::*;

    #[test]
    fn only_true_hides() {
        for (value, hides) in [(json!(true), true), (json!(false), false), (json!("true"), false)] {
            let record =
                dag_cbor(&json!({"$type": "app.bsky.actor.contentVisibilityDeclaration", "hideFromAlgorithmicRecommendations": value}));
            assert_eq!(ContentVisibility::of(&record).unwrap().hide_from_recommendations, hides);
            assert_kept_whole(Coll::CONTENT_VISIBILITY, &record);
        }
    }
}
