//! What the run is held against: the same events, prepared beforehand and applied on one connection while nothing else is at work.
//!
//! The statements are those of the daemon, since they come from the same module; what is missing is everything around them: relay, judging,
//! Redis, packing, preparing at the same time, and the competition of all these for the processors.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::numbers::{number, ratio};
use super::{Event, EventsOf, process};
use crate::config;
use crate::db::{migrate, offset, pool, size};
use crate::index::{Batch, Index};
use crate::queue::Position;

/// Its database, beside the daemon's.
const DATABASE: &str = "appviewd_ceiling";
/// Name of the relay that the events are said to come from.
const SOURCE: &str = "ceiling";

/// The figures of the one connection.
#[derive(Debug, Serialize)]
pub struct Ceiling {
    pub events: u64,
    /// While a transaction was open.
    pub events_per_second: f64,
    /// CPU of the connection's process and of the program that spoke to it, preparing included in the latter.
    pub backend_cpu_micros_per_event: Option<f64>,
}

/// How far it goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    /// Events in one transaction.
    pub batch: usize,
    pub events: u64,
    pub time: Duration,
}

/// Applies the events of `recording` to an empty database beside the one at `url`.
pub(super) async fn measure(
    url: &str,
    events_of: EventsOf,
    recording: &Path,
    extent: Extent,
    stop: &CancellationToken,
) -> anyhow::Result<Ceiling> {
    size::create_database(&**pool::writer(url, 1)?.get().await?, DATABASE).await.context("no second database")?;
    let mut client = pool::writer(&beside(url, DATABASE), 1)?.get().await?;
    migrate::run(&mut client).await?;
    let mut at = Position::new(0, 0);
    offset::insert_missing(&client, SOURCE, 1, at).await?;
    let backend = u32::try_from(size::backend(&client).await?).ok();
    let index = Index::new(config::index::Index::default());
    let mut events = events_of(recording)?;
    let (begun, mut applied, mut busy, mut cpu) = (Instant::now(), 0, Duration::ZERO, Some(Duration::ZERO));
    while applied < extent.events && begun.elapsed() < extent.time && !stop.is_cancelled() {
        let taken: Vec<Event> = events.by_ref().take(extent.batch.max(1)).collect::<anyhow::Result<_>>()?;
        let Some(last) = taken.last() else { break };
        let (new, count) = (Position::new(0, last.seq), u64::try_from(taken.len())?);
        let batch = Batch { source: Arc::from(SOURCE), part: 0, old: at, new, events: taken };
        let prepared = index.prepare(&mut client, batch).await?;
        let (started, before) = (Instant::now(), backend.and_then(process::alone));
        index.apply(&mut client, std::slice::from_ref(&prepared)).await?;
        busy += started.elapsed();
        let spent = backend.and_then(process::alone).zip(before).map(|(after, before)| after.saturating_sub(before));
        cpu = cpu.zip(spent).map(|(cpu, spent)| cpu + spent);
        applied += count;
        at = new;
    }
    Ok(Ceiling {
        events: applied,
        events_per_second: number(applied) / busy.as_secs_f64().max(0.001),
        backend_cpu_micros_per_event: cpu.map(|cpu| ratio(u64::try_from(cpu.as_micros()).unwrap_or(u64::MAX), applied)),
    })
}

/// The address of another database of the same server.
fn beside(url: &str, database: &str) -> String {
    let (place, options) = url.split_once('?').map_or((url, None), |(place, options)| (place, Some(options)));
    // The scheme's slashes are no path.
    let host = match place.split_once("://").and_then(|(_, rest)| rest.rsplit_once('/')) {
        Some((_, name)) => place.get(..place.len() - name.len() - 1).unwrap_or(place),
        None => place,
    };
    format!("{host}/{database}{}", options.map(|options| format!("?{options}")).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_database_is_beside_the_first() {
        for (url, other) in [
            ("postgres://me@host:1/a?x=y/z", "postgres://me@host:1/b?x=y/z"),
            ("postgres://me@%2Frun/postgres", "postgres://me@%2Frun/b"),
            ("postgres://host", "postgres://host/b"),
        ] {
            assert_eq!(beside(url, "b"), other);
        }
    }
}
