//! `app.bsky.notification`.

pub(super) mod get_unread_count;
pub(super) mod list_notifications;
pub(super) mod update_seen;

use super::Call;
use crate::http::Failure;

/// What was seen is told by `updateSeen`, once for all devices.
fn refuse_seen_at(call: &Call) -> Result<(), Failure> {
    let refusal = || Failure::invalid("The seenAt parameter is unsupported");
    call.params.text("seenAt").map_or(Ok(()), |_| Err(refusal()))
}
