//! The figures of a run, for people and as JSON.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use super::super::numbers::{number, ratio};
use super::data::Plan;
use super::load::Outcome;
use super::meter::Reading;
use crate::db::statements::Statement;

/// All figures of a run.
#[derive(Debug, Serialize)]
pub struct Report {
    pub version: &'static str,
    pub cpus: usize,
    pub debug_build: bool,
    pub data: Plan,
    /// Seconds that the data took to make.
    pub made_in: u64,
    /// `section.key=value` of the daemon, beside what every run has.
    pub settings: Vec<String>,
    pub encoding: Option<String>,
    pub methods: Vec<Measured>,
    /// Methods that this build does not have.
    pub absent: Vec<&'static str>,
    pub daemon_peak_memory_bytes: Option<u64>,
}

/// A method's figures.
#[derive(Debug, Serialize)]
pub struct Measured {
    pub name: &'static str,
    pub nsid: &'static str,
    pub answer_bytes: usize,
    pub closed: Vec<Closed>,
    pub open: Vec<Open>,
}

/// At saturation.
#[derive(Debug, Serialize)]
pub struct Closed {
    pub connections: u32,
    pub per_second: f64,
    pub latency: Latency,
    pub cost: Cost,
    pub errors: u64,
    pub error: Option<String>,
    /// The statements that took most of PostgreSQL's time, first; none unless it was asked to count them.
    pub statements: Vec<OfStatement>,
}

/// A statement's part of a request.
#[derive(Debug, Serialize)]
pub struct OfStatement {
    /// `module::function`
    pub name: String,
    /// A request.
    pub calls: f64,
    /// Milliseconds a request.
    pub milliseconds: f64,
    /// Rows and pages a call.
    pub rows: f64,
    pub pages: f64,
}

/// At a given rate.
#[derive(Debug, Serialize)]
pub struct Open {
    pub rate: u32,
    pub per_second: f64,
    pub latency: Latency,
    pub cost: Cost,
    pub errors: u64,
    pub error: Option<String>,
    /// Not sent, since too many waited.
    pub unsent: u64,
    /// By how much the load itself came late, in milliseconds: 99 of 100 less than this.
    pub lag_p99: f64,
}

/// In milliseconds.
#[derive(Debug, Serialize)]
pub struct Latency {
    pub p50: f64,
    pub p99: f64,
    pub p999: f64,
}

/// For each request.
#[derive(Debug, Serialize)]
pub struct Cost {
    /// CPU microseconds.
    pub daemon: f64,
    pub postgres: Option<f64>,
    pub client: f64,
    /// CPUs in use by all.
    pub cpus_busy: f64,
    pub statements: f64,
    /// Pages of 8 KiB found in shared buffers, and asked of the operating system.
    pub hits: f64,
    pub reads: f64,
    /// Events that were written meanwhile, a second. PostgreSQL's figures are of both then.
    pub written: Option<f64>,
}

impl Latency {
    fn of(sorted: &[u32]) -> Self {
        Self { p50: quantile(sorted, 500), p99: quantile(sorted, 990), p999: quantile(sorted, 999) }
    }
}

/// The value that `mille` of 1,000 are not above, in milliseconds.
fn quantile(sorted: &[u32], mille: usize) -> f64 {
    let at = (sorted.len() * mille).div_ceil(1_000).saturating_sub(1);
    sorted.get(at).map_or(0.0, |micros| f64::from(*micros) / 1_000.0)
}

fn count(outcome: &Outcome) -> u64 {
    u64::try_from(outcome.latencies.len()).unwrap_or(0)
}

fn per_second(outcome: &Outcome) -> f64 {
    number(count(outcome)) / outcome.seconds.max(0.001)
}

impl Cost {
    fn of(outcome: &Outcome, before: Reading, after: Reading) -> Self {
        let requests = count(outcome) + outcome.errors;
        let spent = |before: Duration, after: Duration| after.saturating_sub(before);
        let each = |time: Duration| ratio(u64::try_from(time.as_micros()).unwrap_or(u64::MAX), requests);
        let pages = |before: i64, after: i64| ratio(u64::try_from(after - before).unwrap_or(0), requests);
        let daemon = spent(before.daemon, after.daemon);
        let postgres = before.postgres.zip(after.postgres).map(|(before, after)| spent(before, after));
        let client = spent(before.client, after.client);
        let writer = before.writer.zip(after.writer).map(|(before, after)| (spent(before.0, after.0), after.1.saturating_sub(before.1)));
        let (a, b) = (before.activity, after.activity);
        Self {
            daemon: each(daemon),
            postgres: postgres.map(each),
            client: each(client),
            written: writer.map(|(_, events)| number(events) / outcome.seconds.max(0.001)),
            cpus_busy: (daemon + postgres.unwrap_or_default() + client + writer.map_or(Duration::ZERO, |(cpu, _)| cpu)).as_secs_f64()
                / outcome.seconds.max(0.001),
            statements: pages(a.transactions, b.transactions),
            hits: pages(a.hits, b.hits),
            reads: pages(a.reads, b.reads),
        }
    }
}

impl Closed {
    pub(super) fn new(connections: u32, outcome: Outcome, before: Reading, after: Reading, statements: &[Statement]) -> Self {
        let requests = count(&outcome) + outcome.errors;
        Self {
            statements: statements.iter().map(|statement| OfStatement::new(statement, requests)).collect(),
            connections,
            per_second: per_second(&outcome),
            latency: Latency::of(&outcome.latencies),
            cost: Cost::of(&outcome, before, after),
            errors: outcome.errors,
            error: outcome.error,
        }
    }
}

impl OfStatement {
    fn new(of: &Statement, requests: u64) -> Self {
        let count = |n: i64| u64::try_from(n).unwrap_or(0);
        let calls = count(of.calls);
        Self {
            name: of.name.clone(),
            calls: ratio(calls, requests),
            milliseconds: of.milliseconds / number(requests).max(1.0),
            rows: ratio(count(of.rows), calls),
            pages: ratio(count(of.pages), calls),
        }
    }
}

impl Open {
    pub(super) fn new(rate: u32, outcome: Outcome, before: Reading, after: Reading) -> Self {
        Self {
            rate,
            per_second: per_second(&outcome),
            latency: Latency::of(&outcome.latencies),
            cost: Cost::of(&outcome, before, after),
            errors: outcome.errors,
            error: outcome.error,
            unsent: outcome.unsent,
            lag_p99: quantile(&outcome.lags, 990),
        }
    }
}

impl Report {
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
        let Plan { seed, records, accounts, posts, likes, follows, .. } = self.data;
        writeln!(out, "{records} records (seed {seed}): {accounts} accounts, {posts} posts, {likes} likes, {follows} follows")?;
        if !self.settings.is_empty() {
            writeln!(out, "settings: {}", self.settings.join(" "))?;
        }
        writeln!(out, "\nat saturation, CPU us and the rest for each request")?;
        writeln!(out, "{:<24}{:>8}{:>6}{:>10}{FIGURES}{:>7}", "", "bytes", "conns", "a second", "errors")?;
        for method in &self.methods {
            for closed in &method.closed {
                write!(out, "{:<24}{:>8}{:>6}{:>10.0}", method.name, method.answer_bytes, closed.connections, closed.per_second)?;
                line(out, &closed.latency, &closed.cost)?;
                writeln!(out, "{:>7}", closed.errors)?;
            }
        }
        if self.methods.iter().any(|method| !method.open.is_empty()) {
            self.write_open(out)?;
        }
        self.write_statements(out)?;
        for (name, error) in self.errors() {
            writeln!(out, "an error of {name}: {error}")?;
        }
        if !self.absent.is_empty() {
            writeln!(out, "not there yet: {}", self.absent.join(", "))?;
        }
        match self.daemon_peak_memory_bytes {
            Some(bytes) => writeln!(out, "memory of the daemon at most: {:.0} MiB", ratio(bytes, 1 << 20)),
            None => Ok(()),
        }
    }

    fn write_open(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "\nat a given rate, latency from when each was to be sent")?;
        writeln!(out, "{:<24}{:>8}{:>6}{:>10}{FIGURES}{:>7}{:>8}{:>9}", "", "rate", "", "a second", "errors", "unsent", "lag p99")?;
        for method in &self.methods {
            for open in &method.open {
                write!(out, "{:<24}{:>8}{:>6}{:>10.0}", method.name, open.rate, "", open.per_second)?;
                line(out, &open.latency, &open.cost)?;
                writeln!(out, "{:>7}{:>8}{:>9.2}", open.errors, open.unsent, open.lag_p99)?;
            }
        }
        Ok(())
    }

    /// Of the last closed loop of each method.
    fn write_statements(&self, out: &mut String) -> std::fmt::Result {
        for (method, closed) in self.methods.iter().filter_map(|method| Some((method, method.closed.last()?))) {
            if !closed.statements.is_empty() {
                writeln!(out, "\n{:<40}{:>8}{:>9}{:>8}{:>9}", method.name, "calls", "ms", "rows", "pages")?;
            }
            for of in &closed.statements {
                writeln!(out, "  {:<38}{:>8.2}{:>9.3}{:>8.1}{:>9.1}", of.name, of.calls, of.milliseconds, of.rows, of.pages)?;
            }
        }
        Ok(())
    }

    fn errors(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let of = |method: &'_ Measured| method.name;
        self.methods.iter().flat_map(move |method| {
            let errors = method.closed.iter().map(|closed| &closed.error).chain(method.open.iter().map(|open| &open.error));
            errors.flatten().map(move |error| (of(method), error))
        })
    }
}

/// Names of what [`line`] writes, as wide.
const FIGURES: &str = "   p50 ms      p99    p99.9   daemon  postgres  client   CPUs  stmts  buffers  reads";

/// What closed and open loops have in common.
fn line(out: &mut String, latency: &Latency, cost: &Cost) -> std::fmt::Result {
    let postgres = cost.postgres.map_or("-".to_owned(), |micros| format!("{micros:.0}"));
    write!(out, "{:>9.2}{:>9.2}{:>9.2}", latency.p50, latency.p99, latency.p999)?;
    write!(out, "{:>9.0}{postgres:>10}{:>8.0}{:>7.2}", cost.daemon, cost.client, cost.cpus_busy)?;
    write!(out, "{:>7.1}{:>9.0}{:>7.1}", cost.statements, cost.hits, cost.reads)?;
    cost.written.map_or(Ok(()), |events| write!(out, "{events:>9.0} written a second,"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_what_was_measured() {
        let sorted: Vec<u32> = (1..=1_000).map(|n| n * 1_000).collect();
        let Latency { p50, p99, p999 } = Latency::of(&sorted);
        assert!((p50 - 500.0).abs() < 0.01 && (p99 - 990.0).abs() < 0.01 && (p999 - 999.0).abs() < 0.01, "{p50} {p99} {p999}");
        assert!((Latency::of(&[7_000]).p999 - 7.0).abs() < 0.01 && Latency::of(&[]).p50.abs() < 0.01);
    }
}
