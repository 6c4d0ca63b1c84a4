//! `app.bsky.actor.searchActorsTypeahead`: accounts, while somebody types.

use serde::Serialize;

use super::super::Call;
use super::super::reading::{Reading, limit};
use super::text;
use crate::api::failure::of_query;
use crate::http::{Failure, Response};
use crate::query::hydrate::Wanted;
use crate::query::skeleton::page;
use crate::query::skeleton::ranked::Cursor;
use crate::query::skeleton::search_actors::{Actors, Manner};
use crate::query::views::Views;
use crate::query::views::actor::Basic;

#[derive(Default, Serialize)]
struct Output<'a> {
    actors: Vec<Basic<'a>>,
}

pub(in crate::api) async fn answer(call: Call) -> Result<Response, Failure> {
    let reading = Reading::begin(&call).await?;
    let Some(text) = text(&call) else { return Ok(reading.ok(&Output::default())) };
    let actors = Actors::new(&reading.client, reading.audience, Manner::Typing, text).await.map_err(of_query)?;
    let page = page(&reading.client, reading.audience, &actors, Cursor::START, limit(&call), &Wanted::default()).await.map_err(of_query)?;
    let views = Views { state: &page.state, urls: &call.api.urls };
    Ok(reading.ok(&Output { actors: page.items.iter().filter_map(|(id, _)| views.basic(*id)).collect() }))
}
