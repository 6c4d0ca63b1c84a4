//! `app.bsky.graph.unmuteActor`: ends the mute of an account, also where there is none.

use super::super::call::{Call, done};
use super::super::written;
use crate::http::{Failure, Response};
use crate::queue::command::Body;

pub(in crate::api) async fn answer(call: Call) -> Result<Response, Failure> {
    let account = written::account(&call.caller)?;
    let subject = written::actor(&call, written::text(&call, "actor")).await?;
    if subject == account {
        return Err(Failure::invalid("Cannot mute oneself"));
    }
    let body = Body::UnmuteActor { account, subject };
    call.api.commands.submit(&call.headers, body).await?;
    Ok(done())
}
