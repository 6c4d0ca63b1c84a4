//! `app.bsky.feed.getPostThread`: a post inside those that it answers, with the replies below it inside one another.

use super::super::Call;
use super::super::reading::Reading;
use crate::api::failure::of_query;
use crate::http::{Failure, Response};
use crate::query::names;
use crate::query::skeleton::thread::{Reach, thread};
use crate::query::views::Views;

pub(in crate::api) async fn answer(call: Call) -> Result<Response, Failure> {
    let reading = Reading::begin(&call).await?;
    let uri = call.params.text("uri").unwrap_or_default();
    let not_found = || reading.refuse_at_rev(Failure::named("NotFound", format!("Post not found: {uri}")));
    let Some(anchor) = names::post(&reading.client, uri).await.map_err(of_query)? else { return not_found() };
    let depth = call.params.int("depth").unwrap_or_default();
    let reach = Reach { height: call.params.int("parentHeight").unwrap_or_default(), depth, oldest: false, own: false };
    let Some(thread) = thread(&reading.client, anchor, reach).await.map_err(of_query)? else { return not_found() };
    let state = reading.load(&thread.wants()).await?;
    let views = Views { state: &state, urls: &call.api.urls };
    match views.nested(&thread, usize::try_from(depth).unwrap_or_default()).map_err(Failure::internal)? {
        Some(body) => reading.written_at_rev(body),
        None => not_found(),
    }
}
