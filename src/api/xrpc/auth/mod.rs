//! Who calls. A request is somebody only by what was proven; whatever claims to be somebody and cannot prove it is refused, never taken for
//! less.

mod basic;
mod caller;
mod documents;
mod service;
mod session;
#[cfg(test)]
mod tests;

use std::time::{SystemTime, UNIX_EPOCH};

use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, HeaderMap};

use basic::Passwords;
pub(in crate::api) use caller::Caller;
use documents::Documents;
use service::{Issuers, Methods, Wanted};

use crate::atproto::{Did, Jwt, PublicKey};
use crate::config::Config;
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

/// What callers are judged by.
#[derive(Debug)]
pub(in crate::api) struct Auth {
    /// DID of this service; without one no token can be made for it.
    own: Option<String>,
    alternates: Vec<String>,
    mod_service: Option<String>,
    entryway: Option<PublicKey>,
    passwords: Passwords,
    impersonation: bool,
}

/// What a request brings along.
#[derive(Debug, Clone, Copy)]
enum Credentials<'a> {
    None,
    Bearer(&'a str),
    Basic(&'a str),
}

impl Auth {
    pub fn new(config: &Config) -> Self {
        let (service, admin) = (&config.service, &config.admin);
        Self {
            own: service.did.clone(),
            alternates: service.alternate_dids.clone(),
            mod_service: service.mod_service_did.clone(),
            entryway: service.entryway_key.as_deref().and_then(|key| PublicKey::from_did_key(key).ok()),
            passwords: Passwords::new(admin.password.iter().chain(&admin.passwords)),
            impersonation: admin.impersonation,
        }
    }

    /// The caller of `nsid`, or why the request is refused.
    ///
    /// # Errors
    /// 401 with the name of what is wrong; 502 where the issuer's key cannot be had for now.
    pub async fn caller(&self, nsid: &str, access: Access, headers: &HeaderMap, documents: &impl Documents) -> Result<Caller, Failure> {
        if access == Access::Open {
            return Ok(Caller::nobody());
        }
        match (credentials(headers), access) {
            (Credentials::Bearer(_), Access::Admin) | (Credentials::None, Access::Admin | Access::AdminOrModService) => Err(required()),
            (Credentials::Basic(_), Access::Admin | Access::AdminOrModService | Access::OptionalOrAdmin) => self.admin(headers),
            (Credentials::Basic(given), _) => self.impersonated(given, headers),
            (Credentials::Bearer(token), Access::AdminOrModService) => self.mod_service(token, nsid, documents).await,
            (Credentials::Bearer(token), _) => self.account(token, nsid, access, documents).await,
            (Credentials::None, Access::Required) => Err(refused("AuthMissing", "Authentication Required")),
            (Credentials::None, _) => Ok(Caller::nobody()),
        }
    }

    /// An admin by password; nobody else.
    ///
    /// # Errors
    /// 401.
    fn admin(&self, headers: &HeaderMap) -> Result<Caller, Failure> {
        match credentials(headers) {
            Credentials::Basic(given) if self.passwords.fit(given) => Ok(Caller::admin()),
            _ => Err(required()),
        }
    }

    fn impersonated(&self, given: &str, headers: &HeaderMap) -> Result<Caller, Failure> {
        let refused = |message| Err(refused("AuthenticationRequired", message));
        if !self.impersonation || !self.passwords.fit(given) {
            return refused("bad credentials");
        }
        let did = headers.get("appview-as-did").and_then(|did| did.to_str().ok()).and_then(|did| did.parse::<Did>().ok());
        did.map_or_else(|| refused("bad issuer"), |did| Ok(self.viewer(did)))
    }

    async fn account(&self, token: &str, nsid: &str, access: Access, documents: &impl Documents) -> Result<Caller, Failure> {
        if session::is(token) {
            // A session is of no use to a feed generator.
            let key = self.entryway.as_ref().filter(|_| access != Access::OptionalOfFeed);
            return session::account(token, key, now()).map(|did| self.viewer(did));
        }
        let methods = match access {
            Access::OptionalOfChat => Methods::OrChat,
            Access::OptionalOfFeed => Methods::OrSkeleton,
            _ => Methods::Own,
        };
        let audiences: Vec<&str> = self.own.iter().chain(&self.alternates).map(String::as_str).collect();
        let audiences = (access != Access::OptionalOfFeed).then_some(audiences.as_slice());
        let did = service::verify(token, Wanted { nsid, methods, audiences, issuers: Issuers::Any }, now(), documents).await?;
        Ok(self.viewer(did))
    }

    async fn mod_service(&self, token: &str, nsid: &str, documents: &impl Documents) -> Result<Caller, Failure> {
        let audiences: Vec<&str> = self.own.iter().map(String::as_str).collect();
        let issuers = Issuers::Only(self.mod_service.as_deref());
        let wanted = Wanted { nsid, methods: Methods::Own, audiences: Some(&audiences), issuers };
        service::verify(token, wanted, now(), documents).await?;
        Ok(Caller::mod_service())
    }

    fn viewer(&self, did: Did) -> Caller {
        if self.mod_service.as_deref() == Some(did.as_str()) { Caller::mod_service_as_viewer(did) } else { Caller::account(did) }
    }
}

/// Schemes that are none of ours prove nothing and claim nothing.
fn credentials(headers: &HeaderMap) -> Credentials<'_> {
    let text = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
    match scheme {
        _ if scheme.eq_ignore_ascii_case("bearer") => Credentials::Bearer(rest.trim()),
        _ if scheme.eq_ignore_ascii_case("basic") => Credentials::Basic(rest.trim()),
        _ => Credentials::None,
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

fn required() -> Failure {
    refused("AuthenticationRequired", "Authentication Required")
}

fn refused(name: &'static str, message: impl Into<std::borrow::Cow<'static, str>>) -> Failure {
    Failure::new(StatusCode::UNAUTHORIZED, name, message)
}

/// The `typ` of a token without the part that media types may leave out.
fn kind(jwt: &Jwt<'_>) -> String {
    let kind = jwt.header.typ.as_deref().unwrap_or_default().to_ascii_lowercase();
    kind.strip_prefix("application/").map(ToOwned::to_owned).unwrap_or(kind)
}
