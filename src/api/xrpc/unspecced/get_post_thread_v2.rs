//! `app.bsky.unspecced.getPostThreadV2`: a post among those that it answers and the replies below it, as one list.

use serde::Serialize;

use super::super::Call;
use super::super::reading::Reading;
use crate::api::failure::of_query;
use crate::http::{Failure, Response};
use crate::query::hydrate::Wanted;
use crate::query::names;
use crate::query::skeleton::thread::{Reach, thread};
use crate::query::thread::Sort;
use crate::query::thread::flat::Shape;
use crate::query::views::Views;
use crate::query::views::thread::ThreadgateView;
use crate::query::views::thread_flat::ThreadItem;

/// Posts above the anchor; the reference shows as many.
const ABOVE: i64 = 50;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output<'a> {
    thread: Vec<ThreadItem<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    threadgate: Option<ThreadgateView<'a>>,
    has_other_replies: bool,
}

pub(in crate::api) async fn answer(call: Call) -> Result<Response, Failure> {
    let reading = Reading::begin(&call).await?;
    let uri = call.params.text("anchor").unwrap_or_default();
    let not_found = || reading.ok(&Output { thread: vec![ThreadItem::not_found(uri)], threadgate: None, has_other_replies: false });
    let Some(anchor) = names::post(&reading.client, uri).await.map_err(of_query)? else { return Ok(not_found()) };
    let shape = Shape {
        sort: Sort::named(call.params.text("sort").unwrap_or_default()),
        below: call.params.int("below").unwrap_or_default(),
        branching: call.params.int("branchingFactor").and_then(|factor| usize::try_from(factor).ok()).unwrap_or_default(),
    };
    // What is liked most is rarely what was written last.
    let oldest = shape.sort != Sort::Newest;
    let above = if call.params.bool("above") == Some(false) { 0 } else { ABOVE };
    let reach = Reach { height: above, depth: shape.below, oldest, own: true };
    let Some(thread) = thread(&reading.client, anchor, reach).await.map_err(of_query)? else { return Ok(not_found()) };
    let state = reading.load(&Wanted { known_likers: Some(anchor), ..thread.wants() }).await?;
    if state.post(anchor).is_none() {
        return Ok(not_found());
    }
    let views = Views { state: &state, urls: &call.api.urls };
    let flat = thread.flat(&state, shape);
    Ok(reading.ok(&Output {
        thread: flat.items.iter().filter_map(|item| views.thread_item(item)).collect(),
        threadgate: state.gates.thread(thread.root).and_then(|gate| views.threadgate(thread.root, gate)),
        has_other_replies: flat.has_others,
    }))
}
