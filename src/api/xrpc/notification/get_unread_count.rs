//! `app.bsky.notification.getUnreadCount`: how many notifications the caller has not seen; a thousand at most.

use serde::Serialize;

use super::super::Call;
use super::super::call::ok;
use super::super::reading::Reading;
use super::refuse_seen_at;
use crate::api::failure::of_query;
use crate::http::{Failure, Response};
use crate::query::skeleton::notification::unread;

#[derive(Serialize)]
struct Output {
    count: i64,
}

pub(in crate::api) async fn answer(call: Call) -> Result<Response, Failure> {
    refuse_seen_at(&call)?;
    let reading = Reading::begin(&call).await?;
    let recipient = reading.audience.viewer.unwrap_or_default();
    let priority = call.params.bool("priority").unwrap_or(false);
    Ok(ok(&Output { count: unread(&reading.client, recipient, priority).await.map_err(of_query)? }))
}
