//! Resolves accounts: what #identity events name first, then what is due again and what was seen first. One worker process at a time does it,
//! by a lease; two would only ask twice.
//!
//! Nothing waits for it, and it holds no transaction while it asks. What it has not written when the process ends is due again.

mod outcome;
mod pending;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

pub use pending::Pending;

use self::outcome::{Finding, find, outcome, word};
use super::context::{Context, Part};
use crate::db::identity::{self, Due, Failed, Outcome, Task};
use crate::db::{Client, lease};
use crate::identity::Identities;
use crate::index::IndexError;
use crate::net::Backoff;

/// For how long the lease is taken, in seconds.
const LEASE: f64 = 10.0;
/// It is renewed this often.
const RENEW: Duration = Duration::from_secs(3);
/// How often is looked for what became due by time or by another process.
const LOOK: Duration = Duration::from_millis(500);
/// What is found out is written together with all that comes within this time.
const GATHER: Duration = Duration::from_millis(10);
/// Repos that are looked through at once for some without a row.
const MISSING: i64 = 5000;

/// Runs until `shutdown`; up to `concurrency` accounts are resolved at once.
pub async fn run(context: Arc<Context>, identities: Arc<Identities>, concurrency: usize) {
    let mut resolver = Resolver {
        identities,
        concurrency,
        running: JoinSet::new(),
        busy: Vec::new(),
        holds: false,
        asked: None,
        searched: None,
        away: Away { backoff: Backoff::of_store(), until: None },
    };
    let work = async {
        let mut backoff = Backoff::of_store();
        loop {
            match resolver.round(&context).await {
                Ok(()) => {
                    context.works(Part::Identities);
                    backoff.reset();
                }
                Err(error) => {
                    context.trouble(Part::Identities, &error);
                    backoff.pause().await;
                }
            }
        }
    };
    let _ = context.shutdown.run_until_cancelled(work).await;
}

struct Resolver {
    identities: Arc<Identities>,
    concurrency: usize,
    running: JoinSet<(Task, Finding)>,
    /// Accounts of `running`, and whether an event made them due.
    busy: Vec<(i32, bool)>,
    /// Whether this process has the lease, and when it was last asked for.
    holds: bool,
    asked: Option<Instant>,
    /// The account up to which repos without a row were looked for; `None`: all.
    searched: Option<i32>,
    away: Away,
}

/// Whether the directory or the resolver is away: then few are asked for.
struct Away {
    backoff: Backoff,
    until: Option<Instant>,
}

impl Resolver {
    /// Takes what is due, waits for something to happen, and writes what was found out.
    async fn round(&mut self, context: &Context) -> Result<(), IndexError> {
        let client = context.client().await?;
        self.keep_lease(context, &client).await?;
        if self.holds {
            self.search(&client).await?;
            self.fill(&client).await?;
        }
        drop(client);
        let first = tokio::select! {
            Some(ended) = self.running.join_next() => Some(ended),
            () = context.pending.wait() => None,
            () = tokio::time::sleep(LOOK) => None,
        };
        let Some(first) = first else { return Ok(()) };
        tokio::time::sleep(GATHER).await;
        let mut ended = vec![first];
        ended.extend(std::iter::from_fn(|| self.running.try_join_next()));
        let outcomes = ended.into_iter().flatten().map(|(task, finding)| outcome(&task, finding)).collect();
        if self.running.is_empty() {
            self.busy.clear();
        }
        self.settle(context, outcomes).await
    }

    async fn keep_lease(&mut self, context: &Context, client: &Client) -> Result<(), IndexError> {
        if self.asked.is_some_and(|asked| asked.elapsed() < RENEW) {
            return Ok(());
        }
        self.asked = Some(Instant::now());
        let holds = !lease::take(client, &context.process, &[lease::IDENTITIES], LEASE).await?.is_empty();
        if holds && !self.holds {
            tracing::info!("this process resolves handles and keys");
            self.searched = Some(0);
        }
        self.holds = holds;
        Ok(())
    }

    /// Looks a page further for repos without a row, which older binaries leave behind.
    async fn search(&mut self, client: &Client) -> Result<(), IndexError> {
        if let Some(after) = self.searched {
            self.searched = identity::add_missing(client, after, MISSING).await?;
        }
        Ok(())
    }

    /// Begins to resolve what is due, as far as there is room. A quarter of the room is for events alone.
    async fn fill(&mut self, client: &Client) -> Result<(), IndexError> {
        if self.away.until.is_some_and(|until| until > Instant::now()) {
            return Ok(());
        }
        let others = self.busy.iter().filter(|(_, event)| !event).count();
        let room = (self.concurrency * 3).div_ceil(4).saturating_sub(others);
        self.take(client, Due::Events, self.concurrency).await?;
        self.take(client, Due::Again, room.div_ceil(2)).await?;
        let taken = self.busy.iter().filter(|(_, event)| !event).count() - others;
        self.take(client, Due::First, room.saturating_sub(taken)).await
    }

    async fn take(&mut self, client: &Client, which: Due, most: usize) -> Result<(), IndexError> {
        let room = most.min(self.concurrency.saturating_sub(self.busy.len()));
        if room == 0 {
            return Ok(());
        }
        let busy: Vec<i32> = self.busy.iter().map(|(account, _)| *account).collect();
        for task in identity::due(client, which, &busy, i64::try_from(room).unwrap_or(1)).await? {
            self.busy.push((task.account, which == Due::Events));
            let identities = Arc::clone(&self.identities);
            self.running.spawn(async move {
                let finding = find(&identities, &task.did).await;
                (task, finding)
            });
        }
        Ok(())
    }

    async fn settle(&mut self, context: &Context, mut outcomes: Vec<Outcome>) -> Result<(), IndexError> {
        self.busy.retain(|(account, _)| !outcomes.iter().any(|outcome| outcome.account == *account));
        self.mind_the_directory(&outcomes);
        // Two that were verified for one handle: it moved between the two checks, and nobody knows to whom.
        let twice = |outcomes: &[Outcome], one: &Outcome| {
            one.handle.is_some() && outcomes.iter().any(|other| other.account != one.account && other.handle == one.handle)
        };
        let kept: Vec<Outcome> = outcomes.iter().filter(|one| !twice(&outcomes, one)).cloned().collect();
        outcomes = kept;
        if outcomes.is_empty() {
            return Ok(());
        }
        outcomes.sort_unstable_by_key(|outcome| outcome.account);
        let mut client = context.client().await?;
        let transaction = client.transaction().await?;
        identity::settle(&transaction, &outcomes).await?;
        transaction.commit().await?;
        for outcome in &outcomes {
            context.telemetry.metrics().identity.resolved.inc(word(outcome.failed));
        }
        Ok(context.pending.count(&context.telemetry, &client).await?)
    }

    /// Pauses, longer each time, while the directory or the resolver is away; said where it begins and ends.
    fn mind_the_directory(&mut self, outcomes: &[Outcome]) {
        let is_away = !outcomes.is_empty() && outcomes.iter().all(|outcome| outcome.failed == Failed::Away);
        match (is_away, self.away.until.is_some()) {
            (true, known) => {
                if !known {
                    tracing::warn!("the directory of DIDs or the resolver of handles does not answer; accounts keep the handles they have");
                }
                self.away.until = Some(Instant::now() + self.away.backoff.step());
            }
            (false, true) => {
                tracing::info!("DIDs and handles are resolved again");
                self.away.backoff.reset();
                self.away.until = None;
            }
            (false, false) => {}
        }
    }
}
