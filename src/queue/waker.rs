//! Tells when entries arrive. Only wakes: what arrived is read by a snapshot.

use std::sync::Arc;
use std::time::Duration;

use fred::types::{ClusterHash, Value};

use super::keys::Stream;
use super::link::Link;
use super::value::text;
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
    /// those that have.
    pub async fn wait(&mut self, after: &[(Stream, Position)]) -> Result<Vec<usize>, QueueError> {
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
        let woken: Vec<String> = answer.into_array().into_iter().filter_map(|stream| stream.into_array().first().and_then(text)).collect();
        Ok(after.iter().enumerate().filter(|(_, (stream, _))| woken.contains(&stream.entries_key)).map(|(place, _)| place).collect())
    }
}
