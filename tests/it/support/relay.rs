//! A relay inside the test's process, filled from a seeded network or from given frames.

use std::net::SocketAddr;
use std::sync::Arc;

use appviewd::sandbox::relay::{Faults, Log, Stats, listen, spoil};
use appviewd::sandbox::{Network, Relay};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Frames that the log of a test keeps: all that a test makes.
const WINDOW: usize = 1_000_000;

/// A served relay; ends with the test.
pub struct TestRelay {
    pub relay: Relay,
    address: SocketAddr,
    _stop: DropGuard,
}

impl TestRelay {
    pub fn start() -> Self {
        Self::over(Arc::new(Log::new(WINDOW)))
    }

    /// A relay over a log that others may serve too.
    pub fn over(log: Arc<Log>) -> Self {
        Self::at(SocketAddr::from(([127, 0, 0, 1], 0)), log)
    }

    /// A relay at a given address: what comes back after it was away.
    pub fn at(address: SocketAddr, log: Arc<Log>) -> Self {
        let listener = listen(address).unwrap();
        let address = listener.local_addr().unwrap();
        let relay = Relay::new(log);
        let stop = CancellationToken::new();
        let (served, token) = (relay.clone(), stop.clone());
        tokio::spawn(async move { served.serve(listener, token).await.unwrap() });
        Self { relay, address, _stop: stop.drop_guard() }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `ws://127.0.0.1:port`, for `RELAY_URL`.
    pub fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// The source under which the daemon keeps its positions.
    pub fn source(&self) -> String {
        self.address.to_string()
    }

    pub fn log(&self) -> &Log {
        &self.relay.log
    }

    pub fn faults(&self) -> &Faults {
        &self.relay.faults
    }

    pub fn stats(&self) -> &Stats {
        &self.relay.stats
    }

    /// Sends the next `events` messages of `network`, under the relay's next numbers; the frames, for the model.
    pub fn send(&self, network: &mut Network, events: usize) -> Vec<Vec<u8>> {
        let mut frames = Vec::with_capacity(events);
        for _ in 0..events {
            let made = network.next_event().unwrap();
            let seq = self.log().head().seq + 1;
            let frame = if made.seq == seq { made.frame } else { spoil::with_seq(&made.frame, seq).unwrap() };
            self.log().push(seq, frame.clone());
            frames.push(frame);
        }
        frames
    }
}
