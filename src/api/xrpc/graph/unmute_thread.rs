//! `app.bsky.graph.unmuteThread`: unmutes the notifications of a thread, by its root.

use super::super::call::{Call, done};
use super::super::written;
use crate::http::{Failure, Response};
use crate::queue::command::Body;

pub(in crate::api) async fn answer(call: Call) -> Result<Response, Failure> {
    let account = written::account(&call.caller)?;
    let root = written::record(&call, written::text(&call, "root"), "app.bsky.feed.post").await?;
    call.api.commands.submit(&call.headers, Body::UnmuteThread { account, root }).await?;
    Ok(done())
}
