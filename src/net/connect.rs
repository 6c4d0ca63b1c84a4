//! TCP connections, with TLS where the endpoint asks for it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use super::{Endpoint, guard, tls};

/// Addresses of one name that are tried, so that a name with hundreds of them cannot hold a connection attempt for minutes.
const MAX_ADDRESSES: usize = 4;
/// Time for the name service to answer.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);
/// Time for one address to accept: an address that takes longer is down or filtered.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Time for the TLS handshake.
const TLS_TIMEOUT: Duration = Duration::from_secs(10);

/// Who named the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The operator did: any address is right, private ones too.
    Any,
    /// A stranger did: only addresses of the public internet ([`guard::is_public`]).
    Public,
}

/// No connection; the text says what was tried.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("cannot resolve {host}: {source}")]
    Resolve { host: String, source: io::Error },
    #[error("{host} has only private addresses, to which no stranger may direct this service ({refused})")]
    Private { host: String, refused: String },
    #[error("cannot connect to {endpoint}: tried {tried}")]
    Refused { endpoint: Endpoint, tried: String },
    #[error("connected to {address} for {endpoint}, but the TLS handshake failed: {source}")]
    Tls { endpoint: Endpoint, address: SocketAddr, source: io::Error },
}

/// A byte stream to a peer.
#[derive(Debug)]
pub enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Connects to `endpoint`; each of its addresses is tried in turn, within bounded time.
///
/// # Errors
/// The host does not resolve, may not be reached, or refuses.
pub async fn connect(endpoint: &Endpoint, reach: Reach) -> Result<Stream, ConnectError> {
    let addresses = resolve(endpoint, reach).await?;
    let tcp = connect_tcp(endpoint, &addresses).await?;
    if !endpoint.secure {
        return Ok(Stream::Plain(tcp));
    }
    let address = tcp.peer_addr().unwrap_or_else(|_| SocketAddr::new(IpAddr::from([0, 0, 0, 0]), endpoint.port));
    match timeout(TLS_TIMEOUT, tls::client(&endpoint.host, tcp)).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
        Ok(stream) => Ok(Stream::Tls(Box::new(stream))),
        Err(source) => Err(ConnectError::Tls { endpoint: endpoint.clone(), address, source }),
    }
}

async fn resolve(endpoint: &Endpoint, reach: Reach) -> Result<Vec<SocketAddr>, ConnectError> {
    let lookup = timeout(RESOLVE_TIMEOUT, lookup_host((endpoint.host.as_str(), endpoint.port))).await;
    let found = lookup
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        .map_err(|source| ConnectError::Resolve { host: endpoint.host.clone(), source })?;
    let (open, closed): (Vec<_>, Vec<_>) = found.partition(|address| reach == Reach::Any || guard::is_public(address.ip()));
    if open.is_empty() && !closed.is_empty() {
        let refused = closed.iter().take(MAX_ADDRESSES).map(|a| a.ip().to_string()).collect::<Vec<_>>().join(", ");
        return Err(ConnectError::Private { host: endpoint.host.clone(), refused });
    }
    Ok(open)
}

async fn connect_tcp(endpoint: &Endpoint, addresses: &[SocketAddr]) -> Result<TcpStream, ConnectError> {
    let mut tried = Vec::new();
    for address in addresses.iter().take(MAX_ADDRESSES) {
        match timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => {
                let _ = tcp.set_nodelay(true);
                return Ok(tcp);
            }
            Ok(Err(e)) => tried.push(format!("{address}: {e}")),
            Err(_) => tried.push(format!("{address}: no answer within {} s", CONNECT_TIMEOUT.as_secs())),
        }
    }
    let tried = if tried.is_empty() { "nothing, the name has no address".to_owned() } else { tried.join("; ") };
    Err(ConnectError::Refused { endpoint: endpoint.clone(), tried })
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Self::Tls(tls) => Pin::new(tls).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Self::Tls(tls) => Pin::new(tls).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Self::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    fn endpoint(url: &str) -> Endpoint {
        url.parse().unwrap()
    }

    #[tokio::test]
    async fn a_stranger_cannot_direct_a_connection_to_a_private_address() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
            let peer = endpoint(&format!("http://{host}:{port}"));
            let refused = connect(&peer, Reach::Public).await.unwrap_err();
            assert!(matches!(refused, ConnectError::Private { .. }), "{host}: {refused}");
        }
        assert!(connect(&endpoint(&format!("http://127.0.0.1:{port}")), Reach::Any).await.is_ok());
    }

    #[tokio::test]
    async fn the_error_names_what_was_tried() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let error = connect(&endpoint(&format!("ws://{address}")), Reach::Any).await.unwrap_err().to_string();
        assert!(error.contains(&address.to_string()) && error.contains("refused"), "{error}");
        let error = connect(&endpoint("wss://no-such-host.invalid"), Reach::Any).await.unwrap_err().to_string();
        assert!(error.contains("no-such-host.invalid"), "{error}");
    }

    #[tokio::test]
    async fn a_peer_without_tls_fails_the_handshake_with_its_address() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut tcp, _) = listener.accept().await.unwrap();
            tokio::io::AsyncWriteExt::write_all(&mut tcp, b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
            tokio::time::sleep(Duration::from_millis(200)).await;
        });
        let error = connect(&endpoint(&format!("wss://{address}")), Reach::Any).await.unwrap_err();
        assert!(matches!(&error, ConnectError::Tls { address: to, .. } if *to == address), "{error}");
        server.await.unwrap();
    }
}
