//! The methods that are measured: a line each. How a request of it is made, and how its answer is told from one that lacks something.

use fastrand::Rng;
use serde_json::Value;

use super::chance::{handle, one_of, zipf};
use super::data::{Data, Readers, THREAD};

/// A method, and how it is asked.
#[derive(Debug, Clone, Copy)]
pub struct Method {
    /// Its name in reports and for `--only`.
    pub name: &'static str,
    pub nsid: &'static str,
    /// A request, of accounts and posts that are chosen as skewed as people choose.
    pub(super) ask: fn(&Data, &mut Rng) -> Ask,
    /// What a whole answer has, and how often.
    pub(super) has: (fn(&Value) -> usize, usize),
    /// Requests a second in open loops.
    pub rates: &'static [u32],
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ask {
    /// Parameters as they stand in the URL.
    pub query: String,
    /// The account that signs in.
    pub reader: Option<u32>,
}

const FEEDS: &[u32] = &[250, 750];

/// All methods. Those that this build of the daemon does not have are passed over and told.
pub const METHODS: &[Method] = &[
    // The server alone, and with the smallest question that PostgreSQL can be asked: what all others are compared with between machines.
    Method { name: "server alone", nsid: "_health", ask: |_, _| open(String::new()), has: (|a| text(a, "/version"), 1), rates: &[] },
    Method {
        name: "one row",
        nsid: "com.atproto.identity.resolveHandle",
        ask: |data, rng| open(format!("handle={}", handle(anybody(data, rng)))),
        has: (|answer| text(answer, "/did"), 1),
        rates: &[],
    },
    Method { name: "profile", nsid: "app.bsky.actor.getProfile", ask: profile, has: (|a| text(a, "/handle"), 1), rates: &[1_000, 3_000] },
    Method {
        name: "profile, signed in",
        nsid: "app.bsky.actor.getProfile",
        ask: |data, rng| by(reader(data, rng, 1), profile(data, rng)),
        has: (|answer| text(answer, "/handle"), 1),
        rates: &[],
    },
    Method { name: "author feed", nsid: "app.bsky.feed.getAuthorFeed", ask: author_feed, has: (|a| items(a, "/feed"), 30), rates: FEEDS },
    Method {
        name: "author feed, signed in",
        nsid: "app.bsky.feed.getAuthorFeed",
        ask: |data, rng| by(reader(data, rng, 1), author_feed(data, rng)),
        has: (|answer| items(answer, "/feed"), 30),
        rates: &[],
    },
    Method { name: "thread", nsid: "app.bsky.feed.getPostThread", ask: thread, has: (posts_of_thread, THREAD_POSTS), rates: FEEDS },
    Method { name: "timeline of 15", nsid: TIMELINE, ask: |d, r| timeline(d, r, 0), has: (|a| items(a, "/feed"), 30), rates: FEEDS },
    Method { name: "timeline of 500", nsid: TIMELINE, ask: |d, r| timeline(d, r, 1), has: (|a| items(a, "/feed"), 30), rates: FEEDS },
    Method { name: "timeline of 5000", nsid: TIMELINE, ask: |d, r| timeline(d, r, 2), has: (|a| items(a, "/feed"), 30), rates: FEEDS },
    Method {
        name: "notifications",
        nsid: "app.bsky.notification.listNotifications",
        ask: |data, rng| by(writer(data, rng), open("limit=30".to_owned())),
        has: (|answer| items(answer, "/notifications"), 30),
        rates: &[],
    },
    Method { name: "posts", nsid: "app.bsky.feed.getPosts", ask: posts, has: (|answer| items(answer, "/posts"), 25), rates: &[] },
    Method {
        name: "likes",
        nsid: "app.bsky.feed.getLikes",
        ask: |data, _| open(format!("limit=50&uri={}", data.hot)),
        has: (|answer| items(answer, "/likes"), 50),
        rates: &[],
    },
    Method {
        name: "followers",
        nsid: "app.bsky.graph.getFollowers",
        ask: |data, _| open(format!("limit=50&actor={}", data.did(0))),
        has: (|answer| items(answer, "/followers"), 50),
        rates: &[],
    },
];

const TIMELINE: &str = "app.bsky.feed.getTimeline";
/// The post itself and its replies.
const THREAD_POSTS: usize = 41;
const _: () = assert!(THREAD == 41);

fn open(query: String) -> Ask {
    Ask { query, reader: None }
}

fn by(reader: u32, ask: Ask) -> Ask {
    Ask { reader: Some(reader), ..ask }
}

/// Somebody who posts; the celebrity is asked for most.
fn writer(data: &Data, rng: &mut Rng) -> u32 {
    one_of(rng, data.plan.writers)
}

/// Anybody with a profile; half of the time somebody who posts.
fn anybody(data: &Data, rng: &mut Rng) -> u32 {
    if rng.bool() { writer(data, rng) } else { rng.u32(0..data.plan.profiles) }
}

/// A reader of the n-th group.
fn reader(data: &Data, rng: &mut Rng, group: usize) -> u32 {
    data.plan.readers.get(group).map_or(0, |readers: &Readers| readers.first + one_of(rng, readers.count))
}

fn profile(data: &Data, rng: &mut Rng) -> Ask {
    open(format!("actor={}", data.did(anybody(data, rng))))
}

fn author_feed(data: &Data, rng: &mut Rng) -> Ask {
    open(format!("limit=30&actor={}", data.did(writer(data, rng))))
}

fn timeline(data: &Data, rng: &mut Rng, group: usize) -> Ask {
    by(reader(data, rng, group), open("limit=30".to_owned()))
}

fn thread(data: &Data, rng: &mut Rng) -> Ask {
    let at = zipf(rng, data.threads.len());
    open(format!("uri={}", data.threads.get(at).map_or("", String::as_str)))
}

fn posts(data: &Data, rng: &mut Rng) -> Ask {
    let begin = rng.usize(0..data.posts.len().max(1));
    let uris = data.posts.iter().cycle().skip(begin).take(25);
    open(uris.map(|uri| format!("uris={uri}")).collect::<Vec<_>>().join("&"))
}

/// How often there is a text at this place.
fn text(answer: &Value, at: &str) -> usize {
    usize::from(answer.pointer(at).is_some_and(|value| value.as_str().is_some_and(|text| !text.is_empty() && text != "handle.invalid")))
}

fn items(answer: &Value, at: &str) -> usize {
    answer.pointer(at).and_then(Value::as_array).map_or(0, Vec::len)
}

/// The posts of a thread: the one that was asked for and all that answer it.
fn posts_of_thread(answer: &Value) -> usize {
    fn count(view: &Value, depth: usize) -> usize {
        let replies = view.get("replies").and_then(Value::as_array).filter(|_| depth < 20);
        usize::from(view.get("post").is_some()) + replies.into_iter().flatten().map(|reply| count(reply, depth + 1)).sum::<usize>()
    }
    answer.get("thread").map_or(0, |thread| count(thread, 0))
}
