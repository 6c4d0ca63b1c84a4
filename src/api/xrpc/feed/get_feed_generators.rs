//! `app.bsky.feed.getFeedGenerators`: those of the named feed generators that can be shown, in the order asked for.

use serde::Serialize;

use super::super::Call;
use super::super::reading::Reading;
use crate::api::failure::of_query;
use crate::collection::Coll;
use crate::db::record::Path;
use crate::http::{Failure, Response};
use crate::query::hydrate::Wanted;
use crate::query::names;
use crate::query::views::Views;
use crate::query::views::generator::GeneratorView;

#[derive(Serialize)]
struct Output<'a> {
    feeds: Vec<GeneratorView<'a>>,
}

pub(in crate::api) async fn answer(call: Call) -> Result<Response, Failure> {
    let reading = Reading::begin(&call).await?;
    let found = names::records(&reading.client, Coll::GENERATOR, call.params.texts("feeds")).await.map_err(of_query)?;
    let records = found.values().map(|at| Path { coll: Coll::GENERATOR, at: *at }).collect();
    let state = reading.load(&Wanted { records, ..Wanted::default() }).await?;
    let views = Views { state: &state, urls: &call.api.urls };
    let feeds = call.params.texts("feeds").filter_map(|uri| views.generator(*found.get(uri)?)).collect();
    Ok(reading.ok(&Output { feeds }))
}
