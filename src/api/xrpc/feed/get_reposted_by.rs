//! `app.bsky.feed.getRepostedBy`: who reposted a post, newest first.

use serde::Serialize;

use super::super::Call;
use super::super::reading::{Reading, cursor, limit};
use crate::api::failure::of_query;
use crate::atproto::Cid;
use crate::http::{Failure, Response};
use crate::query::Cursor;
use crate::query::hydrate::Wanted;
use crate::query::skeleton::page;
use crate::query::skeleton::reaction::{Reaction, Reactors};
use crate::query::views::Views;
use crate::query::views::actor::ProfileView;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output<'a> {
    uri: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cid: Option<&'a str>,
    reposted_by: Vec<ProfileView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

pub(in crate::api) async fn answer(call: Call) -> Result<Response, Failure> {
    let (uri, cid) = (call.params.text("uri").unwrap_or_default(), call.params.text("cid"));
    let empty = Output { uri, cid, reposted_by: Vec::new(), cursor: None };
    let after = cursor(&call, Cursor::START)?;
    let reading = Reading::begin(&call).await?;
    // What is no CID of a record names no version of one.
    let Ok(version) = cid.map(str::parse::<Cid>).transpose() else { return Ok(reading.ok(&empty)) };
    let Some(after) = after else { return Ok(reading.ok(&empty)) };
    let Some(subject) = reading.post(&call).await? else { return Ok(reading.ok(&empty)) };
    let reactors = Reactors { reaction: Reaction::Repost, subject, cid: version };
    let page = page(&reading.client, reading.audience, &reactors, after, limit(&call), &Wanted::default()).await.map_err(of_query)?;
    let views = Views { state: &page.state, urls: &call.api.urls };
    let reposted_by = page.items.iter().filter_map(|edge| views.profile(edge.author)).collect();
    Ok(reading.ok(&Output { reposted_by, cursor: page.cursor.map(|cursor| cursor.to_string()), ..empty }))
}
