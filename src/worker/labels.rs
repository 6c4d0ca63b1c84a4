//! Labels out of the queue into PostgreSQL: one labeler after the other, each from where its labels are applied up to. Every worker process
//! looks; the owner of partition 0 goes first. That each label is applied once never depends on it: the compare on commit lets one win.
//!
//! What was applied is durable when it is told, so that the stream is trimmed behind it at once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::context::{Context, Part};
use crate::atproto::label::Label;
use crate::atproto::{Did, Position};
use crate::db::Client;
use crate::db::labeler::Labeler;
use crate::index::{IndexError, Labelled};
use crate::net::Backoff;
use crate::queue::{LabelEntryError, Most, QueueError, Snapshot, Waker, decode_labels};

/// How long a process that does not go first waits for the one that does.
const POLITE: Duration = Duration::from_millis(500);
/// Whose owner goes first.
const FIRST: u16 = 0;
/// Labels of one transaction: some tens of milliseconds of the lock.
const MOST: Most = Most { entries: 64, bytes: 1 << 20, events: 1000 };
/// Pause while there are no labelers.
const IDLE: Duration = Duration::from_secs(1);
/// Between two rounds: what arrives meanwhile is applied in one go.
const PAUSE: Duration = Duration::from_millis(5);

/// Why labels were not applied now.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Queue(#[from] QueueError),
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    Entry(#[from] LabelEntryError),
}

/// Runs until `shutdown`; a transaction that is cut off then leaves nothing. `configured`: labelers that this process knows of by itself.
pub async fn run(context: Arc<Context>, configured: Vec<Did>) {
    let work = async {
        let (mut backoff, mut waker) = (Backoff::of_store(), context.queue.waker());
        loop {
            match round(&context, &configured, &mut waker).await {
                Ok(()) => {
                    context.works(Part::Labels);
                    backoff.reset();
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => {
                    context.trouble(Part::Labels, &error);
                    backoff.pause().await;
                }
            }
        }
    };
    let _ = Box::pin(context.shutdown.run_until_cancelled(work)).await;
}

/// Applies what is there of every labeler, and waits for more, a second at most. The trouble of one is told when all others had their turn.
async fn round(context: &Context, configured: &[Did], waker: &mut Waker) -> Result<(), Trouble> {
    let mut dids: BTreeSet<Did> = configured.iter().cloned().collect();
    dids.extend(context.queue.labelers().await?.iter().filter_map(|did| did.parse().ok()));
    if dids.is_empty() {
        tokio::time::sleep(IDLE).await;
        return Ok(());
    }
    if !context.board.owns(FIRST) {
        tokio::time::sleep(POLITE).await;
    }
    let mut client = context.client().await?;
    let mut labelers = context.index.labelers(&mut client, &dids.into_iter().collect::<Vec<_>>()).await?;
    let mut trouble = Ok(());
    for labeler in &mut labelers {
        if let Err(error) = one(context, &mut client, labeler).await {
            trouble = Err(error);
        }
    }
    drop(client);
    context.telemetry.status().labels(labelers.iter().map(|labeler| (labeler.did.clone(), labeler.at.seq)).collect());
    trouble?;
    let places: Vec<_> = labelers.iter().map(|labeler| (Arc::new(context.queue.labeler(&labeler.did)), labeler.at)).collect();
    waker.wait(&places).await?;
    Ok(())
}

/// Applies what is there of one labeler.
async fn one(context: &Context, client: &mut Client, labeler: &mut Labeler) -> Result<(), Trouble> {
    let stream = context.queue.labeler(&labeler.did);
    loop {
        let Some(snapshot) = context.queue.snapshot(&stream, labeler.at, MOST).await? else {
            context.queue.begin(&stream, labeler.at, true).await?;
            return Ok(());
        };
        if labeler.at < snapshot.floor {
            // PostgreSQL went back, and ingest sends the difference again; or somebody else was faster, and this place is from before.
            let labelers = context.index.labelers(client, &[]).await?;
            if labelers.iter().any(|held| held.id == labeler.id && held.at == labeler.at) {
                tracing::warn!(labeler = labeler.did, at = %labeler.at, "labels that are in the queue no more are read again");
                context.queue.begin(&stream, labeler.at, false).await?;
            }
            return Ok(());
        }
        let new = end(&snapshot, labeler.at);
        if new > labeler.at {
            match apply(context, client, labeler, &snapshot, new).await {
                Ok(labelled) => tell(context, labelled),
                // Another worker was faster; or a key's number is gone, and is given anew.
                Err(Trouble::Index(IndexError::Lost)) => return Ok(()),
                Err(Trouble::Index(IndexError::Stale)) => continue,
                Err(error) => return Err(error),
            }
            labeler.at = new;
        }
        if !snapshot.entries.is_empty() {
            context.queue.trim(&stream, labeler.at).await?;
        }
        if snapshot.complete {
            return Ok(());
        }
    }
}

/// Up to where the snapshot tells everything.
fn end(snapshot: &Snapshot, at: Position) -> Position {
    let last = snapshot.entries.last().map_or(at, |entry| entry.last);
    at.max(if snapshot.complete { last.max(snapshot.pos) } else { last })
}

async fn apply(context: &Context, client: &mut Client, labeler: &Labeler, snapshot: &Snapshot, new: Position) -> Result<Labelled, Trouble> {
    let mut labels: Vec<Label> = Vec::new();
    for entry in &snapshot.entries {
        let queued = decode_labels(&entry.bytes)?.into_iter();
        labels.extend(queued.filter(|queued| Position::new(entry.last.epoch, queued.seq) > labeler.at).map(|queued| queued.label));
    }
    Ok(context.index.label(client, labeler, new, &labels.iter().collect::<Vec<_>>()).await?)
}

fn tell(context: &Context, labelled: Labelled) {
    let metrics = &context.telemetry.metrics().labels;
    for (outcome, n) in [("said", labelled.said), ("older", labelled.older), ("too_many", labelled.too_many)] {
        if n > 0 {
            metrics.applied.add(outcome, n);
        }
    }
}
