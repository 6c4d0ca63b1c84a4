//! The sandbox and a daemon beside each other, as `deploy/up --sandbox` starts them.

use appviewd::net::{Fetch, Fetcher, Reach};
use appviewd::sandbox::{Options, run};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::process::free_address;
use crate::support::eventually;
use crate::support::stack::Stack;

const EVENTS: u64 = 1500;

#[tokio::test(flavor = "multi_thread")]
async fn the_network_s_feed_generator_believes_the_appview_that_it_is_told_of() {
    let stack = Stack::start(1).await;
    let mut daemon = stack.daemon("appview", "ingest,worker,api");
    let (listen, directory, stop) = (free_address(), free_address(), CancellationToken::new());
    let appview = Some(daemon.url());
    let options =
        Options { accounts: 30, events: Some(EVENTS), rate: 0, listen, directory: Some(directory), appview, ..Options::default() };
    let sandbox = tokio::spawn(run(options, stop.clone()));
    let own = daemon.url().replace("http://127.0.0.1:", "did:web:localhost%3A");
    daemon.set("APPVIEW_DID", &own).set("RELAY_URL", format!("ws://{listen}")).set("PLC_URL", format!("http://{directory}"));
    daemon.set("APPVIEW_NET__CONNECT_TO", format!("sandbox.test=http://{directory}"));
    daemon.start().await;
    daemon.applied(EVENTS.try_into().unwrap(), 60).await;
    let describe = Fetch::get(format!("http://{directory}/xrpc/app.bsky.feed.describeFeedGenerator"), Reach::Any);
    let described = Fetcher::default().fetch(describe).await.unwrap();
    let described: Value = serde_json::from_slice(&described.body).unwrap();
    let feeds: Vec<&str> = described["feeds"].as_array().unwrap().iter().map(|feed| feed["uri"].as_str().unwrap()).collect();
    let path = |feed: &str| format!("/xrpc/app.bsky.feed.getFeed?feed={feed}&limit=5");
    // Some of the feeds may have been deleted, or their owners.
    let mut shown = None;
    eventually("a feed is shown", 20, async || {
        for feed in &feeds {
            let answer: Value = serde_json::from_str(&daemon.get(&path(feed)).await.unwrap()).unwrap();
            shown = answer["feed"][0]["feedContext"].as_str().map(ToOwned::to_owned);
            if shown.is_some() {
                break;
            }
        }
        shown.is_some()
    })
    .await;
    assert_eq!(shown.unwrap(), format!("for {own}"), "the generator has asked it for its key");
    stop.cancel();
    sandbox.await.unwrap().unwrap();
}
