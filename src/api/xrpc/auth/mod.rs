//! Who calls. A request is somebody only by what was proven; whatever cannot be proven is refused, never taken for less.

mod caller;

use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, HeaderMap};

pub(in crate::api) use caller::Caller;

use crate::api::Api;
use crate::http::Failure;

/// Who may call a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::api) enum Access {
    /// Anyone; nobody is asked who they are.
    Open,
    /// Anyone; who says who they are must prove it.
    Optional,
    /// As [`Access::Optional`], also with a token made for any method of `chat.bsky`.
    OptionalOfChat,
    /// As [`Access::Optional`], also with a token made for `app.bsky.feed.getFeedSkeleton`, whoever its audience is: it is passed on to the
    /// feed generator.
    OptionalOfFeed,
    /// As [`Access::Optional`], and admins.
    OptionalOrAdmin,
    /// Accounts.
    Required,
    Admin,
    AdminOrModService,
}

/// The caller of `nsid`, or why the request is refused.
pub(in crate::api) async fn caller(_api: &Api, _nsid: &str, access: Access, headers: &HeaderMap) -> Result<Caller, Failure> {
    match access {
        Access::Required => Err(refused("AuthMissing")),
        Access::Admin | Access::AdminOrModService => Err(refused("AuthenticationRequired")),
        _ if headers.contains_key(AUTHORIZATION) && access != Access::Open => Err(refused("AuthenticationRequired")),
        _ => Ok(Caller::nobody()),
    }
}

fn refused(name: &'static str) -> Failure {
    Failure::new(StatusCode::UNAUTHORIZED, name, "Authentication Required")
}
