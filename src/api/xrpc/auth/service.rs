//! Service auth: tokens that an account's host signs with the account's key, for one service and one method. Checked in the reference's order
//! and refused in its words; nothing of a token is used before all of it holds.
//!
//! Source: <https://atproto.com/specs/xrpc#inter-service-authentication-jwt>.

use hyper::StatusCode;

use super::documents::{Documents, Keys, Unresolved};
use super::{kind, refused};
use crate::atproto::jwt::Claims;
use crate::atproto::{Did, Jwt, PublicKey};
use crate::http::Failure;

/// What a token must be made for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// The method that is called.
    pub nsid: &'a str,
    pub methods: Methods,
    /// DIDs, each also with the fragment of a service of ours; `None`: whoever it is for.
    pub audiences: Option<&'a [&'a str]>,
    pub issuers: Issuers<'a>,
}

/// The methods that a token may be made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Methods {
    /// The one that is called.
    Own,
    /// It, or any of `chat.bsky`.
    OrChat,
    /// It, or `app.bsky.feed.getFeedSkeleton`.
    OrSkeleton,
}

/// Who may have made it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Issuers<'a> {
    Any,
    /// This one, where there is one, also as a labeler.
    Only(Option<&'a str>),
}

/// The key of an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyId {
    Account,
    Labeler,
}

impl KeyId {
    fn of(self, keys: Keys) -> Option<PublicKey> {
        match self {
            Self::Account => keys.account,
            Self::Labeler => keys.labeler,
        }
    }
}

/// The old way in which labelers say whose key it is.
const LABELER: &str = "atproto_labeler";

/// The account that made `token`, at `now` (seconds since 1970).
pub(super) async fn verify(token: &str, wanted: Wanted<'_>, now: f64, documents: &impl Documents) -> Result<Did, Failure> {
    let jwt = Jwt::parse(token).map_err(|_| malformed())?;
    let kind = kind(&jwt);
    if matches!(kind.as_str(), "at+jwt" | "refresh+jwt" | "dpop+jwt") {
        return Err(refused("BadJwtType", format!("Invalid jwt type \"{kind}\"")));
    }
    let claims: Claims = jwt.claims().map_err(|_| malformed())?;
    if claims.exp.as_f64().is_none_or(|exp| now > exp) {
        return Err(refused("JwtExpired", "jwt expired"));
    }
    if !wanted.is_audience(&claims.aud) {
        return Err(refused("BadJwtAudience", "jwt audience does not match service did"));
    }
    let (did, service) = issuer(&claims.iss)?;
    wanted.trusts(&did, service)?;
    let id = key_id(service, jwt.header.kid.as_deref())?;
    signature_holds(&jwt, &did, id, documents).await?;
    wanted.is_made_for(service, claims.lxm.as_deref())?;
    Ok(did)
}

impl Wanted<'_> {
    fn is_audience(&self, aud: &str) -> bool {
        let Some(audiences) = self.audiences else { return true };
        let (did, service) = aud.split_once('#').map_or((aud, None), |(did, service)| (did, Some(service)));
        let is_ours = match service {
            None | Some("bsky_appview") => true,
            Some("bsky_notif") => self.nsid.starts_with("app.bsky.notification."),
            Some(_) => false,
        };
        is_ours && audiences.contains(&did)
    }

    fn trusts(&self, did: &Did, service: Option<&str>) -> Result<(), Failure> {
        let is_trusted = match self.issuers {
            Issuers::Any => true,
            Issuers::Only(only) => only == Some(did.as_str()) && matches!(service, None | Some(LABELER)),
        };
        if is_trusted { Ok(()) } else { Err(refused("UntrustedIss", "Untrusted issuer")) }
    }

    /// Labelers of the old way may leave out what their token is for.
    fn is_made_for(&self, service: Option<&str>, lxm: Option<&str>) -> Result<(), Failure> {
        let fits = match (lxm, self.methods) {
            (None, _) => service == Some(LABELER),
            (Some(lxm), _) if lxm == self.nsid => true,
            (Some(lxm), Methods::OrChat) => lxm.starts_with("chat.bsky."),
            (Some(lxm), Methods::OrSkeleton) => lxm == "app.bsky.feed.getFeedSkeleton",
            (Some(_), Methods::Own) => false,
        };
        let what = if lxm.is_some() { "bad" } else { "missing" };
        let message = || format!("{what} jwt lexicon method (\"lxm\"). must match: {}", self.nsid);
        if fits { Ok(()) } else { Err(refused("BadJwtLexiconMethod", message())) }
    }
}

fn malformed() -> Failure {
    refused("BadJwt", "poorly formatted jwt")
}

/// A DID, perhaps with the fragment of one of its services.
fn issuer(iss: &str) -> Result<(Did, Option<&str>), Failure> {
    let (did, service) = iss.split_once('#').map_or((iss, None), |(did, service)| (did, Some(service)));
    let is_service =
        |service: &str| !service.is_empty() && service.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b) || b == b':');
    let did = did.parse().ok().filter(|_| service.is_none_or(is_service));
    did.map(|did| (did, service)).ok_or_else(|| refused("BadJwtIss", "jwt iss is not a valid did"))
}

/// The key that the issuer says it signed with. A `kid` that names another than the issuer does is a contradiction.
fn key_id(service: Option<&str>, kid: Option<&str>) -> Result<KeyId, Failure> {
    let is_labeler = service == Some(LABELER);
    match kid {
        None if is_labeler => Ok(KeyId::Labeler),
        None => Ok(KeyId::Account),
        Some("#atproto") if !is_labeler => Ok(KeyId::Account),
        Some("#atproto_label") if is_labeler || service.is_none() => Ok(KeyId::Labeler),
        Some(_) => Err(refused("BadJwt", "jwt kid does not name a key of the issuer")),
    }
}

/// A key may have changed since it was cached: where the signature does not fit, it is asked for once more.
async fn signature_holds(jwt: &Jwt<'_>, did: &Did, id: KeyId, documents: &impl Documents) -> Result<(), Failure> {
    if !matches!(jwt.header.alg.as_str(), "ES256K" | "ES256") {
        return Err(unverifiable());
    }
    let key = key(did, id, false, documents).await?;
    if holds(jwt, &key) {
        return Ok(());
    }
    let fresh = self::key(did, id, true, documents).await?;
    if fresh != key && holds(jwt, &fresh) {
        return Ok(());
    }
    let mismatch = || refused("BadJwtSignature", "jwt signature does not match jwt issuer");
    Err(if fresh.alg() == jwt.header.alg { mismatch() } else { unverifiable() })
}

fn unverifiable() -> Failure {
    refused("BadJwtSignature", "could not verify jwt signature")
}

/// The algorithm is the key's, never the token's to choose.
fn holds(jwt: &Jwt<'_>, key: &PublicKey) -> bool {
    key.alg() == jwt.header.alg && key.verify_malleable(jwt.signed.as_bytes(), &jwt.signature)
}

async fn key(did: &Did, id: KeyId, fresh: bool, documents: &impl Documents) -> Result<PublicKey, Failure> {
    let keys = documents.keys(did, fresh).await.map_err(|unresolved| match unresolved {
        Unresolved::Unknown => refused("AuthenticationRequired", "identity unknown"),
        // Whoever asks was told by the token: a failure of its host, or of the directory, which is logged where it is asked.
        Unresolved::Unreachable => {
            Failure::new(StatusCode::BAD_GATEWAY, "UpstreamFailure", "identity of the jwt issuer cannot be resolved")
        }
    })?;
    id.of(keys).ok_or_else(|| refused("AuthenticationRequired", "missing or bad key"))
}
