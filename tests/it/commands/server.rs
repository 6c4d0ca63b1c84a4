//! The api role over a worker's rig, asked by accounts whose keys a small directory tells.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use appviewd::atproto::SigningKey;
use appviewd::atproto::jwt::{Claims, issue};
use appviewd::config::database::Database;
use appviewd::db::pool::Pools;
use appviewd::http::Router;
use appviewd::identity::Identities;
use appviewd::queue::Queue;
use appviewd::telemetry::Telemetry;
use appviewd::{api, lexicon};
use data_encoding::BASE64;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::worker::rig::Rig;

const OWN: &str = "did:web:appview.example";
const PASSWORD: &str = "swordfish";

pub struct Server {
    address: SocketAddr,
    _tasks: [AbortOnDropHandle<()>; 2],
}

/// What was answered: status and body, `Null` where it is empty.
pub type Answer = (u16, Value);

impl Server {
    pub async fn start(rig: &Rig) -> Self {
        let queue = Queue::new(&rig.redis.url(), &rig.config.queue.key, &rig.config.queue.group);
        Self::with(rig, Some(queue)).await
    }

    pub async fn with(rig: &Rig, queue: Option<Queue>) -> Self {
        let directory = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut config = rig.config.clone();
        config.identity.plc_url = format!("http://{}", directory.local_addr().unwrap());
        config.service.did = Some(OWN.to_owned());
        config.admin.password = Some(PASSWORD.to_owned());
        let pools = Pools::new(&Database { url: Some(rig.postgres.url()), pool_size: 4, ..Database::default() }).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let served = tokio::spawn(async move {
            let (telemetry, never) = (Telemetry::new(&["api"]), CancellationToken::new());
            let identities = Arc::new(Identities::new(&config, &telemetry));
            api::serve(listener, &config, api::Means { pools, queue, identities }, telemetry, Router::new(), never).await.unwrap();
        });
        let told = tokio::spawn(tell(directory));
        Self { address, _tasks: [AbortOnDropHandle::new(served), AbortOnDropHandle::new(told)] }
    }

    /// Calls a procedure as an account.
    pub async fn call(&self, did: &str, nsid: &str, body: &Value) -> Answer {
        self.call_with(did, nsid, body, "").await
    }

    /// The same with further header lines.
    pub async fn call_with(&self, did: &str, nsid: &str, body: &Value, headers: &str) -> Answer {
        let token = token(did, nsid);
        self.ask("POST", &format!("/xrpc/{nsid}"), &format!("authorization: Bearer {token}\r\n{headers}"), &body.to_string()).await
    }

    /// Posts as an admin.
    pub async fn administer(&self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, &admin(), &body.to_string()).await
    }

    /// The output of a method that only admins may ask, which must fit its lexicon.
    pub async fn look(&self, nsid: &str, query: &str) -> Answer {
        let (status, json) = self.ask("GET", &format!("/xrpc/{nsid}?{query}"), &admin(), "").await;
        if status == 200 {
            lexicon::embedded().check_output(nsid, &json).unwrap_or_else(|invalid| panic!("{nsid}: {invalid}\n{json:#}"));
        }
        (status, json)
    }

    pub async fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        let kind = if body.is_empty() || headers.contains("content-type") { "" } else { "content-type: application/json\r\n" };
        let length = if body.is_empty() { String::new() } else { format!("content-length: {}\r\n", body.len()) };
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{kind}{length}{headers}\r\n{body}");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, if body.is_empty() { Value::Null } else { serde_json::from_str(body).unwrap() })
    }
}

/// The header of an admin.
pub fn admin() -> String {
    format!("authorization: Basic {}\r\n", BASE64.encode(format!("admin:{PASSWORD}").as_bytes()))
}

/// The refusal of a request.
pub fn error(status: u16, error: &str, message: &str) -> Answer {
    (status, json!({ "error": error, "message": message }))
}

fn key_of(did: &str) -> SigningKey {
    let mut secret = [1; 32];
    secret.iter_mut().zip(did.bytes().rev()).for_each(|(to, from)| *to = from);
    SigningKey::from_bytes(secret).unwrap()
}

fn token(did: &str, nsid: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = Claims { iss: did.to_owned(), aud: OWN.to_owned(), exp: (now + 60).into(), lxm: Some(nsid.to_owned()) };
    issue(&claims, &key_of(did))
}

/// Tells the document of every did:plc.
async fn tell(directory: TcpListener) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = directory.accept().await {
        connections.spawn(answer(stream));
    }
}

async fn answer(mut stream: TcpStream) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let did = Arc::<str>::from(head.split(' ').nth(1)?.trim_start_matches('/').replace("%3A", ":"));
    let method =
        json!({ "id": format!("{did}#atproto"), "type": "Multikey", "controller": *did, "publicKeyMultibase": key_of(&did).multibase() });
    let body = json!({ "id": *did, "alsoKnownAs": [], "verificationMethod": [method], "service": [] }).to_string();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all((head + &body).as_bytes()).await.ok()
}
