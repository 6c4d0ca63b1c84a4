//! The sandbox as the command runs it: makes, records, replays, and stops when it is asked to.

use std::collections::HashSet;
use std::net::SocketAddr;

use appviewd::sandbox::{Network, Options, Oracle, recording, run};
use tokio_util::sync::CancellationToken;

use super::client::Client;
use crate::support::eventually;

pub fn free_address() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Runs the sandbox until its first `count` frames were read by a client.
async fn served(options: Options, count: usize) -> Vec<Vec<u8>> {
    let (address, stop) = (options.listen, CancellationToken::new());
    let process = tokio::spawn(run(options, stop.clone()));
    eventually("the sandbox listens", 10, async || tokio::net::TcpStream::connect(address).await.is_ok()).await;
    let mut client = Client::connect(address, Some(0)).await;
    let mut frames = Vec::new();
    for _ in 0..count {
        frames.push(client.next().await.expect("a frame"));
    }
    stop.cancel();
    process.await.unwrap().unwrap();
    frames
}

#[tokio::test]
async fn what_was_recorded_is_replayed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("frames.bin.zst");
    let made = Options { events: Some(300), rate: 0, listen: free_address(), record: Some(path.clone()), ..Options::default() };
    let frames = served(made.clone(), 300).await;
    assert_eq!(recording::Reader::open(&path).unwrap().map(Result::unwrap).collect::<Vec<_>>(), frames);
    assert_eq!(served(Options { listen: free_address(), ..made }, 300).await, frames, "the same options give the same recording");
    let replayed = Options { replay: Some(path), rate: 0, listen: free_address(), ..Options::default() };
    assert_eq!(served(replayed, 300).await, frames);
}

#[tokio::test]
async fn a_rate_is_kept() {
    let options = Options { rate: 100, listen: free_address(), ..Options::default() };
    let before = std::time::Instant::now();
    served(options, 50).await;
    assert!(before.elapsed().as_millis() >= 400, "50 frames at 100 a second came in {:?}", before.elapsed());
}

#[tokio::test]
async fn a_missing_recording_is_an_error() {
    let options = Options { replay: Some("/nonexistent.bin".into()), listen: free_address(), ..Options::default() };
    let error = run(options, CancellationToken::new()).await.unwrap_err();
    assert!(format!("{error:#}").contains("/nonexistent.bin"), "{error:#}");
}

#[tokio::test]
async fn a_recording_without_a_relay_ends_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("frames.bin");
    // Nothing can listen at this address, and nothing has to.
    let listen = "203.0.113.1:1".parse().unwrap();
    let options = Options { events: Some(500), record: Some(path.clone()), no_serve: true, listen, ..Options::default() };
    run(options, CancellationToken::new()).await.unwrap();
    assert_eq!(recording::Reader::open(&path).unwrap().map(Result::unwrap).count(), 500);
}

#[tokio::test]
async fn a_renumbered_relay_goes_on_under_new_numbers() {
    let planned = "renumber@60".parse().unwrap();
    let options = Options { rate: 0, events: Some(300), listen: free_address(), faults: vec![planned], window: 200, ..Options::default() };
    let (address, stop) = (options.listen, CancellationToken::new());
    let process = tokio::spawn(run(options, stop.clone()));
    eventually("the sandbox listens", 10, async || tokio::net::TcpStream::connect(address).await.is_ok()).await;
    let mut client = Client::connect(address, Some(0)).await;
    while client.next().await.is_some() {}
    let mut client = Client::connect(address, Some(0)).await;
    let first = client.seqs(1).await[0];
    assert!(first > 1, "the numbers are the old ones");
    assert_eq!(client.seqs(150).await, (first + 1..first + 151).collect::<Vec<_>>());
    stop.cancel();
    process.await.unwrap().unwrap();
}

/// The lines before the empty line, and those after it.
fn expected(path: &std::path::Path) -> (Vec<String>, Vec<String>) {
    let text = std::fs::read_to_string(path).unwrap();
    let (state, loose) = text.split_once("\n\n").unwrap();
    (state.lines().map(str::to_owned).collect(), loose.lines().map(str::to_owned).collect())
}

#[tokio::test]
async fn what_is_expected_is_written_and_is_the_same_of_the_recording() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| Some(dir.path().join(name));
    let made =
        Options { events: Some(1500), accounts: 20, record: file("frames"), expect: file("made"), no_serve: true, ..Options::default() };
    run(made.clone(), CancellationToken::new()).await.unwrap();
    let (state, loose) = expected(&dir.path().join("made"));
    let mut network = Network::new(made.seed, made.accounts);
    let frames: Vec<_> = (0..1500).map(|_| network.next_event().unwrap().frame).collect();
    let oracle = Oracle::of(&frames, network.invalid());
    assert_eq!((&state, &loose), (&oracle.lines(), &oracle.loose().lines()));
    assert!(state.len() > 1000 && loose.iter().all(|line| line.starts_with("loose ")), "{} {loose:?}", state.len());

    let replayed =
        Options { replay: file("frames"), record: file("again"), expect: file("replayed"), no_serve: true, ..Options::default() };
    run(replayed, CancellationToken::new()).await.unwrap();
    let allowed = Oracle::of(&frames, &HashSet::new());
    assert_eq!(
        expected(&dir.path().join("replayed")),
        (allowed.lines(), allowed.loose().lines()),
        "a recording does not tell what is invalid"
    );
}
