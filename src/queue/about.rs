//! What is kept beside the partitions: the sources, what the queue is, and the last frame seen.

use fred::types::Value;

use super::value::{bytes, int, text};
use super::{HASH_NAME, Queue, QueueError};

/// Where the old system kept the relay's cursor.
const OLD_CURSOR: &str = "firehose:python_cursor";

/// The last frame that ingest had of a source, by which it recognises a relay that numbers anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub epoch: i64,
    pub seq: i64,
    /// The frame's time in microseconds since 1970.
    pub time: i64,
    /// SHA-256 of the frame.
    pub digest: [u8; 32],
}

impl Queue {
    /// The sources that some ingest has written, sorted.
    pub async fn sources(&self) -> Result<Vec<String>, QueueError> {
        let link = self.link().await?;
        let answer = link.command("SMEMBERS", vec![self.keys().sources().into()]).await?;
        let mut sources: Vec<String> = answer.into_array().iter().filter_map(text).collect();
        sources.sort();
        Ok(sources)
    }

    /// Says that events of this source come.
    pub async fn add_source(&self, source: &str) -> Result<(), QueueError> {
        let link = self.link().await?;
        link.command("SADD", vec![self.keys().sources().into(), source.into()]).await.map(drop)
    }

    /// Holds the configured number of partitions against the queue's own, which is written where it is absent.
    ///
    /// # Errors
    /// [`QueueError::Meta`] where they differ.
    pub async fn check_meta(&self, partitions: u16) -> Result<(), QueueError> {
        let link = self.link().await?;
        for (key, wanted) in [("partitions", partitions.to_string()), ("hash", HASH_NAME.to_owned())] {
            let meta = self.keys().meta();
            link.command("HSETNX", vec![meta.as_str().into(), key.into(), wanted.as_str().into()]).await?;
            // A Redis that was emptied between the two contradicts nobody; the next session writes it again.
            let found = text(&link.command("HGET", vec![meta.into(), key.into()]).await?);
            if let Some(found) = found.filter(|found| *found != wanted) {
                return Err(QueueError::Meta { key, found, wanted });
            }
        }
        Ok(())
    }

    /// The last frame seen from a source; `None` where nothing (or nothing whole) is stored.
    pub async fn seen(&self, source: &str) -> Result<Option<Seen>, QueueError> {
        let link = self.link().await?;
        let fields = ["epoch", "seq", "time", "digest"].map(Value::from);
        let answer = link.command("HMGET", [vec![self.keys().seen(source).into()], fields.to_vec()].concat()).await?;
        let [epoch, seq, time, digest] = &answer.into_array()[..] else { return Err(link.foreign("HMGET seen")) };
        let digest = bytes(digest).and_then(|d| <[u8; 32]>::try_from(&d[..]).ok());
        let seen = (|| Some(Seen { epoch: int(epoch)?, seq: int(seq)?, time: int(time)?, digest: digest? }))();
        Ok(seen)
    }

    /// Stores the last frame seen from a source.
    pub async fn set_seen(&self, source: &str, seen: &Seen) -> Result<(), QueueError> {
        let link = self.link().await?;
        let digest = Value::Bytes(seen.digest.to_vec().into());
        let args = vec![
            self.keys().seen(source).into(),
            "epoch".into(),
            seen.epoch.into(),
            "seq".into(),
            seen.seq.into(),
            "time".into(),
            seen.time.into(),
            "digest".into(),
            digest,
        ];
        link.command("HSET", args).await.map(drop)
    }

    /// The relay cursor that the old system left in this Redis.
    pub async fn old_cursor(&self) -> Result<Option<i64>, QueueError> {
        let link = self.link().await?;
        Ok(int(&link.command("GET", vec![OLD_CURSOR.into()]).await?))
    }
}
