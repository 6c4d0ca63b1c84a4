//! `app.bsky.actor.getProfiles`: those of the named accounts that can be shown, in the order asked for.

use serde::Serialize;

use super::super::Call;
use super::super::reading::Reading;
use crate::api::failure::of_query;
use crate::http::{Failure, Response};
use crate::query::hydrate::Wanted;
use crate::query::views::Views;
use crate::query::views::actor::ProfileViewDetailed;
use crate::query::{names, profile};

#[derive(Serialize)]
struct Output<'a> {
    profiles: Vec<ProfileViewDetailed<'a>>,
}

pub(in crate::api) async fn answer(call: Call) -> Result<Response, Failure> {
    let reading = Reading::begin(&call).await?;
    let ids = names::accounts(&reading.client, call.params.texts("actors")).await.map_err(of_query)?;
    let wanted = Wanted { counted: ids.clone(), known: ids.clone(), ..Wanted::default() };
    let published = async { profile::published(&reading.client, &ids).await.map_err(of_query) };
    let (state, published) = tokio::try_join!(reading.load(&wanted), published)?;
    let views = Views { state: &state, urls: &call.api.urls };
    let profiles = ids.iter().filter_map(|id| views.detailed(*id, published.get(id).copied().unwrap_or_default())).collect();
    reading.ok_at_rev(&Output { profiles })
}
