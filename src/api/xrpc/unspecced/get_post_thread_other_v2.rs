//! `app.bsky.unspecced.getPostThreadOtherV2`: the replies to a post that `getPostThreadV2` leaves out: hidden by the thread's author, of
//! muted accounts, or without a word.

use serde::Serialize;

use super::super::Call;
use super::super::reading::Reading;
use crate::api::failure::of_query;
use crate::http::{Failure, Response};
use crate::query::names;
use crate::query::skeleton::thread::{Reach, thread};
use crate::query::views::Views;
use crate::query::views::thread_flat::ThreadItem;

#[derive(Serialize)]
struct Output<'a> {
    thread: Vec<ThreadItem<'a>>,
}

pub(in crate::api) async fn answer(call: Call) -> Result<Response, Failure> {
    let reading = Reading::begin(&call).await?;
    let nothing = || reading.ok(&Output { thread: Vec::new() });
    let anchor = names::post(&reading.client, call.params.text("anchor").unwrap_or_default()).await.map_err(of_query)?;
    let Some(anchor) = anchor else { return Ok(nothing()) };
    let reach = Reach { height: 0, depth: 1, oldest: false, own: false };
    let Some(thread) = thread(&reading.client, anchor, reach).await.map_err(of_query)? else { return Ok(nothing()) };
    let state = reading.load(&thread.wants()).await?;
    let views = Views { state: &state, urls: &call.api.urls };
    Ok(reading.ok(&Output { thread: thread.others(&state).iter().filter_map(|item| views.thread_item(item)).collect() }))
}
