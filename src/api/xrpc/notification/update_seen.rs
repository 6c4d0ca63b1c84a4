//! `app.bsky.notification.updateSeen`: up to when the caller has seen its notifications.

use super::super::call::{Call, done};
use super::super::written;
use crate::atproto::datetime;
use crate::http::{Failure, Response};
use crate::queue::command::Body;

pub(in crate::api) async fn answer(call: Call) -> Result<Response, Failure> {
    let account = written::account(&call.caller)?;
    let seen_at = datetime::parse_micros(written::text(&call, "seenAt")).ok_or_else(|| Failure::invalid("seenAt is no datetime"))?;
    call.api.commands.submit(&call.headers, Body::UpdateSeen { account, seen_at }).await?;
    Ok(done())
}
