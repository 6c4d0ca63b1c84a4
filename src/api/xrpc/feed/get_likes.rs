//! `app.bsky.feed.getLikes`: who liked a record, newest first.

use serde::Serialize;

use super::super::Call;
use super::super::reading::{Reading, cursor, limit};
use crate::api::failure::of_query;
use crate::atproto::{Cid, datetime};
use crate::collection::{Edge, SubjectKind};
use crate::http::{Failure, Response};
use crate::query::hydrate::{Wanted, micros};
use crate::query::skeleton::reaction::{Reaction, Reactors, created};
use crate::query::skeleton::{Page, page};
use crate::query::views::Views;
use crate::query::views::actor::ProfileView;
use crate::query::{Cursor, names};

#[derive(Serialize)]
struct Output<'a> {
    uri: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cid: Option<&'a str>,
    likes: Vec<Like<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Like<'a> {
    actor: ProfileView<'a>,
    created_at: String,
    indexed_at: String,
}

pub(in crate::api) async fn answer(call: Call) -> Result<Response, Failure> {
    let (uri, cid) = (call.params.text("uri").unwrap_or_default(), call.params.text("cid"));
    let empty = Output { uri, cid, likes: Vec::new(), cursor: None };
    let after = cursor(&call, Cursor::START)?;
    let reading = Reading::begin(&call).await?;
    // What is no CID of a record names no version of one.
    let Ok(version) = cid.map(str::parse::<Cid>).transpose() else { return Ok(reading.ok(&empty)) };
    let Some(after) = after else { return Ok(reading.ok(&empty)) };
    let Some((collection, subject)) = names::record(&reading.client, uri).await.map_err(of_query)? else { return Ok(reading.ok(&empty)) };
    let Some(kind) = SubjectKind::of(collection) else { return Ok(reading.ok(&empty)) };
    let reactors = Reactors { reaction: Reaction::Like(kind), subject, cid: version };
    let page: Page<Edge, Cursor> =
        page(&reading.client, reading.audience, &reactors, after, limit(&call), &Wanted::default()).await.map_err(of_query)?;
    let views = Views { state: &page.state, urls: &call.api.urls };
    let created = created(&reading.client, &page.items).await.map_err(of_query)?;
    let likes = page.items.iter().filter_map(|edge| view(edge, created.get(&edge.place()).copied(), views)).collect();
    Ok(reading.ok(&Output { likes, cursor: page.cursor.map(|cursor| cursor.to_string()), ..empty }))
}

/// `created`: when it was made, where its columns do not say that.
fn view<'a>(edge: &Edge, created: Option<i64>, views: Views<'a>) -> Option<Like<'a>> {
    let at = micros(edge.rkey);
    let created = created.unwrap_or_else(|| at.saturating_add(i64::from(edge.dms.unwrap_or(0)).saturating_mul(1000)));
    Some(Like { actor: views.profile(edge.author)?, created_at: datetime::format_micros(created), indexed_at: datetime::format_micros(at) })
}
