//! `/.well-known/did.json`: who this service is, where its DID is a did:web.

use hyper::StatusCode;
use serde::Serialize;

use super::super::Api;
use crate::atproto::SigningKey;
use crate::http::{self, Failure, Response};

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "@context")]
    context: [&'static str; 1],
    id: &'a str,
    #[serde(rename = "verificationMethod", skip_serializing_if = "Option::is_none")]
    keys: Option<[Key<'a>; 1]>,
    service: [Service<'a>; 2],
}

/// The key that own tokens are signed with.
#[derive(Serialize)]
struct Key<'a> {
    id: String,
    r#type: &'static str,
    controller: &'a str,
    #[serde(rename = "publicKeyMultibase")]
    multibase: String,
}

#[derive(Serialize)]
struct Service<'a> {
    id: &'static str,
    r#type: &'static str,
    #[serde(rename = "serviceEndpoint")]
    endpoint: &'a str,
}

pub(super) fn answer(api: &Api) -> Result<Response, Failure> {
    let id = api.did.as_deref().filter(|did| did.starts_with("did:web:")).ok_or_else(Failure::not_found)?;
    let service = |id, r#type| Service { id, r#type, endpoint: &api.address };
    let service = [service("#bsky_appview", "BskyAppView"), service("#bsky_notif", "BskyNotificationService")];
    let key = |key: &SigningKey| [Key { id: format!("{id}#atproto"), r#type: "Multikey", controller: id, multibase: key.multibase() }];
    let keys = api.generators.key().map(key);
    Ok(http::json(StatusCode::OK, &Document { context: ["https://www.w3.org/ns/did/v1"], id, keys, service }))
}
