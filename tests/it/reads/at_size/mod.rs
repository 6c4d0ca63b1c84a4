//! The plan and the cost of each statement of the hot reads at a million records, with the parameters that hurt most: a celebrity, a post with
//! 100,000 likes, an account that follows 5,000. The server itself says how it carried out each statement that the API sent (`auto_explain`),
//! so nothing is left out: a statement that `statements.rs` does not know fails the test, and so does one that was not sent.

mod statements;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Instant;

use appviewd::bench::api::Data;
use serde_json::Value as Json;
use tokio_util::sync::CancellationToken;

use super::world::World;
use crate::support::postgres::Postgres;
use statements::{NOT_JUDGED, SENT, Sent};

const SEED: u64 = 11;
const RECORDS: u32 = 1_000_000;
/// Rows of a table that may be read from end to end: settings, a row a process.
const FEW: f64 = 5_000.0;

/// How a statement was carried out, at its dearest.
#[derive(Debug, Default, Clone)]
struct Carried {
    times: usize,
    /// Pages of 8 KiB that were looked at.
    buffers: u64,
    indexes: BTreeSet<String>,
    /// Tables that were read from end to end, and are not small.
    whole: BTreeSet<String>,
    /// The statement and plan that took the most.
    plan: String,
}

/// Statements by their names.
type Seen = BTreeMap<String, Carried>;

struct Stage {
    world: World,
    data: Data,
    /// How much of the server's log was read.
    read: usize,
}

impl Stage {
    async fn start() -> Self {
        let (postgres, folder, begun) = (Postgres::start().await, tempfile::tempdir().unwrap(), Instant::now());
        let data = Data::of(folder.path(), &postgres.url(), SEED, RECORDS, &CancellationToken::new()).await.unwrap();
        eprintln!("made in {:?}", begun.elapsed());
        let client = postgres.connect().await;
        client.batch_execute("LOAD 'auto_explain'").await.unwrap();
        for setting in [
            "session_preload_libraries = 'auto_explain'",
            "auto_explain.log_min_duration = 0",
            "auto_explain.log_analyze = on",
            "auto_explain.log_buffers = on",
            "auto_explain.log_timing = off",
            "auto_explain.log_format = json",
            "log_line_prefix = '%a|'",
        ] {
            client.batch_execute(&format!("ALTER SYSTEM SET {setting}")).await.unwrap();
        }
        client.batch_execute("SELECT pg_reload_conf()").await.unwrap();
        // Somebody whose labels every page asks for.
        let labeler = data.did(1);
        let insert = format!("INSERT INTO labeler (id, account, epoch, seq) SELECT 0, id, 0, 0 FROM account WHERE did = '{labeler}'");
        assert_eq!(client.execute(&insert, &[]).await.unwrap(), 1);
        let world = World::over(postgres, |config| {
            config.labels.default_labelers = vec![labeler];
            config.http.requests_per_second = 0;
        })
        .await;
        Self { world, data, read: 0 }
    }

    /// Asks as `viewer`; the output.
    async fn ask(&self, viewer: Option<&str>, path: &str) -> Json {
        let path = format!("/xrpc/{path}");
        let answer = match viewer {
            Some(did) => self.world.get_as(did, &path).await,
            None => self.world.get(&path).await,
        };
        assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
        answer.json()
    }

    /// The first two pages of a list.
    async fn pages(&self, viewer: Option<&str>, path: &str) {
        let first = self.ask(viewer, path).await;
        if let Some(cursor) = first["cursor"].as_str() {
            self.ask(viewer, &format!("{path}&cursor={}", cursor.replace(':', "%3A"))).await;
        }
    }

    /// What was carried out for the API since the last look.
    fn carried(&mut self) -> Seen {
        let said = self.world.postgres.said();
        let new = said[self.read..].replace("\n\t", "\n\u{1}");
        self.read = said.len();
        let mut seen = Seen::new();
        for entry in new.split("\nappviewd api|LOG:  duration: ").skip(1) {
            let Some((_, plan)) = entry.split_once("plan:") else { continue };
            let lines = plan.lines().skip(1).take_while(|line| line.starts_with('\u{1}'));
            let json: Json =
                serde_json::from_str(&lines.map(|line| line.trim_start_matches('\u{1}')).collect::<Vec<_>>().join("\n")).unwrap();
            note(&mut seen, &json);
        }
        seen
    }
}

/// Takes in how one statement was carried out.
fn note(seen: &mut Seen, said: &Json) {
    let text = said["Query Text"].as_str().unwrap();
    let Some(name) = text.trim_start().strip_prefix("-- ").and_then(|text| text.split_whitespace().next()) else { return };
    let plan = &said["Plan"];
    let buffers = plan["Shared Hit Blocks"].as_u64().unwrap() + plan["Shared Read Blocks"].as_u64().unwrap();
    let carried = seen.entry(name.to_owned()).or_default();
    carried.times += 1;
    if buffers >= carried.buffers {
        (carried.buffers, carried.plan) = (buffers, format!("{text}\n{}", outline(plan, 0)));
    }
    walk(plan, carried);
}

fn walk(node: &Json, carried: &mut Carried) {
    carried.indexes.extend(node["Index Name"].as_str().map(ToOwned::to_owned));
    if node["Node Type"] == "Seq Scan" {
        let number = |field: &str| node[field].as_f64().unwrap_or(0.0);
        if (number("Actual Rows") + number("Rows Removed by Filter")) * number("Actual Loops").max(1.0) > FEW {
            carried.whole.extend(node["Relation Name"].as_str().map(ToOwned::to_owned));
        }
    }
    node["Plans"].as_array().into_iter().flatten().for_each(|below| walk(below, carried));
}

/// A plan in a line a node.
fn outline(node: &Json, depth: usize) -> String {
    let text = |field: &str| node[field].as_str().unwrap_or_default().to_owned();
    let rows = format!("rows={} loops={}", node["Actual Rows"], node["Actual Loops"]);
    let pages = node["Shared Hit Blocks"].as_u64().unwrap_or(0) + node["Shared Read Blocks"].as_u64().unwrap_or(0);
    let line =
        format!("{}{} {} {} {rows} buffers={pages}\n", "  ".repeat(depth), text("Node Type"), text("Index Name"), text("Relation Name"));
    let below = node["Plans"].as_array().into_iter().flatten().map(|below| outline(below, depth + 1));
    std::iter::once(line).chain(below).collect()
}

/// Every hot read, of those of whom there is most.
async fn ask_all(stage: &Stage) {
    let data = &stage.data;
    let (celebrity, writer, ordinary) = (data.did(0), data.did(7), data.did(data.plan.first_other() + 5));
    let [few, many, most] = [0, 1, 2].map(|group| data.did(data.plan.readers[group].first));
    let hot = data.hot.as_str();
    let viewers = [None, Some(celebrity.as_str()), Some(&ordinary), Some(&few), Some(&many), Some(&most)];
    for viewer in viewers {
        for of in [&celebrity, &writer, &ordinary, &most] {
            stage.ask(viewer, &format!("app.bsky.actor.getProfile?actor={of}")).await;
            for list in ["graph.getFollowers", "graph.getFollows", "feed.getAuthorFeed"] {
                stage.pages(viewer, &format!("app.bsky.{list}?limit=100&actor={of}")).await;
            }
        }
        for filter in ["posts_no_replies", "posts_with_media", "posts_with_video", "posts_and_author_threads"] {
            stage.pages(viewer, &format!("app.bsky.feed.getAuthorFeed?limit=100&actor={celebrity}&filter={filter}")).await;
        }
        let named: Vec<String> = data.posts.iter().rev().take(25).map(|uri| format!("uris={uri}")).collect();
        stage.ask(viewer, &format!("app.bsky.feed.getPosts?{}", named.join("&"))).await;
        for list in ["getLikes", "getRepostedBy", "getQuotes"] {
            stage.pages(viewer, &format!("app.bsky.feed.{list}?limit=100&uri={hot}")).await;
        }
        for of in [hot, &data.threads[0]] {
            stage.ask(viewer, &format!("app.bsky.feed.getPostThread?uri={of}")).await;
            for sort in ["newest", "oldest", "top"] {
                stage.ask(viewer, &format!("app.bsky.unspecced.getPostThreadV2?anchor={of}&sort={sort}")).await;
            }
            stage.ask(viewer, &format!("app.bsky.unspecced.getPostThreadOtherV2?anchor={of}")).await;
        }
        for query in [
            "feed.searchPosts?limit=100&q=a",
            "feed.searchPosts?limit=100&sort=top&q=the",
            "actor.searchActors?limit=100&q=person",
            "actor.searchActorsTypeahead?q=pers",
        ] {
            stage.ask(viewer, &format!("app.bsky.{query}")).await;
        }
        if viewer.is_some() {
            stage.pages(viewer, "app.bsky.feed.getTimeline?limit=100").await;
            stage.pages(viewer, "app.bsky.notification.listNotifications?limit=100").await;
            stage.ask(viewer, "app.bsky.notification.getUnreadCount").await;
            stage.pages(viewer, &format!("app.bsky.graph.getKnownFollowers?limit=100&actor={celebrity}")).await;
        }
    }
}

/// What is not as `expected` says.
fn judge(seen: &Seen, expected: &[Sent]) -> Vec<String> {
    let mut wrong = Vec::new();
    for Sent { name, index, buffers, why } in expected {
        let Some(carried) = seen.get(*name) else {
            wrong.push(format!("{name} was not sent"));
            continue;
        };
        let plan = &carried.plan;
        if !index.is_empty() && !carried.indexes.contains(*index) {
            wrong.push(format!("{name} does without {index}:\n{plan}"));
        }
        if carried.buffers > *buffers {
            wrong.push(format!("{name} took {} buffers and not {buffers} ({why}):\n{plan}", carried.buffers));
        }
        wrong.extend(carried.whole.iter().map(|table| format!("{name} reads all of {table}:\n{plan}")));
    }
    let is_known = |name: &String| expected.iter().any(|sent| sent.name == name) || NOT_JUDGED.iter().any(|(other, _)| other == name);
    wrong.extend(seen.keys().filter(|name| !is_known(name)).map(|name| format!("{name} is not in the list of statements")));
    wrong
}

/// The names of all statements of `src/db/read`.
fn of_sources() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/db/read");
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let (text, module) = (fs::read_to_string(&path).unwrap(), path.file_stem().unwrap().to_str().unwrap().to_owned());
        for (at, begin) in text.match_indices("-- read::") {
            let name: String = text[at + 3..].chars().take_while(|c| c.is_ascii_alphanumeric() || "_:".contains(*c)).collect();
            if !name.ends_with("::") {
                names.insert(name);
                continue;
            }
            // The name is an argument of the macro in which this stands.
            let before = &text[..at];
            let of_macro = before.rfind("macro_rules! ").map(|at| &before[at + 13..]).unwrap();
            let call = format!("{}!(\"", of_macro.split(' ').next().unwrap());
            let called = text.match_indices(&call).map(|(at, call)| text[at + call.len()..].split('"').next().unwrap());
            let called: Vec<String> = called.map(|name| format!("read::{module}::{name}")).collect();
            assert!(!called.is_empty(), "{}: {begin} has no name", path.display());
            names.extend(called);
        }
    }
    assert!(names.len() > 40, "only {names:?}");
    names
}

#[test]
fn every_statement_that_reads_is_in_the_list() {
    let listed: BTreeSet<&str> = SENT.iter().map(|sent| sent.name).chain(NOT_JUDGED.iter().map(|(name, _)| *name)).collect();
    let missing: Vec<String> = of_sources().into_iter().filter(|name| !listed.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "tests/it/reads/at_size/statements.rs does not know {missing:#?}");
    assert_eq!(listed.len(), SENT.len() + NOT_JUDGED.len(), "a name stands there twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_a_million_records_each_statement_uses_its_index_and_few_pages() {
    let begun = Instant::now();
    let mut stage = Stage::start().await;
    ask_all(&stage).await;
    eprintln!("asked after {:?}", begun.elapsed());
    let seen = stage.carried();
    for (name, carried) in &seen {
        eprintln!("{:>6} buffers of {:>4} times: {name}", carried.buffers, carried.times);
    }
    let wrong = judge(&seen, SENT);
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    a_lost_index_is_noticed(&mut stage).await;
}

/// An index that is not there any more shows in the statement that was made for it.
async fn a_lost_index_is_noticed(stage: &mut Stage) {
    let (client, hot, celebrity) = (stage.world.postgres.connect().await, stage.data.hot.clone(), stage.data.did(0));
    for (index, name, path) in [
        ("like_subj", "read::list::likes", format!("app.bsky.feed.getLikes?limit=100&uri={hot}")),
        ("follow_subj", "read::list::followers", format!("app.bsky.graph.getFollowers?limit=100&actor={celebrity}")),
    ] {
        let expected: Vec<Sent> = SENT.iter().filter(|sent| sent.name == name).copied().collect();
        client.batch_execute(&format!("DROP INDEX {index}")).await.unwrap();
        stage.ask(None, &path).await;
        let mut seen = stage.carried();
        seen.retain(|other, _| other == name);
        let wrong = judge(&seen, &expected);
        assert!(
            wrong.iter().any(|wrong| wrong.contains(index)) && wrong.iter().any(|wrong| wrong.contains("buffers")),
            "{index}: {wrong:?}"
        );
    }
}
