//! Tells when entries arrive. Only wakes: what arrived is read by a snapshot.

use std::sync::Arc;
use std::time::Duration;

use fred::types::{ClusterHash, Value};

use super::keys::Stream;
use super::link::Link;
use super::value::{position, text};
use super::{Position, QueueError};

/// How long Redis holds the question where nothing arrives.
const BLOCK: Duration = Duration::from_secs(1);

/// A connection of its own, since a blocking command holds all that come after it.
#[derive(Debug)]
pub struct Waker {
    url: Arc<str>,
    link: Option<Link>,
}

impl Waker {
    pub(super) fn new(url: Arc<str>) -> Self {
        Self { url, link: None }
    }

    /// Waits until one of the partitions has an entry after the position named with it, a second at most. Returns the places in `after` of
    /// those that have, each with the position of the first such entry.
    pub async fn wait(&mut self, after: &[(Arc<Stream>, Position)]) -> Result<Vec<(usize, Position)>, QueueError> {
        if after.is_empty() {
            tokio::time::sleep(BLOCK).await;
            return Ok(Vec::new());
        }
        if self.link.as_ref().is_none_or(Link::is_in_doubt) {
            self.link = None;
        }
        let link = match &mut self.link {
            Some(link) => link,
            empty => empty.insert(Link::open(&self.url).await?),
        };
        let mut args: Vec<Value> =
            vec!["COUNT".into(), 1.into(), "BLOCK".into(), i64::try_from(BLOCK.as_millis()).unwrap_or(1000).into(), "STREAMS".into()];
        args.extend(after.iter().map(|(stream, _)| stream.entries_key.as_str().into()));
        args.extend(after.iter().map(|(_, at)| if at.is_live() { "0-0".into() } else { at.to_string().into() }));
        let answer = link.block("XREAD", ClusterHash::Offset(5), args).await?;
        Ok(answer.into_array().into_iter().filter_map(|stream| woken(after, stream)).collect())
    }
}

/// Reads `[key, [[id, fields]...]]`.
fn woken(after: &[(Arc<Stream>, Position)], answer: Value) -> Option<(usize, Position)> {
    let [key, entries] = <[Value; 2]>::try_from(answer.into_array()).ok()?;
    let key = text(&key)?;
    let place = after.iter().position(|(stream, _)| stream.entries_key == key)?;
    let first = entries.into_array().into_iter().next()?.into_array().into_iter().next()?;
    Some((place, position(&first)?))
}
