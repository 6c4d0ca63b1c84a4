//! A subscriber that knows nothing but websockets.

use std::net::SocketAddr;

use appviewd::atproto::frame::Frame;
use bytes::Bytes;
use fastwebsockets::{OpCode, WebSocket};
use http_body_util::Empty;
use hyper::upgrade::Upgraded;
use hyper_util::rt::{TokioExecutor, TokioIo};

pub struct Client(WebSocket<TokioIo<Upgraded>>);

impl Client {
    pub async fn connect(address: SocketAddr, cursor: Option<i64>) -> Self {
        let query = cursor.map(|c| format!("?cursor={c}")).unwrap_or_default();
        let request = hyper::Request::get(format!("/xrpc/com.atproto.sync.subscribeRepos{query}"))
            .header("Host", address.to_string())
            .header("Upgrade", "websocket")
            .header("Connection", "upgrade")
            .header("Sec-WebSocket-Key", fastwebsockets::handshake::generate_key())
            .header("Sec-WebSocket-Version", "13")
            .body(Empty::<Bytes>::new())
            .unwrap();
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        Self(fastwebsockets::handshake::client(&TokioExecutor::new(), request, stream).await.unwrap().0)
    }

    /// The next message; `None` where the relay closed the connection.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        let frame = self.0.read_frame().await.ok()?;
        (frame.opcode == OpCode::Binary).then(|| frame.payload.to_vec())
    }

    /// The next `count` sequence numbers.
    pub async fn seqs(&mut self, count: usize) -> Vec<i64> {
        let mut seqs = Vec::new();
        for _ in 0..count {
            seqs.push(Frame::parse(&self.next().await.expect("an open connection")).unwrap().seq().expect("a number"));
        }
        seqs
    }
}
