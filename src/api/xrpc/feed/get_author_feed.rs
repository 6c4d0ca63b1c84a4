//! `app.bsky.feed.getAuthorFeed`: the posts and reposts of one account, newest first.

use serde::Serialize;

use super::super::{Call, account, at_rev, ok};
use crate::api::failure::of_query;
use crate::http::{Failure, Response};
use crate::query::author_feed::{self, Page, Request};
use crate::query::feed::{Cursor, Filter, Item};
use crate::query::hydrate::Hydration;
use crate::query::views::Views;
use crate::query::views::feed::{FeedItem, Reason};

#[derive(Serialize)]
struct Output<'a> {
    feed: Vec<FeedItem<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

pub(in crate::api) async fn answer(call: Call) -> Result<Response, Failure> {
    let (api, params) = (&call.api, &call.params);
    let cursor = cursor(params.text("cursor"))?;
    let client = api.store.connection().await.map_err(of_query)?;
    let unknown = || Failure::invalid("Profile not found");
    let (viewer, labelers, author) = tokio::try_join!(call.viewer(&client), call.labelers(&client), account(&client, params, "actor"))?;
    let author = author.ok_or_else(unknown)?;
    let state = Hydration::of_actors(&client, &[author]).await.map_err(of_query)?;
    state.actor(author).ok_or_else(unknown)?;
    // Cursors of an earlier form of this API: their feeds ended.
    let Some(cursor) = cursor else { return Ok(labelers.told(ok(&Output { feed: Vec::new(), cursor: None }))) };
    let request = Request {
        author,
        filter: Filter::named(params.text("filter").unwrap_or_default()),
        cursor,
        limit: params.int("limit").and_then(|limit| usize::try_from(limit).ok()).unwrap_or(50),
        pins: params.bool("includePins") == Some(true) && cursor == Cursor::NEWEST,
    };
    let page = author_feed::page(&client, request).await.map_err(of_query)?;
    at_rev(Ok(labelers.told(ok(&output(&page, Views { state: &page.state, urls: &api.urls })))), viewer)
}

/// Where to go on; `None` for the form that has no further page.
fn cursor(text: Option<&str>) -> Result<Option<Cursor>, Failure> {
    match text {
        None => Ok(Some(Cursor::NEWEST)),
        Some(text) if text.contains("::") => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| Failure::invalid("Malformed cursor")),
    }
}

fn output<'a>(page: &'a Page, views: Views<'a>) -> Output<'a> {
    let pin = page.pin.and_then(|pin| views.feed_item(pin, Some(Reason::Pin {})));
    let items = page.items.iter().filter_map(|item| view(item, page, views));
    Output { feed: pin.into_iter().chain(items).collect(), cursor: page.cursor.map(|cursor| cursor.to_string()) }
}

fn view<'a>(item: &Item, page: &'a Page, views: Views<'a>) -> Option<FeedItem<'a>> {
    let reason = match &item.repost {
        Some(edge) => Some(views.repost_reason(edge, page.repost_cids.get(&edge.rkey))?),
        None => None,
    };
    views.feed_item(item.post, reason)
}
