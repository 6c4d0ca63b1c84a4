//! `app.bsky.feed.searchPosts`: the posts that a query finds.

use std::fmt::Display;

use serde::Serialize;

use super::super::Call;
use super::super::reading::{Reading, cursor, limit};
use crate::api::failure::of_query;
use crate::collection::Ref;
use crate::collection::search::{Condition, link};
use crate::http::{Failure, Response};
use crate::query::hydrate::Wanted;
use crate::query::search::{Asked, BadQuery, PostQuery, What, domain, lang};
use crate::query::skeleton::search_posts::{Cursor, Latest, Top};
use crate::query::skeleton::{Page, page, ranked};
use crate::query::views::Views;
use crate::query::views::post::PostView;

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Output<'a> {
    posts: Vec<PostView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    /// Only where it is certain: all that was found stands on this page.
    #[serde(skip_serializing_if = "Option::is_none")]
    hits_total: Option<usize>,
}

pub(in crate::api) async fn answer(call: Call) -> Result<Response, Failure> {
    let asked = asked(&call).map_err(|bad| Failure::named("BadQueryString", bad.to_string()))?;
    let extra = Wanted::default();
    if call.params.text("sort") == Some("top") {
        let after = cursor(&call, ranked::Cursor::START)?;
        let reading = Reading::begin(&call).await?;
        let query = PostQuery::resolve(&reading.client, reading.audience, asked).await.map_err(of_query)?;
        let Some((after, query)) = after.zip(query) else { return Ok(reading.ok(&Output::default())) };
        let top = Top(Latest::new(query));
        let page = page(&reading.client, reading.audience, &top, after, limit(&call), &extra).await.map_err(of_query)?;
        return Ok(shown(&reading, &call, &page));
    }
    let after = cursor(&call, Cursor::START)?;
    let reading = Reading::begin(&call).await?;
    let query = PostQuery::resolve(&reading.client, reading.audience, asked).await.map_err(of_query)?;
    let Some((after, query)) = after.zip(query) else { return Ok(reading.ok(&Output::default())) };
    let page = page(&reading.client, reading.audience, &Latest::new(query), after, limit(&call), &extra).await.map_err(of_query)?;
    Ok(shown(&reading, &call, &page))
}

fn shown<C: Display>(reading: &Reading, call: &Call, page: &Page<Ref, C>) -> Response {
    let views = Views { state: &page.state, urls: &call.api.urls };
    let posts: Vec<PostView<'_>> = page.items.iter().filter_map(|place| views.post(*place)).collect();
    let all = call.params.text("cursor").is_none() && page.cursor.is_none();
    let hits_total = Some(posts.len()).filter(|_| all);
    reading.ok(&Output { posts, cursor: page.cursor.as_ref().map(ToString::to_string), hits_total })
}

/// The query string and the parameters beside it, which ask for the same things. Where both name an author, the string does.
fn asked(call: &Call) -> Result<Asked, BadQuery> {
    let text = |name: &str| call.params.text(name).filter(|text| !text.is_empty());
    let mut asked = Asked::of(text("q").unwrap_or_default())?;
    if let Some(author) = text("author").filter(|_| !asked.has_author()) {
        asked.add(false, What::From(author.to_owned()))?;
    }
    if let Some(mentioned) = text("mentions") {
        asked.add(false, What::Mentions(mentioned.to_owned()))?;
    }
    if let Some(of) = text("lang") {
        asked.add(false, What::Has(lang(of)?))?;
    }
    if let Some(of) = text("domain") {
        asked.add(false, What::Has(domain(of)?))?;
    }
    if let Some(url) = text("url") {
        let link = link(url).ok_or_else(|| BadQuery(format!("url: {url} is no web address")))?;
        asked.add(false, What::Has(Condition::Link(link)))?;
    }
    for tag in call.params.texts("tag").filter(|tag| !tag.is_empty()) {
        asked.add(false, What::Has(Condition::tag(tag)))?;
    }
    if let Some(time) = text("since") {
        asked.since(time)?;
    }
    if let Some(time) = text("until") {
        asked.until(time)?;
    }
    if asked.is_void() { Err(BadQuery("there is nothing to look for in the query".to_owned())) } else { Ok(asked) }
}
