//! Writing beside the reading: a relay that serves recorded frames as fast as they are taken, and a daemon that ingests and applies them into
//! the database that is asked. On a machine of few CPUs both take from each other.

use std::time::{Duration, Instant};

use anyhow::bail;
use tokio::process::Command;
use tokio::time::sleep;

use super::super::child::Child;
use super::super::{counters, ingest};
use super::{Options, Recording, process};

/// Until the first events are applied.
const START: Duration = Duration::from_mins(1);
const TICK: Duration = Duration::from_millis(100);
const EVENTS: &str = "appviewd_worker_events_total";

/// What is written, and through which Redis.
#[derive(Debug, Clone)]
pub struct Writing {
    pub recording: Recording,
    /// An empty one.
    pub redis: String,
}

/// The processes that write.
#[derive(Debug)]
pub(super) struct Writer {
    relay: Child,
    worker: Child,
    port: u16,
}

impl Writer {
    /// Returns when the first events are applied.
    pub(super) async fn start(options: &Options, writing: &Writing) -> anyhow::Result<Self> {
        let (port, relay_port) = (ingest::free_port()?, ingest::free_port()?);
        let relay = ingest::start_relay(&options.program, &writing.recording.path, &options.folder, relay_port)?;
        let mut command = Command::new(&options.program);
        command.args(["run", "--roles", "ingest,worker"]);
        let environment = [
            ("APPVIEW_DATA_DIR", options.folder.join("none").display().to_string()),
            ("DATABASE_URL", options.database.clone()),
            ("REDIS_URL", writing.redis.clone()),
            ("RELAY_URL", format!("ws://127.0.0.1:{relay_port}")),
            ("RELAY_CURSOR", "0".to_owned()),
            // Nobody answers there: those who write are not resolved.
            ("PLC_URL", "http://127.0.0.1:1".to_owned()),
            ("APPVIEW_TELEMETRY__LISTEN", format!("127.0.0.1:{port}")),
            ("CONSUMER_ID", "bench".to_owned()),
            ("LOG_LEVEL", "info".to_owned()),
        ];
        let worker = Child::start("worker", command, &environment, &options.folder)?;
        let mut writer = Self { relay, worker, port };
        let begun = Instant::now();
        while writer.events().await.unwrap_or(0) == 0 {
            writer.check()?;
            if begun.elapsed() > START {
                bail!("nothing was applied in {} s: {}", START.as_secs(), writer.worker.tail());
            }
            sleep(TICK).await;
        }
        Ok(writer)
    }

    /// Events applied so far.
    pub(super) async fn events(&self) -> anyhow::Result<u64> {
        Ok(counters::counters(self.port).await?.count(EVENTS))
    }

    /// CPU time of the daemon that writes.
    pub(super) fn cpu(&self) -> Duration {
        process::alone(self.worker.pid).unwrap_or_default()
    }

    pub(super) fn check(&mut self) -> anyhow::Result<()> {
        self.relay.check()?;
        self.worker.check()
    }

    pub(super) async fn stop(self) {
        self.worker.stop().await;
        self.relay.stop().await;
    }
}
