//! How a request fails: a status, a name and a text, in the form that XRPC clients read. What went wrong inside is logged, never told.

use std::borrow::Cow;

use hyper::StatusCode;
use hyper::header::{HeaderName, HeaderValue};
use serde::Serialize;

use super::response::{Response, json};

/// `{"error": name, "message": text}` with a status.
#[derive(Debug, thiserror::Error)]
#[error("{error}: {message}")]
pub struct Failure {
    pub status: StatusCode,
    /// The name that clients branch on.
    pub error: Cow<'static, str>,
    pub message: Cow<'static, str>,
    /// What happened inside, for the log.
    #[source]
    pub cause: Option<anyhow::Error>,
    /// Headers that the answer has beside the usual ones.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
    message: &'a str,
}

impl Failure {
    #[must_use]
    pub fn new(status: StatusCode, error: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, error: error.into(), message: message.into(), cause: None, headers: Vec::new() }
    }

    /// 400 with a name that the method's lexicon declares.
    #[must_use]
    pub fn named(error: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, message)
    }

    /// 400 `InvalidRequest`.
    #[must_use]
    pub fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::named("InvalidRequest", message)
    }

    /// 404 of a path that nobody serves.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "NotFound", "Not Found")
    }

    /// 500; `cause` is logged and not told.
    #[must_use]
    pub fn internal(cause: impl Into<anyhow::Error>) -> Self {
        Self { cause: Some(cause.into()), ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", "Internal Server Error") }
    }

    /// 503: trying again later can help; `cause` is logged and not told.
    #[must_use]
    pub fn unavailable(cause: impl Into<anyhow::Error>) -> Self {
        Self { cause: Some(cause.into()), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", "Service Unavailable") }
    }

    /// The same, answered with a header more.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(super) fn response(&self) -> Response {
        json(self.status, &Body { error: &self.error, message: &self.message })
    }
}
