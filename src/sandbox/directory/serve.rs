//! The directory over HTTP. Never more connections than a bound.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_LANGUAGE, CONTENT_TYPE, HOST, HeaderValue, LOCATION};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Answer, Asked, Directory, Fault, Question, feeds, host};

/// Connections served at once; further ones wait in the listener's queue.
const MAX_CONNECTIONS: usize = 512;
/// A pause after a failed accept, so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Path of the counts, for those who test from outside: JSON, question and name -> how often.
const ASKED: &str = "/asked";
const DESCRIBE: &str = "/xrpc/app.bsky.feed.describeFeedGenerator";
const FEED: &str = "/xrpc/app.bsky.feed.getFeedSkeleton";

impl Directory {
    /// Serves until `shutdown`; then every connection is closed.
    ///
    /// # Errors
    /// None at present; the shape is that of a role.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, shutdown: CancellationToken) -> anyhow::Result<()> {
        let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                () = shutdown.cancelled() => break,
                Some(_) = connections.join_next() => continue,
                accepted = async {
                    let slot = Arc::clone(&slots).acquire_owned().await.map_err(std::io::Error::other)?;
                    Ok::<_, std::io::Error>((listener.accept().await?.0, slot))
                } => accepted,
            };
            match accepted {
                Ok((stream, slot)) => {
                    let directory = Arc::clone(&self);
                    connections.spawn(async move {
                        directory.connection(stream).await;
                        drop(slot);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the directory cannot accept");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        connections.shutdown().await;
        Ok(())
    }

    async fn connection(&self, stream: TcpStream) {
        let service = service_fn(|request| async move { Ok::<_, Infallible>(self.respond(request).await) });
        if let Err(error) = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await {
            tracing::debug!(%error, "a connection to the directory ended");
        }
    }

    async fn respond(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        match request.uri().path() {
            ASKED => return json(self.counts().to_string()),
            DESCRIBE => return json(self.feeds.described().to_string()),
            host::CREATE_SESSION | host::GET_SERVICE_AUTH => return self.answer_as_host(request).await,
            _ => {}
        }
        let Some((question, name)) = question(&request) else { return status(StatusCode::NOT_FOUND) };
        let (answer, fault) = self.answer(question, &name);
        let answer = match fault {
            None => answer,
            Some(Fault::Slow(time)) => {
                tokio::time::sleep(time).await;
                answer
            }
            Some(Fault::Says(did)) => says(answer, did),
            Some(Fault::Status(code)) => return status(StatusCode::from_u16(code).unwrap_or_default()),
            Some(Fault::Long(bytes)) => return json(" ".repeat(bytes)),
            Some(Fault::Redirect(to)) => return redirect(&to),
            Some(Fault::Garbage) => return json("<html>".to_owned()),
        };
        if question == Question::Feed {
            return self.feed(&request).await;
        }
        match answer {
            Answer::Json(body) => json(body.to_string()),
            Answer::Text(text) => Response::new(Full::from(text)),
            Answer::Unknown if question == Question::Resolver => {
                let mut response = json(json!({"error": "InvalidRequest", "message": "Unable to resolve handle"}).to_string());
                *response.status_mut() = StatusCode::BAD_REQUEST;
                response
            }
            Answer::Unknown => status(StatusCode::NOT_FOUND),
        }
    }
}

impl Directory {
    async fn feed(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
        let query = request.uri().query().unwrap_or_default();
        let asked = Asked {
            feed: parameter(query, "feed").unwrap_or_default(),
            limit: parameter(query, "limit").and_then(|limit| limit.parse().ok()),
            cursor: parameter(query, "cursor"),
            authorization: header("authorization"),
            language: header("accept-language"),
            topics: header("x-bsky-topics"),
        };
        let language = asked.language.clone();
        let issuer = asked.authorization.as_deref().and_then(feeds::issuer);
        let key = if let Some(did) = &issuer { self.key(did).await } else { None };
        let (status, body) = self.feeds.skeleton(asked, key.as_deref());
        let mut response = json(body.to_string());
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
        if let Some(language) = language.and_then(|language| HeaderValue::try_from(language).ok()) {
            response.headers_mut().insert(CONTENT_LANGUAGE, language);
        }
        response
    }
}

/// A parameter of the request's query, decoded.
pub(super) fn parameter(query: &str, name: &str) -> Option<String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let mut values = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value);
    let mut bytes = Vec::new();
    let mut rest = values.next()?.bytes();
    while let Some(byte) = rest.next() {
        let digits = |high: u8, low: u8| u8::from_str_radix(std::str::from_utf8(&[high, low]).ok()?, 16).ok();
        bytes.push(if byte == b'%' { digits(rest.next()?, rest.next()?)? } else { byte });
    }
    String::from_utf8(bytes).ok()
}

/// The answer as if it were of another DID.
fn says(answer: Answer, did: String) -> Answer {
    match answer {
        Answer::Json(mut body) => {
            let key = if body.get("id").is_some() { "id" } else { "did" };
            body[key] = did.into();
            Answer::Json(body)
        }
        Answer::Text(_) | Answer::Unknown => Answer::Text(did),
    }
}

fn question(request: &Request<Incoming>) -> Option<(Question, String)> {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    match request.uri().path() {
        FEED => Some((Question::Feed, parameter(request.uri().query().unwrap_or_default(), "feed").unwrap_or_default())),
        "/.well-known/did.json" => Some((Question::DidWeb, host.to_owned())),
        "/.well-known/atproto-did" => Some((Question::WellKnown, host.to_owned())),
        "/xrpc/com.atproto.identity.resolveHandle" => {
            let handle = request.uri().query()?.split('&').find_map(|pair| pair.strip_prefix("handle="))?;
            Some((Question::Resolver, handle.to_owned()))
        }
        path => path.strip_prefix('/').filter(|did| did.starts_with("did:")).map(|did| (Question::Plc, did.to_owned())),
    }
}

pub(super) fn json(body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

pub(super) fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}

fn redirect(to: &str) -> Response<Full<Bytes>> {
    let mut response = status(StatusCode::FOUND);
    if let Ok(to) = HeaderValue::from_str(to) {
        response.headers_mut().insert(LOCATION, to);
    }
    response
}
