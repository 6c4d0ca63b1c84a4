//! DIDs to documents. Never follows a did:web with a path, and never one to another port than its scheme's, but for `localhost`.

use hyper::StatusCode;

use super::{Asker, away, is_reserved, unreachable};
use crate::atproto::{Did, handle};
use crate::identity::{Document, IdentityError};
use crate::net::{Fetch, FetchError, Reach};

impl Asker {
    /// The document of `did`, as it is now.
    pub async fn document(&self, did: &Did) -> Result<Document, IdentityError> {
        let bytes = match did.as_str().split(':').collect::<Vec<_>>()[..] {
            ["did", "plc", id] if is_plc(id) => self.plc(did).await?,
            ["did", "web", host] => self.web(host).await?,
            _ => return Err(IdentityError::Unsupported),
        };
        Document::parse(did, &bytes)
    }

    async fn plc(&self, did: &Did) -> Result<bytes::Bytes, IdentityError> {
        let fetch = Fetch::get(format!("{}/{did}", self.plc_url), Reach::Any);
        match self.own("plc", fetch).await {
            Ok(answer) if answer.status == StatusCode::OK => Ok(answer.body),
            Ok(answer) if is_gone(answer.status) => Err(IdentityError::NotFound),
            Ok(answer) => Err(away(format_args!("{} answered {}", self.plc_url, answer.status))),
            Err(error @ FetchError::TooLong(_)) => Err(IdentityError::invalid(error.to_string())),
            Err(error) => Err(away(error)),
        }
    }

    async fn web(&self, id: &str) -> Result<bytes::Bytes, IdentityError> {
        let url = web_url(id).ok_or(IdentityError::Unsupported)?;
        match self.stranger("did_web", Fetch::get(url, Reach::Public).redirects(super::handle::REDIRECTS)).await {
            Ok(answer) if answer.status == StatusCode::OK => Ok(answer.body),
            Ok(answer) if is_gone(answer.status) => Err(IdentityError::NotFound),
            Ok(answer) => Err(unreachable(format_args!("{id} answered {}", answer.status))),
            Err(error @ FetchError::TooLong(_)) => Err(IdentityError::invalid(error.to_string())),
            Err(error) => Err(unreachable(error)),
        }
    }
}

/// 410: a tombstone.
fn is_gone(status: StatusCode) -> bool {
    matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE)
}

/// 24 characters of base32; anything else would be a path of the directory.
fn is_plc(id: &str) -> bool {
    id.len() == 24 && id.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'))
}

/// Where the document of `did:web:<id>` lies.
fn web_url(id: &str) -> Option<String> {
    if let Some(port) = id.strip_prefix("localhost%3A").or_else(|| id.strip_prefix("localhost%3a")) {
        return port.parse::<u16>().ok().map(|port| format!("http://localhost:{port}/.well-known/did.json"));
    }
    (handle::is_valid(id) && !is_reserved(id)).then(|| format!("https://{}/.well-known/did.json", id.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_did_web_is_a_host_and_nothing_else() {
        assert_eq!(web_url("Mod.bsky.app").as_deref(), Some("https://mod.bsky.app/.well-known/did.json"));
        assert_eq!(web_url("localhost%3A2583").as_deref(), Some("http://localhost:2583/.well-known/did.json"));
        for refused in ["a.test%3A80", "127.0.0.1", "localhost", "a.test%2Fpath", "a.internal", "localhost%3A80%2F", "a", "", "a.example"] {
            assert_eq!(web_url(refused), None, "{refused}");
        }
    }

    #[test]
    fn a_did_plc_is_24_letters_of_base32() {
        assert!(is_plc("aliceaaaaaaaaaaaaaaaaaaa"));
        for refused in ["", "alice", "aliceaaaaaaaaaaaaaaaaaa1", "ALICEaaaaaaaaaaaaaaaaaaa", "../..aaaaaaaaaaaaaaaaaaa"] {
            assert!(!is_plc(refused), "{refused}");
        }
    }
}
