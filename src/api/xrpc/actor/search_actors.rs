//! `app.bsky.actor.searchActors`: the accounts that a text finds.

use serde::Serialize;

use super::super::Call;
use super::super::reading::{Reading, cursor, limit};
use super::text;
use crate::api::failure::of_query;
use crate::http::{Failure, Response};
use crate::query::hydrate::Wanted;
use crate::query::skeleton::page;
use crate::query::skeleton::ranked::Cursor;
use crate::query::skeleton::search_actors::{Actors, Manner};
use crate::query::views::Views;
use crate::query::views::actor::ProfileView;

#[derive(Default, Serialize)]
struct Output<'a> {
    actors: Vec<ProfileView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

pub(in crate::api) async fn answer(call: Call) -> Result<Response, Failure> {
    let after = cursor(&call, Cursor::START)?;
    let reading = Reading::begin(&call).await?;
    let Some((after, text)) = after.zip(text(&call)) else { return Ok(reading.ok(&Output::default())) };
    let actors = Actors::new(&reading.client, reading.audience, Manner::Anywhere, text).await.map_err(of_query)?;
    let page = page(&reading.client, reading.audience, &actors, after, limit(&call), &Wanted::default()).await.map_err(of_query)?;
    let views = Views { state: &page.state, urls: &call.api.urls };
    let actors = page.items.iter().filter_map(|(id, _)| views.profile(*id)).collect();
    Ok(reading.ok(&Output { actors, cursor: page.cursor.map(|cursor| cursor.to_string()) }))
}
