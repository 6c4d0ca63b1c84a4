//! Whether accounts are who they say: `app.bsky.actor.defs#verificationState`.

use serde::Serialize;

use super::{Views, dated};
use crate::collection::Coll;
use crate::collection::graph::verification::VerificationFields;
use crate::query::hydrate::{Actor, Verification};

/// `#verificationState`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VerificationState<'a> {
    pub verifications: Vec<VerificationView<'a>>,
    pub verified_status: Standing,
    pub trusted_verifier_status: Standing,
}

/// What a claim is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    Valid,
    Invalid,
    None,
}

impl Standing {
    /// Of a claim that is made or not, and that holds or not.
    fn of(made: bool, holds: bool) -> Self {
        match (made, holds) {
            (false, _) => Self::None,
            (true, true) => Self::Valid,
            (true, false) => Self::Invalid,
        }
    }
}

/// `#verificationView`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VerificationView<'a> {
    pub issuer: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer_display_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer_handle: Option<&'a str>,
    pub uri: String,
    pub is_valid: bool,
    pub created_at: String,
}

impl<'a> Views<'a> {
    /// What is known of the account `id`; `None` where nobody whom operators trust says anything, or its handle holds no longer. Whom a labeler
    /// calls an impersonator is verified for nobody.
    pub(super) fn verification(&self, id: i32, actor: &'a Actor) -> Option<VerificationState<'a>> {
        let handle = actor.handle.as_deref().filter(|_| actor.trusted || actor.verified)?;
        let name = self.said(actor).name.as_deref().unwrap_or_default();
        let made = self.state.verifications(id).iter();
        let verifications: Vec<VerificationView<'a>> = made.filter_map(|made| self.verified(made, handle, name)).collect();
        if verifications.is_empty() && !actor.trusted {
            return None;
        }
        let is_itself = !self.state.is_impersonation(id);
        let is_valid = verifications.iter().any(|made| made.is_valid);
        Some(VerificationState {
            verified_status: Standing::of(!verifications.is_empty(), is_valid && is_itself),
            trusted_verifier_status: Standing::of(actor.trusted, is_itself),
            verifications,
        })
    }

    /// One verification of who is called this now: it holds as long as nothing of it changed.
    fn verified(&self, made: &'a Verification, handle: &str, name: &str) -> Option<VerificationView<'a>> {
        let fields = VerificationFields::of(&made.record)?;
        let issuer = self.state.any_actor(made.place.author)?;
        let shown = issuer.is_shown_to(self.state.audience);
        Some(VerificationView {
            issuer: &issuer.did,
            issuer_display_name: self.said(issuer).name.as_deref().filter(|_| shown),
            issuer_handle: issuer.handle.as_deref().filter(|_| shown),
            uri: self.uri(Coll::VERIFICATION, made.place)?,
            is_valid: !name.is_empty() && fields.display_name == name && fields.handle.eq_ignore_ascii_case(handle),
            created_at: dated(fields.created_at),
        })
    }
}
