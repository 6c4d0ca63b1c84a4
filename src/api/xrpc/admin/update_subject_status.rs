//! `com.atproto.admin.updateSubjectStatus`: takes an account, a record or a blob down, or shows it again. Deactivation is the account's own, on
//! its PDS: what a body says of it is passed over, as the reference does.

use hyper::StatusCode;
use serde::{Deserialize, Serialize};

use super::super::call::{Call, ok};
use super::subject::{StatusAttr, Subject};
use crate::http::{Failure, Response};
use crate::queue::command::Body;

/// The body, and what of it is answered.
#[derive(Deserialize, Serialize)]
struct Change {
    subject: Subject,
    #[serde(skip_serializing_if = "Option::is_none")]
    takedown: Option<StatusAttr>,
}

pub(in crate::api) async fn answer(call: Call) -> Result<Response, Failure> {
    if !call.caller.can_take_down() {
        let text = "Must be a full moderator to update subject state";
        return Err(Failure::new(StatusCode::UNAUTHORIZED, "AuthenticationRequired", text));
    }
    let change = Change::deserialize(&call.input).map_err(|error| Failure::invalid(error.to_string()))?;
    let subject = change.subject.to_command()?;
    if let Some(StatusAttr { applied, reference }) = change.takedown.clone() {
        call.api.commands.submit(&call.headers, Body::Takedown { subject, applied, reference }).await?;
    }
    Ok(ok(&change))
}
