//! `/`: how this installation stands, for people. Refreshes itself.

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::SystemTime;

use super::super::Api;
use super::fresh;
use super::page::{Number, Text};
use crate::db::read::process::Process;
use crate::http::{Failure, Response};
use crate::telemetry::status::{IngestStatus, Status, WorkerStatus};

/// A process that was not heard of for this long, in seconds, is shown as silent; each says something every second.
const SILENT: u64 = 15;

const HEAD: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta http-equiv=\"refresh\" content=\"5\">
<title>appviewd</title>
<style>
:root { color-scheme: light dark; --line: #8884; --dim: #777; --good: #1a7f37; --bad: #cf222e; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 0 auto; padding: 1.5rem 1rem; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
p { margin: .25rem 0; } .dim { color: var(--dim); } .good { color: var(--good); } .bad { color: var(--bad); }
dl { display: grid; grid-template-columns: minmax(9rem, 1fr) 2fr; margin: 0; }
dt, dd { margin: 0; padding: .3rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
dd { font-variant-numeric: tabular-nums; }
</style>
";

pub(super) async fn answer(api: Arc<Api>) -> Result<Response, Failure> {
    let own = api.telemetry.status().get();
    // The page is most needed when the database is away; the board of this process is there in any case.
    let processes = api.store.processes().await;
    let mut body = String::from(HEAD);
    write(&mut body, &own, processes.as_deref().ok(), SystemTime::now()).map_err(Failure::internal)?;
    Ok(fresh(body))
}

fn write(page: &mut String, own: &Status, processes: Option<&[Process]>, now: SystemTime) -> fmt::Result {
    writeln!(page, "<h1>appviewd</h1>\n<p class=\"dim\">version {}, an AT Protocol AppView</p>", Text(&own.version))?;
    match processes {
        None => writeln!(page, "<p class=\"bad\">The database does not answer.</p>")?,
        Some(_) => writeln!(page, "<p class=\"good\">The database answers.</p>")?,
    }
    for problem in own.problems() {
        writeln!(page, "<p class=\"bad\">{}</p>", Text(problem))?;
    }
    let others: Vec<(&Process, Status)> =
        processes.unwrap_or_default().iter().filter_map(|process| Some((process, serde_json::from_str(&process.status).ok()?))).collect();
    let live = others.iter().filter(|(process, _)| age(process, now) <= SILENT).map(|(_, status)| status);
    let statuses: Vec<&Status> = std::iter::once(own).chain(live).collect();
    if let Some(ingest) = statuses.iter().find_map(|status| status.ingest.as_ref()) {
        write_ingest(page, ingest)?;
    }
    if let Some(worker) = statuses.iter().find_map(|status| status.worker.as_ref()) {
        write_worker(page, worker)?;
    }
    write_processes(page, &others, now)
}

fn write_ingest(page: &mut String, ingest: &IngestStatus) -> fmt::Result {
    let connected = if ingest.connected { "<span class=\"good\">connected</span>" } else { "<span class=\"bad\">not connected</span>" };
    writeln!(page, "<h2>Relay</h2>\n<dl>")?;
    writeln!(page, "<dt>Source</dt><dd>{} {connected}</dd>", Text(&ingest.source))?;
    writeln!(page, "<dt>Newest event</dt><dd>{}</dd>", Number(ingest.seq))?;
    writeln!(page, "<dt>Behind the network</dt><dd>{} ms</dd>", Number(ingest.lag_ms))?;
    if ingest.held_back {
        writeln!(page, "<dt>Held back</dt><dd class=\"bad\">the queue is above its high-water mark</dd>")?;
    }
    writeln!(page, "</dl>")
}

fn write_worker(page: &mut String, worker: &WorkerStatus) -> fmt::Result {
    let count = |n: u64| Number(i64::try_from(n).unwrap_or(i64::MAX));
    writeln!(page, "<h2>Index</h2>\n<dl>")?;
    writeln!(page, "<dt>Applied up to</dt><dd>{}</dd>", Number(worker.applied_seq))?;
    writeln!(page, "<dt>Waiting in the queue</dt><dd>{}</dd>", count(worker.queue_events))?;
    writeln!(page, "<dt>Pending operations</dt><dd>{}</dd>", count(worker.pending_ops))?;
    writeln!(page, "<dt>Dead letters</dt><dd>{}</dd>", count(worker.dead_letters))?;
    writeln!(page, "</dl>")
}

fn write_processes(page: &mut String, processes: &[(&Process, Status)], now: SystemTime) -> fmt::Result {
    if processes.is_empty() {
        return Ok(());
    }
    writeln!(page, "<h2>Processes</h2>\n<dl>")?;
    for (process, status) in processes {
        let age = age(process, now);
        let state = match status.problems().first() {
            _ if age > SILENT => format!("<span class=\"bad\">silent for {age} s</span>"),
            Some(problem) => format!("<span class=\"bad\">{}</span>", Text(problem)),
            None => "<span class=\"good\">ready</span>".to_owned(),
        };
        let share = status.worker.as_ref().map_or_else(String::new, |worker| format!(", {} partitions", worker.partitions));
        writeln!(page, "<dt>{}</dt><dd>{}{share}: {state}</dd>", Text(&process.name), Text(&process.roles))?;
    }
    writeln!(page, "</dl>")
}

fn age(process: &Process, now: SystemTime) -> u64 {
    now.duration_since(process.seen_at).map_or(0, |age| age.as_secs())
}
