//! Who sees what, page by page: what a reader of each kind is shown of a network is held against an independent truth. `book.rs` has the
//! facts, `eyes.rs` and `lists.rs` what follows of them, `compare.rs` what is compared. They share no code with the read side.

pub mod book;
mod compare;
mod eyes;
mod flat;
mod lists;
mod notices;
mod stage;
mod thread;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value as Json;

use book::{LIKE, POST, author};
use eyes::Eyes;
use flat::Shape;
use lists::{FILTERS, Item, List};
use stage::Stage;

const SEED: u64 = 300;
const ACCOUNTS: usize = 150;
const EVENTS: usize = 4000;
/// Sizes of pages; each list is read in one of them, in turn.
const LIMITS: [usize; 5] = [100, 1, 3, 7, 30];
/// Pages of one list at most, about: longer ones are read in larger pages.
const PAGES: usize = 8;
/// Posts and accounts of which a reader looks at one, unless there is more to be seen of it.
const SELDOM: usize = 3;
/// Posts that one request may name.
const NAMED: usize = 25;
/// How threads are asked for as lists, in turn.
const SHAPES: [Shape; 5] = [
    Shape { above: true, below: 6, branching: 10, sort: "oldest" },
    Shape { above: true, below: 20, branching: 100, sort: "top" },
    Shape { above: false, below: 1, branching: 0, sort: "newest" },
    Shape { above: true, below: 3, branching: 1, sort: "top" },
    Shape { above: true, below: 0, branching: 10, sort: "newest" },
];
/// Rounds of one page at most: see `query/skeleton`.
const ROUNDS: usize = 10;
/// What must be seen at least, so that the comparison is worth something.
const SEEN: &[(&str, usize)] = &[
    (AUTHOR_FEED.nsid, 3000),
    (LIKES.nsid, 1500),
    (QUOTES.nsid, 300),
    (REPOSTED_BY.nsid, 300),
    (TIMELINE.nsid, 1500),
    (FOLLOWERS.nsid, 400),
    (FOLLOWS.nsid, 400),
    (KNOWN.nsid, 10),
    (NOTIFICATIONS.nsid, 400),
    ("passed over", 1000),
    ("pins", 10),
    ("posts", 5000),
    ("profiles", 300),
    ("refusals", 100),
    ("pages", 300),
    ("flat threads", 1500),
    ("replies apart", 10),
    ("threads", 1500),
];
/// Differences that a failing test shows.
const SHOWN: usize = 5;

/// A reader on the stage, and what was found.
struct Reader {
    stage: Arc<Stage>,
    viewer: Option<String>,
    /// Which one of the readers it is: each looks at other things.
    turn: usize,
    asked: usize,
    /// What was compared, by kind.
    seen: BTreeMap<&'static str, usize>,
    wrong: Vec<String>,
}

/// A list as a method answers it.
#[derive(Clone, Copy)]
struct Method {
    nsid: &'static str,
    field: &'static str,
    /// What tells an item from the others.
    id: fn(&Json) -> Option<String>,
}

fn text(json: &Json) -> Option<String> {
    json.as_str().map(ToOwned::to_owned)
}

fn did(item: &Json) -> Option<String> {
    text(&item["did"])
}

fn of_feed(item: &Json) -> Option<String> {
    text(&item["reason"]["uri"]).or_else(|| text(&item["post"]["uri"]))
}

fn of_notice(item: &Json) -> Option<String> {
    Some(format!("{} {}", item["reason"].as_str()?, item["uri"].as_str()?))
}

const LIKES: Method = Method { nsid: "app.bsky.feed.getLikes", field: "likes", id: |item| did(&item["actor"]) };
const REPOSTED_BY: Method = Method { nsid: "app.bsky.feed.getRepostedBy", field: "repostedBy", id: did };
const QUOTES: Method = Method { nsid: "app.bsky.feed.getQuotes", field: "posts", id: |item| text(&item["uri"]) };
const FOLLOWERS: Method = Method { nsid: "app.bsky.graph.getFollowers", field: "followers", id: did };
const FOLLOWS: Method = Method { nsid: "app.bsky.graph.getFollows", field: "follows", id: did };
const KNOWN: Method = Method { nsid: "app.bsky.graph.getKnownFollowers", field: "followers", id: did };
const AUTHOR_FEED: Method = Method { nsid: "app.bsky.feed.getAuthorFeed", field: "feed", id: of_feed };
const NOTIFICATIONS: Method = Method { nsid: "app.bsky.notification.listNotifications", field: "notifications", id: of_notice };
const TIMELINE: Method = Method { nsid: "app.bsky.feed.getTimeline", field: "feed", id: of_feed };

impl Reader {
    fn eyes(&self) -> Eyes<'_> {
        Eyes { book: &self.stage.book, viewer: self.viewer.as_deref() }
    }

    fn differs(&mut self, what: &str, how: &str) {
        self.wrong.push(format!("{} as {}: {how}", what, self.viewer.as_deref().unwrap_or("nobody")));
    }

    fn saw(&mut self, what: &'static str, count: usize) {
        *self.seen.entry(what).or_default() += count;
    }

    /// A size of pages for a list of so many, another one each time.
    fn limit(&mut self, items: usize) -> usize {
        self.asked += 1;
        let fits: Vec<usize> = LIMITS.into_iter().filter(|limit| items <= limit * PAGES).collect();
        fits.get(self.asked % fits.len().max(1)).copied().unwrap_or(100)
    }

    /// Reads a list to its end, page by page, and holds it against what is expected.
    async fn list(&mut self, method: Method, params: &str, expected: &List) {
        let limit = self.limit(expected.as_ref().map_or(0, Vec::len));
        self.list_by(method, params, expected, limit).await;
    }

    async fn list_by(&mut self, method: Method, params: &str, expected: &List, limit: usize) {
        let what = format!("{}?{params}&limit={limit}", method.nsid);
        match (self.pages(&what, method.field).await, expected) {
            (Err(error), Err(expected)) if error == *expected => self.saw("refusals", 1),
            (Err(error), _) => self.differs(&what, &format!("answered {error}, expected {:?}", expected.as_ref().map(Vec::len))),
            (Ok(_), Err(expected)) => self.differs(&what, &format!("answered a list, expected {expected}")),
            (Ok(pages), Ok(expected)) => {
                let hidden = expected.iter().filter(|item| item.view.is_none()).count();
                let last = pages.len() - 1;
                for page in pages.iter().take(last).filter(|page| page.len() != limit && hidden < ROUNDS) {
                    self.differs(&what, &format!("a page of {}", page.len()));
                }
                self.saw(method.nsid, pages.iter().map(Vec::len).sum());
                self.saw("passed over", hidden);
                if let Some(difference) = different(&pages.concat(), expected, method.id) {
                    self.differs(&what, &difference);
                }
            }
        }
    }

    /// All pages of a list, or the error.
    async fn pages(&self, path: &str, field: &str) -> Result<Vec<Vec<Json>>, String> {
        let (mut pages, mut cursor) = (Vec::new(), String::new());
        loop {
            let answer = self.stage.output(self.viewer.as_deref(), &format!("{path}{cursor}")).await?;
            pages.push(answer[field].as_array().unwrap().iter().map(compare::compared).collect());
            match answer["cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(pages),
            }
        }
    }

    async fn reads_accounts(&mut self) {
        let stage = Arc::clone(&self.stage);
        for (n, of) in stage.book.oracle.repos.keys().enumerate() {
            let near = self.viewer.as_deref().is_some_and(|viewer| stage.book.are_apart(viewer, of) || self.eyes().is_muted(of));
            if !near && !(n + self.turn).is_multiple_of(SELDOM) {
                continue;
            }
            let params = format!("actor={of}");
            let (followers, follows) = (self.eyes().followers(of), self.eyes().follows(of));
            self.list(FOLLOWERS, &params, &followers).await;
            self.list(FOLLOWS, &params, &follows).await;
            let known = self.eyes().known_list(of);
            if known.as_ref().is_ok_and(|known| !known.is_empty()) {
                self.list(KNOWN, &params, &known).await;
            }
            self.reads_page(of).await;
            self.reads_feed(of).await;
        }
    }

    async fn reads_page(&mut self, of: &str) {
        let path = format!("app.bsky.actor.getProfile?actor={of}");
        let repo = &self.stage.book.oracle.repos[of];
        let expected = match (self.eyes().page(of), repo.status.as_deref()) {
            (Some(page), _) => Ok(page),
            (None, Some("deleted")) => Err("InvalidRequest"),
            (None, Some("takendown" | "suspended")) => Err("AccountTakedown"),
            (None, _) if self.stage.book.is_gone(of) => Err("AccountTakedown"),
            (None, _) => Err("AccountDeactivated"),
        };
        let answer = self.stage.output(self.viewer.as_deref(), &path).await;
        self.saw("profiles", 1);
        match (answer, expected) {
            (Ok(answer), Ok(expected)) => {
                self.equals(&path, &expected, &answer);
                self.details_equal(&path, of, &answer);
            }
            (Err(error), Err(expected)) if error == expected => {}
            (answer, expected) => self.differs(&path, &format!("answered {answer:?}, expected {expected:?}")),
        }
    }

    /// Holds what only an account's own page tells of it against what is expected.
    fn details_equal(&mut self, what: &str, of: &str, answer: &Json) {
        self.saw("pages", 1);
        if let Some(difference) = compare::difference(&compare::having(&self.eyes().details(of)), answer) {
            self.differs(what, &difference);
        }
    }

    /// Accounts by their names, in the order in which they are named.
    async fn reads_pages(&mut self) {
        let stage = Arc::clone(&self.stage);
        let all: Vec<&str> = stage.book.oracle.repos.keys().map(String::as_str).collect();
        for some in all.chunks(NAMED) {
            let named: Vec<String> = some.iter().rev().map(|did| format!("actors={did}")).collect();
            let path = format!("app.bsky.actor.getProfiles?{}", named.join("&"));
            let expected: Json = some.iter().rev().filter_map(|did| self.eyes().page(did)).collect();
            let answer = self.stage.output(self.viewer.as_deref(), &path).await.unwrap()["profiles"].clone();
            self.equals(&path, &expected, &answer);
            for page in answer.as_array().unwrap() {
                self.details_equal(&path, page["did"].as_str().unwrap(), page);
            }
        }
    }

    /// Holds one answer against what is expected.
    fn equals(&mut self, what: &str, expected: &Json, answer: &Json) {
        if let Some(difference) = compare::difference(expected, &compare::compared(answer)) {
            self.differs(what, &difference);
        }
    }

    async fn reads_feed(&mut self, of: &str) {
        let whole = self.eyes().author_feed(of);
        // One filter for each account and reader, in turn.
        for filter in [FILTERS[0], FILTERS[1 + self.asked % (FILTERS.len() - 1)]] {
            let feed = whole.clone().map(|mut feed| {
                feed.retain(|item| self.eyes().passes(&item.id, filter));
                feed
            });
            let params = format!("actor={of}&filter={filter}");
            if filter == "posts_and_author_threads" {
                self.list_of_threads(&params, &feed).await;
            } else {
                self.list(AUTHOR_FEED, &params, &feed).await;
            }
        }
        if let (Some(pin), Ok(feed)) = (self.eyes().pinned(of), whole) {
            self.first_page_with_pin(of, pin, feed).await;
        }
    }

    /// A feed of whole threads of the author's own: whether one is whole depends on where pages end, so that each page is expected by itself.
    async fn list_of_threads(&mut self, params: &str, feed: &List) {
        let limit = self.limit(feed.as_ref().map_or(0, Vec::len));
        let expected = feed.clone().map(|mut feed| {
            let mut at = 0;
            while at < feed.len() {
                at = keep_whole_threads(&mut feed, at, limit, self.eyes());
            }
            feed
        });
        self.list_by(AUTHOR_FEED, params, &expected, limit).await;
    }

    async fn first_page_with_pin(&mut self, of: &str, (uri, pin): (String, Json), feed: Vec<Item>) {
        let limit = LIMITS[self.asked % LIMITS.len()];
        let path = format!("app.bsky.feed.getAuthorFeed?actor={of}&includePins=true&limit={limit}");
        let answer = match self.stage.output(self.viewer.as_deref(), &path).await {
            Ok(answer) => answer,
            Err(error) => return self.differs(&path, &error),
        };
        let mut expected: Vec<Item> = feed.into_iter().filter(|item| item.view.is_some() && item.id != uri).take(limit).collect();
        expected.insert(0, Item { id: uri, at: i64::MAX, view: Some(pin) });
        let page: Vec<Json> = answer["feed"].as_array().unwrap().iter().map(compare::compared).collect();
        self.saw("pins", 1);
        if let Some(difference) = different(&page, &expected, of_feed) {
            self.differs(&path, &difference);
        }
    }

    async fn reads_posts(&mut self) {
        let stage = Arc::clone(&self.stage);
        let subjects = stage.book.edges(LIKE).map(|(_, edge)| edge.subject.as_str());
        let all: BTreeSet<&str> = subjects.chain(stage.book.posts().map(|(uri, _)| uri)).collect();
        for (n, uri) in all.iter().enumerate() {
            let busy = stage.book.count(uri, "likes") + stage.book.count(uri, "quotes") > 8;
            if !busy && !(n + self.turn).is_multiple_of(SELDOM) {
                continue;
            }
            let params = format!("uri={uri}");
            let (likes, reposts, quotes) = (self.eyes().likes(uri), self.eyes().reposted_by(uri), self.eyes().quotes(uri));
            for (method, expected) in [(LIKES, likes), (REPOSTED_BY, reposts), (QUOTES, quotes)] {
                if !expected.is_empty() {
                    self.list(method, &params, &Ok(expected)).await;
                }
            }
            if stage.book.post(uri).is_some() && (busy || stage.book.count(uri, "replies") > 0 || n % 2 == 0) {
                self.reads_thread(uri, [(80, 6), (2, 1), (0, 0), (1, 2)][n % 4]).await;
                self.reads_flat(uri, SHAPES[n % SHAPES.len()]).await;
            }
        }
        let posts: Vec<&str> = all.into_iter().filter(|uri| book::collection(uri) == POST).collect();
        for some in posts.chunks(NAMED) {
            let uris: Vec<String> = some.iter().map(|uri| format!("uris={uri}")).collect();
            let path = format!("app.bsky.feed.getPosts?{}", uris.join("&"));
            let shown = some.iter().filter(|uri| !self.eyes().is_blocked(author(uri)));
            let expected: Json = shown.filter_map(|uri| self.eyes().post(uri, 0)).collect();
            self.saw("posts", expected.as_array().unwrap().len());
            let answer = self.stage.output(self.viewer.as_deref(), &path).await.unwrap();
            self.equals(&path, &expected, &answer["posts"]);
        }
    }

    async fn reads_thread(&mut self, of: &str, (height, depth): (usize, usize)) {
        let path = format!("app.bsky.feed.getPostThread?uri={of}&parentHeight={height}&depth={depth}");
        let answer = self.stage.output(self.viewer.as_deref(), &path).await;
        self.saw("threads", 1);
        match (answer, self.eyes().thread(of, height, depth)) {
            (Ok(answer), Some(expected)) => self.equals(&path, &expected, &answer),
            (Err(error), None) if error == "NotFound" => {}
            (answer, expected) => self.differs(&path, &format!("answered {answer:?}, expected {expected:?}")),
        }
    }

    async fn reads_flat(&mut self, of: &str, shape: Shape) {
        let Shape { above, below, branching, sort } = shape;
        let shaped = format!("&above={above}&below={below}&branchingFactor={branching}&sort={sort}");
        let path = format!("app.bsky.unspecced.getPostThreadV2?anchor={of}{shaped}");
        let answer = self.stage.output(self.viewer.as_deref(), &path).await.unwrap();
        self.saw("flat threads", 1);
        let expected = self.eyes().flat(of, shape);
        self.equals(&path, &expected, &answer);
        let path = format!("app.bsky.unspecced.getPostThreadOtherV2?anchor={of}");
        let answer = self.stage.output(self.viewer.as_deref(), &path).await.unwrap();
        let expected = self.eyes().others(of);
        self.saw("replies apart", expected.len());
        self.equals(&path, &expected.into(), &answer["thread"]);
    }

    async fn reads_own(&mut self) {
        if self.viewer.is_none() {
            return;
        }
        let (timeline, notifications) = (self.eyes().timeline(), self.eyes().notifications());
        for limit in [100, 30, 7] {
            self.list_by(TIMELINE, "", &timeline, limit).await;
            self.list_by(NOTIFICATIONS, "", &notifications, limit).await;
        }
    }

    async fn reads(mut self) -> Self {
        self.reads_accounts().await;
        self.reads_pages().await;
        self.reads_posts().await;
        self.reads_own().await;
        self
    }
}

/// Takes what belongs to no whole thread of its page out of the page that begins at `at`; where the next begins.
fn keep_whole_threads(feed: &mut [Item], mut at: usize, limit: usize, eyes: Eyes<'_>) -> usize {
    let mut room = limit;
    for _ in 0..ROUNDS {
        let end = feed.len().min(at + room);
        let own: Vec<String> = feed[at..end].iter().map(|item| item.id.clone()).filter(|id| book::collection(id) == POST).collect();
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        for item in &mut feed[at..end] {
            if book::collection(&item.id) == POST && !eyes.is_own_thread(&item.id, &own) {
                item.view = None;
            }
            room -= usize::from(item.view.is_some());
        }
        at = end;
        if room == 0 || at == feed.len() {
            break;
        }
    }
    at
}

/// How a list is not what is expected. Of items of one time any may stand first.
fn different(answered: &[Json], expected: &[Item], id: fn(&Json) -> Option<String>) -> Option<String> {
    let known: HashMap<&str, &Item> = expected.iter().map(|item| (item.id.as_str(), item)).collect();
    let mut found = Vec::new();
    for item in answered {
        let Some(item_id) = id(item) else { return Some(format!("an item without a name: {item}")) };
        match known.get(item_id.as_str()) {
            Some(known) if known.view.is_some() => found.push((known.at, item_id, item)),
            Some(_) => return Some(format!("{item_id} is shown")),
            None => return Some(format!("{item_id} does not belong there")),
        }
    }
    if !found.is_sorted_by(|a, b| a.0 >= b.0) {
        return Some(format!("not newest first: {:?}", found.iter().map(|(at, id, _)| (at, id)).collect::<Vec<_>>()));
    }
    found.sort_by(|a, b| (b.0, &b.1).cmp(&(a.0, &a.1)));
    let mut shown: Vec<&Item> = expected.iter().filter(|item| item.view.is_some()).collect();
    shown.sort_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
    for (n, item) in shown.iter().enumerate() {
        let Some((_, found_id, answer)) = found.get(n).filter(|(_, found_id, _)| *found_id == item.id) else {
            return Some(format!("{} is missing or there twice", item.id));
        };
        if let Some(difference) = compare::difference(item.view.as_ref().unwrap(), answer) {
            return Some(format!("{found_id}{difference}"));
        }
    }
    (found.len() > shown.len()).then(|| "an item stands there twice".to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_reader_sees_what_is_expected_page_by_page() {
    let began = std::time::Instant::now();
    let stage = Arc::new(Stage::start(SEED, ACCOUNTS, EVENTS).await);
    eprintln!("the stage: {:?}", began.elapsed());
    let reader = |(n, viewer): (usize, &Option<String>)| Reader {
        stage: Arc::clone(&stage),
        viewer: viewer.clone(),
        turn: n,
        asked: n,
        seen: BTreeMap::new(),
        wrong: Vec::new(),
    };
    let readers: Vec<_> = stage.viewers.iter().enumerate().map(|viewer| tokio::spawn(reader(viewer).reads())).collect();
    let (mut wrong, mut seen): (Vec<String>, BTreeMap<&str, usize>) = (Vec::new(), BTreeMap::new());
    for reader in readers {
        let reader = reader.await.unwrap();
        wrong.extend(reader.wrong);
        for (what, count) in reader.seen {
            *seen.entry(what).or_default() += count;
        }
    }
    eprintln!("{:?}: {seen:?}", began.elapsed());
    let few: Vec<_> = SEEN.iter().filter(|(what, least)| seen.get(what).is_none_or(|seen| seen < least)).collect();
    assert!(few.is_empty(), "too little was seen of {few:?}: {seen:?}");
    assert!(wrong.is_empty(), "{} differences; the first:\n{}", wrong.len(), wrong[..wrong.len().min(SHOWN)].join("\n\n"));
}
