//! The Redis server itself: whether it is fit to hold the queue, and how full it is.

use super::value::text;
use super::{Queue, QueueError};

/// `XGROUP SETID ... ENTRIESREAD` and flags of scripts came with this one.
const OLDEST_MAJOR: u32 = 7;

/// Memory of the Redis server, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    pub used: u64,
    /// Where it refuses to take more; 0 = nowhere.
    pub max: u64,
}

impl Queue {
    /// Memory in use and its limit.
    pub async fn memory(&self) -> Result<Memory, QueueError> {
        let info = self.info("memory").await?;
        let number = |name| field(&info, name).and_then(|v| v.parse().ok()).unwrap_or(0);
        Ok(Memory { used: number("used_memory"), max: number("maxmemory") })
    }

    /// Refuses a server that is too old, or (unless `allow_lossy`) one that may evict entries or keeps no append-only file.
    pub async fn check_server(&self, allow_lossy: bool) -> Result<(), QueueError> {
        let version = field(&self.info("server").await?, "redis_version").unwrap_or_default().to_owned();
        let major: Option<u32> = version.split('.').next().and_then(|v| v.parse().ok());
        if major.is_some_and(|major| major < OLDEST_MAJOR) {
            return Err(QueueError::Version(version));
        }
        if allow_lossy {
            return Ok(());
        }
        let memory = self.info("memory").await?;
        let policy = field(&memory, "maxmemory_policy").unwrap_or("noeviction");
        if policy != "noeviction" {
            return Err(QueueError::Lossy(format!("its maxmemory-policy is {policy}, not noeviction, so that it may evict entries")));
        }
        if field(&self.info("persistence").await?, "aof_enabled") == Some("0") {
            return Err(QueueError::Lossy("it keeps no append-only file (appendonly no)".to_owned()));
        }
        Ok(())
    }

    async fn info(&self, section: &'static str) -> Result<String, QueueError> {
        let link = self.link().await?;
        let answer = link.command("INFO", vec![section.into()]).await?;
        text(&answer).filter(|info| info.starts_with('#')).ok_or_else(|| link.foreign("INFO"))
    }
}

/// The value of `name:` in an INFO text.
fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
}

/// The mark above which ingest stops reading its relay, and the lower one at which it goes on.
#[derive(Debug, Clone)]
pub struct HighWater {
    limit: u64,
    above: bool,
}

impl HighWater {
    /// `limit` = `queue.high_water`, in bytes.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        Self { limit, above: false }
    }

    /// Whether to hold back, now that memory is so: from the limit (at most 80 % of what Redis may take) on, until below 90 % of it.
    pub fn update(&mut self, memory: Memory) -> bool {
        let limit = if memory.max == 0 { self.limit } else { self.limit.min(memory.max / 5 * 4) };
        self.above = memory.used >= if self.above { limit / 10 * 9 } else { limit };
        self.above
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_back_at_the_mark_and_lets_go_below_nine_tenths() {
        let mut water = HighWater::new(1000);
        let at = |used, max| Memory { used, max };
        assert!(!water.update(at(999, 0)));
        assert!(water.update(at(1000, 0)));
        assert!(water.update(at(900, 0)));
        assert!(!water.update(at(899, 0)));
        assert!(!water.update(at(950, 0)));
    }

    #[test]
    fn never_uses_more_than_four_fifths_of_what_redis_may_take() {
        let mut water = HighWater::new(1000);
        assert!(water.update(Memory { used: 400, max: 500 }));
        assert!(!water.update(Memory { used: 350, max: 500 }));
    }

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let info = "# Memory\r\nused_memory_human:1K\r\nused_memory:1024\r\n";
        assert_eq!(field(info, "used_memory"), Some("1024"));
        assert_eq!(field(info, "memory"), None);
    }
}
