//! What tests stand on: private servers that end with the test, and where real data lies.
#![allow(dead_code)]

pub mod daemon;
pub mod data;
pub mod directory;
pub mod disk;
pub mod dump;
pub mod fits;
pub mod judge;
pub mod owned;
pub mod postgres;
pub mod proxy;
pub mod purge;
pub mod records;
pub mod redis;
pub mod relay;
pub mod sign_in;
pub mod stack;

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Waits until `done` says so; fails the test with `what` after `secs` seconds.
pub async fn eventually<F: AsyncFnMut() -> bool>(what: &str, secs: u64, mut done: F) {
    let end = Instant::now() + Duration::from_secs(secs);
    while !done().await {
        assert!(Instant::now() < end, "waited {secs} s in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Runs `command`; its standard output. Fails the test where it fails.
pub fn run(command: &mut std::process::Command) -> String {
    let out = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// The lines of `a` that `b` does not have, as often as it lacks them; both are sorted.
pub fn difference(a: &[String], b: &[String]) -> Vec<String> {
    let mut left: HashMap<&str, usize> = HashMap::new();
    for line in b {
        *left.entry(line).or_default() += 1;
    }
    let mut lacking = Vec::new();
    for line in a {
        match left.get_mut(line.as_str()) {
            Some(count @ 1..) => *count -= 1,
            _ => lacking.push(line.clone()),
        }
    }
    lacking
}
