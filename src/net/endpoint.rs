//! Where a peer listens: scheme, host and port out of a URL.

use std::fmt;
use std::str::FromStr;

use hyper::Uri;

/// A host to connect to, with or without TLS.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// TLS: `wss://` or `https://`.
    pub secure: bool,
    /// Lower case; an IPv6 address without its brackets.
    pub host: String,
    pub port: u16,
}

/// The text is no address of a peer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    #[error("{0:?} is not a URL")]
    Syntax(String),
    #[error("{0:?} must begin with wss://, ws://, https:// or http://")]
    Scheme(String),
    #[error("{0:?} must not hold a user name or password")]
    UserInfo(String),
}

impl Endpoint {
    /// The name of this peer in keys and logs: its host, and its port where that is not the scheme's own.
    #[must_use]
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let own = if self.secure { 443 } else { 80 };
        if self.port == own { host } else { format!("{host}:{}", self.port) }
    }
}

/// Path and query of the URL are not looked at.
impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let syntax = || EndpointError::Syntax(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| syntax())?;
        let secure = match uri.scheme_str().map(str::to_ascii_lowercase).as_deref() {
            Some("wss" | "https") => true,
            Some("ws" | "http") => false,
            _ => return Err(EndpointError::Scheme(text.to_owned())),
        };
        let authority = uri.authority().ok_or_else(syntax)?;
        if authority.as_str().contains('@') {
            return Err(EndpointError::UserInfo(text.to_owned()));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        let port = match authority.as_str().rsplit_once(':') {
            Some((_, digits)) if !digits.ends_with(']') => digits.parse().map_err(|_| syntax())?,
            _ if secure => 443,
            _ => 80,
        };
        if host.is_empty() || port == 0 {
            return Err(syntax());
        }
        Ok(Self { secure, host, port })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.authority())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority(url: &str) -> String {
        url.parse::<Endpoint>().unwrap().authority()
    }

    #[test]
    fn the_name_of_a_peer_has_the_port_only_where_it_is_not_the_schemes_own() {
        assert_eq!(authority("wss://Bsky.Network"), "bsky.network");
        assert_eq!(authority("wss://bsky.network:443/xrpc"), "bsky.network");
        assert_eq!(authority("ws://bsky.network"), "bsky.network");
        assert_eq!(authority("ws://127.0.0.1:2470"), "127.0.0.1:2470");
        assert_eq!(authority("wss://relay.example:80"), "relay.example:80");
        assert_eq!(authority("http://[::1]:8080/"), "[::1]:8080");
        assert_eq!(authority("http://[2001:4860::1]"), "[2001:4860::1]");
    }

    #[test]
    fn what_is_no_peer_is_refused() {
        for wrong in ["", "bsky.network", "ftp://host", "wss://", "wss://a:b@host", "ws://host:99999", "ws://host:0", "/path"] {
            assert!(wrong.parse::<Endpoint>().is_err(), "{wrong:?}");
        }
    }
}
