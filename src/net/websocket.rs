//! Websockets, either side, as a channel of whole messages.
//!
//! One task a socket owns both halves of the stream, because fastwebsockets loses bytes when a read is abandoned half way. It reassembles
//! fragments, answers pings, sends its own, and holds at most [`Options::queue_bytes`] that nobody has taken yet: after that it stops
//! reading, and the peer's send side feels it. It never decides that a silent peer is dead: what counts as silence, its owner knows.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use fastwebsockets::{Frame, OpCode, Payload, Role, WebSocketError, WebSocketRead, WebSocketWrite, after_handshake_split};
use http_body_util::Empty;
use hyper::{Request, Response};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{MissedTickBehavior, interval_at, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::Endpoint;
use super::connect::{ConnectError, Reach, connect};
use super::handshake::{self, HandshakeError};

/// Messages that wait to be written; each send beyond waits.
const OUTGOING: usize = 16;
/// Time for the peer to answer a close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Limits of a socket.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Largest message in bytes, over all its fragments.
    pub max_message: usize,
    /// Bytes of messages that were read and not yet dropped by their taker.
    pub queue_bytes: usize,
    /// Messages that were read and not yet taken.
    pub queue_messages: usize,
    /// Pause between pings, which keep middleboxes from forgetting a quiet connection.
    pub ping_every: Duration,
    /// Time for the whole HTTP upgrade.
    pub handshake_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_message: 16 << 20,
            queue_bytes: 32 << 20,
            queue_messages: 1024,
            ping_every: Duration::from_secs(25),
            handshake_timeout: Duration::from_secs(10),
        }
    }
}

/// Why a socket ended, or was not opened.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("{endpoint}: {source}")]
    Handshake { endpoint: String, source: HandshakeError },
    #[error("closed by the peer with code {code}: {reason:?}")]
    Closed { code: u16, reason: String },
    #[error("a message is larger than {0} bytes")]
    TooLarge(usize),
    #[error("the connection broke: {0}")]
    Broken(#[from] WebSocketError),
    #[error("this side has closed")]
    Over,
}

/// One message; while it lives, its bytes count against [`Options::queue_bytes`].
#[derive(Debug)]
pub struct Message {
    pub bytes: Bytes,
    _held: OwnedSemaphorePermit,
}

/// An open websocket. Dropping it ends the connection at once.
#[derive(Debug)]
pub struct Socket {
    incoming: mpsc::Receiver<Result<Message, SocketError>>,
    outgoing: mpsc::Sender<Outgoing>,
    task: AbortOnDropHandle<()>,
}

#[derive(Debug)]
enum Outgoing {
    Data(Bytes),
    Pong(Bytes),
    Close { code: u16, reason: String },
}

impl Socket {
    /// Connects to `endpoint` and opens a websocket at `path` (with its query).
    ///
    /// # Errors
    /// No connection, or a peer that does not answer with a proper upgrade in time.
    pub async fn connect(endpoint: &Endpoint, path: &str, reach: Reach, options: Options) -> Result<Self, SocketError> {
        let stream = connect(endpoint, reach).await?;
        let authority = endpoint.authority();
        let shaken = timeout(options.handshake_timeout, handshake::client(stream, &authority, path)).await;
        let (stream, early) = shaken
            .unwrap_or(Err(HandshakeError::Timeout))
            .map_err(|source| SocketError::Handshake { endpoint: format!("{authority}{path}"), source })?;
        let (read, write) = tokio::io::split(stream);
        Ok(Self::start(std::io::Cursor::new(early).chain(read), write, Role::Client, options))
    }

    fn start<R, W>(read: R, write: W, role: Role, options: Options) -> Self
    where
        R: AsyncRead + Unpin + Send + 'static,
        W: AsyncWrite + Unpin + Send + 'static,
    {
        let (read, write) = after_handshake_split(read, write, role);
        let (into, incoming) = mpsc::channel(options.queue_messages);
        let (outgoing, from) = mpsc::channel(OUTGOING);
        let outlet =
            Outlet { into: into.clone(), answers: outgoing.clone(), budget: Arc::new(Semaphore::new(options.queue_bytes)), options };
        let task = tokio::spawn(async move {
            let error = drive(read, outlet, write, from).await;
            let _ = into.send(Err(error)).await;
        });
        Self { incoming, outgoing, task: AbortOnDropHandle::new(task) }
    }

    /// The next message; `None` after an error. Safe to abandon.
    pub async fn next(&mut self) -> Option<Result<Message, SocketError>> {
        self.incoming.recv().await
    }

    /// Takes what is there, at most `limit` items and at least one; 0 after an error. Safe to abandon.
    pub async fn next_many(&mut self, into: &mut Vec<Result<Message, SocketError>>, limit: usize) -> usize {
        self.incoming.recv_many(into, limit).await
    }

    /// Hands over one binary message; waits while the peer takes nothing.
    ///
    /// # Errors
    /// The connection is over.
    pub async fn send(&self, message: Bytes) -> Result<(), SocketError> {
        self.outgoing.send(Outgoing::Data(message)).await.map_err(|_| SocketError::Over)
    }

    /// Writes what was handed over, says goodbye and waits a moment for the answer.
    pub async fn close(self, code: u16, reason: &str) {
        let goodbye = Outgoing::Close { code, reason: reason.to_owned() };
        let Self { incoming, outgoing, task } = self;
        drop(incoming);
        let _ = timeout(CLOSE_TIMEOUT * 2, async {
            if outgoing.send(goodbye).await.is_ok() {
                let _ = task.await;
            }
        })
        .await;
    }
}

/// The server's side: the answer to an upgrade request, and what becomes the socket once that answer was sent.
///
/// # Errors
/// The request asks for no websocket of version 13.
pub fn accept<B>(request: &mut Request<B>, options: Options) -> Result<(Response<Empty<Bytes>>, Accepted), SocketError> {
    if !fastwebsockets::upgrade::is_upgrade_request(request) {
        return Err(SocketError::Broken(WebSocketError::InvalidUpgradeHeader));
    }
    let (response, upgrade) = fastwebsockets::upgrade::upgrade(request)?;
    Ok((response, Accepted { upgrade, options }))
}

/// An upgrade that was answered and is not yet carried out.
#[derive(Debug)]
pub struct Accepted {
    upgrade: fastwebsockets::upgrade::UpgradeFut,
    options: Options,
}

impl Accepted {
    /// Waits for the answer to be sent (the HTTP connection must be served with upgrades).
    ///
    /// # Errors
    /// The connection broke before, or took too long.
    pub async fn socket(self) -> Result<Socket, SocketError> {
        let opened = timeout(self.options.handshake_timeout, self.upgrade).await.map_err(|_| SocketError::Over)?;
        let (read, write) = tokio::io::split(opened?.into_inner());
        Ok(Socket::start(read, write, Role::Server, self.options))
    }
}

/// Runs both halves until one is over; why.
async fn drive<R, W>(read: WebSocketRead<R>, outlet: Outlet, write: WebSocketWrite<W>, from: mpsc::Receiver<Outgoing>) -> SocketError
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let every = outlet.options.ping_every;
    let mut reading = std::pin::pin!(read_all(read, &outlet));
    let mut writing = std::pin::pin!(write_all(write, from, every));
    tokio::select! {
        error = &mut reading => {
            if matches!(error, SocketError::Closed { .. }) {
                let _ = timeout(CLOSE_TIMEOUT, writing).await;
            }
            error
        }
        error = &mut writing => {
            if matches!(error, SocketError::Over) {
                let _ = timeout(CLOSE_TIMEOUT, reading).await;
            }
            error
        }
    }
}

/// Where the reading half puts what it read.
struct Outlet {
    into: mpsc::Sender<Result<Message, SocketError>>,
    answers: mpsc::Sender<Outgoing>,
    budget: Arc<Semaphore>,
    options: Options,
}

/// Reads messages and hands them over, until one cannot be read.
async fn read_all<R: AsyncRead + Unpin>(mut read: WebSocketRead<R>, outlet: &Outlet) -> SocketError {
    let limit = outlet.options.max_message;
    read.set_auto_close(false);
    read.set_auto_pong(false);
    read.set_max_message_size(limit.saturating_add(1));
    let mut begun: Option<BytesMut> = None;
    loop {
        let (fin, opcode, payload) = match read_frame(&mut read).await {
            Ok(frame) => frame,
            Err(WebSocketError::FrameTooLarge) => return SocketError::TooLarge(limit),
            Err(error) => return SocketError::Broken(error),
        };
        let whole = match opcode {
            OpCode::Close => return outlet.closed(&payload).await,
            OpCode::Ping => {
                let _ = outlet.answers.send(Outgoing::Pong(payload)).await;
                continue;
            }
            OpCode::Pong => continue,
            OpCode::Text | OpCode::Binary | OpCode::Continuation => match reassemble(&mut begun, fin, opcode, payload, limit) {
                Ok(whole) => whole,
                Err(error) => return error,
            },
        };
        if let Some(whole) = whole
            && outlet.deliver(whole).await.is_none()
        {
            return SocketError::Over;
        }
    }
}

/// Adds one data frame; the message where it is whole now.
fn reassemble(begun: &mut Option<BytesMut>, fin: bool, opcode: OpCode, payload: Bytes, limit: usize) -> Result<Option<Bytes>, SocketError> {
    match (opcode == OpCode::Continuation, begun.take()) {
        (false, None) if fin => Ok(Some(payload)),
        (false, None) => {
            *begun = Some(BytesMut::from(&payload[..]));
            Ok(None)
        }
        (true, Some(parts)) if parts.len() + payload.len() > limit => Err(SocketError::TooLarge(limit)),
        (true, Some(mut parts)) => {
            parts.extend_from_slice(&payload);
            if fin {
                return Ok(Some(parts.freeze()));
            }
            *begun = Some(parts);
            Ok(None)
        }
        _ => Err(SocketError::Broken(WebSocketError::InvalidContinuationFrame)),
    }
}

impl Outlet {
    async fn deliver(&self, bytes: Bytes) -> Option<()> {
        let weight = u32::try_from(bytes.len().min(self.options.queue_bytes)).ok()?;
        let held = Arc::clone(&self.budget).acquire_many_owned(weight).await.ok()?;
        self.into.send(Ok(Message { bytes, _held: held })).await.ok()
    }

    /// The peer closes: answer in kind.
    async fn closed(&self, payload: &[u8]) -> SocketError {
        let (code, reason) = match payload {
            [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), String::from_utf8_lossy(reason).into_owned()),
            _ => (1005, String::new()),
        };
        let answer = if code == 1005 { 1000 } else { code };
        let _ = self.answers.send(Outgoing::Close { code: answer, reason: String::new() }).await;
        SocketError::Closed { code, reason }
    }
}

/// One frame, taken out of the crate's borrowed form. Nothing is sent on the way: automatic answers are off.
async fn read_frame<R: AsyncRead + Unpin>(read: &mut WebSocketRead<R>) -> Result<(bool, OpCode, Bytes), WebSocketError> {
    let frame = read.read_frame(&mut |_| std::future::ready(Ok::<(), WebSocketError>(()))).await?;
    let payload = match frame.payload {
        Payload::Bytes(bytes) => bytes.freeze(),
        other => Bytes::from(Vec::from(other)),
    };
    Ok((frame.fin, frame.opcode, payload))
}

/// Writes what comes and a ping now and then; [`SocketError::Over`] after a close frame.
async fn write_all<W>(mut write: WebSocketWrite<W>, mut from: mpsc::Receiver<Outgoing>, every: Duration) -> SocketError
where
    W: AsyncWrite + Unpin,
{
    let mut pings = interval_at(tokio::time::Instant::now() + every, every);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let next = tokio::select! {
            next = from.recv() => next,
            _ = pings.tick() => {
                if let Err(error) = put(&mut write, OpCode::Ping, &[]).await {
                    return SocketError::Broken(error);
                }
                continue;
            }
        };
        let written = match next {
            Some(Outgoing::Data(bytes)) => put(&mut write, OpCode::Binary, &bytes).await,
            Some(Outgoing::Pong(bytes)) => put(&mut write, OpCode::Pong, &bytes).await,
            Some(Outgoing::Close { code, reason }) => {
                let body = [&code.to_be_bytes(), reason.as_bytes()].concat();
                let _ = put(&mut write, OpCode::Close, &body).await;
                return SocketError::Over;
            }
            None => return SocketError::Over,
        };
        if let Err(error) = written {
            return SocketError::Broken(error);
        }
    }
}

async fn put<W: AsyncWrite + Unpin>(write: &mut WebSocketWrite<W>, opcode: OpCode, payload: &[u8]) -> Result<(), WebSocketError> {
    write.write_frame(Frame::new(true, opcode, None, Payload::Borrowed(payload))).await?;
    write.flush().await
}

#[cfg(test)]
mod tests;
