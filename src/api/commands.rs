//! What is written through the API: a command goes into the queue, a worker applies it, and the client is answered when this process's own reads
//! show the effect. Writes nothing itself, and keeps no reads waiting when Redis is away.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use aws_lc_rs::{digest, rand};
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use hyper::{HeaderMap, StatusCode};
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};
use tracing::{debug, warn};

use crate::db::command;
use crate::http::Failure;
use crate::net::Backoff;
use crate::query::{QueryError, Store};
use crate::queue::command::{Body, Outcome, Refusal};
use crate::queue::{Command, CommandId, Queue};
use crate::telemetry::Telemetry;

/// Until when the effect must be seen: longer than a store's restart takes, shorter than the patience of clients.
pub const DEADLINE: Duration = Duration::from_secs(10);
/// Clients that wait at once: what one statement asks for.
const MOST_WAITING: usize = 1000;
/// Pauses between two looks, growing while nothing comes.
const SHORTEST_PAUSE: Duration = Duration::from_millis(4);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
/// By which a client names a request that it may repeat.
const KEY: &str = "idempotency-key";
/// Longest such name, in bytes.
const MAX_KEY: usize = 255;

/// Why a command's client is not told that it is done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    #[error("this process has no queue: redis.url is not set")]
    NoQueue,
    /// It is certainly not applied.
    #[error("too many commands wait")]
    Full,
    /// It may be applied, now or later, or not.
    #[error("no effect was seen in time")]
    Unanswered,
    /// It is not applied and never will be.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// The way in; see [`Driver`] for what must run meanwhile.
#[derive(Debug)]
pub struct Commands {
    shared: Arc<Shared>,
    /// `None`: this process has no queue.
    sender: Option<mpsc::Sender<(CommandId, Bytes)>>,
    deadline: Duration,
    telemetry: Telemetry,
    slots: Semaphore,
}

/// Puts commands into the queue and looks for their outcomes, until it is dropped.
#[derive(Debug)]
pub struct Driver {
    shared: Arc<Shared>,
    receiver: Option<(Queue, mpsc::Receiver<(CommandId, Bytes)>)>,
    store: Store,
}

/// Those who wait for each command.
type Waiting = HashMap<CommandId, Vec<oneshot::Sender<Result<(), SubmitError>>>>;

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    arrived: Notify,
}

impl Commands {
    /// `store` is where the effects must be seen. Connects nowhere yet.
    #[must_use]
    pub fn new(queue: Option<Queue>, store: Store, telemetry: Telemetry, deadline: Duration) -> (Self, Driver) {
        let shared = Arc::<Shared>::default();
        let (sender, receiver) = queue
            .map(|queue| {
                let (sender, receiver) = mpsc::channel(MOST_WAITING);
                (sender, (queue, receiver))
            })
            .unzip();
        let driver = Driver { shared: Arc::clone(&shared), receiver, store };
        (Self { shared, sender, deadline, telemetry, slots: Semaphore::new(MOST_WAITING) }, driver)
    }

    /// Has the command of a request applied; when it returns, reads show it. A request that comes again under the same `Idempotency-Key` is
    /// the same command.
    ///
    /// # Errors
    /// See [`SubmitError`]; a key that is too long.
    pub async fn submit(&self, headers: &HeaderMap, body: Body) -> Result<(), Failure> {
        let id = id(headers, &body)?;
        Ok(self.give(id, body).await?)
    }

    /// The same for a command with this id.
    ///
    /// # Errors
    /// See [`SubmitError`].
    pub async fn give(&self, id: CommandId, body: Body) -> Result<(), SubmitError> {
        let started = Instant::now();
        let metrics = &self.telemetry.metrics().api;
        metrics.commands_waiting.inc();
        let outcome = self.wait(id, body).await;
        metrics.commands_waiting.dec();
        metrics.commands.inc(match &outcome {
            Ok(()) => "done",
            Err(SubmitError::Refused(_)) => "refused",
            Err(SubmitError::Full | SubmitError::NoQueue) => "full",
            Err(SubmitError::Unanswered) => "unanswered",
        });
        if outcome.is_ok() {
            metrics.command_seconds.observe(started.elapsed().as_secs_f64());
        }
        outcome
    }

    async fn wait(&self, id: CommandId, body: Body) -> Result<(), SubmitError> {
        let sender = self.sender.as_ref().ok_or(SubmitError::NoQueue)?;
        let _slot = self.slots.try_acquire().map_err(|_| SubmitError::Full)?;
        let command = Command { id, time: now(), body };
        let bytes = command.encode().map_err(|error| Refusal::invalid(error.to_string()))?;
        let outcome = self.shared.wait_for(id);
        sender.try_send((id, bytes.into())).map_err(|_| SubmitError::Full)?;
        if let Ok(Ok(outcome)) = tokio::time::timeout(self.deadline, outcome).await {
            return outcome;
        }
        warn!(%id, "a command had no effect in time");
        Err(SubmitError::Unanswered)
    }
}

impl Driver {
    /// Never ends by itself.
    pub async fn run(self) -> Infallible {
        let Self { shared, receiver, store } = self;
        let Some((queue, mut receiver)) = receiver else { return std::future::pending().await };
        let mut adding = FuturesUnordered::new();
        let add = async {
            loop {
                tokio::select! {
                    Some((id, command)) = receiver.recv() => adding.push(add(&shared, &queue, id, command)),
                    Some(()) = adding.next(), if !adding.is_empty() => {}
                    else => std::future::pending().await,
                }
            }
        };
        tokio::join!(add, look(&shared, &store)).0
    }
}

/// Puts a command into the queue, as long as somebody waits for it. That it may be there twice does no harm.
async fn add(shared: &Shared, queue: &Queue, id: CommandId, command: Bytes) {
    let mut backoff = Backoff::of_store();
    while shared.is_awaited(id) {
        match queue.add_command(id, command.clone()).await {
            Ok(()) => return,
            Err(error) if error.is_full() => {
                warn!(%error, "a command was not taken");
                return shared.answer(id, &Err(SubmitError::Full));
            }
            Err(error) => {
                debug!(%error, "a command is added again");
                backoff.pause().await;
            }
        }
    }
}

/// Looks for the outcomes of all commands that somebody waits for, in one statement.
async fn look(shared: &Shared, store: &Store) -> Infallible {
    loop {
        shared.arrived.notified().await;
        let mut pause = SHORTEST_PAUSE;
        loop {
            tokio::time::sleep(pause).await;
            let ids = shared.awaited();
            if ids.is_empty() {
                break;
            }
            pause = match outcomes(store, &ids).await {
                Ok(found) if found.is_empty() => (pause * 3 / 2).min(LONGEST_PAUSE),
                Ok(found) => {
                    for (id, outcome) in found {
                        shared.answer(id, &outcome);
                    }
                    SHORTEST_PAUSE
                }
                Err(error) => {
                    debug!(%error, "outcomes of commands cannot be read");
                    LONGEST_PAUSE
                }
            };
        }
    }
}

type Found = Vec<(CommandId, Result<(), SubmitError>)>;

async fn outcomes(store: &Store, ids: &[CommandId]) -> Result<Found, QueryError> {
    let client = store.connection().await?;
    let ids: Vec<&[u8]> = ids.iter().map(|id| id.0.as_slice()).collect();
    let told = command::outcomes(&**client, &ids).await?;
    let read = |(id, json): command::Told| Some((CommandId(id.try_into().ok()?), Outcome::from_json(&json).ok()?));
    let result = |(id, outcome)| match outcome {
        Outcome::Done => (id, Ok(())),
        Outcome::Refused(refusal) => (id, Err(SubmitError::Refused(refusal))),
    };
    Ok(told.into_iter().filter_map(read).map(result).collect())
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_for(&self, id: CommandId) -> oneshot::Receiver<Result<(), SubmitError>> {
        let (sender, receiver) = oneshot::channel();
        self.waiting().entry(id).or_default().push(sender);
        self.arrived.notify_one();
        receiver
    }

    fn is_awaited(&self, id: CommandId) -> bool {
        self.waiting().get(&id).is_some_and(|senders| senders.iter().any(|sender| !sender.is_closed()))
    }

    /// The commands that somebody waits for; those who have gone are forgotten.
    fn awaited(&self) -> Vec<CommandId> {
        let mut waiting = self.waiting();
        waiting.retain(|_, senders| {
            senders.retain(|sender| !sender.is_closed());
            !senders.is_empty()
        });
        waiting.keys().copied().collect()
    }

    fn answer(&self, id: CommandId, outcome: &Result<(), SubmitError>) {
        for sender in self.waiting().remove(&id).unwrap_or_default() {
            // Who has gone needs no answer.
            let _ = sender.send(outcome.clone());
        }
    }
}

impl From<SubmitError> for Failure {
    fn from(error: SubmitError) -> Self {
        let unavailable = |text: &'static str| Self::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", text);
        match error {
            SubmitError::NoQueue => Self::new(StatusCode::NOT_IMPLEMENTED, "MethodNotImplemented", "Method Not Implemented"),
            SubmitError::Full => unavailable("Too many requests wait to be applied; this one was not taken"),
            SubmitError::Unanswered => {
                unavailable("The request may or may not be applied; repeating it with the same Idempotency-Key is safe")
            }
            SubmitError::Refused(Refusal { error, message }) => match error.as_str() {
                "InternalServerError" => Self::new(StatusCode::INTERNAL_SERVER_ERROR, error, message),
                "MethodNotImplemented" => Self::new(StatusCode::NOT_IMPLEMENTED, error, message),
                _ => Self::named(error, message),
            },
        }
    }
}

/// The id of a request: made of its key and of all that it says, so that nobody's key can name another's request; random without a key.
fn id(headers: &HeaderMap, body: &Body) -> Result<CommandId, Failure> {
    let mut id = [0; 16];
    let key = headers.get(KEY).map(hyper::header::HeaderValue::as_bytes).filter(|key| !key.is_empty());
    let Some(key) = key else {
        rand::fill(&mut id).map_err(|_| Failure::internal(anyhow::anyhow!("no random numbers")))?;
        return Ok(CommandId(id));
    };
    if key.len() > MAX_KEY {
        return Err(Failure::invalid(format!("Error: {KEY} must not be longer than {MAX_KEY} bytes")));
    }
    let body = serde_json::to_vec(body).map_err(Failure::internal)?;
    let hash = digest::digest(&digest::SHA256, &[key, &[0], &body].concat());
    id.iter_mut().zip(hash.as_ref()).for_each(|(to, from)| *to = *from);
    Ok(CommandId(id))
}

/// Microseconds since 1970.
fn now() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok().and_then(|time| i64::try_from(time.as_micros()).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(subject: &str) -> Body {
        Body::UnmuteActor { account: "did:example:alice".parse().unwrap(), subject: subject.parse().unwrap() }
    }

    #[test]
    fn a_key_names_one_request_of_one_caller() {
        let id = |key: &str, subject: &str| {
            let headers = HeaderMap::from_iter([(KEY.parse().unwrap(), key.parse().unwrap())]);
            super::id(&headers, &body(subject)).unwrap()
        };
        assert_eq!(id("a", "did:example:bob"), id("a", "did:example:bob"));
        assert_ne!(id("a", "did:example:bob"), id("b", "did:example:bob"));
        assert_ne!(id("a", "did:example:bob"), id("a", "did:example:carol"));
        let without = || super::id(&HeaderMap::new(), &body("did:example:bob")).unwrap();
        assert_ne!(without(), without());
        assert_ne!(id("", "did:example:bob"), id("", "did:example:bob"));
        let headers = HeaderMap::from_iter([(KEY.parse().unwrap(), "x".repeat(MAX_KEY + 1).parse().unwrap())]);
        assert_eq!(super::id(&headers, &body("did:example:bob")).unwrap_err().status, 400);
    }
}
