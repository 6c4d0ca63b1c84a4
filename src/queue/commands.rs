//! The stream of commands, from the API to the worker. It has no positions: an entry goes when its command's outcome is durable, and one that
//! is there twice, or comes back, is known by its id. Never cut by length: who finds too many waiting is refused.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fred::types::{ClusterHash, Value};

use super::command::{Command, CommandError, CommandId};
use super::link::Link;
use super::value::{bytes, int, text};
use super::{Queue, QueueError};

/// Commands that may wait: some minutes' worth of a busy network, and far less memory than the events beside them. While so many wait the
/// worker or PostgreSQL is away, and whoever asks for more is better told so.
const MOST_WAITING: i64 = 10_000;
/// How long Redis holds the question where nothing waits.
const BLOCK: Duration = Duration::from_secs(1);

/// One entry of the stream.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandEntry {
    /// Its name in the stream, for [`Queue::delete_commands`].
    pub at: String,
    /// `None`: no command's id can be read, so that there is nobody to be answered.
    pub id: Option<CommandId>,
    pub command: Result<Command, CommandError>,
}

impl Queue {
    /// Puts a command at the end of the stream. After an error it may be there or not; putting it there again does no harm.
    ///
    /// # Errors
    /// [`QueueError::is_full`]: it is certainly not there.
    pub async fn add_command(&self, id: CommandId, command: Bytes) -> Result<(), QueueError> {
        let link = self.link().await?;
        let key = self.keys().commands();
        let waiting = int(&link.command("XLEN", vec![key.as_str().into()]).await?).ok_or_else(|| link.foreign("XLEN"))?;
        if waiting >= MOST_WAITING {
            return Err(QueueError::TooMany(waiting));
        }
        let fields: [Value; 4] = ["id".into(), id.to_string().into(), "command".into(), command.into()];
        let args = [key.into(), Value::from("*")].into_iter().chain(fields).collect();
        let at = text(&link.command("XADD", args).await?);
        at.filter(|at| is_entry(at)).map(drop).ok_or_else(|| link.foreign("XADD"))
    }

    /// Takes entries off the stream, whose outcomes must be durable.
    pub async fn delete_commands(&self, entries: &[&str]) -> Result<(), QueueError> {
        if entries.is_empty() {
            return Ok(());
        }
        let link = self.link().await?;
        let args = std::iter::once(self.keys().commands().into()).chain(entries.iter().map(|at| Value::from(*at))).collect();
        int(&link.command("XDEL", args).await?).map(drop).ok_or_else(|| link.foreign("XDEL"))
    }

    /// How many commands wait.
    pub async fn commands_waiting(&self) -> Result<u64, QueueError> {
        let link = self.link().await?;
        let waiting = int(&link.command("XLEN", vec![self.keys().commands().into()]).await?);
        waiting.and_then(|n| u64::try_from(n).ok()).ok_or_else(|| link.foreign("XLEN"))
    }

    /// The reading end.
    #[must_use]
    pub fn commands(&self) -> Commands {
        Commands { url: self.url(), key: self.keys().commands(), link: None }
    }
}

/// The reading end of the stream: a connection of its own, since a blocking command holds all that come after it.
#[derive(Debug)]
pub struct Commands {
    url: Arc<str>,
    key: String,
    link: Option<Link>,
}

impl Commands {
    /// The first entries, up to `count`; waits a second at most for the first one.
    pub async fn head(&mut self, count: usize) -> Result<Vec<CommandEntry>, QueueError> {
        if self.link.as_ref().is_none_or(Link::is_in_doubt) {
            self.link = None;
        }
        let link = match &mut self.link {
            Some(link) => link,
            empty => empty.insert(Link::open(&self.url).await?),
        };
        let block = i64::try_from(BLOCK.as_millis()).unwrap_or(1000);
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let args =
            vec!["COUNT".into(), count.into(), "BLOCK".into(), block.into(), "STREAMS".into(), self.key.as_str().into(), "0-0".into()];
        let answer = link.block("XREAD", ClusterHash::Offset(5), args).await?;
        if answer.is_null() {
            return Ok(Vec::new());
        }
        entries(answer, &self.key).ok_or_else(|| link.foreign("XREAD"))
    }
}

/// Reads `[[key, [[at, [name, value]...]...]]]`.
fn entries(answer: Value, key: &str) -> Option<Vec<CommandEntry>> {
    let [stream] = <[Value; 1]>::try_from(answer.into_array()).ok()?;
    let [name, entries] = <[Value; 2]>::try_from(stream.into_array()).ok()?;
    if text(&name)? != key {
        return None;
    }
    entries.into_array().into_iter().map(entry).collect()
}

fn entry(value: Value) -> Option<CommandEntry> {
    let [at, fields] = <[Value; 2]>::try_from(value.into_array()).ok()?;
    let at = text(&at).filter(|at| is_entry(at))?;
    let fields: Vec<Value> = fields.into_array();
    let field = |name: &str| fields.chunks_exact(2).find_map(|pair| (text(pair.first()?)? == name).then(|| pair.last())?);
    let id = field("id").and_then(text).and_then(|id| id.parse::<CommandId>().ok());
    let command = match (id, field("command").and_then(bytes)) {
        (Some(id), Some(command)) => Command::decode(id, &command),
        _ => Err(CommandError::Malformed("an entry without an id or a command".to_owned())),
    };
    Some(CommandEntry { at, id, command })
}

/// `<milliseconds>-<number>`.
fn is_entry(at: &str) -> bool {
    at.split_once('-').is_some_and(|(time, number)| time.parse::<u64>().is_ok() && number.parse::<u64>().is_ok())
}
