//! Outgoing HTTP requests: bounded in time, bytes and redirects. Where a stranger named the host, every connection of a request, those of
//! its redirects too, goes to the public internet only.
//!
//! Never follows a redirect from https to http, never sends what was meant for one host to another.

use std::error::Error as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::header::{HOST, HeaderValue, LOCATION, USER_AGENT};
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Uri, body::Incoming};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tower_service::Service;

use super::{ConnectError, Endpoint, Reach, Stream, connect};
use crate::config::net::Net;

/// Longest body that is read unless [`Fetch::most`] says otherwise: a DID document has a few KiB.
const MOST: usize = 64 * 1024;
/// Time for a whole request unless [`Fetch::within`] says otherwise.
const WITHIN: Duration = Duration::from_secs(10);
/// Open connections that wait for the next request, a host.
const IDLE_PER_HOST: usize = 8;
/// How long they wait.
const IDLE: Duration = Duration::from_secs(30);
/// Bytes of an answer's head, and of what is read at once.
const MAX_HEAD: usize = 64 * 1024;
/// Headers of an answer.
const MAX_HEADERS: usize = 64;
/// Longest URL that is asked for, in bytes.
const MAX_URL: usize = 8 * 1024;

/// Sends requests; one a process or role, so that connections are used again.
#[derive(Debug)]
pub struct Fetcher {
    any: Client<Connector, Full<Bytes>>,
    /// Apart: a connection that was opened for the operator must not be used for a stranger.
    public: Client<Connector, Full<Bytes>>,
    detour: Option<Arc<Detour>>,
}

/// A request.
#[derive(Debug, Clone)]
pub struct Fetch {
    pub method: Method,
    pub url: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// Who named the host.
    pub reach: Reach,
    /// Longest body, in bytes.
    pub most: usize,
    /// Time from here to the body's last byte, redirects included.
    pub within: Duration,
    /// Redirects that are followed; each is guarded as the request itself.
    pub redirects: u8,
}

/// An answer, whatever its status.
#[derive(Debug, Clone)]
pub struct Fetched {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// There is no whole answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    #[error("{0:?} cannot be asked for")]
    Url(String),
    /// A stranger named a host inside.
    #[error("{0}")]
    Private(String),
    #[error("{0}")]
    Connect(String),
    #[error("HTTP failed: {0}")]
    Http(String),
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    #[error("no whole answer within {} ms", .0.as_millis())]
    Timeout(Duration),
    #[error("redirected to {0:?}, which is not followed")]
    Redirect(String),
}

impl Fetch {
    /// A GET without redirects, with the usual bounds.
    pub fn get(url: impl Into<String>, reach: Reach) -> Self {
        Self {
            method: Method::GET,
            url: url.into(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            reach,
            most: MOST,
            within: WITHIN,
            redirects: 0,
        }
    }

    /// With another bound of the body, in bytes.
    pub fn most(mut self, bytes: usize) -> Self {
        self.most = bytes;
        self
    }

    /// With another deadline.
    pub fn within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }

    /// With so many redirects.
    pub fn redirects(mut self, redirects: u8) -> Self {
        self.redirects = redirects;
        self
    }
}

/// As no option says otherwise.
impl Default for Fetcher {
    fn default() -> Self {
        Self::new(&Net::default())
    }
}

impl Fetcher {
    #[must_use]
    pub fn new(net: &Net) -> Self {
        let detour = net.connect_to.as_deref().and_then(Detour::parse).map(Arc::new);
        let public = if net.disable_ssrf_protection { Reach::Any } else { Reach::Public };
        let client = |reach| client(Connector { reach, detour: detour.clone() });
        Self { any: client(Reach::Any), public: client(public), detour: detour.clone() }
    }

    /// Whether `host` is reached at another address than its own (`net.connect_to`).
    #[must_use]
    pub fn has_detour(&self, host: &str) -> bool {
        self.detour.as_ref().is_some_and(|detour| detour.takes(host))
    }

    /// Sends the request and reads the answer.
    ///
    /// # Errors
    /// No whole answer within the bounds; any status is an answer.
    pub async fn fetch(&self, fetch: Fetch) -> Result<Fetched, FetchError> {
        let (most, within) = (fetch.most, fetch.within);
        let answer = async {
            let response = self.follow(fetch).await?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, most).collect().await.map_err(|error| match error.downcast_ref::<LengthLimitError>() {
                Some(_) => FetchError::TooLong(most),
                None => FetchError::Http(error.to_string()),
            })?;
            Ok(Fetched { status: head.status, headers: head.headers, body: body.to_bytes() })
        };
        tokio::time::timeout(within, answer).await.unwrap_or(Err(FetchError::Timeout(within)))
    }

    async fn follow(&self, mut fetch: Fetch) -> Result<Response<Incoming>, FetchError> {
        let client = if fetch.reach == Reach::Any { &self.any } else { &self.public };
        loop {
            let url = check(&fetch.url)?;
            let response = client.request(request(&fetch, &url)?).await.map_err(|error| failure(&error))?;
            let followed = fetch.redirects > 0 && fetch.method == Method::GET && response.status().is_redirection();
            let Some(location) = response.headers().get(LOCATION).filter(|_| followed) else { return Ok(response) };
            let next = location.to_str().ok().and_then(|to| target(&url, to));
            let Some(next) = next else { return Err(FetchError::Redirect(format!("{location:?}"))) };
            if next.authority() != url.authority() {
                fetch.headers.clear();
            }
            (fetch.url, fetch.redirects) = (next.to_string(), fetch.redirects - 1);
        }
    }
}

fn client(connector: Connector) -> Client<Connector, Full<Bytes>> {
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(IDLE_PER_HOST)
        .http1_max_buf_size(MAX_HEAD)
        .http1_max_headers(MAX_HEADERS)
        .build(connector)
}

fn check(url: &str) -> Result<Uri, FetchError> {
    let fit = url.len() <= MAX_URL && url.parse::<Endpoint>().is_ok();
    url.parse::<Uri>().ok().filter(|_| fit).ok_or_else(|| FetchError::Url(url.chars().take(200).collect()))
}

fn request(fetch: &Fetch, url: &Uri) -> Result<Request<Full<Bytes>>, FetchError> {
    let mut request = Request::new(Full::new(fetch.body.clone()));
    *request.method_mut() = fetch.method.clone();
    *request.uri_mut() = url.clone();
    *request.headers_mut() = fetch.headers.clone();
    let host = url.authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    request.headers_mut().insert(HOST, host.ok_or_else(|| FetchError::Url(fetch.url.clone()))?);
    request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(concat!("appviewd/", env!("CARGO_PKG_VERSION"))));
    Ok(request)
}

/// Where a redirect leads: another https URL, or a path of the same host.
fn target(from: &Uri, to: &str) -> Option<Uri> {
    if to.starts_with('/') && !to.starts_with("//") {
        return format!("{}://{}{to}", from.scheme_str()?, from.authority()?).parse().ok();
    }
    let uri: Uri = to.parse().ok()?;
    let fit = uri.scheme_str() == Some("https") || (uri.scheme_str() == Some("http") && from.scheme_str() == Some("http"));
    fit.then_some(uri)
}

fn failure(error: &ClientError) -> FetchError {
    let mut cause = error.source();
    while let Some(found) = cause {
        match found.downcast_ref::<ConnectError>() {
            Some(private @ ConnectError::Private { .. }) => return FetchError::Private(private.to_string()),
            Some(other) => return FetchError::Connect(other.to_string()),
            None => cause = found.source(),
        }
    }
    let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    FetchError::Http(cause)
}

/// Hosts under `suffix` are reached at `to`.
#[derive(Debug)]
struct Detour {
    suffix: String,
    to: Endpoint,
}

impl Detour {
    /// `suffix=http://host:port`; a text of another form was refused when the options were read.
    fn parse(text: &str) -> Option<Self> {
        let (suffix, to) = text.split_once('=')?;
        Some(Self { suffix: suffix.to_ascii_lowercase(), to: to.parse().ok()? })
    }

    fn takes(&self, host: &str) -> bool {
        host.strip_suffix(&*self.suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
}

/// Connects as [`connect`] does, which asks about each address that it connects to.
#[derive(Debug, Clone)]
struct Connector {
    reach: Reach,
    detour: Option<Arc<Detour>>,
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Self { reach, detour } = self.clone();
        Box::pin(async move {
            let endpoint: Endpoint = uri.to_string().parse().map_err(|error| ConnectError::Resolve {
                host: uri.host().unwrap_or_default().to_owned(),
                source: io::Error::new(io::ErrorKind::InvalidInput, error),
            })?;
            let stream = match detour.filter(|detour| detour.takes(&endpoint.host)) {
                Some(detour) => connect(&detour.to, Reach::Any).await?,
                None => connect(&endpoint, reach).await?,
            };
            Ok(TokioIo::new(stream))
        })
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leads(from: &str, to: &str) -> Option<String> {
        target(&from.parse().unwrap(), to).map(|uri| uri.to_string())
    }

    #[test]
    fn a_redirect_leads_to_https_or_stays_where_it_is() {
        assert_eq!(leads("https://a.test/x", "/y?z").as_deref(), Some("https://a.test/y?z"));
        assert_eq!(leads("https://a.test/x", "https://b.test/").as_deref(), Some("https://b.test/"));
        assert_eq!(leads("http://a.test/x", "http://b.test/").as_deref(), Some("http://b.test/"));
        for refused in ["http://a.test/", "//b.test/", "ftp://b.test/", "y", ""] {
            assert_eq!(leads("https://a.test/x", refused), None, "{refused:?}");
        }
    }

    #[test]
    fn a_detour_takes_the_hosts_under_its_name_only() {
        let detour = Detour::parse("Sandbox.test=http://127.0.0.1:2580").unwrap();
        assert!(detour.takes("sandbox.test") && detour.takes("a.b.sandbox.test"));
        assert!(!detour.takes("evilsandbox.test") && !detour.takes("sandbox.test.example"));
        assert!(Detour::parse("sandbox.test").is_none());
    }
}
