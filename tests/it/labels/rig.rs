//! A labeler, a directory that knows it, an ingest that listens to it, over the stores of a worker's rig.

use std::net::SocketAddr;
use std::sync::Arc;

use appviewd::atproto::SigningKey;
use appviewd::identity::Identities;
use appviewd::ingest::labels;
use appviewd::queue::Queue;
use appviewd::sandbox::Labeler;
use appviewd::sandbox::labeler::Said;
use appviewd::sandbox::relay::listen;
use appviewd::telemetry::Telemetry;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::AbortOnDropHandle;

use crate::commands::rig::rows;
use crate::support::directory::TestDirectory;
use crate::support::eventually;
use crate::worker::rig::{Rig, Worker};

pub const LABELER: &str = "did:plc:labeleraaaaaaaaaaaaaaaaa";
pub const ALICE: &str = "did:plc:aliceaaaaaaaaaaaaaaaaaaa";
pub const BOB: &str = "did:plc:bobbbbbbbbbbbbbbbbbbbbbb";
/// 2023-11-14T22:13:20Z
pub const START: i64 = 1_700_000_000_000_000;

/// A served labeler.
pub struct Served {
    pub labeler: Arc<Labeler>,
    pub address: SocketAddr,
    _stop: DropGuard,
}

pub struct Stand {
    pub rig: Rig,
    pub directory: TestDirectory,
    pub served: Served,
}

/// The part of the ingest role that listens to labelers. Dropped, it ends where it stands.
pub struct Ingest {
    pub telemetry: Telemetry,
    shutdown: CancellationToken,
    task: AbortOnDropHandle<anyhow::Result<()>>,
}

pub fn key(secret: u8) -> SigningKey {
    SigningKey::from_bytes([secret; 32]).unwrap()
}

pub fn said(uri: &str, val: &str) -> Said {
    Said::new(uri, val, START)
}

/// Serves a labeler that keeps the newest `window` messages.
pub fn serve(did: &str, window: usize) -> Served {
    let labeler = Arc::new(Labeler::new(did, key(1), window));
    let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
    let (relay, token) = (labeler.relay.clone(), stop.clone());
    tokio::spawn(async move { relay.serve(listener, token).await.unwrap() });
    Served { labeler, address, _stop: stop.drop_guard() }
}

impl Stand {
    pub async fn start(seed: u64) -> Self {
        Self::keeping(seed, 1000).await
    }

    /// As `start`, with a labeler that keeps the newest `window` messages.
    pub async fn keeping(seed: u64, window: usize) -> Self {
        let (mut rig, directory) = tokio::join!(Rig::start(seed), TestDirectory::start());
        let served = serve(LABELER, window);
        served.labeler.known_to(&directory.directory, &format!("http://{}", served.address));
        rig.config.identity.plc_url = directory.url();
        rig.config.labels.default_labelers = vec![LABELER.to_owned()];
        rig.config.net.disable_ssrf_protection = true;
        Self { rig, directory, served }
    }

    pub fn labeler(&self) -> &Labeler {
        &self.served.labeler
    }

    pub fn ingest(&self) -> Ingest {
        self.ingest_at(&self.rig.redis.url())
    }

    pub fn ingest_at(&self, redis: &str) -> Ingest {
        let (telemetry, shutdown) = (Telemetry::new(&["ingest"]), CancellationToken::new());
        let queue = Queue::new(redis, &self.rig.config.queue.key, &self.rig.config.queue.group);
        let identities = Arc::new(Identities::new(&self.rig.config, &telemetry));
        let role = labels::run(Arc::new(self.rig.config.clone()), queue, identities, telemetry.clone(), shutdown.clone());
        Ingest { telemetry, shutdown, task: AbortOnDropHandle::new(tokio::spawn(role)) }
    }

    /// Waits until a worker says that everything up to `seq` is applied.
    pub async fn applied(&self, worker: &Worker, seq: i64) {
        self.applied_of(worker, LABELER, seq).await;
    }

    pub async fn applied_of(&self, worker: &Worker, did: &str, seq: i64) {
        let what = format!("labels of {did} up to {seq} are applied");
        eventually(&what, 30, async || worker.telemetry.status().get().labels.unwrap_or_default().get(did).is_some_and(|at| *at >= seq))
            .await;
    }

    /// Accounts and what is said of them, `-` in front of what was taken back; sorted.
    pub async fn rows(&self) -> Vec<String> {
        let sql = "SELECT CASE WHEN l.neg THEN '-' ELSE '+' END || v.val, a.did
                   FROM label l JOIN account a ON a.id = l.sa JOIN label_value v ON v.id = l.val WHERE l.coll = 0";
        rows(&self.rig.postgres, sql).await
    }

    /// Up to where the labeler is applied.
    pub async fn at(&self) -> String {
        rows(&self.rig.postgres, "SELECT epoch, seq FROM labeler").await.join(", ")
    }
}

impl Ingest {
    pub fn refused(&self, reason: &'static str) -> u64 {
        self.telemetry.metrics().labels.refused.get(reason)
    }

    pub fn ended(&self, reason: &'static str) -> u64 {
        self.telemetry.metrics().labels.sessions_ended.get(reason)
    }

    pub async fn connected(&self) {
        eventually("a labeler is listened to", 10, async || self.telemetry.metrics().labels.connected.get() == 1).await;
    }

    pub async fn stop(self) {
        self.shutdown.cancel();
        tokio::time::timeout(std::time::Duration::from_secs(10), self.task).await.expect("a stop in time").unwrap().unwrap();
    }
}
