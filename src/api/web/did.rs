//! `/.well-known/did.json`: who this service is, where its DID is a did:web.

use hyper::StatusCode;
use serde::Serialize;

use super::super::Api;
use crate::http::{self, Failure, Response};

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "@context")]
    context: [&'static str; 1],
    id: &'a str,
    service: [Service<'a>; 2],
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
    Ok(http::json(StatusCode::OK, &Document { context: ["https://www.w3.org/ns/did/v1"], id, service }))
}
