//! What a run comes to: figures as JSON, and as a table for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Context as _;
use serde::Serialize;

use super::Options;
use super::ceiling::Ceiling;
use super::numbers::{number, ratio};
use super::storage::{Storage, Weight};
use super::watch::{Cpu, Sample};

/// Part of the events after which the steady window begins at the latest: 1 in so many.
const WARM: u64 = 4;
/// Shortest steady window that says something.
const SHORTEST: Duration = Duration::from_secs(3);

/// The figures of a run.
#[derive(Debug, Serialize)]
pub struct Report {
    pub version: &'static str,
    pub cpus: usize,
    pub debug_build: bool,
    pub frames: u64,
    pub frame_bytes: f64,
    /// Events that were applied, and the time from the first frame to the last of them.
    pub applied: u64,
    pub seconds: f64,
    pub whole: Window,
    /// Where ingest and worker ran at one speed: from the first time that ingest was held back (or a quarter of the events) to the last frame read.
    pub steady: Option<Window>,
    /// In the steady window, else in the whole.
    pub least_per_second: f64,
    /// The same statements on one connection, with nothing else at work.
    pub ceiling: Option<Ceiling>,
    pub daemon_peak_memory_bytes: Option<u64>,
    pub wal_bytes_per_event: f64,
    pub queue: Queue,
    pub worker: Worker,
    pub problems: BTreeMap<&'static str, u64>,
    pub storage: Storage,
}

/// A part of the run.
#[derive(Debug, Serialize)]
pub struct Window {
    pub seconds: f64,
    pub events: u64,
    pub events_per_second: f64,
    pub cpu_micros_per_event: CpuMicros,
    /// CPU seconds per second of all four.
    pub cpus_busy: f64,
}

/// Microseconds an event; `None` = on another machine.
#[derive(Debug, Serialize)]
pub struct CpuMicros {
    pub daemon: f64,
    pub redis: Option<f64>,
    pub postgres: Option<f64>,
    pub relay: f64,
}

/// The queue between the two halves.
#[derive(Debug, Serialize)]
pub struct Queue {
    pub most_events: u64,
    pub held_back_seconds: u64,
    pub events_per_entry: f64,
    /// Events that waited, each second.
    pub curve: Vec<u64>,
}

/// How the worker spent its time.
#[derive(Debug, Serialize)]
pub struct Worker {
    pub transactions: u64,
    pub events_per_transaction: f64,
    pub milliseconds_per_transaction: f64,
    /// Part of the time in which a transaction was open: there is one at a time.
    pub applying_share: f64,
    pub prepare_micros_per_event: f64,
}

impl Report {
    pub(super) fn new(options: &Options, samples: &[Sample], weight: Weight) -> anyhow::Result<Self> {
        let (first, last) = samples.first().zip(samples.last()).context("nothing was measured")?;
        // A run that ended by itself ends where the last event was applied.
        let end = samples.iter().find(|sample| sample.applied == last.applied).unwrap_or(last);
        let steady = steady(samples, options.recording.frames);
        let part = steady.unwrap_or(samples);
        Ok(Self {
            version: env!("CARGO_PKG_VERSION"),
            cpus: std::thread::available_parallelism().map_or(1, Into::into),
            debug_build: cfg!(debug_assertions),
            frames: options.recording.frames,
            frame_bytes: ratio(options.recording.bytes, options.recording.frames),
            applied: last.applied,
            seconds: (end.at - first.at).as_secs_f64(),
            whole: Window::between(first, end),
            steady: steady.and_then(|part| Some(Window::between(part.first()?, part.last()?))),
            least_per_second: least(part),
            ceiling: None,
            daemon_peak_memory_bytes: weight.peak_memory,
            wal_bytes_per_event: ratio(weight.wal, last.applied),
            queue: Queue::new(samples, last),
            worker: Worker::new(first, end),
            problems: problems(last),
            storage: Storage::new(weight.tables),
        })
    }

    /// Events in a transaction, on average.
    pub(super) fn batch(&self) -> usize {
        format!("{:.0}", self.worker.events_per_transaction).parse().unwrap_or(1)
    }

    /// Events a second while both halves worked, or over all.
    fn sustained(&self) -> f64 {
        self.steady.as_ref().unwrap_or(&self.whole).events_per_second
    }

    /// The figures for people.
    #[must_use]
    pub fn table(&self) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let build = if self.debug_build { ", a DEBUG build" } else { "" };
        writeln!(out, "appviewd {} on {} CPUs{build}", self.version, self.cpus)?;
        writeln!(out, "{} of {} frames of {:.0} bytes applied in {:.1} s", self.applied, self.frames, self.frame_bytes, self.seconds)?;
        writeln!(
            out,
            "\n{:<10}{:>8}{:>10}{:>10}   CPU us/event: {:>8}{:>8}{:>10}{:>8}{:>8}",
            "window", "s", "events", "events/s", "daemon", "redis", "postgres", "relay", "CPUs"
        )?;
        for (name, window) in [("whole", Some(&self.whole)), ("steady", self.steady.as_ref())] {
            let Some(w) = window else { continue };
            let cpu = &w.cpu_micros_per_event;
            let or_dash = |micros: Option<f64>| micros.map_or("-".to_owned(), |micros| format!("{micros:.1}"));
            write!(out, "{name:<10}{:>8.1}{:>10}{:>10.0}{:>17}", w.seconds, w.events, w.events_per_second, "")?;
            writeln!(
                out,
                "{:>8.1}{:>8}{:>10}{:>8.1}{:>8.2}",
                cpu.daemon,
                or_dash(cpu.redis),
                or_dash(cpu.postgres),
                cpu.relay,
                w.cpus_busy
            )?;
        }
        writeln!(out, "least events in a second: {:.0}", self.least_per_second)?;
        if let Some(ceiling) = &self.ceiling {
            let (share, cpu) = (100.0 * self.sustained() / ceiling.events_per_second, ceiling.backend_cpu_micros_per_event);
            let cpu = cpu.map_or("?".to_owned(), |cpu| format!("{cpu:.1}"));
            let per_second = ceiling.events_per_second;
            writeln!(out, "one connection alone: {per_second:.0} events/s ({cpu} us of its process); sustained were {share:.0} % of that")?;
        }
        if let Some(bytes) = self.daemon_peak_memory_bytes {
            writeln!(out, "memory of the daemon at most: {:.0} MiB", ratio(bytes, 1 << 20))?;
        }
        let (queue, worker) = (&self.queue, &self.worker);
        writeln!(
            out,
            "queue at most {} events, {:.1} an entry; ingest held back {} s",
            queue.most_events, queue.events_per_entry, queue.held_back_seconds
        )?;
        writeln!(
            out,
            "{} transactions of {:.0} events and {:.0} ms; one was open {:.0} % of the time; preparing took {:.1} us/event",
            worker.transactions,
            worker.events_per_transaction,
            worker.milliseconds_per_transaction,
            100.0 * worker.applying_share,
            worker.prepare_micros_per_event
        )?;
        let problems: Vec<String> = self.problems.iter().filter(|(_, n)| **n > 0).map(|(name, n)| format!("{name} {n}")).collect();
        writeln!(out, "problems: {}", if problems.is_empty() { "none".to_owned() } else { problems.join(", ") })?;
        writeln!(out, "WAL {:.0} bytes/event", self.wal_bytes_per_event)?;
        self.storage.write(out)
    }
}

impl Window {
    fn between(from: &Sample, to: &Sample) -> Self {
        let (time, events) = (to.at - from.at, to.applied.saturating_sub(from.applied));
        let each = |cpu: Duration| ratio(u64::try_from(cpu.as_micros()).unwrap_or(u64::MAX), events);
        let both = |a: Option<Duration>, b: Option<Duration>| Some(b?.saturating_sub(a?));
        let (a, b): (Cpu, Cpu) = (from.cpu, to.cpu);
        let (daemon, relay) = (b.daemon.saturating_sub(a.daemon), b.relay.saturating_sub(a.relay));
        let (redis, postgres) = (both(a.redis, b.redis), both(a.postgres, b.postgres));
        let all = daemon + relay + redis.unwrap_or_default() + postgres.unwrap_or_default();
        Self {
            seconds: time.as_secs_f64(),
            events,
            events_per_second: number(events) / time.as_secs_f64().max(0.001),
            cpu_micros_per_event: CpuMicros {
                daemon: each(daemon),
                redis: redis.map(each),
                postgres: postgres.map(each),
                relay: each(relay),
            },
            cpus_busy: all.as_secs_f64() / time.as_secs_f64().max(0.001),
        }
    }
}

impl Queue {
    fn new(samples: &[Sample], last: &Sample) -> Self {
        let count = |name: &str| last.counters.count(name);
        Self {
            most_events: samples.iter().map(|sample| sample.queued).max().unwrap_or(0),
            held_back_seconds: count("appviewd_ingest_held_back_seconds_total"),
            events_per_entry: ratio(count("appviewd_ingest_events_total"), count("appviewd_ingest_entries_total")),
            curve: samples.iter().map(|sample| sample.queued).collect(),
        }
    }
}

impl Worker {
    fn new(first: &Sample, last: &Sample) -> Self {
        let sum = |name: &str| last.counters.sum(name) - first.counters.sum(name);
        let transactions = last.counters.count("appviewd_worker_batches_total");
        let (apply, prepare) = (sum("appviewd_worker_apply_seconds_sum"), sum("appviewd_worker_prepare_seconds_sum"));
        Self {
            transactions,
            events_per_transaction: ratio(last.applied, transactions),
            milliseconds_per_transaction: apply * 1e3 / number(transactions).max(1.0),
            applying_share: apply / (last.at - first.at).as_secs_f64().max(0.001),
            prepare_micros_per_event: prepare * 1e6 / number(last.applied).max(1.0),
        }
    }
}

/// The samples between which ingest and worker both ran, at one speed; `None` where they did so too shortly.
fn steady(samples: &[Sample], frames: u64) -> Option<&[Sample]> {
    let begin = samples.iter().position(|sample| sample.held_back || sample.applied > frames / WARM)?;
    let end = samples.iter().position(|sample| sample.read >= frames).unwrap_or(samples.len());
    let part = samples.get(begin..end)?;
    (part.last()?.at - part.first()?.at >= SHORTEST).then_some(part)
}

/// The fewest events that were applied in a second.
fn least(samples: &[Sample]) -> f64 {
    let rates = samples.windows(2).filter_map(|pair| {
        let [a, b] = pair else { return None };
        Some(number(b.applied.saturating_sub(a.applied)) / (b.at - a.at).as_secs_f64().max(0.001))
    });
    // The last second of a run is seldom whole.
    let mut rates: Vec<f64> = rates.collect();
    rates.pop();
    rates.into_iter().reduce(f64::min).unwrap_or(0.0)
}

/// What must not happen with friendly frames.
fn problems(last: &Sample) -> BTreeMap<&'static str, u64> {
    let names = [
        ("rejects", "appviewd_ingest_rejects_total"),
        ("faults", "appviewd_ingest_faults_total"),
        ("gaps", "appviewd_ingest_gaps_total"),
        ("dead_letters", "appviewd_worker_dead_letters_total"),
        ("desynchronized", "appviewd_worker_desynchronized_total"),
        ("passed_over", "appviewd_worker_passed_over_total"),
        ("lost_batches", "appviewd_worker_lost_total"),
        ("retries", "appviewd_worker_retries_total"),
    ];
    names.into_iter().map(|(name, metric)| (name, last.counters.count(metric))).collect()
}
