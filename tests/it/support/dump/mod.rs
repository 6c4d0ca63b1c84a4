//! What a PostgreSQL holds, as sorted lines with DIDs and keys in place of ids: to be held against those of `sandbox::oracle`.
//!
//! ```text
//! repo <did> rev=<tid> data=<cid> synced active handle=<handle>
//! record <uri> <cid>                 every record held, its CID the hash of the bytes that come back
//! edge <uri> -> <subject> counted    the subject of a list item is `<did> on <list uri>`; the others of a pair are `duplicate`
//! thread <uri> parent=<uri> root=<uri> quote=<uri>
//! flags <uri> violates               a reply that its thread's gate did not allow; `detached`: a quote that was not allowed
//! gate <post uri> replies rules=<some,mentioned,followers,followed> lists=<uri,...> hidden=<uri,...>
//! gate <post uri> quotes             nobody may quote it
//! notif <recipient did> <reason> <record uri> about=<uri> at=<microseconds>
//! pending <reply uri> waits for <missing uri>
//! join <did> <pack uri> at=<microseconds>
//! count <uri or did> likes=1 ...     what is not 0
//! letter <uri>                       dead letters
//! ```
//!
//! What posts and profiles are found by is no line: it is in the row of its record, made of it and of nothing else, so that [`unsearched`] can
//! hold each row against itself, with no second history of it.

mod derived;
mod search;

use std::collections::HashMap;

use appviewd::atproto::{Cid, Tid};
use appviewd::collection::{Coll, Edge, EdgeKind, EdgeNames, SubjectKind, unpack};
use tokio_postgres::{Client, Row};

pub use self::derived::miscounts;
pub use self::search::unsearched;

/// The lines, sorted; a row that is there twice is a line that is there twice.
pub async fn lines(client: &Client) -> Vec<String> {
    let names = Names::read(client).await;
    let mut lines = repos(client, &names).await;
    for kind in EdgeKind::ALL {
        edges(client, &names, kind, &mut lines).await;
    }
    posts(client, &names, &mut lines).await;
    others(client, &names, &mut lines).await;
    counts(client, &names, &mut lines).await;
    letters(client, &mut lines, &names).await;
    derived::lines(client, &names, &mut lines).await;
    lines.sort();
    lines
}

/// A record with its path.
pub struct Record {
    pub did: String,
    pub collection: String,
    pub rkey: String,
    pub bytes: Vec<u8>,
}

/// Every record that is held, as it came.
pub async fn records(client: &Client) -> Vec<Record> {
    let names = Names::read(client).await;
    let record = |author: i32, coll: Coll, rkey: i64, bytes: Vec<u8>| {
        let uri = names.uri(author, coll, rkey);
        let [did, collection, rkey] = uri.trim_start_matches("at://").split('/').collect::<Vec<_>>().try_into().unwrap();
        Record { did: did.to_owned(), collection: collection.to_owned(), rkey: rkey.to_owned(), bytes }
    };
    let mut records = Vec::new();
    for kind in EdgeKind::ALL {
        let rows = client.query(table(kind), &[]).await.unwrap();
        records.extend(rows.iter().map(edge).map(|edge| record(edge.author, kind.coll(), edge.rkey, names.bytes(kind, &edge))));
    }
    for r in client
        .query("SELECT author, 2::int2, rkey, rec FROM post UNION ALL SELECT author, coll, rkey, rec FROM record_other", &[])
        .await
        .unwrap()
    {
        records.push(record(r.get(0), Coll::from_number(r.get(1)), r.get(2), unpack(r.get(3)).unwrap()));
    }
    records
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

    /// The bytes of an edge's record.
    fn bytes(&self, kind: EdgeKind, edge: &Edge) -> Vec<u8> {
        if edge.is_raw() {
            return self.raw[&(edge.rkey, edge.author, kind.coll().number())].clone();
        }
        let rkey = edge.record(kind).map(|(_, at)| self.key(at.rkey));
        let cid = edge.subject_kind().and_then(|of| self.subjects.get(&(edge.sr, edge.sa, of.number())));
        let (author, subject) = (&self.dids[&edge.author], &self.dids[&edge.sa]);
        edge.rebuild(kind, &EdgeNames { author, subject, rkey: rkey.as_deref(), cid }).unwrap()
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

/// The statement that reads all edges of a kind, with the columns of [`Edge`] in their order.
fn table(kind: EdgeKind) -> &'static str {
    match kind {
        EdgeKind::Like => "SELECT rkey, author, sr, sa, via, dms, flags FROM \"like\"",
        EdgeKind::Repost => "SELECT rkey, author, sr, sa, via, dms, flags FROM repost",
        EdgeKind::Follow => "SELECT rkey, author, 0::int8, subject, via, dms, flags FROM follow",
        EdgeKind::Block => "SELECT rkey, author, 0::int8, subject, NULL::int4, dms, flags FROM block",
        EdgeKind::ListBlock => "SELECT rkey, author, sr, sa, NULL::int4, dms, flags FROM listblock",
        EdgeKind::ListItem => "SELECT rkey, author, lr, subject, NULL::int4, dms, flags FROM listitem",
        EdgeKind::Verification => "SELECT rkey, author, 0::int8, subject, NULL::int4, dms, flags FROM verification",
    }
}

fn edge(r: &Row) -> Edge {
    Edge { rkey: r.get(0), author: r.get(1), sr: r.get(2), sa: r.get(3), via: r.get(4), dms: r.get(5), flags: r.get(6), sort: None }
}

/// The two lines of each edge; of a list item `<subject> on <list>`.
async fn edges(client: &Client, names: &Names, kind: EdgeKind, lines: &mut Vec<String>) {
    for edge in client.query(table(kind), &[]).await.unwrap().iter().map(edge) {
        let uri = names.uri(edge.author, kind.coll(), edge.rkey);
        let record = edge.record(kind).map(|(coll, at)| names.uri(at.author, coll, at.rkey));
        let did = &names.dids[&edge.sa];
        let subject = match (kind, &record) {
            (EdgeKind::ListItem, Some(list)) => format!("{did} on {list}"),
            (_, Some(record)) => record.clone(),
            (_, None) => did.clone(),
        };
        lines.push(format!("record {uri} {}", Cid::dag_cbor(&names.bytes(kind, &edge))));
        lines.push(format!("edge {uri} -> {subject} {}", if edge.is_duplicate() { "duplicate" } else { "counted" }));
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
