//! Web pages: whole without scripts.

mod did;
mod page;
mod status;

use std::sync::Arc;

use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue};

use super::Api;
use crate::http::{self, Response, Router};

/// Pages load nothing and run nothing.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'");

/// All pages.
pub(super) fn routes(api: &Arc<Api>) -> Router {
    let (status_api, did_api) = (Arc::clone(api), Arc::clone(api));
    Router::new()
        .get("/", http::handler(move |_| status::answer(Arc::clone(&status_api))))
        .get("/.well-known/did.json", http::handler(move |_| std::future::ready(did::answer(&did_api))))
        .get("/robots.txt", http::handler(|_| async { Ok(http::text(StatusCode::OK, "User-agent: *\nDisallow: /xrpc/\n")) }))
}

/// A page whose numbers are of now.
fn fresh(body: String) -> Response {
    let mut response = http::html(StatusCode::OK, body);
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, POLICY);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
