//! A relay: serves `com.atproto.sync.subscribeRepos` from a shared log of frames, and misbehaves when it is told to.
//!
//! Never keeps more of a connection than its place in the log: who does not read is not sent to.

mod fault;
mod log;
pub mod spoil;
mod stats;
mod subscription;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use fault::{Fault, Faults, Planned, Rate};
pub use log::{Head, Log};
pub use stats::{Blocked, Stats};
use subscription::{Subscription, Upgrade};

/// Path of the subscription.
const PATH: &str = "/xrpc/com.atproto.sync.subscribeRepos";
/// Path of the counts of faults, for those who test from outside: JSON, name -> how often.
const FAULTS: &str = "/faults";
/// Connections served at once; further ones wait in the listener's queue.
const MAX_CONNECTIONS: usize = 64;
/// Bytes the kernel takes for a peer that does not read: few, so that its back-pressure soon shows in [`Stats::blocked`].
const SEND_BUFFER: u32 = 64 * 1024;
/// Connections that wait to be accepted.
const BACKLOG: u32 = 64;
/// A pause after a failed accept (no file descriptor is left), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A relay over a log. Several may share one log: they are then one relay under several addresses.
#[derive(Debug, Clone)]
pub struct Relay {
    pub log: Arc<Log>,
    pub faults: Arc<Faults>,
    pub stats: Arc<Stats>,
    path: &'static str,
}

impl Relay {
    #[must_use]
    pub fn new(log: Arc<Log>) -> Self {
        Self { log, faults: Arc::default(), stats: Arc::default(), path: PATH }
    }

    /// The same server for another subscription, whose messages have a `seq` too.
    #[must_use]
    pub fn at(self, path: &'static str) -> Self {
        Self { path, ..self }
    }

    /// Serves until `shutdown`; then every connection is closed.
    ///
    /// # Errors
    /// None at present; the shape is that of a role.
    pub async fn serve(&self, listener: TcpListener, shutdown: CancellationToken) -> anyhow::Result<()> {
        let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                () = shutdown.cancelled() => break,
                accepted = accept(&listener, &slots) => accepted,
                Some(_) = connections.join_next() => continue,
            };
            match accepted {
                Ok((stream, slot)) => {
                    let (relay, shutdown) = (self.clone(), shutdown.clone());
                    connections.spawn(async move {
                        let _slot = slot;
                        if let Err(e) = relay.connection(stream, shutdown).await {
                            tracing::debug!(error = format!("{e:#}"), "relay connection ended");
                        }
                    });
                }
                Err(e) => {
                    tracing::warn!(error = %e, "relay cannot accept");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        connections.shutdown().await;
        Ok(())
    }

    async fn connection(&self, stream: TcpStream, shutdown: CancellationToken) -> anyhow::Result<()> {
        stream.set_nodelay(true)?;
        let (send, receive) = oneshot::channel::<Upgrade>();
        let slot = std::sync::Mutex::new(Some(send));
        let service = service_fn(|request| std::future::ready(Ok::<_, std::convert::Infallible>(self.answer(request, &slot))));
        http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).with_upgrades().await?;
        drop(slot);
        let Ok(Upgrade { socket, cursor }) = receive.await else { return Ok(()) };
        let socket = socket.await?;
        let number = self.stats.connected(cursor);
        Subscription { relay: self, number, shutdown }.run(socket, cursor).await
    }

    /// Answers a request; a subscription's upgrade goes to the connection through `slot`.
    fn answer(&self, mut request: Request<Incoming>, slot: &std::sync::Mutex<Option<oneshot::Sender<Upgrade>>>) -> Response<Full<Bytes>> {
        match request.uri().path() {
            path if path == self.path => {}
            "/xrpc/_health" => return Response::default(),
            FAULTS => return self.counts(),
            _ => return plain(StatusCode::NOT_FOUND),
        }
        let Ok(cursor) = request.uri().query().map_or(Ok(None), cursor_of) else { return plain(StatusCode::BAD_REQUEST) };
        let Ok((response, socket)) = fastwebsockets::upgrade::upgrade(&mut request) else { return plain(StatusCode::BAD_REQUEST) };
        let sender = slot.lock().ok().and_then(|mut slot| slot.take());
        match sender.map(|s| s.send(Upgrade { socket, cursor })) {
            Some(Ok(())) => response.map(|_| Full::default()),
            _ => plain(StatusCode::BAD_REQUEST),
        }
    }

    fn counts(&self) -> Response<Full<Bytes>> {
        let counts = serde_json::to_vec(&self.faults.counts()).unwrap_or_default();
        let mut response = Response::new(Full::from(counts));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}

fn plain(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}

/// A listener whose connections have small send buffers.
///
/// # Errors
/// The address is taken or not ours.
pub fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>) -> std::io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.map_err(std::io::Error::other)?;
    Ok((listener.accept().await?.0, slot))
}

/// The `cursor` parameter of a query.
fn cursor_of(query: &str) -> Result<Option<i64>, std::num::ParseIntError> {
    query.split('&').find_map(|pair| pair.strip_prefix("cursor=")).map(str::parse).transpose()
}
