//! A small network in a real database behind a real server: records go in through the index, answers come out through HTTP.

use std::net::SocketAddr;
use std::sync::Arc;

use appviewd::api;
use appviewd::atproto::cbor::Value;
use appviewd::atproto::{Cid, Tid};
use appviewd::config::Config;
use appviewd::config::database::Database;
use appviewd::db::pool::Pools;
use appviewd::db::{migrate, offset};
use appviewd::http::Router;
use appviewd::identity::Identities;
use appviewd::index::{Batch, Index};
use appviewd::queue::{Action, Body, Commit, Event, Op, Position};
use appviewd::telemetry::Telemetry;
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::support::directory::TestDirectory;
use crate::support::postgres::Postgres;
use crate::support::{fits, sign_in};

pub const ALICE: &str = "did:plc:aliceaaaaaaaaaaaaaaaaaaa";
pub const BOB: &str = "did:plc:bobbbbbbbbbbbbbbbbbbbbbb";
pub const CAROL: &str = "did:web:carol.example";
/// 2023-11-14T22:13:20Z
pub const START: i64 = 1_700_000_000_000_000;

pub struct World {
    pub postgres: Postgres,
    pub pools: Pools,
    pub address: SocketAddr,
    /// Who can sign in.
    pub directory: TestDirectory,
    index: Index,
    at: Position,
    stop: CancellationToken,
    served: Option<tokio::task::JoinHandle<anyhow::Result<()>>>,
}

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// Status, error name and message of a refusal.
    pub fn error(&self) -> (u16, String, String) {
        let json = self.json();
        (self.status, json["error"].as_str().unwrap().to_owned(), json["message"].as_str().unwrap().to_owned())
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().filter_map(|line| line.split_once(": ")).find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

impl World {
    pub async fn start() -> Self {
        Self::with(|_| ()).await
    }

    /// As `start`, with the configuration changed.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::over(Postgres::start().await, change).await
    }

    /// The same over a database that holds something, or nothing.
    pub async fn over(postgres: Postgres, change: impl FnOnce(&mut Config)) -> Self {
        // One connection for the API, so that a test can ask what was prepared on it.
        let database = Database { url: Some(postgres.url()), pool_size: 2, ..Database::default() };
        let pools = Pools::new(&database).unwrap();
        migrate::with_pool(&pools.writer).await.unwrap();
        offset::insert_missing(&pools.writer.get().await.unwrap(), "relay", 1, Position::LIVE).await.unwrap();
        let mut config = Config::default();
        let directory = TestDirectory::start().await;
        config.identity.plc_url = directory.url();
        config.service.did = Some(sign_in::SERVICE.to_owned());
        config.service.public_url = Some("https://appview.example".to_owned());
        change(&mut config);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let (telemetry, token, served_pools) = (Telemetry::new(&["api"]), stop.clone(), pools.clone());
        let identities = Arc::new(Identities::new(&config, &telemetry));
        let means = api::Means { pools: served_pools, queue: None, identities };
        let served = tokio::spawn(async move { api::serve(listener, &config, means, telemetry, Router::new(), token).await });
        let index = Index::new(appviewd::config::index::Index { other_collections: true });
        Self { postgres, pools, address, directory, index, at: Position::LIVE, stop, served: Some(served) }
    }

    /// Asks the server to stop and waits until it has.
    pub async fn stop(&mut self) {
        self.stop.cancel();
        self.served.take().unwrap().await.unwrap().unwrap();
    }

    pub async fn put(&mut self, did: &str, collection: &str, rkey: &str, record: &Value) -> Cid {
        let bytes = record.encode();
        let cid = Cid::dag_cbor(&bytes);
        self.op(did, Action::Create, collection, rkey, Some(cid), bytes).await;
        cid
    }

    pub async fn delete(&mut self, did: &str, collection: &str, rkey: &str) {
        self.op(did, Action::Delete, collection, rkey, None, Vec::new()).await;
    }

    pub async fn account(&mut self, did: &str, active: bool, status: Option<&str>) {
        self.apply(did, Body::Account { active, status: status.map(ToOwned::to_owned) }).await;
    }

    async fn op(&mut self, did: &str, action: Action, collection: &str, rkey: &str, cid: Option<Cid>, record: Vec<u8>) {
        let (collection, rkey) = (collection.parse().unwrap(), rkey.parse().unwrap());
        let ops = vec![Op { action, collection, rkey, cid, prev: None, record: Bytes::from(record) }];
        let rev = Tid::from_micros(START + self.at.seq + 2, 0);
        let root = Cid::dag_cbor(b"root");
        let commit = Commit { rev, since: None, prev_data: None, data: root, commit: root, block: None, fault: None, ops };
        self.apply(did, Body::Commit(commit)).await;
    }

    /// Applies one event; each is a second later than the one before, from [`START`] on.
    async fn apply(&mut self, did: &str, body: Body) {
        let new = Position::new(0, self.at.seq + 1);
        let event = Event { seq: new.seq, time: START + 60_000_000 + new.seq * 1_000_000, did: Some(did.parse().unwrap()), body };
        let batch = Batch { source: Arc::from("relay"), part: 0, old: self.at, new, events: vec![event] };
        let mut client = self.pools.writer.get().await.unwrap();
        let prepared = self.index.prepare(&mut client, batch).await.unwrap();
        let applied = self.index.apply(&mut client, &[prepared]).await.unwrap();
        assert_eq!((applied.events, applied.dead_letters), (1, 0), "{applied:?}");
        let letter = client.query_opt("SELECT reason FROM dead_letter", &[]).await.unwrap().map(|row| row.get::<_, String>(0));
        assert_eq!(letter, None);
        self.at = new;
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "").await
    }

    pub async fn ask(&self, method: &str, path: &str, headers: &str) -> Answer {
        let request = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n");
        self.send(method, path, request.as_bytes()).await
    }

    /// The header line that signs `did` in to the method that `path` names.
    pub fn bearer(&self, did: &str, path: &str) -> String {
        sign_in::bearer(&self.directory, did, path)
    }

    /// As [`World::get`], signed in as `did`.
    pub async fn get_as(&self, did: &str, path: &str) -> Answer {
        self.ask("GET", path, &self.bearer(did, path)).await
    }

    /// POST of a JSON body; `headers` are further lines.
    pub async fn post(&self, path: &str, headers: &str, body: &serde_json::Value) -> Answer {
        let body = body.to_string();
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n{headers}");
        self.send("POST", path, format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes()).await
    }

    /// Sends these bytes, a request of `method` to `path`, and holds the answer against its lexicon.
    pub async fn send(&self, method: &str, path: &str, request: &[u8]) -> Answer {
        let answer = exchange(self.address, request).await;
        let status = answer.status;
        if !["HEAD", "OPTIONS"].contains(&method) && answer.header("content-encoding").is_none() {
            fits::lexicon(path, status, &answer.body);
        }
        answer
    }

    pub async fn try_query(&self, nsid: &str, params: &[(&str, &str)]) -> Answer {
        let query: Vec<String> = params.iter().map(|(key, value)| format!("{key}={}", percent(value))).collect();
        self.get(&format!("/xrpc/{nsid}?{}", query.join("&"))).await
    }

    /// The output of a query, which must succeed.
    pub async fn query(&self, nsid: &str, params: &[(&str, &str)]) -> serde_json::Value {
        let answer = self.try_query(nsid, params).await;
        assert_eq!(answer.status, 200, "{nsid} {params:?}: {}", String::from_utf8_lossy(&answer.body));
        answer.json()
    }
}

/// Sends a request and reads its answer, up to the end of the connection.
pub async fn exchange(address: SocketAddr, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let at = bytes.windows(4).position(|w| w == b"\r\n\r\n").expect("an answer");
    let head = String::from_utf8(bytes[..at].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head, body: bytes[at + 4..].to_vec() }
}

/// A GET of many at once, for whom nothing else is checked.
pub async fn plain_get(address: SocketAddr, path: &str) -> Answer {
    exchange(address, format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes()).await
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// A record key made `seconds` after [`START`].
pub fn key(seconds: i64) -> String {
    Tid::from_micros(START + seconds * 1_000_000, 7).to_string()
}

/// The time `seconds` after [`START`].
pub fn time(seconds: i64) -> String {
    appviewd::atproto::datetime::format_micros(START + seconds * 1_000_000)
}

pub fn uri(did: &str, collection: &str, rkey: &str) -> String {
    format!("at://{did}/{collection}/{rkey}")
}

pub fn reference(uri: &str, cid: Cid) -> Value {
    Value::map([("uri", Value::text(uri)), ("cid", Value::text(cid.to_string()))])
}

pub fn post(text: &str, seconds: i64, more: Vec<(&str, Value)>) -> Value {
    let base = [("$type", Value::text("app.bsky.feed.post")), ("text", Value::text(text)), ("createdAt", Value::text(time(seconds)))];
    Value::map(base.into_iter().chain(more))
}

/// A like, repost or other edge to a record.
pub fn edge(collection: &str, uri: &str, cid: Cid, seconds: i64) -> Value {
    Value::map([("$type", Value::text(collection)), ("subject", reference(uri, cid)), ("createdAt", Value::text(time(seconds)))])
}

pub fn follow(collection: &str, did: &str, seconds: i64) -> Value {
    Value::map([("$type", Value::text(collection)), ("subject", Value::text(did)), ("createdAt", Value::text(time(seconds)))])
}

/// A blob of this type whose bytes are `name`.
pub fn blob(name: &str, mime: &str) -> (Value, Cid) {
    let cid = Cid::raw(name.as_bytes());
    let blob = [("$type", Value::text("blob")), ("ref", Value::Link(cid)), ("mimeType", Value::text(mime)), ("size", Value::Int(1000))];
    (Value::map(blob), cid)
}
