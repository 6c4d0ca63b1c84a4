//! One connection of a relay: where it starts, what it is sent, and which faults it meets.

use bytes::Bytes;
use fastwebsockets::{Frame, Payload, WebSocket, WebSocketError, WebSocketRead, WebSocketWrite};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{ReadHalf, WriteHalf};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::{Fault, Head, Relay, spoil};
use crate::atproto::frame as message;

/// Frames taken from the log at a time.
const BATCH: usize = 64;
/// Bytes of the largest message a client may send: it has nothing to say but control frames.
const MAX_MESSAGE: usize = 64 * 1024;

type Stream = TokioIo<Upgraded>;
type Writer = Mutex<WebSocketWrite<WriteHalf<Stream>>>;

/// A subscription that was asked for.
pub(super) struct Upgrade {
    pub socket: fastwebsockets::upgrade::UpgradeFut,
    pub cursor: Option<i64>,
}

/// A subscription that is served.
pub(super) struct Subscription<'r> {
    pub relay: &'r Relay,
    pub number: u64,
    pub shutdown: CancellationToken,
}

/// What follows on a fault.
enum Then {
    /// The frame is sent as it is.
    Send,
    /// It is not sent.
    Pass,
    /// It and those after it, this many in all, are sent twice.
    Twice(usize),
    /// The stream goes on this many frames before.
    Back(usize),
    /// No more is sent.
    Over,
}

impl Subscription<'_> {
    pub(super) async fn run(self, socket: WebSocket<Stream>, cursor: Option<i64>) -> anyhow::Result<()> {
        let (mut read, write) = socket.split(tokio::io::split);
        read.set_max_message_size(MAX_MESSAGE);
        let write = Mutex::new(write);
        tokio::select! {
            () = self.shutdown.cancelled() => Ok(()),
            left = until_closed(read, &write) => Ok(left?),
            sent = self.send_all(&write, cursor) => sent,
        }
    }

    /// Sends from the cursor on, for ever. What drops this future has seen the client leave.
    async fn send_all(&self, write: &Writer, cursor: Option<i64>) -> anyhow::Result<()> {
        let log = &self.relay.log;
        let mut head = log.watch();
        let beginning = *head.borrow();
        let numbering = beginning.numbering;
        let Some(mut at) = self.start(write, beginning, cursor).await? else { return Ok(()) };
        let (mut sent, mut twice) = (0, 0);
        loop {
            let batch = log.after(at, BATCH);
            if log.head().numbering != numbering {
                return Ok(());
            }
            if batch.is_empty() {
                head.wait_for(|h| h.seq > at || h.numbering != numbering).await?;
            }
            for (seq, frame) in batch {
                let then = match self.relay.faults.due(seq, sent, &frame) {
                    Some(fault) => self.misbehave(write, seq, &frame, fault).await?,
                    None => Then::Send,
                };
                match then {
                    Then::Over => return Ok(()),
                    Then::Back(frames) => {
                        at = log.back(at, frames);
                        break;
                    }
                    Then::Pass => {
                        at = seq;
                        continue;
                    }
                    Then::Twice(frames) => twice = frames,
                    Then::Send => {}
                }
                if twice > 0 {
                    twice -= 1;
                    self.send(write, seq, frame.clone()).await?;
                }
                self.send(write, seq, frame).await?;
                at = seq;
                sent += 1;
            }
        }
    }

    /// The sequence number after which a subscription begins; `None` where it was refused.
    async fn start(&self, write: &Writer, head: Head, cursor: Option<i64>) -> anyhow::Result<Option<i64>> {
        let forgotten = self.relay.log.forgotten();
        match cursor {
            None => Ok(Some(head.seq)),
            Some(cursor) if cursor > head.seq => {
                self.send(write, 0, error("FutureCursor", "Cursor in the future.")).await?;
                Ok(None)
            }
            Some(cursor) if cursor < forgotten => {
                if cursor > 0 {
                    self.send(write, 0, outdated()).await?;
                }
                Ok(Some(forgotten))
            }
            Some(cursor) => Ok(Some(cursor)),
        }
    }

    async fn misbehave(&self, write: &Writer, seq: i64, frame: &[u8], fault: Fault) -> anyhow::Result<Then> {
        let log = &self.relay.log;
        match fault {
            Fault::Drop => return Ok(Then::Over),
            Fault::Stall => std::future::pending::<()>().await,
            Fault::Repeat(frames) => return Ok(Then::Twice(frames)),
            Fault::Rewind(frames) => return Ok(Then::Back(frames)),
            Fault::Renumber => {
                log.renumber(log.head().seq / 2 + 1)?;
                return Ok(Then::Over);
            }
            Fault::Forget(frames) => {
                log.forget(log.after(seq, frames).last().map_or(seq, |(last, _)| *last));
                return Ok(Then::Over);
            }
            Fault::Error { error: code, message } => {
                self.send(write, seq, error(code, message)).await?;
                return Ok(Then::Over);
            }
            Fault::Before(bytes) => self.send(write, seq, bytes).await?,
            Fault::OutdatedCursor => self.send(write, seq, outdated()).await?,
            Fault::UnknownType => self.send(write, seq, spoil::unknown_type().into()).await?,
            Fault::Instead(bytes) => {
                self.send(write, seq, bytes).await?;
                return Ok(Then::Pass);
            }
            Fault::Spoiled(spoil) => {
                for bytes in spoil.apply(frame)? {
                    self.send(write, seq, bytes.into()).await?;
                }
                return Ok(Then::Pass);
            }
        }
        Ok(Then::Send)
    }

    async fn send(&self, write: &Writer, seq: i64, bytes: Bytes) -> anyhow::Result<()> {
        let sending = Sending { relay: self.relay, number: self.number, sent: false };
        self.relay.stats.begin(self.number, seq, bytes.len());
        let sent = write.lock().await.write_frame(Frame::binary(Payload::Owned(bytes.into()))).await;
        sending.over(sent.is_ok());
        Ok(sent?)
    }
}

/// An error frame, after which a relay closes the connection.
fn error(error: &str, text: &str) -> Bytes {
    message::Frame::Error { error, message: Some(text) }.encode().into()
}

/// What a relay says of a cursor that its window no longer holds.
fn outdated() -> Bytes {
    message::Frame::Info { name: "OutdatedCursor", message: Some("Requested cursor exceeded limit. Possibly missing events") }
        .encode()
        .into()
}

/// Ends the count of a frame that is being sent, also where the connection ends meanwhile.
struct Sending<'r> {
    relay: &'r Relay,
    number: u64,
    sent: bool,
}

impl Sending<'_> {
    fn over(mut self, sent: bool) {
        self.sent = sent;
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        self.relay.stats.end(self.number, self.sent);
    }
}

/// Reads, and answers pings, until the client leaves.
async fn until_closed(mut read: WebSocketRead<ReadHalf<Stream>>, write: &Writer) -> Result<(), WebSocketError> {
    let answer = async |frame: Frame<'_>| write.lock().await.write_frame(frame).await;
    loop {
        let frame = read.read_frame(&mut |frame| answer(frame)).await?;
        if frame.opcode == fastwebsockets::OpCode::Close {
            return Ok(());
        }
    }
}
