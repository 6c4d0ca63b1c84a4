//! `app.bsky.feed.getFeedGenerator`: a feed generator, where its service can be found.

use serde::Serialize;

use super::super::Call;
use super::super::reading::Reading;
use super::generator;
use crate::api::generators::endpoint;
use crate::http::{Failure, Response};
use crate::query::views::Views;
use crate::query::views::generator::GeneratorView;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output<'a> {
    view: GeneratorView<'a>,
    is_online: bool,
    is_valid: bool,
}

pub(in crate::api) async fn answer(call: Call) -> Result<Response, Failure> {
    let reading = Reading::begin(&call).await?;
    let found = generator(&reading, call.params.text("feed").unwrap_or_default()).await?;
    endpoint(&call.api.identities, &found.did).await?;
    let views = Views { state: &found.state, urls: &call.api.urls };
    let view = views.generator(found.place).ok_or_else(|| Failure::invalid("could not find feed"))?;
    // As the reference says of every generator that has an address: whether it answers shows when its feed is asked for.
    Ok(reading.ok(&Output { view, is_online: true, is_valid: true }))
}
