//! Answers, whole in memory, and the headers that every one of them carries.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{self, HeaderValue};
use hyper::{HeaderMap, StatusCode};
use serde::Serialize;

/// An answer whose body is complete.
pub type Response = hyper::Response<Full<Bytes>>;

/// Browsers may keep a preflight's answer for a day.
const PREFLIGHT_SECONDS: HeaderValue = HeaderValue::from_static("86400");
/// Headers of ours that scripts of other origins may read.
const EXPOSED: HeaderValue = HeaderValue::from_static("atproto-repo-rev, atproto-content-labelers, content-language, retry-after");
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, OPTIONS");
const ANY: HeaderValue = HeaderValue::from_static("*");

/// After a 429 or 503: what a client is refused by, a moment's crowd or a server that starts again, is over in seconds or not at all.
const RETRY_SECONDS: u32 = 1;

/// Most answers fit in what is taken for them at first; longer ones grow.
const COMMON_LENGTH: usize = 16 << 10;

/// `body` as JSON. A body that cannot be written is a mistake in a view's type: it is logged and becomes a 500.
pub fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let mut written = Vec::with_capacity(COMMON_LENGTH);
    match serde_json::to_writer(&mut written, body).map(|()| written) {
        Ok(body) => bytes(status, "application/json; charset=utf-8", body),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            let body = &br#"{"error":"InternalServerError","message":"Internal Server Error"}"#[..];
            bytes(StatusCode::INTERNAL_SERVER_ERROR, "application/json; charset=utf-8", body)
        }
    }
}

pub fn text(status: StatusCode, body: impl Into<Bytes>) -> Response {
    bytes(status, "text/plain; charset=utf-8", body)
}

/// An answer without a body.
pub fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

pub fn html(status: StatusCode, body: impl Into<Bytes>) -> Response {
    bytes(status, "text/html; charset=utf-8", body)
}

pub fn bytes(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The answer to OPTIONS: any origin may call, with the headers that it asks for.
pub(super) fn preflight(request: &HeaderMap) -> Response {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS);
    // `*` does not cover Authorization, so what is asked for is repeated.
    let asked = request.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned().unwrap_or(ANY);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked);
    headers.insert(header::VARY, HeaderValue::from_static("access-control-request-headers"));
    response
}

/// What every answer tells a browser: any origin may read it. Credentials travel in Authorization, never in cookies.
pub(super) fn share(response: &mut Response) {
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
    response.headers_mut().insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
}

/// The answer to HEAD: the head of the answer to GET.
pub(super) fn without_body(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    let len = hyper::body::Body::size_hint(&body).exact().unwrap_or(0);
    head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(len));
    Response::from_parts(head, Full::default())
}

/// Says when to come back, where that is not said already.
pub(super) fn retry_after(response: &mut Response) {
    response.headers_mut().entry(header::RETRY_AFTER).or_insert(HeaderValue::from(RETRY_SECONDS));
}

/// Says how to prove who calls.
pub(super) fn challenge(response: &mut Response) {
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
}
