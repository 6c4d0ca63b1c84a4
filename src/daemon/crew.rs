//! The tasks of the process by name: one that ends before it was asked to, by error or panic, ends them all; none is detached.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::anyhow;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, error, info, warn};

/// Everything that runs until the stop.
#[derive(Debug)]
pub struct Crew {
    tasks: JoinSet<anyhow::Result<()>>,
    names: HashMap<Id, &'static str>,
    stop: CancellationToken,
}

impl Crew {
    /// A crew that stops with `stop`, and cancels it when one of its tasks fails.
    pub fn new(stop: CancellationToken) -> Self {
        Self { tasks: JoinSet::new(), names: HashMap::new(), stop }
    }

    /// Runs `task` under this name, which every line of its log carries as its role.
    pub fn spawn(&mut self, name: &'static str, task: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        let handle = self.tasks.spawn(task.instrument(tracing::error_span!("role", role = name)));
        self.names.insert(handle.id(), name);
    }

    /// Waits for the stop, or for the first task that fails, which asks the others to stop; then until all have ended, `drain` at most.
    pub async fn run(mut self, drain: Duration) -> anyhow::Result<()> {
        let mut outcome = Ok(());
        while !self.stop.is_cancelled() {
            let stop = self.stop.clone();
            let Some(Some(ended)) = stop.run_until_cancelled(self.tasks.join_next_with_id()).await else { break };
            let ended = self.judge(ended, self.stop.is_cancelled());
            if ended.is_err() {
                outcome = ended;
                self.stop.cancel();
            }
        }
        self.stop.cancelled().await;
        let drained = tokio::time::timeout(drain, async {
            while let Some(ended) = self.tasks.join_next_with_id().await {
                let ended = self.judge(ended, true);
                if outcome.is_ok() {
                    outcome = ended;
                }
            }
        });
        if drained.await.is_err() {
            let late: Vec<_> = self.names.values().copied().collect();
            error!(late = late.join(","), seconds = drain.as_secs(), "tasks did not stop in time; they are ended");
            self.tasks.shutdown().await;
            return Err(anyhow!("{} did not stop in time", late.join(", ")));
        }
        outcome
    }

    /// Whether a task ended as it should, with its name where not.
    fn judge(&mut self, ended: Result<(Id, anyhow::Result<()>), JoinError>, asked: bool) -> anyhow::Result<()> {
        let (id, result) = match ended {
            Ok((id, result)) => (id, result),
            Err(panic) => (panic.id(), Err(anyhow!("it panicked"))),
        };
        let name = self.names.remove(&id).unwrap_or("task");
        match result {
            Ok(()) if asked => {
                info!(task = name, "stopped");
                Ok(())
            }
            Ok(()) => {
                warn!(task = name, "ended although no stop was asked for");
                Err(anyhow!("{name} ended although no stop was asked for"))
            }
            Err(cause) => {
                error!(task = name, error = format!("{cause:#}"), "failed");
                Err(cause.context(format!("{name} failed")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAIN: Duration = Duration::from_secs(5);

    async fn until(stop: CancellationToken) -> anyhow::Result<()> {
        stop.cancelled().await;
        Ok(())
    }

    #[tokio::test]
    async fn a_stop_that_was_asked_for_is_no_error() {
        let stop = CancellationToken::new();
        let mut crew = Crew::new(stop.clone());
        crew.spawn("one", until(stop.clone()));
        crew.spawn("two", until(stop.clone()));
        stop.cancel();
        crew.run(DRAIN).await.unwrap();
    }

    #[tokio::test]
    async fn an_error_or_a_panic_stops_the_others_and_is_told() {
        for (panics, told) in [(false, "bad failed: broken"), (true, "bad failed: it panicked")] {
            let stop = CancellationToken::new();
            let mut crew = Crew::new(stop.clone());
            crew.spawn("good", until(stop.clone()));
            crew.spawn("bad", async move { if panics { panic!("on purpose") } else { Err(anyhow!("broken")) } });
            assert_eq!(format!("{:#}", crew.run(DRAIN).await.unwrap_err()), told);
            assert!(stop.is_cancelled());
        }
    }

    #[tokio::test]
    async fn an_end_that_nobody_asked_for_is_an_error() {
        let mut crew = Crew::new(CancellationToken::new());
        crew.spawn("early", async { Ok(()) });
        assert!(crew.run(DRAIN).await.unwrap_err().to_string().contains("early ended"));
    }

    #[tokio::test]
    async fn who_does_not_stop_in_time_is_named() {
        let stop = CancellationToken::new();
        let mut crew = Crew::new(stop.clone());
        crew.spawn("stubborn", std::future::pending());
        stop.cancel();
        assert_eq!(crew.run(Duration::from_millis(10)).await.unwrap_err().to_string(), "stubborn did not stop in time");
    }
}
