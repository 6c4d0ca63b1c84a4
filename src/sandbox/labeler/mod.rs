//! A labeler: says things of the sandbox's people, signs them, and serves them as `com.atproto.label.subscribeLabels`. It is the relay's
//! server over other frames, and misbehaves as that does.

use std::sync::{Arc, Mutex, PoisonError};

use super::directory::{Account, Directory};
use super::relay::{Log, Relay};
use crate::atproto::cbor::Value;
use crate::atproto::{Frame, SigningKey, datetime};

/// Path of the subscription.
const PATH: &str = "/xrpc/com.atproto.label.subscribeLabels";
/// What it says of people and posts.
const VALUES: [&str; 5] = ["spam", "porn", "rude", "!hide", "needs-review"];
/// One of so many posts and profiles gets a label.
const SELDOM: u64 = 8;

/// What is said of a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub uri: String,
    pub cid: Option<String>,
    pub val: String,
    /// It is taken back.
    pub neg: bool,
    /// Microseconds since 1970.
    pub cts: i64,
    pub exp: Option<i64>,
}

/// A labeler over a log of messages.
#[derive(Debug)]
pub struct Labeler {
    pub did: String,
    pub relay: Relay,
    key: Mutex<SigningKey>,
}

impl Said {
    #[must_use]
    pub fn new(uri: impl Into<String>, val: &str, cts: i64) -> Self {
        Self { uri: uri.into(), cid: None, val: val.to_owned(), neg: false, cts, exp: None }
    }

    /// The fields of the label, as they are signed.
    #[must_use]
    pub fn fields(&self, src: &str) -> Vec<(&'static str, Value)> {
        let text = |text: &str| Value::text(text);
        let time = |micros| Value::text(datetime::format_micros(micros));
        let mut fields = vec![("ver", Value::Int(1)), ("src", text(src)), ("uri", text(&self.uri)), ("val", text(&self.val))];
        fields.push(("cts", time(self.cts)));
        fields.extend(self.cid.as_deref().map(|cid| ("cid", text(cid))));
        fields.extend(self.neg.then_some(("neg", Value::Bool(true))));
        fields.extend(self.exp.map(|exp| ("exp", time(exp))));
        fields
    }
}

/// A message of these labels.
#[must_use]
pub fn message(seq: i64, labels: Vec<Value>) -> Vec<u8> {
    let header = Value::map([("op", Value::Int(1)), ("t", Value::text("#labels"))]);
    [header.encode(), Value::map([("seq", Value::Int(seq)), ("labels", Value::Array(labels))]).encode()].concat()
}

/// A label with the signature of `key`.
#[must_use]
pub fn signed(src: &str, said: &Said, key: &SigningKey) -> Value {
    let fields = said.fields(src);
    let sig = key.sign(&Value::map(fields.clone()).encode());
    Value::map(fields.into_iter().chain([("sig", Value::Bytes(sig.to_vec()))]))
}

impl Labeler {
    /// One that has said nothing yet and keeps the newest `window` messages.
    #[must_use]
    pub fn new(did: &str, key: SigningKey, window: usize) -> Self {
        let relay = Relay::new(Arc::new(Log::new(window))).at(PATH);
        Self { did: did.to_owned(), relay, key: Mutex::new(key) }
    }

    /// Has its document say where it is and by which key it signs.
    pub fn known_to(&self, directory: &Directory, url: &str) {
        let key = self.key().multibase();
        let mut account = Account::new(None, key.clone());
        account.labeler_key = Some(key);
        account.services.push(("#atproto_labeler", "AtprotoLabeler", url.to_owned()));
        directory.set(&self.did, account);
    }

    /// Signs with another key from now on; its document still names the one before.
    pub fn sign_with(&self, key: SigningKey) {
        *self.key.lock().unwrap_or_else(PoisonError::into_inner) = key;
    }

    /// The key that it signs with.
    #[must_use]
    pub fn key(&self) -> SigningKey {
        self.key.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says these things in one message; its number.
    pub fn say(&self, said: &[Said]) -> i64 {
        let key = self.key();
        self.send(said.iter().map(|said| signed(&self.did, said, &key)).collect())
    }

    /// Sends these labels, whatever they are; the message's number.
    pub fn send(&self, labels: Vec<Value>) -> i64 {
        let seq = self.next();
        self.relay.log.push(seq, message(seq, labels));
        seq
    }

    /// Sends these bytes under the next number.
    pub fn send_bytes(&self, bytes: Vec<u8>) -> i64 {
        let seq = self.next();
        self.relay.log.push(seq, bytes);
        seq
    }

    fn next(&self) -> i64 {
        self.relay.log.head().seq + 1
    }

    /// Says something of some of what a relay's frame tells of: of every eighth account, post or profile, by a hash, so that the same frames
    /// give the same labels.
    pub fn see(&self, frame: &[u8]) {
        let Ok(Frame::Commit(commit)) = Frame::parse(frame) else { return };
        let Some(cts) = datetime::parse_micros(commit.time) else { return };
        for op in commit.ops.iter().filter(|op| op.action == "create") {
            let uri = match op.path.split_once('/') {
                Some(("app.bsky.actor.profile", _)) => commit.repo.to_owned(),
                Some(("app.bsky.feed.post", _)) => format!("at://{}/{}", commit.repo, op.path),
                _ => continue,
            };
            let hash =
                uri.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)) >> 16;
            if hash.is_multiple_of(SELDOM) {
                let at = usize::try_from(hash / SELDOM).unwrap_or(0) % VALUES.len();
                self.say(&[Said::new(uri, VALUES.get(at).copied().unwrap_or("spam"), cts)]);
            }
        }
    }
}
