//! `app.bsky.feed.getTimeline`: what the caller and those whom it follows posted and reposted, newest first.

use super::super::Call;
use super::super::reading::{Reading, cursor, limit};
use super::Feed;
use crate::api::failure::of_query;
use crate::http::{Failure, Response};
use crate::query::hydrate::Wanted;
use crate::query::skeleton::feed::Cursor;
use crate::query::skeleton::page;
use crate::query::skeleton::timeline::Timeline;

pub(in crate::api) async fn answer(call: Call) -> Result<Response, Failure> {
    let after = cursor(&call, Cursor::NEWEST)?;
    let reading = Reading::begin(&call).await?;
    let Some(after) = after else { return reading.ok_at_rev(&Feed::default()) };
    let viewer = reading.audience.viewer.unwrap_or_default();
    let timeline = Timeline::of(&reading.client, viewer, reading.follows()).await.map_err(of_query)?;
    let page = page(&reading.client, reading.audience, &timeline, after, limit(&call), &Wanted::default()).await;
    super::feed(&reading, &call, None, &page.map_err(of_query)?).await
}
