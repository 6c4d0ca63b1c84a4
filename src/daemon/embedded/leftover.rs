//! A server that outlived a killed daemon is stopped cleanly before a new one starts on its files.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use super::server::signal;

/// A clean stop of a server under load takes seconds; one that takes longer is killed, and recovers.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(20);

/// Stops the process whose id stands in the first line of `pid_file`, where it still runs and its command line holds `mark`: a pid
/// that meanwhile belongs to another program is left alone.
pub async fn stop(name: &'static str, pid_file: &Path, mark: &str, how: Signal) {
    let Some(pid) = pid_in(pid_file).filter(|pid| is_running(*pid, mark)) else { return };
    info!(server = name, pid, "a server of a killed daemon still runs and is stopped");
    signal(pid, how);
    let end = Instant::now() + PATIENCE;
    while is_running(pid, mark) && Instant::now() < end {
        sleep(LOOK).await;
    }
    if is_running(pid, mark) {
        warn!(server = name, pid, "it did not stop in time and is killed");
        signal(pid, Signal::KILL);
        while is_running(pid, mark) {
            sleep(LOOK).await;
        }
    }
}

fn pid_in(file: &Path) -> Option<u32> {
    fs::read_to_string(file).ok()?.lines().next()?.trim().parse().ok()
}

/// A zombie has an empty command line, so it does not count.
fn is_running(pid: u32, mark: &str) -> bool {
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| String::from_utf8_lossy(&line).contains(mark))
}
