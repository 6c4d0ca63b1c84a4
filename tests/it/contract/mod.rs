//! The official client (`@atproto/api`, pinned in tests/contract) asks the daemon every method that it serves, and holds the answers against
//! its own lexicons: no code of this project judges them. tests/contract/README.md says how to run it by hand.

mod world;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use appviewd::atproto::SigningKey;
use appviewd::sandbox::Network;
use appviewd::sandbox::directory::Account;
use serde_json::{Value, json};

use crate::labels::rig::{LABELER, Served, said, serve};
use crate::oracle::sees::book::values;
use crate::support::daemon::Daemon;
use crate::support::directory::TestDirectory;
use crate::support::stack::Stack;
use crate::support::{eventually, sign_in};
use world::World;

const SEED: u64 = 91;
/// Few, so that they meet often.
const ACCOUNTS: usize = 40;
const EVENTS: usize = 2500;
const PASSWORD: &str = "contract";
/// What the labeler says of the post with most to count.
const LABEL: &str = "porn";

/// With which the service signs.
const OWN_KEY: &str = "0909090909090909090909090909090909090909090909090909090909090909";

struct Rig {
    stack: Stack,
    directory: TestDirectory,
    labeler: Served,
    daemon: Daemon,
}

impl Rig {
    /// The daemon, and everything that it is given applied and resolved.
    async fn start() -> Self {
        let (mut stack, directory) = tokio::join!(Stack::start(SEED), TestDirectory::start());
        let labeler = serve(LABELER, EVENTS);
        labeler.labeler.known_to(&directory.directory, &format!("http://{}", labeler.address));
        stack.network = Network::new(SEED, ACCOUNTS).dense().known_to(Arc::clone(&directory.directory));
        stack.send(EVENTS);
        let mut daemon = stack.daemon("contract", "ingest,worker,api");
        // The feed generator holds tokens of this service against the key in its document, as it would find it on the network.
        let own = SigningKey::from_hex(OWN_KEY).unwrap();
        directory.directory.set(sign_in::SERVICE, Account::new(None, own.multibase()));
        daemon.set("APPVIEW_SIGNING_KEY", OWN_KEY);
        daemon.set("APPVIEW_DID", sign_in::SERVICE).set("PLC_URL", directory.url()).set("APPVIEW_NET__CONNECT_TO", directory.detour());
        daemon.set("DEFAULT_LABELERS", LABELER).set("DISABLE_SSRF_PROTECTION", true).set("ADMIN_PASSWORD", PASSWORD);
        daemon.start().await;
        Self { stack, directory, labeler, daemon }
    }

    /// Waits until everything that was sent and said is applied and resolved.
    async fn settled(&self, labels: i64) {
        let seq = self.stack.relay.log().head().seq;
        eventually("everything is applied and resolved", 60, async || {
            let Some(status) = self.daemon.status().await else { return false };
            let number = |pointer: &str| status.pointer(pointer).and_then(Value::as_i64);
            number("/worker/applied_seq").is_some_and(|applied| applied >= seq)
                && number("/identity/pending") == Some(0)
                && number(&format!("/labels/{LABELER}")).is_some_and(|applied| applied >= labels)
        })
        .await;
    }
}

/// NSIDs of the methods that the API serves, as its list of routes has them.
fn served() -> Vec<String> {
    let list = std::fs::read_to_string(project().join("src/api/xrpc/mod.rs")).unwrap();
    let is_nsid = |text: &&str| text.split('.').count() > 2 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
    list.split('"').skip(1).step_by(2).filter(is_nsid).map(ToOwned::to_owned).collect()
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder of the client, where it and Node.js are installed; with `APPVIEW_REQUIRE_DATA=1` their absence fails the test.
fn client() -> Option<PathBuf> {
    let folder = project().join("tests/contract");
    let node = Command::new("node").arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success());
    if node && folder.join("node_modules/@atproto/api").exists() {
        return Some(folder);
    }
    let missing = "no Node.js, or no client: (cd tests/contract && npm ci --ignore-scripts), as deploy/test does";
    assert!(std::env::var_os("APPVIEW_REQUIRE_DATA").is_none_or(|v| v != "1"), "{missing}");
    eprintln!("SKIPPED: {missing}");
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_client_accepts_every_answer_and_finds_what_the_network_did() {
    let Some(folder) = client() else { return };
    let rig = Rig::start().await;
    let oracle = rig.stack.oracle();
    let frames: Vec<Vec<u8>> = rig.stack.relay.log().after(0, usize::MAX).into_iter().map(|(_, frame)| frame.to_vec()).collect();
    let world = World { values: values(&frames), oracle: &oracle, directory: &rig.directory.directory };
    let mut facts = world.facts();
    let labelled = facts["post"]["uri"].as_str().unwrap().to_owned();
    rig.settled(rig.labeler.labeler.say(&[said(&labelled, LABEL)])).await;
    let about = json!({
        "appview": rig.daemon.url(),
        "host": rig.directory.url(),
        "service": sign_in::SERVICE,
        "password": PASSWORD,
        "labeler": LABELER,
        "label": { "uri": labelled, "val": LABEL },
        "methods": served(),
    });
    facts.as_object_mut().unwrap().extend(about.as_object().unwrap().clone());
    let file = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
    serde_json::to_writer_pretty(&file, &facts).unwrap();
    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=spec", "client.test.mjs"]).current_dir(folder).env("APPVIEW_CONTRACT", file.path());
    let out = tokio::task::spawn_blocking(move || node.output()).await.unwrap().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    if std::env::var_os("APPVIEW_CONTRACT_STAYS").is_some() {
        let (_, path) = file.keep().unwrap();
        eprintln!("{said}\nthe daemon stays: APPVIEW_CONTRACT={}", path.display());
        tokio::time::sleep(std::time::Duration::from_hours(1)).await;
    }
    assert!(out.status.success(), "{said}");
}
