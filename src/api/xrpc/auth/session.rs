//! Session tokens of an entryway: what a client got at its login, accepted where the operator names the entryway's key. Never one that is
//! bound to a key of the client's, since that proof is not here.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Number;

use super::{kind, refused};
use crate::atproto::{Did, Jwt, PublicKey};
use crate::http::Failure;

const SCOPES: [&str; 3] = ["com.atproto.access", "com.atproto.appPass", "com.atproto.appPassPrivileged"];

#[derive(Deserialize)]
struct Claims {
    sub: Option<String>,
    aud: Option<String>,
    scope: Option<String>,
    exp: Number,
    cnf: Option<IgnoredAny>,
}

/// Whether a token says of itself that it is one of a session.
pub(super) fn is(token: &str) -> bool {
    Jwt::parse(token).is_ok_and(|jwt| kind(&jwt) == "at+jwt")
}

/// The account whose session it is, at `now` (seconds since 1970).
pub(super) fn account(token: &str, entryway: Option<&PublicKey>, now: f64) -> Result<Did, Failure> {
    let invalid = |message: &'static str| refused("InvalidToken", message);
    let (Some(key), Ok(jwt)) = (entryway, Jwt::parse(token)) else { return Err(invalid("Malformed token")) };
    let unverified = || invalid("Token could not be verified");
    if jwt.header.alg != key.alg() || !key.verify(jwt.signed.as_bytes(), &jwt.signature) {
        return Err(unverified());
    }
    let claims: Claims = jwt.claims().map_err(|_| unverified())?;
    if claims.exp.as_f64().is_none_or(|exp| now > exp) {
        return Err(refused("ExpiredToken", "Token has expired"));
    }
    let did = claims.sub.and_then(|sub| sub.parse().ok()).ok_or_else(|| invalid("Malformed token"))?;
    if !claims.aud.is_some_and(|aud| aud.starts_with("did:web:") && aud.ends_with(".bsky.network")) {
        return Err(invalid("Bad token aud"));
    }
    if !claims.scope.is_some_and(|scope| SCOPES.contains(&scope.as_str())) {
        return Err(invalid("Bad token scope"));
    }
    if claims.cnf.is_some() { Err(invalid("Malformed token")) } else { Ok(did) }
}
