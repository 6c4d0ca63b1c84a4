//! `com.atproto.repo.getRecord`: one record as its author signed it. Its CID is the hash of the bytes that are answered.

use serde::Serialize;

use super::super::reading::Reading;
use super::super::{Call, ok};
use crate::api::failure::of_query;
use crate::atproto::json::RecordJson;
use crate::atproto::{Cid, Did};
use crate::collection::Ref;
use crate::db::Client;
use crate::db::record::Path;
use crate::http::{Failure, Response};
use crate::query::hydrate::Wanted;
use crate::query::{QueryError, names, record};

#[derive(Serialize)]
struct Output<'a> {
    uri: &'a str,
    cid: String,
    value: RecordJson<'a>,
}

pub(in crate::api) async fn answer(call: Call) -> Result<Response, Failure> {
    let params = &call.params;
    let text = |name| params.text(name).unwrap_or_default();
    let (repo, collection, rkey) = (text("repo"), text("collection"), text("rkey"));
    let reading = Reading::begin(&call).await?;
    let no_repo = || Failure::invalid(format!("Could not find repo: {repo}"));
    let author = reading.account(&call, "repo").await?.ok_or_else(no_repo)?;
    let state = reading.load(&Wanted { actors: vec![author], ..Wanted::default() }).await?;
    let did: &Did = &state.actor(author).and_then(|actor| actor.did.parse().ok()).ok_or_else(no_repo)?;
    let uri = format!("at://{did}/{collection}/{rkey}");
    let bytes = find(&reading.client, author, collection, rkey).await.map_err(of_query)?;
    let found = bytes.map(|bytes| (Cid::dag_cbor(&bytes).to_string(), bytes));
    let found = found.filter(|(cid, _)| params.text("cid").is_none_or(|asked| asked == cid));
    let (cid, bytes) = found.ok_or_else(|| Failure::named("RecordNotFound", format!("Could not locate record: {uri}")))?;
    Ok(ok(&Output { uri: &uri, cid, value: RecordJson(&bytes) }))
}

async fn find(client: &Client, author: i32, collection: &str, rkey: &str) -> Result<Option<Vec<u8>>, QueryError> {
    let Some(coll) = names::collection(client, collection).await? else { return Ok(None) };
    let Some(rkey) = names::key(client, author, coll, rkey).await? else { return Ok(None) };
    record::bytes(client, Path { coll, at: Ref { rkey, author } }).await
}
