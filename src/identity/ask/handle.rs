//! Handles to DIDs: a resolver where one is set, else DNS first and then the handle's own host.
//!
//! Source: <https://atproto.com/specs/handle#handle-resolution>.

use std::time::Duration;

use hyper::StatusCode;
use serde::Deserialize;

use super::{Asker, away, is_reserved, unreachable};
use crate::atproto::Did;
use crate::identity::IdentityError;
use crate::net::{Fetch, FetchError, Reach, TxtError};

/// Redirects of a host that are followed.
pub(super) const REDIRECTS: u8 = 3;
/// Longest answer of a handle's host: a DID has up to 2 KiB.
const MOST: usize = 4096;
/// A handle's host has this long; most handles are asked for while somebody waits.
const WITHIN: Duration = Duration::from_secs(5);

impl Asker {
    /// The DID that a valid `handle` in lower case names; `None`: nobody's.
    pub async fn handle(&self, handle: &str) -> Result<Option<Did>, IdentityError> {
        if is_reserved(handle) {
            return Ok(None);
        }
        if let Some(resolver) = &self.resolver_url {
            return self.resolver(resolver, handle).await;
        }
        let unasked = match self.dns(handle).await {
            Ok(Texts::Did(did)) => return Ok(Some(did)),
            Ok(Texts::Several) => return Ok(None),
            Ok(Texts::None) => None,
            Err(error) => Some(error),
        };
        match self.well_known(handle).await? {
            // Nobody's, unless the name servers would have said otherwise.
            None => unasked.map_or(Ok(None), |error| Err(unreachable(error))),
            found => Ok(found),
        }
    }

    async fn resolver(&self, resolver: &str, handle: &str) -> Result<Option<Did>, IdentityError> {
        #[derive(Deserialize)]
        struct Output {
            did: String,
        }
        let url = format!("{resolver}/xrpc/com.atproto.identity.resolveHandle?handle={handle}");
        let answer = self.own("resolver", Fetch::get(url, Reach::Any).most(MOST)).await.map_err(away)?;
        match answer.status {
            StatusCode::OK => Ok(serde_json::from_slice::<Output>(&answer.body).ok().and_then(|output| output.did.parse().ok())),
            StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND => Ok(None),
            status => Err(away(format_args!("{resolver} answered {status}"))),
        }
    }

    async fn dns(&self, handle: &str) -> Result<Texts, TxtError> {
        if self.fetcher.has_detour(handle) {
            return Ok(Texts::None);
        }
        let _slot = self.dns.acquire().await;
        let metrics = &self.telemetry.metrics().identity;
        metrics.requests.inc("dns");
        match self.txt.txt(&format!("_atproto.{handle}")).await {
            Ok(texts) => Ok(Texts::of(&texts)),
            // Too long for DNS with its prefix.
            Err(TxtError::Name(_)) => Ok(Texts::None),
            Err(error) => {
                metrics.failed.inc("dns");
                Err(error)
            }
        }
    }

    async fn well_known(&self, handle: &str) -> Result<Option<Did>, IdentityError> {
        let url = format!("https://{handle}/.well-known/atproto-did");
        let fetch = Fetch::get(url, Reach::Public).most(MOST).within(WITHIN).redirects(REDIRECTS);
        match self.stranger("well_known", fetch).await {
            Ok(answer) if answer.status == StatusCode::OK => {
                Ok(std::str::from_utf8(&answer.body).ok().and_then(|text| text.trim().parse().ok()))
            }
            Ok(answer) if answer.status.is_server_error() || answer.status == StatusCode::TOO_MANY_REQUESTS => {
                Err(unreachable(format_args!("{handle} answered {}", answer.status)))
            }
            Ok(_) | Err(FetchError::Private(_) | FetchError::TooLong(_) | FetchError::Redirect(_) | FetchError::Url(_)) => Ok(None),
            Err(error) => Err(unreachable(error)),
        }
    }
}

/// What the TXT records of a handle say.
#[derive(Debug, PartialEq, Eq)]
enum Texts {
    None,
    Did(Did),
    /// More than one DID: then it is none.
    Several,
}

impl Texts {
    fn of(texts: &[String]) -> Self {
        let mut dids: Vec<Did> = texts.iter().filter_map(|text| text.strip_prefix("did=")?.trim().parse().ok()).collect();
        dids.sort_unstable();
        dids.dedup();
        match (dids.pop(), dids.is_empty()) {
            (None, _) => Self::None,
            (Some(did), true) => Self::Did(did),
            (Some(_), false) => Self::Several,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_records_of_a_handle_name_one_did_or_none() {
        let of = |texts: &[&str]| Texts::of(&texts.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(of(&["v=spf1", "did=did:web:a.test"]), Texts::Did("did:web:a.test".parse().unwrap()));
        assert_eq!(of(&["did=did:web:a.test", "did=did:web:a.test"]), Texts::Did("did:web:a.test".parse().unwrap()));
        assert_eq!(of(&["did=did:web:a.test", "did=did:web:b.test"]), Texts::Several);
        assert_eq!(of(&["did=nobody", "other"]), Texts::None);
    }
}
