//! What a PostgreSQL holds, as sorted lines with DIDs and keys in place of ids: to be held against the lines of `support::model`.
//!
//! ```text
//! repo <did> rev=<tid> data=<cid> synced active handle=<handle>
//! record <uri> <cid>                 every record held, its CID the hash of the bytes that come back
//! edge <uri> -> <subject> counted    likes, reposts, follows, blocks; the others of a pair are `duplicate`
//! thread <uri> parent=<uri> root=<uri> quote=<uri>
//! count <uri or did> likes=1 ...     what is not 0
//! letter <uri>                       dead letters
//! ```

use std::collections::HashMap;

use appviewd::atproto::{Cid, Tid};
use appviewd::collection::{Block, Coll, FLAG_RAW, Follow, KIND_SHIFT, Like, Repost, Subject, SubjectKind, unpack};
use tokio_postgres::{Client, Row};

/// In an edge's flags: it does not count.
const DUPLICATE: i16 = 8;

/// The lines, sorted; a row that is there twice is a line that is there twice.
pub async fn lines(client: &Client) -> Vec<String> {
    let names = Names::read(client).await;
    let mut lines = repos(client, &names).await;
    for (table, coll) in [("\"like\"", Coll::LIKE), ("repost", Coll::REPOST)] {
        record_edges(client, &names, table, coll, &mut lines).await;
    }
    for (table, coll) in [("follow", Coll::FOLLOW), ("block", Coll::BLOCK)] {
        account_edges(client, &names, table, coll, &mut lines).await;
    }
    posts(client, &names, &mut lines).await;
    others(client, &names, &mut lines).await;
    counts(client, &names, &mut lines).await;
    letters(client, &mut lines, &names).await;
    lines.sort();
    lines
}

/// What ids mean.
struct Names {
    dids: HashMap<i32, String>,
    keys: HashMap<i64, String>,
    collections: HashMap<i16, String>,
    /// The CIDs of subjects, by key, author and kind.
    subjects: HashMap<(i64, i32, i16), Cid>,
    /// Edges that are kept raw, by key, author and collection.
    raw: HashMap<(i64, i32, i16), Vec<u8>>,
}

impl Names {
    async fn read(client: &Client) -> Self {
        let rows = |sql: &'static str| async move { client.query(sql, &[]).await.unwrap() };
        let stats = rows("SELECT sr, sa, kind, cid FROM post_stat WHERE cid IS NOT NULL").await;
        let raw = rows("SELECT rkey, author, coll, rec FROM record_exc").await;
        Self {
            dids: rows("SELECT id, did FROM account").await.iter().map(|r| (r.get(0), r.get(1))).collect(),
            keys: rows("SELECT rkey, real_rkey FROM rkey_alias").await.iter().map(|r| (r.get(0), r.get(1))).collect(),
            collections: rows("SELECT id, nsid FROM collection").await.iter().map(|r| (r.get(0), r.get(1))).collect(),
            subjects: stats.iter().map(|r| ((r.get(0), r.get(1), r.get(2)), cid(r.get(3)))).collect(),
            raw: raw.iter().map(|r| ((r.get(0), r.get(1), r.get(2)), unpack(r.get(3)).unwrap())).collect(),
        }
    }

    fn key(&self, rkey: i64) -> String {
        Tid::from_value(rkey).map_or_else(|| self.keys[&rkey].clone(), |tid| tid.to_string())
    }

    fn uri(&self, author: i32, coll: Coll, rkey: i64) -> String {
        let nsid = coll.nsid().map_or_else(|| self.collections[&coll.number()].clone(), str::to_owned);
        format!("at://{}/{nsid}/{}", self.dids[&author], self.key(rkey))
    }
}

fn cid(bytes: &[u8]) -> Cid {
    Cid::from_bytes(bytes).unwrap()
}

fn or_none(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |v| v.to_string())
}

async fn repos(client: &Client, names: &Names) -> Vec<String> {
    let rows = client.query("SELECT account, rev, data, state, status, handle FROM repo", &[]).await.unwrap();
    let line = |r: &Row| {
        let state = if r.get::<_, i16>(3) == 0 { "synced" } else { "desynchronized" };
        let status = appviewd::db::repo::Status::from_number(r.get(4)).word();
        let (rev, data) = (r.get::<_, Option<i64>>(1).and_then(Tid::from_value), r.get::<_, Option<&[u8]>>(2).map(cid));
        let handle = or_none(r.get::<_, Option<&str>>(5));
        format!("repo {} rev={} data={} {state} {status} handle={handle}", names.dids[&r.get(0)], or_none(rev), or_none(data))
    };
    rows.iter().map(line).collect()
}

/// The two lines of an edge.
fn edge(lines: &mut Vec<String>, uri: &str, subject: &str, flags: i16, record: &[u8]) {
    lines.push(format!("record {uri} {}", Cid::dag_cbor(record)));
    lines.push(format!("edge {uri} -> {subject} {}", if flags & DUPLICATE == 0 { "counted" } else { "duplicate" }));
}

async fn record_edges(client: &Client, names: &Names, table: &str, coll: Coll, lines: &mut Vec<String>) {
    for r in client.query(&format!("SELECT rkey, author, sr, sa, via, dms, flags FROM {table}"), &[]).await.unwrap() {
        let (rkey, author, sr, sa, flags): (i64, i32, i64, i32, i16) = (r.get(0), r.get(1), r.get(2), r.get(3), r.get(6));
        let kind = SubjectKind::from_number((flags & 0x70) >> KIND_SHIFT).unwrap();
        let record = if flags & FLAG_RAW == 0 {
            let (did, key) = (&names.dids[&sa], names.key(sr));
            let subject = Subject { did, kind, rkey: &key };
            let cid = names.subjects[&(sr, sa, kind.number())];
            let (via, dms) = (r.get(4), r.get(5));
            if coll == Coll::LIKE {
                Like { rkey, author, sr, sa, via, dms, flags, cid: Some(cid) }.rebuild(&subject, &cid).unwrap()
            } else {
                Repost { rkey, author, sr, sa, via, dms, flags, cid: Some(cid), sort: None }.rebuild(&subject, &cid).unwrap()
            }
        } else {
            names.raw[&(rkey, author, coll.number())].clone()
        };
        edge(lines, &names.uri(author, coll, rkey), &names.uri(sa, kind.coll(), sr), flags, &record);
    }
}

async fn account_edges(client: &Client, names: &Names, table: &str, coll: Coll, lines: &mut Vec<String>) {
    for r in client.query(&format!("SELECT rkey, author, subject, dms, flags FROM {table}"), &[]).await.unwrap() {
        let (rkey, author, subject, dms, flags): (i64, i32, i32, Option<i16>, i16) = (r.get(0), r.get(1), r.get(2), r.get(3), r.get(4));
        let did = &names.dids[&subject];
        let record = if flags & FLAG_RAW != 0 {
            names.raw[&(rkey, author, coll.number())].clone()
        } else if coll == Coll::FOLLOW {
            Follow { rkey, author, subject, via: None, dms, flags }.rebuild(did).unwrap()
        } else {
            Block { rkey, author, subject, dms, flags }.rebuild(did).unwrap()
        };
        edge(lines, &names.uri(author, coll, rkey), did, flags, &record);
    }
}

async fn posts(client: &Client, names: &Names, lines: &mut Vec<String>) {
    const SQL: &str = "SELECT rkey, author, rec, parent_r, parent_a, root_r, root_a, quote_r, quote_a FROM post";
    for r in client.query(SQL, &[]).await.unwrap() {
        let uri = names.uri(r.get(1), Coll::POST, r.get(0));
        let record = unpack(r.get(2)).unwrap();
        lines.push(format!("record {uri} {}", Cid::dag_cbor(&record)));
        let reference = |key: usize| {
            let (rkey, author): (Option<i64>, Option<i32>) = (r.get(key), r.get(key + 1));
            rkey.map(|rkey| names.uri(author.unwrap(), Coll::POST, rkey))
        };
        let (parent, root, quote) = (reference(3), reference(5), reference(7));
        if parent.is_some() || root.is_some() || quote.is_some() {
            lines.push(format!("thread {uri} parent={} root={} quote={}", or_none(parent), or_none(root), or_none(quote)));
        }
    }
}

async fn others(client: &Client, names: &Names, lines: &mut Vec<String>) {
    for r in client.query("SELECT rkey, author, coll, rec FROM record_other", &[]).await.unwrap() {
        let uri = names.uri(r.get(1), Coll::from_number(r.get(2)), r.get(0));
        lines.push(format!("record {uri} {}", Cid::dag_cbor(&unpack(r.get(3)).unwrap())));
    }
}

async fn counts(client: &Client, names: &Names, lines: &mut Vec<String>) {
    let shown = |r: &Row, from: usize, what: &[&str]| -> Vec<String> {
        let count = |(i, name): (usize, &&str)| r.get::<_, Option<i32>>(from + i).map(|n| format!("{name}={n}"));
        what.iter().enumerate().filter_map(count).collect()
    };
    for r in client.query("SELECT sr, sa, kind, likes, reposts, replies, quotes FROM post_stat", &[]).await.unwrap() {
        let kind = SubjectKind::from_number(r.get(2)).unwrap();
        let shown = shown(&r, 3, &["likes", "reposts", "replies", "quotes"]);
        if !shown.is_empty() {
            lines.push(format!("count {} {}", names.uri(r.get(1), kind.coll(), r.get(0)), shown.join(" ")));
        }
    }
    for r in client.query("SELECT account, followers, follows, posts FROM actor_stat", &[]).await.unwrap() {
        let shown = shown(&r, 1, &["followers", "follows", "posts"]);
        if !shown.is_empty() {
            lines.push(format!("count {} {}", names.dids[&r.get(0)], shown.join(" ")));
        }
    }
}

async fn letters(client: &Client, lines: &mut Vec<String>, names: &Names) {
    for r in client.query("SELECT account, coll, rkey FROM dead_letter", &[]).await.unwrap() {
        lines.push(format!("letter at://{}/{}/{}", names.dids[&r.get(0)], r.get::<_, &str>(1), r.get::<_, &str>(2)));
    }
}
