//! The lines of what is derived from several records, read by statements of its own; and the counts, counted again.

use std::collections::BTreeMap;

use appviewd::atproto::Tid;
use appviewd::collection::Coll;
use tokio_postgres::{Client, Row};

use super::{Names, or_none};

const VIOLATES: i16 = 16;
const DETACHED: i16 = 32;

pub(super) async fn lines(client: &Client, names: &Names, lines: &mut Vec<String>) {
    flags(client, names, lines).await;
    gates(client, names, lines).await;
    notifs(client, names, lines).await;
    for r in rows(client, "SELECT mr, ma, rkey, author FROM pending").await {
        let (missing, reply) = (names.uri(r.get(1), Coll::POST, r.get(0)), names.uri(r.get(3), Coll::POST, r.get(2)));
        lines.push(format!("pending {reply} waits for {missing}"));
    }
    for r in rows(client, "SELECT author, sr, sa, time FROM pack_join").await {
        let (pack, at) = (names.uri(r.get(2), Coll::STARTERPACK, r.get(1)), micros(r.get(3)));
        lines.push(format!("join {} {pack} at={at}", names.dids[&r.get(0)]));
    }
}

async fn rows(client: &Client, sql: &str) -> Vec<Row> {
    client.query(sql, &[]).await.unwrap()
}

/// The time of a TID value.
fn micros(value: i64) -> i64 {
    Tid::from_value(value).unwrap().micros()
}

async fn flags(client: &Client, names: &Names, lines: &mut Vec<String>) {
    for r in rows(client, "SELECT rkey, author, flags FROM post WHERE flags & 48 <> 0").await {
        let (uri, flags) = (names.uri(r.get(1), Coll::POST, r.get(0)), r.get::<_, i16>(2));
        let words = [(VIOLATES, "violates"), (DETACHED, "detached")];
        lines.extend(words.iter().filter(|(flag, _)| flags & flag != 0).map(|(_, word)| format!("flags {uri} {word}")));
    }
}

async fn gates(client: &Client, names: &Names, lines: &mut Vec<String>) {
    for r in rows(client, "SELECT rkey, author, rules, lists_r, lists_a, hidden_r, hidden_a FROM threadgate").await {
        let rules: i16 = r.get(2);
        let words = [(1, "some"), (2, "mentioned"), (4, "followers"), (8, "followed")];
        let rules: Vec<_> = words.iter().filter(|(rule, _)| rules & rule != 0).map(|(_, word)| *word).collect();
        let all = |coll, at: usize| {
            let (keys, authors): (Option<Vec<i64>>, Option<Vec<i32>>) = (r.get(at), r.get(at + 1));
            let pairs = keys.into_iter().flatten().zip(authors.into_iter().flatten());
            let mut uris: Vec<_> = pairs.map(|(key, author)| names.uri(author, coll, key)).collect();
            uris.sort();
            uris.dedup();
            uris.join(",")
        };
        let post = names.uri(r.get(1), Coll::POST, r.get(0));
        let (lists, hidden) = (all(Coll::LIST, 3), all(Coll::POST, 5));
        lines.push(format!("gate {post} replies rules={} lists={lists} hidden={hidden}", rules.join(",")));
    }
    for r in rows(client, "SELECT rkey, author FROM postgate").await {
        lines.push(format!("gate {} quotes", names.uri(r.get(1), Coll::POST, r.get(0))));
    }
}

/// The word of a reason, the collection of the record, and that of the recipient's record that it is about.
fn reason(number: i16) -> (&'static str, Coll, Coll) {
    match number {
        1 => ("mention", Coll::POST, Coll::POST),
        2 => ("reply", Coll::POST, Coll::POST),
        3 => ("quote", Coll::POST, Coll::POST),
        4 => ("starterpack-joined", Coll::PROFILE, Coll::STARTERPACK),
        5 => ("verified", Coll::VERIFICATION, Coll::POST),
        6 => ("unverified", Coll::VERIFICATION, Coll::POST),
        other => panic!("a notification for reason {other}"),
    }
}

async fn notifs(client: &Client, names: &Names, lines: &mut Vec<String>) {
    for r in rows(client, "SELECT rkey, sr, coalesce(sort, rkey), recipient, author, reason FROM notif").await {
        let (recipient, author): (i32, i32) = (r.get(3), r.get(4));
        let (word, coll, about) = reason(r.get(5));
        let about = r.get::<_, Option<i64>>(1).map(|key| names.uri(recipient, about, key));
        let (did, uri) = (&names.dids[&recipient], names.uri(author, coll, r.get(0)));
        lines.push(format!("notif {did} {word} {uri} about={} at={}", or_none(about), micros(r.get(2))));
    }
}

/// Every count that is not as many as there are rows that make it, as `<what>: stored <n>, rows <m>`.
pub async fn miscounts(client: &Client) -> Vec<String> {
    const SUBJECTS: &str = "SELECT 'likes', sa, sr, flags & 112 FROM \"like\" WHERE flags & 8 = 0
        UNION ALL SELECT 'reposts', sa, sr, flags & 112 FROM repost WHERE flags & 8 = 0
        UNION ALL SELECT 'replies', parent_a, parent_r, 0 FROM post WHERE parent_r IS NOT NULL AND flags & 16 = 0
        UNION ALL SELECT 'quotes', quote_a, quote_r, 0 FROM post WHERE quote_r IS NOT NULL
        UNION ALL SELECT 'followers', subject, 0, 0 FROM follow WHERE flags & 8 = 0
        UNION ALL SELECT 'follows', author, 0, 0 FROM follow WHERE flags & 8 = 0
        UNION ALL SELECT 'posts', author, 0, 0 FROM post";
    const STORED: &str = "SELECT what, account, key, kind, n FROM (
        SELECT c.what, s.sa, s.sr, s.kind::int4 << 4, c.n FROM post_stat s,
            LATERAL (VALUES ('likes', s.likes), ('reposts', s.reposts), ('replies', s.replies), ('quotes', s.quotes)) AS c (what, n)
        UNION ALL SELECT c.what, s.account, 0, 0, c.n FROM actor_stat s,
            LATERAL (VALUES ('followers', s.followers), ('follows', s.follows), ('posts', s.posts)) AS c (what, n)
        ) AS all_counts (what, account, key, kind, n) WHERE n IS NOT NULL";
    let mut counts: BTreeMap<(String, i32, i64, i32), (i64, i64)> = BTreeMap::new();
    let key = |r: &Row| (r.get::<_, String>(0), r.get(1), r.get(2), r.get(3));
    for r in rows(client, STORED).await {
        counts.entry(key(&r)).or_default().0 += i64::from(r.get::<_, i32>(4));
    }
    let counted =
        format!("SELECT what, account, key, kind::int4, count(*) FROM ({SUBJECTS}) AS c (what, account, key, kind) GROUP BY 1, 2, 3, 4");
    for r in rows(client, &counted).await {
        counts.entry(key(&r)).or_default().1 += r.get::<_, i64>(4);
    }
    let wrong = counts.into_iter().filter(|(_, (stored, rows))| stored != rows);
    wrong.map(|(what, (stored, rows))| format!("{what:?}: stored {stored}, rows {rows}")).collect()
}
