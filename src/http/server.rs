//! The accept loop and the life of a connection. Bounded in connections, streams, heads, bodies and time; a stop lets requests end.

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, debug, error, warn};

use super::address::Proxies;
use super::coding;
use super::failure::Failure;
use super::request::Request;
use super::response::{self, Response};
use super::router::Router;
use super::throttle::Throttle;
use crate::config::http::Http as Settings;
use crate::telemetry::Telemetry;
use crate::telemetry::metrics::Request as RequestLabels;

/// A client has this long for each request's head.
const HEAD: Duration = Duration::from_secs(30);
/// A client has this long for a request's body.
const BODY: Duration = Duration::from_secs(30);
/// Longest body; the reference reads 100 kB of JSON.
const MAX_BODY: usize = 100 * 1024;
/// Longest head of a request. 25 post URIs in a query are 3 KiB.
const MAX_HEAD: usize = 32 * 1024;
/// An answer that takes longer is given up; statements end before (`statement_timeout` 10 s).
const ANSWER: Duration = Duration::from_secs(20);
/// Requests that one HTTP/2 connection may have open.
const STREAMS: u32 = 128;
/// A silent HTTP/2 peer is asked, and given up, after this long.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// Requests have this long to end when the process stops; the whole stop has 25 s.
const DRAIN: Duration = Duration::from_secs(15);
/// With no file descriptor left there is nothing to do but wait for one.
const NO_DESCRIPTORS: Duration = Duration::from_millis(100);

struct Shared {
    router: Router,
    proxies: Proxies,
    throttle: Option<Throttle>,
    telemetry: Telemetry,
}

/// Serves `router` on `listener` until `shutdown`, then lets open requests end. Problems of single connections are theirs; only a
/// listener that cannot accept at all would be an error, and that is waited out.
///
/// # Errors
/// None today; the role's signature asks for it.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    settings: &Settings,
    telemetry: Telemetry,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let shared = Arc::new(Shared {
        router,
        proxies: Proxies::new(&settings.trusted_proxies),
        throttle: Throttle::new(settings.requests_per_second),
        telemetry,
    });
    let slots = Arc::new(Semaphore::new(settings.max_connections));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    while let Some(slot) = free_slot(&slots, &shared, &shutdown).await {
        tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(connection(stream, peer.ip(), Arc::clone(&shared), graceful.watcher(), slot).in_current_span());
                }
                Err(error) => refused(&error).await,
            },
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        warn!(open = connections.len(), "requests did not end in time; their connections are closed");
    }
    connections.shutdown().await;
    Ok(())
}

/// A place for one more connection; `None` when a stop was asked for. While all are taken, new connections wait in the kernel's queue.
async fn free_slot(slots: &Arc<Semaphore>, shared: &Shared, shutdown: &CancellationToken) -> Option<OwnedSemaphorePermit> {
    if let Ok(slot) = Arc::clone(slots).try_acquire_owned() {
        return Some(slot);
    }
    shared.telemetry.metrics().http.refused.inc();
    tokio::select! {
        () = shutdown.cancelled() => None,
        slot = Arc::clone(slots).acquire_owned() => slot.ok(),
    }
}

async fn refused(error: &io::Error) {
    // A peer that was gone before it was accepted is no problem of ours.
    if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted) {
        return;
    }
    warn!(%error, "a connection could not be accepted");
    tokio::time::sleep(NO_DESCRIPTORS).await;
}

async fn connection(stream: TcpStream, peer: IpAddr, shared: Arc<Shared>, watcher: Watcher, slot: OwnedSemaphorePermit) {
    let _ = stream.set_nodelay(true);
    shared.telemetry.metrics().http.connections.inc();
    let begun = Arc::new(Notify::new());
    let service = {
        let (shared, begun) = (Arc::clone(&shared), Arc::clone(&begun));
        service_fn(move |request| {
            begun.notify_one();
            let shared = Arc::clone(&shared);
            async move { Ok::<_, Infallible>(answer(request, peer, &shared).await) }
        })
    };
    let builder = builder();
    let mut served = pin!(watcher.watch(builder.serve_connection(TokioIo::new(stream), service)));
    // hyper's timer for heads starts after it knows the version of HTTP, so a silent client needs a limit of its own.
    let ended = tokio::select! {
        ended = &mut served => ended,
        first = tokio::time::timeout(HEAD, begun.notified()) => if first.is_ok() { served.await } else { Ok(()) },
    };
    if let Err(error) = ended {
        debug!(%error, "connection ended");
    }
    shared.telemetry.metrics().http.connections.dec();
    drop(slot);
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(MAX_HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX))
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE);
    builder
}

async fn answer(request: hyper::Request<Incoming>, peer: IpAddr, shared: &Shared) -> Response {
    let started = Instant::now();
    let head = request.method() == Method::HEAD;
    let coding = coding::wanted(request.headers());
    let (route, outcome) = route(request, peer, shared).await;
    let mut response = outcome.unwrap_or_else(|failure| refuse(&failure, route));
    // Whoever made it: a handler that answers so by itself says it too.
    if matches!(response.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        response::retry_after(&mut response);
    }
    response = coding::coded(response, coding);
    response::share(&mut response);
    let http = &shared.telemetry.metrics().http;
    http.requests.get_or_create(&RequestLabels { route, status: response.status().as_u16() }).inc();
    http.request_seconds.observe(started.elapsed().as_secs_f64());
    if head { response::without_body(response) } else { response }
}

/// The route's name (for metrics) and what it answers.
async fn route(request: hyper::Request<Incoming>, peer: IpAddr, shared: &Shared) -> (&'static str, Result<Response, Failure>) {
    if request.method() == Method::OPTIONS {
        return ("preflight", Ok(response::preflight(request.headers())));
    }
    let route = match shared.router.find(request.method(), request.uri().path()) {
        Ok(route) => route,
        Err(failure) => return ("unknown", Err(failure)),
    };
    let client = shared.proxies.client(peer, request.headers());
    if route.limited && shared.throttle.as_ref().is_some_and(|throttle| !throttle.admit(client, Instant::now())) {
        let failure = Failure::new(StatusCode::TOO_MANY_REQUESTS, "RateLimitExceeded", "Rate Limit Exceeded");
        return (route.name, Err(failure));
    }
    let request = match read(request, client).await {
        Ok(request) => request,
        Err(failure) => return (route.name, Err(failure)),
    };
    let late = |_| Err(Failure::unavailable(anyhow::anyhow!("no answer within {ANSWER:?}")));
    (route.name, tokio::time::timeout(ANSWER, (route.handler)(request)).await.unwrap_or_else(late))
}

async fn read(request: hyper::Request<Incoming>, client: IpAddr) -> Result<Request, Failure> {
    let (head, body) = request.into_parts();
    let body = if head.method == Method::POST { read_body(body).await? } else { Bytes::new() };
    let (path, query) = (head.uri.path().to_owned(), head.uri.query().unwrap_or_default().to_owned());
    Ok(Request { method: head.method, path, query, headers: head.headers, body, client })
}

async fn read_body(body: Incoming) -> Result<Bytes, Failure> {
    let late = |_| Failure::new(StatusCode::REQUEST_TIMEOUT, "RequestTimeout", "The body did not arrive in time");
    match tokio::time::timeout(BODY, Limited::new(body, MAX_BODY).collect()).await.map_err(late)? {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLarge", "request entity too large"))
        }
        Err(_) => Err(Failure::invalid("The body broke off")),
    }
}

fn refuse(failure: &Failure, route: &'static str) -> Response {
    if let Some(cause) = &failure.cause {
        error!(route, status = failure.status.as_u16(), error = format!("{cause:#}"), "a request failed");
    }
    let mut response = failure.response();
    response.headers_mut().extend(failure.headers.iter().cloned());
    if failure.status == StatusCode::UNAUTHORIZED {
        response::challenge(&mut response);
    }
    response
}
