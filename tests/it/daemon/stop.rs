//! How a process ends: drained at the first signal, at once at the second; and what the service manager hears.

use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use super::embedded::{Embedded, open_folder};
use crate::support::daemon::Daemon;
use crate::support::{eventually, run};

fn kill(signal: &str, pid: &str) {
    run(std::process::Command::new("kill").args([signal, pid]));
}

/// The daemon's own process id, from the lock of its folder.
fn pid_of_daemon(it: &Embedded) -> String {
    std::fs::read_to_string(it.data_dir().join("lock")).unwrap()
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let mut it = Embedded::start().await;
    let postgres = it.pid("postgres").unwrap();
    kill("-STOP", &postgres);
    let daemon = pid_of_daemon(&it);
    kill("-TERM", &daemon);
    eventually("the stop is under way", 10, async || it.daemon.said().contains("a stop was asked for")).await;
    let second = Instant::now();
    kill("-INT", &daemon);
    let status = it.daemon.ended(4).await;
    assert_eq!(status.code(), Some(1));
    assert!(second.elapsed() < Duration::from_secs(3), "{:?}", second.elapsed());
    assert!(it.daemon.said().contains("second signal"));
}

#[tokio::test]
async fn a_server_that_does_not_stop_is_killed_within_the_deadline() {
    let mut it = Embedded::start().await;
    kill("-STOP", &it.pid("postgres").unwrap());
    let asked = Instant::now();
    assert_eq!(it.daemon.stop().await.code(), Some(0));
    assert!(asked.elapsed() < Duration::from_secs(25), "{:?}", asked.elapsed());
    assert!(it.daemon.said().contains("did not stop in time and is killed"));
}

#[tokio::test]
async fn the_service_manager_hears_of_start_life_and_stop() {
    let dir = open_folder();
    let socket = dir.path().join("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_nonblocking(true).unwrap();
    let mut daemon = Daemon::new("n", "ingest", dir.path());
    daemon.set("NOTIFY_SOCKET", socket.display()).set("WATCHDOG_USEC", 100_000).set("REDIS_URL", "redis://127.0.0.1:1");
    daemon.set("RELAY_URL", "ws://127.0.0.1:1").spawn();
    let mut heard = String::new();
    let mut hear = async |what: &str| {
        eventually(what, 20, async || {
            let mut bytes = [0; 256];
            while let Ok(read) = manager.recv(&mut bytes) {
                heard.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
            }
            heard.contains(what)
        })
        .await;
    };
    hear("READY=1\n").await;
    hear("WATCHDOG=1\n").await;
    assert_eq!(daemon.stop().await.code(), Some(0));
    hear("STOPPING=1\n").await;
}
