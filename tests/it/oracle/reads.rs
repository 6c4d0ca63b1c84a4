//! What the API answers, against the oracle: records, profiles, posts, feeds, and what is hidden.

use std::collections::BTreeMap;

use appviewd::atproto::cbor::Value;
use appviewd::atproto::{AtUri, Cid, json};
use appviewd::sandbox::Oracle;
use appviewd::sandbox::oracle::{Counts, FeedItem};

use crate::support::daemon::Daemon;

/// Records of each collection, posts and accounts that are asked for.
const SAMPLE: usize = 120;
/// Posts that one request may name.
const PAGE: usize = 25;

pub async fn are_expected(daemon: &Daemon, oracle: &Oracle) {
    records(daemon, oracle).await;
    posts(daemon, oracle).await;
    let counts = oracle.counts();
    let hidden = oracle.repos.keys().filter(|did| !oracle.shows(did)).count();
    assert!(hidden > 0, "nobody is hidden");
    for did in sample(oracle.repos.keys(), SAMPLE).into_iter().chain(oracle.repos.keys().filter(|did| !oracle.shows(did)).take(SAMPLE)) {
        profile(daemon, oracle, &counts, did).await;
        feed(daemon, oracle, did).await;
    }
}

/// Evenly from beginning to end.
fn sample<'a>(all: impl Iterator<Item = &'a String>, most: usize) -> Vec<&'a String> {
    let all: Vec<_> = all.collect();
    let step = all.len().div_ceil(most).max(1);
    all.into_iter().step_by(step).collect()
}

async fn ask(daemon: &Daemon, path: &str) -> serde_json::Value {
    serde_json::from_str(&daemon.get(&format!("/xrpc/{path}")).await.unwrap()).unwrap()
}

/// Every collection's records come back byte for byte; those of hidden accounts do not.
async fn records(daemon: &Daemon, oracle: &Oracle) {
    let mut collections: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
    for uri in oracle.records.keys() {
        collections.entry(AtUri::parse(uri).unwrap().collection).or_default().push(uri);
    }
    assert!(collections.len() >= 19, "only {:?}", collections.keys());
    for uri in collections.into_values().flat_map(|uris| sample(uris.into_iter(), SAMPLE)) {
        let at = AtUri::parse(uri).unwrap();
        let query = format!("com.atproto.repo.getRecord?repo={}&collection={}&rkey={}", at.did, at.collection, at.rkey);
        let answer = ask(daemon, &query).await;
        if !oracle.shows(at.did) {
            assert!(answer["error"].is_string(), "{uri}: {answer}");
            continue;
        }
        let value: Value = json::read_record(&answer["value"]).unwrap_or_else(|e| panic!("{uri}: {e}: {answer}"));
        assert_eq!(Cid::dag_cbor(&value.encode()), oracle.records[uri].cid, "{uri}: {answer}");
    }
}

/// Posts with their counts; those of hidden accounts are left out.
async fn posts(daemon: &Daemon, oracle: &Oracle) {
    let (counts, loose) = (oracle.counts(), oracle.loose());
    let uris: Vec<_> = oracle.records.iter().filter(|(_, record)| record.post().is_some()).map(|(uri, _)| uri).collect();
    let mut sampled = sample(uris.iter().copied(), SAMPLE);
    // And those of which there is most to count.
    let mut busy = uris;
    busy.sort_by_key(|uri| std::cmp::Reverse(counts.get(*uri).map_or(0, |counts| counts.values().sum::<u64>())));
    sampled.extend(busy.into_iter().take(SAMPLE));
    for page in sampled.chunks(PAGE) {
        let query: Vec<_> = page.iter().map(|uri| format!("uris={uri}")).collect();
        let answer = ask(daemon, &format!("app.bsky.feed.getPosts?{}", query.join("&"))).await;
        let shown: BTreeMap<_, _> = answer["posts"].as_array().unwrap().iter().map(|post| (post["uri"].as_str().unwrap(), post)).collect();
        for uri in page {
            assert_eq!(shown.contains_key(uri.as_str()), oracle.shows(AtUri::parse(uri).unwrap().did), "{uri}");
            let Some(post) = shown.get(uri.as_str()) else { continue };
            assert_eq!(post["cid"], oracle.records[*uri].cid.to_string(), "{uri}");
            for (field, name) in [("likeCount", "likes"), ("repostCount", "reposts"), ("replyCount", "replies"), ("quoteCount", "quotes")] {
                let count = counts.get(*uri).and_then(|counts| counts.get(name)).copied().unwrap_or(0);
                if name != "replies" || loose.exact(&format!("count {uri} replies=1")).is_some() {
                    assert_eq!(post[field], count, "{uri} {name}");
                }
            }
        }
    }
}

async fn profile(daemon: &Daemon, oracle: &Oracle, counts: &Counts, did: &str) {
    let answer = ask(daemon, &format!("app.bsky.actor.getProfile?actor={did}")).await;
    let expected = match oracle.repos[did].status.as_deref() {
        None => None,
        Some("takendown" | "suspended") => Some("AccountTakedown"),
        Some("deleted") => Some("InvalidRequest"),
        Some(_) => Some("AccountDeactivated"),
    };
    assert_eq!(answer["error"].as_str(), expected, "{did}: {answer}");
    if expected.is_none() {
        let count = |name| counts.get(did).and_then(|counts| counts.get(name)).copied().unwrap_or(0);
        for (field, name) in [("followersCount", "followers"), ("followsCount", "follows"), ("postsCount", "posts")] {
            assert_eq!(answer[field], count(name), "{did} {name}");
        }
    }
}

/// The whole feed: every item once, newest first.
async fn feed(daemon: &Daemon, oracle: &Oracle, did: &str) {
    let (mut shown, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = ask(daemon, &format!("app.bsky.feed.getAuthorFeed?actor={did}&limit=100{cursor}")).await;
        if !oracle.shows(did) {
            assert!(answer["error"].is_string(), "{did}: {answer}");
            return;
        }
        shown.extend(answer["feed"].as_array().unwrap_or_else(|| panic!("{did}: {answer}")).iter().map(|item| expected_of(oracle, item)));
        match answer["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert!(shown.is_sorted_by(|a, b| a.at >= b.at), "{did}: not newest first: {shown:#?}");
    shown.sort_by(|a, b| b.cmp(a));
    assert_eq!(shown, oracle.feed(did), "{did}");
}

/// An item that is shown, with the time at which the oracle would show it.
fn expected_of(oracle: &Oracle, item: &serde_json::Value) -> FeedItem {
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let (post, repost) = (text(&item["post"]["uri"]).unwrap(), text(&item["reason"]["uri"]));
    let at = oracle.sorts_at(repost.as_ref().unwrap_or(&post)).unwrap_or_else(|| panic!("nobody expects {item}"));
    FeedItem { at, post, repost }
}
