//! `POST /api/admin/trusted-verifiers`: whose verifications are shown. In effect when it returns, also for accounts of which nothing is held.

use std::sync::Arc;

use hyper::StatusCode;
use hyper::header::CONTENT_TYPE;
use serde::{Deserialize, Serialize};

use super::super::Api;
use super::super::xrpc::auth::Access;
use crate::atproto::Did;
use crate::http::{self, Failure, Request, Response};
use crate::queue::command::Body;

/// Where it is asked; no token is made for it.
const PATH: &str = "/api/admin/trusted-verifiers";

/// The body, which is also the answer.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Trust {
    did: String,
    trusted: bool,
}

pub(super) async fn answer(api: Arc<Api>, request: Request) -> Result<Response, Failure> {
    api.auth.caller(PATH, Access::Admin, &request.headers, &*api.identities).await?;
    // A form of another site can send no JSON type, so that nobody's browser can be made to ask this.
    let kind = request.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("application/json") {
        return Err(Failure::invalid(format!("Wrong request encoding (Content-Type): {kind}")));
    }
    let trust: Trust = serde_json::from_slice(&request.body).map_err(|error| Failure::invalid(format!("Error: {error}")))?;
    let verifier: Did = trust.did.parse().map_err(|_| Failure::invalid("Error: did must be a DID"))?;
    api.commands.submit(&request.headers, Body::TrustVerifier { verifier, trusted: trust.trusted }).await?;
    Ok(http::json(StatusCode::OK, &trust))
}
