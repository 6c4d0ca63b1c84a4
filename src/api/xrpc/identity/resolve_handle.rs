//! `com.atproto.identity.resolveHandle`: whose a handle is, by what is indexed, else by whom it names now.

use serde::Serialize;

use super::super::{Call, ok};
use crate::api::failure::of_query;
use crate::db::identity;
use crate::http::{Failure, Response};
use crate::query::QueryError;

#[derive(Serialize)]
struct Output<'a> {
    did: &'a str,
}

pub(in crate::api) async fn answer(call: Call) -> Result<Response, Failure> {
    let handle = call.params.text("handle").unwrap_or_default().to_ascii_lowercase();
    let client = call.api.store.connection().await.map_err(of_query)?;
    let indexed = identity::did_of(&**client, &handle).await.map_err(QueryError::from).map_err(of_query)?;
    drop(client);
    if let Some(did) = indexed {
        return Ok(ok(&Output { did: &did }));
    }
    match call.api.identities.did_of(&handle).await {
        Ok(Some(did)) => Ok(ok(&Output { did: did.as_str() })),
        Ok(None) | Err(_) => Err(Failure::invalid("Unable to resolve handle")),
    }
}
