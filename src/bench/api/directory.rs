//! A directory of DIDs for the daemon under test: every account has the same key, so that the benchmark can sign anybody in.

use std::sync::Arc;

use anyhow::Context as _;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::atproto::SigningKey;

/// The DID of the daemon under test.
pub(super) const SERVICE: &str = "did:web:appview.bench.social";
/// Longest request that is read.
const MAX_REQUEST: usize = 8 * 1024;
/// Connections served at once: the daemon asks for a few documents at a time.
const MAX_CONNECTIONS: usize = 64;

/// A running directory; dropped, it ends.
#[derive(Debug)]
pub(super) struct Directory {
    pub url: String,
    /// Everybody's.
    pub key: SigningKey,
    _tasks: JoinSet<()>,
}

impl Directory {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let key = SigningKey::from_bytes([7; 32])?;
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no port for the directory")?;
        let url = format!("http://{}", listener.local_addr()?);
        let multibase: Arc<str> = key.multibase().into();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(answer(stream, Arc::clone(&multibase)));
                while connections.len() >= MAX_CONNECTIONS {
                    connections.join_next().await;
                }
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { url, key, _tasks: tasks })
    }
}

/// Answers one request; who asked tries again where that fails.
async fn answer(mut stream: TcpStream, key: Arc<str>) {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if request.len() > MAX_REQUEST || stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let head = String::from_utf8_lossy(&request);
    let did = head.split(' ').nth(1).and_then(|path| path.strip_prefix('/')).unwrap_or_default();
    let method = json!({ "id": format!("{did}#atproto"), "type": "Multikey", "controller": did, "publicKeyMultibase": *key });
    let body = json!({ "id": did, "alsoKnownAs": [], "verificationMethod": [method], "service": [] }).to_string();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
}
