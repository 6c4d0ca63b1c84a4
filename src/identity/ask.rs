//! Who is asked: the directory of did:plc, the hosts of did:web, DNS and the hosts of handles, or a resolver. One question, one answer;
//! remembers nothing but which hosts need a rest.

mod did;
mod handle;

use std::time::Duration;

use tokio::sync::Semaphore;

use super::IdentityError;
use super::hosts::{Hosts, Manners};
use crate::config::Config;
use crate::net::{Endpoint, Fetch, FetchError, Fetched, Fetcher, TxtResolver};
use crate::telemetry::Telemetry;

/// The operator's directory and resolver: asked again soon, since nothing can be said of anybody without them.
const OWN: Manners = Manners { at_once: 64, first_pause: Duration::from_millis(250), longest_pause: Duration::from_secs(2) };
/// Hosts that strangers name.
const STRANGERS: Manners = Manners { at_once: 8, first_pause: Duration::from_secs(2), longest_pause: Duration::from_mins(10) };
/// Questions of DNS at once.
const DNS_AT_ONCE: usize = 64;

/// Asks.
#[derive(Debug)]
pub struct Asker {
    plc_url: Box<str>,
    resolver_url: Option<Box<str>>,
    fetcher: Fetcher,
    txt: TxtResolver,
    dns: Semaphore,
    own: Hosts,
    strangers: Hosts,
    telemetry: Telemetry,
}

impl Asker {
    pub fn new(config: &Config, telemetry: &Telemetry) -> Self {
        let server = config.net.dns_server.as_deref().and_then(|server| server.parse().ok());
        let base = |url: &str| Box::from(url.trim_end_matches('/'));
        Self {
            plc_url: base(&config.identity.plc_url),
            resolver_url: config.identity.handle_resolver_url.as_deref().map(base),
            fetcher: Fetcher::new(&config.net),
            txt: TxtResolver::new(server),
            dns: Semaphore::new(DNS_AT_ONCE),
            own: Hosts::new(OWN),
            strangers: Hosts::new(STRANGERS),
            telemetry: telemetry.clone(),
        }
    }

    /// Asks one of the operator's services.
    async fn own(&self, to: &'static str, fetch: Fetch) -> Result<Fetched, FetchError> {
        self.visit(&self.own, to, fetch).await
    }

    /// Asks a host that a stranger named.
    async fn stranger(&self, to: &'static str, fetch: Fetch) -> Result<Fetched, FetchError> {
        self.visit(&self.strangers, to, fetch).await
    }

    async fn visit(&self, hosts: &Hosts, to: &'static str, fetch: Fetch) -> Result<Fetched, FetchError> {
        let host = fetch.url.parse::<Endpoint>().map_err(|_| FetchError::Url(fetch.url.clone()))?.host;
        let metrics = &self.telemetry.metrics().identity;
        let ask = async {
            metrics.requests.inc(to);
            self.fetcher.fetch(fetch).await
        };
        let answer = hosts
            .visit(&host, ask)
            .await
            .unwrap_or_else(|| Err(FetchError::Connect(format!("{host} failed and is not asked for a while"))));
        if answer.is_err() {
            metrics.failed.inc(to);
        }
        answer
    }
}

/// Top level names that name nobody, by the specification of handles.
const RESERVED: [&str; 8] = ["alt", "arpa", "example", "internal", "invalid", "local", "localhost", "onion"];

/// Whether a host name is of a domain that is never asked.
fn is_reserved(host: &str) -> bool {
    host.rsplit('.').next().is_none_or(|top| RESERVED.iter().any(|reserved| top.eq_ignore_ascii_case(reserved)))
}

fn unreachable(reason: impl std::fmt::Display) -> IdentityError {
    IdentityError::Unreachable(reason.to_string().into())
}

fn away(reason: impl std::fmt::Display) -> IdentityError {
    IdentityError::Away(reason.to_string().into())
}
