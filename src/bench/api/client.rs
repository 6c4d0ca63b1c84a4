//! One connection to the daemon under test, and the requests that go over it. Never counts an answer that is none.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use fastrand::Rng;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{ACCEPT_ENCODING, AUTHORIZATION, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::data::Data;
use super::directory;
use super::methods::Method;
use crate::atproto::SigningKey;
use crate::atproto::jwt::{self, Claims};

/// An answer later than this counts as an error.
const ANSWER: Duration = Duration::from_secs(10);
/// Longest answer that is read.
const MAX_ANSWER: usize = 16 << 20;
/// Tokens are good for at least a minute and differ in when they end, as tokens of people do: nothing is gained by remembering them.
const TOKEN: std::ops::Range<u64> = 60..3_600;

/// What requests are made of.
#[derive(Debug)]
pub(super) struct Target {
    pub address: SocketAddr,
    pub data: Data,
    /// What clients say that they can read, if they do.
    pub encoding: Option<String>,
    pub key: SigningKey,
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Connection {
    sender: SendRequest<Empty<Bytes>>,
    /// The task that moves its bytes; ends with it.
    _driver: JoinSet<()>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: StatusCode,
    pub body: Bytes,
}

impl Target {
    pub(super) async fn connect(&self) -> anyhow::Result<Connection> {
        let stream = TcpStream::connect(self.address).await.context("the daemon takes no connection")?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            // How it ended is told to whoever waits for an answer.
            let _ = connection.await;
        });
        Ok(Connection { sender, _driver: driver })
    }

    /// A request of `method`, signed in where it is somebody's.
    pub(super) fn request(&self, method: &Method, rng: &mut Rng) -> anyhow::Result<Request<Empty<Bytes>>> {
        let ask = (method.ask)(&self.data, rng);
        let mark = if ask.query.is_empty() { "" } else { "?" };
        let mut request = Request::get(format!("/xrpc/{}{mark}{}", method.nsid, ask.query)).header(HOST, "bench");
        if let Some(encoding) = &self.encoding {
            request = request.header(ACCEPT_ENCODING, encoding);
        }
        if let Some(reader) = ask.reader {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
            let claims = Claims {
                iss: self.data.did(reader),
                aud: directory::SERVICE.to_owned(),
                exp: (now + rng.u64(TOKEN)).into(),
                lxm: Some(method.nsid.to_owned()),
            };
            request = request.header(AUTHORIZATION, format!("Bearer {}", jwt::issue(&claims, &self.key)));
        }
        Ok(request.body(Empty::new())?)
    }
}

impl Connection {
    /// Sends a request and reads the whole answer.
    pub(super) async fn send(&mut self, request: Request<Empty<Bytes>>) -> anyhow::Result<Answer> {
        timeout(ANSWER, self.exchange(request)).await.context("no answer in time")?
    }

    async fn exchange(&mut self, request: Request<Empty<Bytes>>) -> anyhow::Result<Answer> {
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await.map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok(Answer { status, body: body.to_bytes() })
    }
}

/// Asks `times` times and looks at the answers: `Ok(None)` where the daemon does not have the method.
pub(super) async fn try_out(target: &Arc<Target>, method: &Method, times: usize) -> anyhow::Result<Option<usize>> {
    let (mut rng, mut bytes) = (Rng::with_seed(target.data.plan.seed), 0);
    // What is coded cannot be looked into.
    let plain = Target { encoding: None, data: target.data.clone(), key: target.key.clone(), address: target.address };
    let mut connection = plain.connect().await?;
    for _ in 0..times {
        let request = plain.request(method, &mut rng)?;
        let uri = request.uri().to_string();
        let answer = connection.send(request).await.with_context(|| uri.clone())?;
        if matches!(answer.status, StatusCode::NOT_IMPLEMENTED | StatusCode::NOT_FOUND) {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&answer.body);
        let shown = text.chars().take(300).collect::<String>();
        ensure!(answer.status == StatusCode::OK, "{uri}: {} {shown}", answer.status);
        let (count, all) = method.has;
        let found = count(&serde_json::from_slice(&answer.body)?);
        ensure!(found == all, "{uri}: {found} of {all} in {shown}");
        bytes += answer.body.len();
    }
    Ok(Some(bytes / times.max(1)))
}
