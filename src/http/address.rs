//! Whose request it is: the peer's address, or what a proxy that we trust says of it. Never believes a header from anyone else.

use std::net::{IpAddr, Ipv6Addr};

use hyper::HeaderMap;

/// The proxies whose `X-Forwarded-For` is believed.
#[derive(Debug, Clone, Default)]
pub struct Proxies(Vec<IpAddr>);

impl Proxies {
    #[must_use]
    pub fn new(trusted: &[IpAddr]) -> Self {
        Self(trusted.iter().map(IpAddr::to_canonical).collect())
    }

    /// The client: from the right of `X-Forwarded-For`, the first address that is no trusted proxy; without one, the peer.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.0.contains(&peer) {
            return peer;
        }
        let named: Vec<&str> =
            headers.get_all("x-forwarded-for").iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(',')).collect();
        let mut client = peer;
        for text in named.into_iter().rev() {
            let Ok(address) = text.trim().parse::<IpAddr>() else { break };
            client = address.to_canonical();
            if !self.0.contains(&client) {
                break;
            }
        }
        client
    }
}

/// What is counted as one client: an IPv4 address, or the /64 of an IPv6 one, since whoever has one of those has all of it.
#[must_use]
pub fn block(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn forwarded(values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_header_counts_only_from_a_trusted_proxy() {
        let proxies = Proxies::new(&[ip("127.0.0.1"), ip("10.0.0.9")]);
        let headers = forwarded(&["1.1.1.1, 6.6.6.6", "10.0.0.9"]);
        assert_eq!(proxies.client(ip("5.5.5.5"), &headers), ip("5.5.5.5"));
        assert_eq!(proxies.client(ip("::ffff:127.0.0.1"), &headers), ip("6.6.6.6"), "what the client itself wrote is left of it");
        assert_eq!(proxies.client(ip("127.0.0.1"), &forwarded(&["unknown"])), ip("127.0.0.1"));
        assert_eq!(proxies.client(ip("127.0.0.1"), &HeaderMap::new()), ip("127.0.0.1"));
    }

    #[test]
    fn neighbours_of_a_64_are_one() {
        assert_eq!(block(ip("2001:db8::1")), block(ip("2001:db8::2:3")));
        assert_ne!(block(ip("2001:db8:0:1::1")), block(ip("2001:db8::1")));
    }
}
