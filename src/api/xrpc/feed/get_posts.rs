//! `app.bsky.feed.getPosts`: those of the named posts that can be shown, in the order asked for.

use serde::Serialize;

use super::super::Call;
use super::super::reading::Reading;
use crate::api::failure::of_query;
use crate::http::{Failure, Response};
use crate::query::hydrate::Wanted;
use crate::query::names;
use crate::query::views::Views;
use crate::query::views::post::PostView;

#[derive(Serialize)]
struct Output<'a> {
    posts: Vec<PostView<'a>>,
}

pub(in crate::api) async fn answer(call: Call) -> Result<Response, Failure> {
    let reading = Reading::begin(&call).await?;
    let places = names::posts(&reading.client, call.params.texts("uris")).await.map_err(of_query)?;
    let state = reading.load(&Wanted { posts: places.clone(), ..Wanted::default() }).await?;
    let views = Views { state: &state, urls: &call.api.urls };
    let shown = places.iter().filter(|place| !state.is_blocked(place.author));
    Ok(reading.ok(&Output { posts: shown.filter_map(|place| views.post(*place)).collect() }))
}
