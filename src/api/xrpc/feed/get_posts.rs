//! `app.bsky.feed.getPosts`: those of the named posts that can be shown, in the order asked for.

use serde::Serialize;

use super::super::{Call, ok};
use crate::api::failure::of_query;
use crate::http::{Failure, Response};
use crate::query::hydrate::Hydration;
use crate::query::names;
use crate::query::views::Views;
use crate::query::views::post::PostView;

#[derive(Serialize)]
struct Output<'a> {
    posts: Vec<PostView<'a>>,
}

pub(in crate::api) async fn answer(call: Call) -> Result<Response, Failure> {
    let (api, params) = (&call.api, &call.params);
    let client = api.store.connection().await.map_err(of_query)?;
    let places = async { names::posts(&client, params.texts("uris")).await.map_err(of_query) };
    let (labelers, places) = tokio::try_join!(call.labelers(&client), places)?;
    let state = Hydration::of_posts(&client, &places, &[], false).await.map_err(of_query)?;
    let views = Views { state: &state, urls: &api.urls };
    Ok(labelers.told(ok(&Output { posts: places.iter().filter_map(|place| views.post(*place)).collect() })))
}
