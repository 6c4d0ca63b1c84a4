//! What procedures read of a call whose body was checked: who writes, and about whom or what. Names become DIDs here, since commands hold
//! nothing that can move.

use super::Call;
use super::auth::Caller;
use crate::api::failure::of_query;
use crate::atproto::{Did, aturi};
use crate::db::read::key;
use crate::http::Failure;
use crate::query::names;
use crate::queue::command::RecordUri;

/// The account that calls.
pub(super) fn account(caller: &Caller) -> Result<Did, Failure> {
    caller.viewer().cloned().ok_or_else(|| Failure::internal(anyhow::anyhow!("a procedure without a caller")))
}

/// A required text of the body.
pub(super) fn text<'a>(call: &'a Call, name: &str) -> &'a str {
    call.input.get(name).and_then(|value| value.as_str()).unwrap_or_default()
}

/// A boolean of the body; absent is false.
pub(super) fn flag(call: &Call, name: &str) -> bool {
    call.input.get(name).and_then(serde_json::Value::as_bool).unwrap_or(false)
}

/// The account that an at-identifier names; of a DID nothing need be held.
pub(super) async fn actor(call: &Call, identifier: &str) -> Result<Did, Failure> {
    if let Ok(did) = identifier.parse() {
        return Ok(did);
    }
    let client = call.api.store.connection().await.map_err(of_query)?;
    let unknown = || Failure::invalid("Actor not found");
    let id = names::account(&client, identifier).await.map_err(of_query)?.ok_or_else(unknown)?;
    let did = key::did(&**client, id).await.map_err(|error| of_query(error.into()))?;
    did.and_then(|did| did.parse().ok()).ok_or_else(unknown)
}

/// The record that an address of `collection` names.
pub(super) async fn record(call: &Call, uri: &str, collection: &'static str) -> Result<RecordUri, Failure> {
    let invalid = || Failure::invalid(format!("Not the address of a record of {collection}"));
    let rest = uri.strip_prefix("at://").filter(|_| aturi::is_valid(uri)).ok_or_else(invalid)?;
    let (authority, path) = rest.split_once('/').ok_or_else(invalid)?;
    if path.split_once('/').is_none_or(|(named, _)| named != collection) {
        return Err(invalid());
    }
    let did = actor(call, authority).await?;
    format!("at://{did}/{path}").parse().map_err(|_| invalid())
}
