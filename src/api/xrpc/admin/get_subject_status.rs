//! `com.atproto.admin.getSubjectStatus`: whether an account, a record or a blob is taken down.

use serde::Serialize;

use super::super::call::{Call, ok};
use super::subject::{StatusAttr, Subject};
use crate::api::failure::of_query;
use crate::atproto::{AtUri, Cid};
use crate::collection::Ref;
use crate::db::Client;
use crate::db::record::Path;
use crate::db::takedown::{self, Takedown};
use crate::http::{Failure, Response};
use crate::query::{QueryError, names, record};

#[derive(Serialize)]
struct Output {
    subject: Subject,
    takedown: StatusAttr,
}

pub(in crate::api) async fn answer(call: Call) -> Result<Response, Failure> {
    let text = |name| call.params.text(name);
    let client = call.api.store.connection().await.map_err(of_query)?;
    let found = match (text("blob"), text("uri"), text("did")) {
        (Some(_), _, None) => return Err(Failure::invalid("Must provide a did to request blob state")),
        (Some(cid), _, Some(did)) => of_blob(&client, did, cid).await,
        (None, Some(uri), _) => of_record(&client, uri).await,
        (None, None, Some(did)) => of_account(&client, did).await,
        (None, None, None) => return Err(Failure::invalid("No provided subject")),
    };
    let not_found = || Failure::named("NotFound", "Subject not found");
    Ok(ok(&found.map_err(of_query)?.ok_or_else(not_found)?))
}

async fn of_account(client: &Client, did: &str) -> Result<Option<Output>, QueryError> {
    let Some(account) = names::account(client, did).await? else { return Ok(None) };
    let takedown = takedown::account(client, account).await?;
    Ok(Some(Output { subject: Subject::Account { did: did.to_owned() }, takedown: status(takedown) }))
}

/// Of a record that is held: only its CID makes a reference to it.
async fn of_record(client: &Client, uri: &str) -> Result<Option<Output>, QueryError> {
    let Some(AtUri { did, collection, rkey }) = AtUri::parse(uri) else { return Ok(None) };
    let Some(author) = names::account(client, did).await? else { return Ok(None) };
    let Some(coll) = names::collection(client, collection).await? else { return Ok(None) };
    let Some(rkey) = names::key(client, author, coll, rkey).await? else { return Ok(None) };
    let path = Path { coll, at: Ref { rkey, author } };
    let Some(bytes) = record::bytes(client, path).await? else { return Ok(None) };
    let takedown = takedown::of_record(client, takedown::record(path)).await?;
    let subject = Subject::Record { uri: uri.to_owned(), cid: Cid::dag_cbor(&bytes).to_string() };
    Ok(Some(Output { subject, takedown: status(takedown) }))
}

/// A blob of which nothing is known is not taken down.
async fn of_blob(client: &Client, did: &str, cid: &str) -> Result<Option<Output>, QueryError> {
    let takedown = match (names::account(client, did).await?, cid.parse::<Cid>()) {
        (Some(author), Ok(cid)) => takedown::of_blob(client, author, &cid).await?,
        _ => None,
    };
    let subject = Subject::Blob { did: did.to_owned(), cid: cid.to_owned(), record_uri: None };
    Ok(Some(Output { subject, takedown: status(takedown) }))
}

fn status(takedown: Option<Takedown>) -> StatusAttr {
    StatusAttr { applied: takedown.is_some(), reference: takedown.and_then(|takedown| takedown.reference) }
}
