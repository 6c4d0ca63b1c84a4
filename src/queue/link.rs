//! One connection to Redis, used until its first surprise.
//!
//! It never sends a command twice: after a broken connection fred would resend in an order of its own, and after a timeout a late reply can
//! reach the wrong caller. So each script echoes a number of its caller, and a link that met a timeout, a broken connection or a foreign
//! answer is in doubt for good.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use fred::clients::Client;
use fred::error::{Error, ErrorKind};
use fred::interfaces::ClientLike;
use fred::types::config::{Config, ConnectionConfig, PerformanceConfig, ReconnectPolicy, UnresponsiveConfig};
use fred::types::{Builder, ClusterHash, CustomCommand, RespVersion, Value};
use tokio_util::task::AbortOnDropHandle;

use super::QueueError;
use super::keys::Stream;
use super::script::Script;

/// A healthy Redis answers within milliseconds; a fork of its background save may hold it for a second or two.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(5);
/// For the socket, the TLS handshake and the greeting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// More commands than partitions times operations in flight mean that Redis stands still.
const MAX_WAITING_COMMANDS: usize = 4096;
/// Bounds of the pause before fred connects anew, in milliseconds.
const RECONNECT_MS: (u32, u32) = (50, 2000);

#[derive(Debug)]
pub(super) struct Link {
    client: Client,
    nonce: AtomicU64,
    in_doubt: AtomicBool,
    _driver: AbortOnDropHandle<Result<(), Error>>,
}

impl Link {
    pub async fn open(url: &str) -> Result<Self, QueueError> {
        let mut config = parse(url)?;
        config.version = RespVersion::RESP2;
        // Whoever opens a link repeats it with a pause, and shows why it failed.
        config.fail_fast = true;
        let client = Builder::from_config(config)
            .set_policy(ReconnectPolicy::new_exponential(0, RECONNECT_MS.0, RECONNECT_MS.1, 2))
            .set_performance_config(PerformanceConfig { default_command_timeout: COMMAND_TIMEOUT, ..PerformanceConfig::default() })
            .set_connection_config(ConnectionConfig {
                connection_timeout: CONNECT_TIMEOUT,
                internal_command_timeout: CONNECT_TIMEOUT,
                max_command_attempts: 1,
                max_command_buffer_len: MAX_WAITING_COMMANDS,
                unresponsive: UnresponsiveConfig { max_timeout: Some(COMMAND_TIMEOUT * 2), ..UnresponsiveConfig::default() },
                ..ConnectionConfig::default()
            })
            .build()?;
        let driver = AbortOnDropHandle::new(client.connect());
        tokio::time::timeout(CONNECT_TIMEOUT * 2, client.wait_for_connect())
            .await
            .map_err(|_| Error::new(ErrorKind::Timeout, "no connection in time"))??;
        Ok(Self { client, nonce: AtomicU64::new(1), in_doubt: AtomicBool::new(false), _driver: driver })
    }

    /// Whether an answer was missing or foreign: nothing that comes over this link can be trusted any more.
    pub fn is_in_doubt(&self) -> bool {
        self.in_doubt.load(Ordering::Acquire)
    }

    /// Runs a script over a partition; what it answers after the echoed number.
    pub async fn run(&self, script: &'static Script, stream: &Stream, args: Vec<Value>) -> Result<Vec<Value>, QueueError> {
        let nonce = self.nonce.fetch_add(1, Ordering::Relaxed).to_string();
        let answer = match self.evaluate("EVALSHA", &script.sha1, stream, &nonce, args.clone()).await {
            // Redis does not know the script, so that certainly nothing happened.
            Err(QueueError::Redis(e)) if e.details().starts_with("NOSCRIPT") => {
                self.evaluate("EVAL", script.source, stream, &nonce, args).await?
            }
            other => other?,
        };
        let mut parts = answer.into_array().into_iter();
        if parts.next().and_then(Value::into_bytes).is_some_and(|echo| echo == nonce.as_bytes()) {
            Ok(parts.collect())
        } else {
            Err(self.foreign(script.name))
        }
    }

    async fn evaluate(
        &self,
        command: &'static str,
        script: &str,
        stream: &Stream,
        nonce: &str,
        args: Vec<Value>,
    ) -> Result<Value, QueueError> {
        let mut all: Vec<Value> = Vec::with_capacity(args.len() + 5);
        all.extend([script.into(), 2.into(), stream.entries_key.as_str().into(), stream.at_key.as_str().into(), nonce.into()]);
        all.extend(args);
        self.send(CustomCommand::new_static(command, ClusterHash::Offset(2), false), all).await
    }

    /// Sends a plain command whose first argument is a key (or which has none).
    pub async fn command(&self, name: &'static str, args: Vec<Value>) -> Result<Value, QueueError> {
        self.send(CustomCommand::new_static(name, ClusterHash::FirstKey, false), args).await
    }

    /// Sends a command that holds the connection until something happens.
    pub async fn block(&self, name: &'static str, hash: ClusterHash, args: Vec<Value>) -> Result<Value, QueueError> {
        self.send(CustomCommand::new_static(name, hash, true), args).await
    }

    /// The answer does not fit its question: distrusts the link.
    pub fn foreign(&self, question: &'static str) -> QueueError {
        self.in_doubt.store(true, Ordering::Release);
        QueueError::Answer(question)
    }

    async fn send(&self, command: CustomCommand, args: Vec<Value>) -> Result<Value, QueueError> {
        // A caller that is cancelled leaves an answer behind that nobody waits for.
        let guard = Doubt(&self.in_doubt);
        let answer: Result<Value, Error> = self.client.custom(command, args).await;
        match answer {
            Err(e) if !is_refusal(&e) => Err(e.into()),
            answer => {
                std::mem::forget(guard);
                Ok(answer?)
            }
        }
    }
}

/// Puts the link in doubt when dropped.
struct Doubt<'a>(&'a AtomicBool);

impl Drop for Doubt<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Whether the server itself answered with an error, as it does where a command is wrong or memory is full: the link is sound.
fn is_refusal(error: &Error) -> bool {
    let word = error.details().split(' ').next().unwrap_or_default();
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_uppercase())
}

/// `redis://`, `rediss://`, their cluster and sentinel forms as fred has them, and `unix:///path`.
fn parse(url: &str) -> Result<Config, QueueError> {
    let config = match url.strip_prefix("unix://") {
        Some(path) if path.starts_with('/') => Config::from_url(&format!("redis+unix://{path}")),
        Some(path) => return Err(QueueError::Url(format!("unix:// needs an absolute path, not {path:?}"))),
        None => Config::from_url(url),
    };
    config.map_err(|e| QueueError::Url(e.to_string()))
}
