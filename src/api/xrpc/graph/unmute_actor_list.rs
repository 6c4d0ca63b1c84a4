//! `app.bsky.graph.unmuteActorList`: unmutes the members of a list, held or not.

use super::super::call::{Call, done};
use super::super::written;
use crate::http::{Failure, Response};
use crate::queue::command::Body;

pub(in crate::api) async fn answer(call: Call) -> Result<Response, Failure> {
    let account = written::account(&call.caller)?;
    let list = written::record(&call, written::text(&call, "list"), "app.bsky.graph.list").await?;
    call.api.commands.submit(&call.headers, Body::UnmuteActorList { account, list }).await?;
    Ok(done())
}
