//! `app.bsky.feed.getAuthorFeed`: the posts and reposts of one account, newest first.

use super::super::Call;
use super::super::reading::{Reading, cursor, limit};
use super::Feed;
use crate::api::failure::of_query;
use crate::http::{Failure, Response};
use crate::query::hydrate::{Hydration, Wanted};
use crate::query::skeleton::author_feed::{Filter, Request, author_feed, pinned};
use crate::query::skeleton::feed::Cursor;

pub(in crate::api) async fn answer(call: Call) -> Result<Response, Failure> {
    let cursor = cursor(&call, Cursor::NEWEST)?;
    let reading = Reading::begin(&call).await?;
    let unknown = || Failure::invalid("Profile not found");
    let author = reading.account(&call, "actor").await?.ok_or_else(unknown)?;
    let state = reading.load(&Wanted { actors: vec![author], only_apart: true, ..Wanted::default() }).await?;
    let did = &state.actor(author).ok_or_else(unknown)?.did;
    refuse_blocked(&state, author, did)?;
    let Some(cursor) = cursor else { return reading.ok_at_rev(&Feed::default()) };
    let pins = call.params.bool("includePins") == Some(true) && cursor == Cursor::NEWEST;
    let pin = if pins { pinned(&reading.client, &state, author).await.map_err(of_query)? } else { None };
    let request =
        Request { author, filter: Filter::named(call.params.text("filter").unwrap_or_default()), cursor, limit: limit(&call), pin };
    let (pin, page) = author_feed(&reading.client, reading.audience, request).await.map_err(of_query)?;
    super::feed(&reading, &call, pin, &page).await
}

/// Who blocks the author or is blocked by it is told so.
fn refuse_blocked(state: &Hydration, author: i32, did: &str) -> Result<(), Failure> {
    if !state.is_blocked(author) {
        return Ok(());
    }
    Err(match state.blocking(author) {
        Some(_) => Failure::named("BlockedActor", format!("Requester has blocked actor: {did}")),
        None => Failure::named("BlockedByActor", format!("Requester is blocked by actor: {did}")),
    })
}
