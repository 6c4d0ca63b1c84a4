//! `app.bsky.feed.getQuotes`: the posts that quote a post, newest first.

use serde::Serialize;

use super::super::Call;
use super::super::reading::{Reading, cursor, limit};
use crate::api::failure::of_query;
use crate::http::{Failure, Response};
use crate::query::Cursor;
use crate::query::hydrate::Wanted;
use crate::query::skeleton::page;
use crate::query::skeleton::quote::Quotes;
use crate::query::views::Views;
use crate::query::views::post::PostView;

#[derive(Serialize)]
struct Output<'a> {
    uri: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cid: Option<&'a str>,
    posts: Vec<PostView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

pub(in crate::api) async fn answer(call: Call) -> Result<Response, Failure> {
    let (uri, cid) = (call.params.text("uri").unwrap_or_default(), call.params.text("cid"));
    let empty = Output { uri, cid, posts: Vec::new(), cursor: None };
    let after = cursor(&call, Cursor::START)?;
    let reading = Reading::begin(&call).await?;
    let Some(after) = after else { return Ok(reading.ok(&empty)) };
    let Some(of) = reading.post(&call).await? else { return Ok(reading.ok(&empty)) };
    let page =
        page(&reading.client, reading.audience, &Quotes { of, cid }, after, limit(&call), &Wanted::default()).await.map_err(of_query)?;
    let views = Views { state: &page.state, urls: &call.api.urls };
    let posts = page.items.iter().filter_map(|place| views.post(*place)).collect();
    Ok(reading.ok(&Output { posts, cursor: page.cursor.map(|cursor| cursor.to_string()), ..empty }))
}
