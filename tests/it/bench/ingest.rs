//! `bench ingest` as its users meet it: it ends by itself, cleans up, and its figures are those of what happened.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::eventually;

const EVENTS: u64 = 3_000;
/// Seconds for making frames, initdb and applying, in a debug build on a busy machine.
const END_SECS: u64 = 240;

pub(super) fn bench(temporary: &std::path::Path, which: &str, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_appviewd"));
    command.args(["bench", which]).args(args).env_clear().env("TMPDIR", temporary).env("LOG_LEVEL", "info");
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

#[tokio::test]
async fn a_small_run_ends_and_tells_what_happened() {
    let dir = crate::daemon::embedded::open_folder();
    let json = dir.path().join("figures.json");
    let mut command = bench(dir.path(), "ingest", &["--events", "3000", "--accounts", "5000", "--seconds", "120"]);
    command.arg("--json").arg(&json).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    eventually("the benchmark ends", END_SECS, async || child.try_wait().unwrap().is_some()).await;
    let output = child.wait_with_output().unwrap();
    let (out, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{log}\n{out}");
    let figures: Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    assert_eq!((&figures["frames"], &figures["applied"]), (&Value::from(EVENTS), &Value::from(EVENTS)), "{out}");
    for (problem, count) in figures["problems"].as_object().unwrap() {
        assert_eq!(count, 0, "{problem}\n{log}");
    }
    let cpu = &figures["whole"]["cpu_micros_per_event"];
    for process in ["daemon", "redis", "postgres", "relay"] {
        assert!((1.0..50_000.0).contains(&cpu[process].as_f64().unwrap()), "{process}: {cpu}");
    }
    // Deletes and updates make no record more, lists make several.
    let records = figures["storage"]["records"].as_u64().unwrap();
    assert!((EVENTS * 8 / 10..EVENTS).contains(&records), "{records} records");
    assert!(figures["frame_bytes"].as_f64().unwrap() > 4_000.0 && figures["daemon_peak_memory_bytes"].as_u64().unwrap() > 1 << 20);
    assert_eq!(figures["ceiling"]["events"], figures["applied"]);
    for word in ["whole", "like_pair", "problems: none", "per record", "one connection alone"] {
        assert!(out.contains(word), "{word} in {out}");
    }
    let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["figures.json"]);
}

#[tokio::test]
async fn a_stop_ends_everything_that_was_started() {
    let dir = crate::daemon::embedded::open_folder();
    let mut command = bench(dir.path(), "ingest", &["--events", "100000000", "--accounts", "1000"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    eventually("it is at work", 60, async || std::fs::read_dir(dir.path()).unwrap().count() > 0).await;
    crate::support::run(Command::new("kill").args(["-INT", &child.id().to_string()]));
    eventually("the benchmark ends", 60, async || child.try_wait().unwrap().is_some()).await;
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}
