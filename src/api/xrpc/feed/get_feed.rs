//! `app.bsky.feed.getFeed`: a feed that a generator puts together, shown by this service.

use hyper::header::CONTENT_LANGUAGE;
use serde::Serialize;

use super::super::Call;
use super::super::reading::{Reading, limit};
use super::generator;
use crate::api::failure::of_query;
use crate::api::generators::{Question, Reason as Said, Skeleton};
use crate::http::{Failure, Response};
use crate::query::skeleton::feed::{Item, repost_cids};
use crate::query::skeleton::generated_feed::{Pick, picked};
use crate::query::views::Views;
use crate::query::views::feed::{FeedItem, Reason};

#[derive(Serialize)]
struct Output<'a> {
    feed: Vec<Generated<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<&'a str>,
}

/// An item with what the generator said of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Generated<'a> {
    #[serde(flatten)]
    item: FeedItem<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    feed_context: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    req_id: Option<&'a str>,
}

pub(in crate::api) async fn answer(call: Call) -> Result<Response, Failure> {
    let feed = call.params.text("feed").unwrap_or_default();
    // No connection is held while a stranger is waited for.
    let did = generator(&Reading::begin(&call).await?, feed).await?.did;
    let question = Question { feed, did: &did, limit: limit(&call), cursor: call.params.text("cursor"), headers: &call.headers };
    let skeleton = call.api.generators.skeleton(&call.api.identities, question).await?;
    let reading = Reading::begin(&call).await?;
    let mut response = shown(&call, &reading, &skeleton).await?;
    if let Some(language) = skeleton.language {
        response.headers_mut().insert(CONTENT_LANGUAGE, language);
    }
    Ok(response)
}

async fn shown(call: &Call, reading: &Reading, skeleton: &Skeleton) -> Result<Response, Failure> {
    let repost = |said: &'_ Option<Said>| if let Some(Said::Repost { repost }) = said { Some(repost.clone()) } else { None };
    let reposts: Vec<Option<String>> = skeleton.feed.iter().map(|pick| repost(&pick.reason)).collect();
    let picks = skeleton.feed.iter().zip(&reposts).map(|(pick, repost)| Pick { post: &pick.post, repost: repost.as_deref() });
    let picks: Vec<Pick<'_>> = picks.collect();
    let (items, state) = picked(&reading.client, reading.audience, &picks).await.map_err(of_query)?;
    let shown: Vec<Item> = items.iter().map(|(_, item)| *item).collect();
    let cids = repost_cids(&reading.client, &shown, &state).await.map_err(of_query)?;
    let views = Views { state: &state, urls: &call.api.urls };
    let feed = items.iter().filter_map(|(at, item)| {
        let pick = skeleton.feed.get(*at)?;
        let reason = match &item.repost {
            Some(edge) => Some(views.repost_reason(edge, cids.get(&edge.place()))?),
            None => (pick.reason == Some(Said::Pin {})).then_some(Reason::Pin {}),
        };
        let item = views.feed_item(item.post, reason)?;
        Some(Generated { item, feed_context: pick.feed_context.as_deref(), req_id: skeleton.req_id.as_deref() })
    });
    Ok(reading.ok(&Output { feed: feed.collect(), cursor: skeleton.cursor.as_deref() }))
}
