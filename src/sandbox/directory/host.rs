//! The host of the accounts (PDS), as far as clients need one to sign in: a session for whoever names an account, whatever the password,
//! and tokens of service auth for it. A session is a token that the account's own key signed; never keeps one.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::AUTHORIZATION;
use hyper::{Request, Response, StatusCode};
use serde_json::{Value, json};

use super::Directory;
use super::serve::{json, parameter, status};
use crate::atproto::jwt::{self, Claims};
use crate::atproto::{Jwt, SigningKey};

pub(super) const CREATE_SESSION: &str = "/xrpc/com.atproto.server.createSession";
pub(super) const GET_SERVICE_AUTH: &str = "/xrpc/com.atproto.server.getServiceAuth";

/// Longest body that is read.
const MAX_BODY: usize = 4096;
/// Whom the tokens of sessions are for.
const OWN: &str = "did:web:pds.sandbox.test";
/// How long a session lasts, in seconds.
const SESSION: u64 = 2 * 60 * 60;
/// How long a token of service auth lasts, in seconds, unless its asker says; and how long at most.
const TOKEN: u64 = 60;
const MAX_TOKEN: u64 = 60 * 60;

/// Why nothing is given: a name of the lexicon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Refused(StatusCode, &'static str);

const NOT_SIGNED_IN: Refused = Refused(StatusCode::UNAUTHORIZED, "InvalidToken");

impl Directory {
    /// Has the account's key at its host, which signs for it from now on.
    pub fn entrust(&self, did: &str, key: SigningKey) {
        self.state().secrets.insert(did.to_owned(), key);
    }

    /// Answers the methods of a host.
    pub(super) async fn answer_as_host(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if self.state().away {
            return status(StatusCode::SERVICE_UNAVAILABLE);
        }
        let answer = if request.uri().path() == CREATE_SESSION {
            Limited::new(request.into_body(), MAX_BODY).collect().await.map_err(|_| INVALID).and_then(|body| self.session(&body.to_bytes()))
        } else {
            let bearer = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
            self.service_auth(bearer.unwrap_or_default(), request.uri().query().unwrap_or_default())
        };
        answer.map_or_else(refusal, |body| json(body.to_string()))
    }

    /// `com.atproto.server.createSession`, for an account's DID or handle.
    fn session(&self, body: &[u8]) -> Result<Value, Refused> {
        let body: Value = serde_json::from_slice(body).map_err(|_| INVALID)?;
        let identifier = body["identifier"].as_str().ok_or(INVALID)?;
        let (did, key) = {
            let state = self.state();
            let did = state.handles.get(identifier).map_or(identifier, String::as_str).to_owned();
            let key = state.secrets.get(&did).cloned().ok_or(Refused(StatusCode::UNAUTHORIZED, "AuthenticationRequired"))?;
            (did, key)
        };
        let token = |lxm| token(&did, OWN, now() + SESSION, lxm, &key);
        Ok(json!({
            "did": did,
            "handle": self.verified(&did).unwrap_or_else(|| "handle.invalid".to_owned()),
            "active": true,
            "accessJwt": token(None),
            "refreshJwt": token(Some("com.atproto.server.refreshSession".to_owned())),
        }))
    }

    /// `com.atproto.server.getServiceAuth`, for the account of a session.
    fn service_auth(&self, session: &str, query: &str) -> Result<Value, Refused> {
        let jwt = Jwt::parse(session).map_err(|_| NOT_SIGNED_IN)?;
        let claims: Claims = jwt.claims().map_err(|_| NOT_SIGNED_IN)?;
        let key = self.state().secrets.get(&claims.iss).cloned().ok_or(NOT_SIGNED_IN)?;
        let lasts = claims.exp.as_u64().is_some_and(|exp| exp > now());
        let is_session = claims.aud == OWN && claims.lxm.is_none() && lasts;
        if !is_session || !key.public_key().verify(jwt.signed.as_bytes(), &jwt.signature) {
            return Err(NOT_SIGNED_IN);
        }
        let exp = match parameter(query, "exp") {
            None => now() + TOKEN,
            Some(exp) => exp.parse().ok().filter(|exp| (now()..=now() + MAX_TOKEN).contains(exp)).ok_or(BAD_EXPIRATION)?,
        };
        let aud = parameter(query, "aud").ok_or(INVALID)?;
        Ok(json!({ "token": token(&claims.iss, &aud, exp, parameter(query, "lxm"), &key) }))
    }
}

const INVALID: Refused = Refused(StatusCode::BAD_REQUEST, "InvalidRequest");
const BAD_EXPIRATION: Refused = Refused(StatusCode::BAD_REQUEST, "BadExpiration");

fn refusal(Refused(code, name): Refused) -> Response<Full<Bytes>> {
    let mut response = json(json!({"error": name, "message": "refused by the sandbox"}).to_string());
    *response.status_mut() = code;
    response
}

fn token(did: &str, aud: &str, exp: u64, lxm: Option<String>, key: &SigningKey) -> String {
    jwt::issue(&Claims { iss: did.to_owned(), aud: aud.to_owned(), exp: exp.into(), lxm }, key)
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::super::Account;
    use super::*;

    const ALICE: &str = "did:web:alice.sandbox.test";
    const BOB: &str = "did:web:bob.sandbox.test";
    const QUERY: &str = "aud=did%3Aplc%3Aview%23bsky_appview&lxm=app.bsky.feed.getTimeline";

    fn directory() -> Directory {
        let directory = Directory::default();
        for (did, secret) in [(ALICE, 1), (BOB, 2)] {
            let key = SigningKey::from_bytes([secret; 32]).unwrap();
            directory.set(did, Account::new(did.strip_prefix("did:web:"), key.multibase()));
            directory.entrust(did, key);
        }
        directory
    }

    fn session(directory: &Directory, identifier: &str) -> Result<Value, Refused> {
        directory.session(json!({"identifier": identifier, "password": "any"}).to_string().as_bytes())
    }

    #[test]
    fn who_has_an_account_signs_in_by_handle_or_did_and_gets_tokens_of_its_key() {
        let directory = directory();
        for identifier in [ALICE, "alice.sandbox.test"] {
            let session = session(&directory, identifier).unwrap();
            assert_eq!((&session["did"], &session["handle"]), (&ALICE.into(), &"alice.sandbox.test".into()));
            let given = directory.service_auth(session["accessJwt"].as_str().unwrap(), QUERY).unwrap();
            let jwt = Jwt::parse(given["token"].as_str().unwrap()).unwrap();
            let claims: Claims = jwt.claims().unwrap();
            assert_eq!((claims.iss.as_str(), claims.aud.as_str()), (ALICE, "did:plc:view#bsky_appview"));
            assert_eq!(claims.lxm.as_deref(), Some("app.bsky.feed.getTimeline"));
            assert!(SigningKey::from_bytes([1; 32]).unwrap().public_key().verify(jwt.signed.as_bytes(), &jwt.signature));
        }
        for unknown in ["", "nobody.sandbox.test", "did:web:nobody.sandbox.test"] {
            assert_eq!(session(&directory, unknown), Err(Refused(StatusCode::UNAUTHORIZED, "AuthenticationRequired")));
        }
        assert_eq!(directory.session(b"[]"), Err(INVALID));
    }

    #[test]
    fn only_a_session_of_the_account_gets_tokens() {
        let directory = directory();
        let held = session(&directory, ALICE).unwrap();
        let access = held["accessJwt"].as_str().unwrap();
        let key = |secret| SigningKey::from_bytes([secret; 32]).unwrap();
        let service = directory.service_auth(access, QUERY).unwrap();
        for bad in [
            "",
            "a.b.c",
            held["refreshJwt"].as_str().unwrap(),
            service["token"].as_str().unwrap(),
            &token(ALICE, OWN, now() + 9, None, &key(2)),
            &token(ALICE, OWN, now(), None, &key(1)),
            &token("did:web:nobody.sandbox.test", OWN, now() + 9, None, &key(1)),
        ] {
            assert_eq!(directory.service_auth(bad, QUERY), Err(NOT_SIGNED_IN), "{bad}");
        }
        assert_eq!(directory.service_auth(access, "lxm=a.b.c"), Err(INVALID));
        assert_eq!(directory.service_auth(access, "aud=did:plc:view&exp=1"), Err(BAD_EXPIRATION));
    }
}
