//! What must hold of any input, one function a target: no panic, and what was read can be written and read again.
//!
//! The test binary runs the same functions over seeds and over every input that was ever found to break one (`tests/it/fuzz.rs`).

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use appviewd::atproto::car::{self, Car};
use appviewd::atproto::cbor::{self, Value};
use appviewd::atproto::commit::SignedCommit;
use appviewd::atproto::frame::{self, Frame};
use appviewd::atproto::json::{self, RecordJson};
use appviewd::atproto::mst::{self, ProofOp, Tree};
use appviewd::atproto::{AtUri, Cid, Did, Nsid, RecordKey, Tid, aturi, datetime, handle, language, uri};
use appviewd::collection::feed::post::PostFields;
use appviewd::collection::search::{Condition, Document, all_tokens};
use appviewd::collection::{self, Coll, EdgeNames, Ids, Key, Names, Place, Row};
use appviewd::config::ingest::Verify;
use appviewd::ingest::judge::{self, Verdict};
use appviewd::lexicon;
use appviewd::query::search::{Asked, What};
use appviewd::queue::{Body, entry};
use bytes::Bytes;

/// Ingest's clock: microseconds since 1970.
const NOW: i64 = 1_790_000_000_000_000;
/// How far ahead of it an event may be.
const AHEAD: i64 = 300 * 1_000_000;
/// Changes of a tree at most: more only take longer.
const MAX_CHANGES: usize = 48;
/// Tokens of a post at most: of two texts of 320 units, each with one for itself and one for its pair.
const MAX_TOKENS: usize = 1400;

/// A frame that was read is written and read again; what ingest makes of it fits the queue.
pub fn frame(input: &[u8]) {
    let _ = frame::peek(input);
    if let Ok(read) = Frame::parse(input)
        && !matches!(read, Frame::Other { .. })
    {
        let written = read.encode();
        let again = Frame::parse(&written).expect("what was written is a frame");
        assert_eq!(again, read);
        assert_eq!(again.encode(), written);
    }
    for verify in [Verify::Blocks, Verify::Proof] {
        let Verdict::Event(judged) = judge::judge(input, NOW, verify) else { continue };
        let event = judged.event;
        assert!((0..=NOW + AHEAD).contains(&event.time) && (1..=judge::MAX_SEQ).contains(&event.seq), "{event:?}");
        if let Body::Reject { frame, .. } = &event.body {
            assert!(frame.len() <= judge::KEPT);
        }
        let packed = Bytes::from(entry::encode(std::slice::from_ref(&event)));
        assert_eq!(entry::decode(&packed).expect("what was packed is an entry"), [event]);
    }
}

/// A CAR that was read is written and read again, block by block, each under its own hash.
pub fn car(input: &[u8]) {
    let Ok(read) = Car::parse(input) else { return };
    let root = read.root();
    let blocks: Vec<_> = read.blocks().collect();
    for (cid, block) in &blocks {
        assert_eq!(read.get(cid), Some(*block));
    }
    let written = car::write(&root, blocks.iter().copied());
    let again = Car::parse(&written).expect("what was written is a CAR");
    assert_eq!((again.root(), again.blocks().collect::<Vec<_>>()), (root, blocks));
    assert_eq!(car::write(&root, again.blocks()), written);
}

/// DAG-CBOR has one form: what is valid is written as it was read.
pub fn dag_cbor(input: &[u8]) {
    let valid = cbor::validate(input);
    let Ok(value) = Value::decode(input) else { return };
    valid.expect("what was read is valid");
    assert_eq!(value.encode(), input);
    let text = serde_json::to_string(&RecordJson(input)).expect("what is valid has a JSON form");
    let Ok(Ok(back)) = serde_json::from_str(&text).map(|json| json::read_record(&json)) else { return };
    let written = back.encode();
    assert_eq!(Value::decode(&written).expect("what was written is valid").encode(), written);
}

/// Nodes of strangers, and a tree that comes and goes by the input: its root depends on what it holds alone, and a proof undoes a change.
pub fn mst(input: &[u8]) {
    nodes(input);
    let (mut tree, mut model) = (Tree::new(), BTreeMap::new());
    for change in input.chunks_exact(3).take(MAX_CHANGES) {
        let [action, a, b] = *change else { return };
        let key = format!("app.bsky.feed.like/3k{a:02x}{b:02x}");
        let before = (tree.root(), model.get(&key).copied());
        let value = (action % 3 > 0).then(|| Cid::dag_cbor(&[action]));
        let held = match value {
            Some(value) => tree.insert(&key, value).expect("a whole tree"),
            None => tree.remove(&key).expect("a whole tree"),
        };
        assert_eq!(held, before.1);
        match value {
            Some(value) => drop(model.insert(key.clone(), value)),
            None => drop(model.remove(&key)),
        }
        if value != held {
            undone(&mut tree, &ProofOp { path: &key, cid: value, prev: held }, before.0);
        }
    }
    let mut rebuilt = Tree::new();
    for (key, value) in model.iter().rev() {
        rebuilt.insert(key, *value).expect("a whole tree");
    }
    let mut blocks = Vec::new();
    let root = rebuilt.seal(|cid, block| blocks.push((cid, block)));
    assert_eq!(tree.root(), root);
    if model.is_empty() {
        return;
    }
    let slice = car::write(&root, blocks);
    let slice = Car::parse(&slice).expect("a CAR");
    let loaded = Tree::load(&slice, &root).expect("the whole tree");
    assert_eq!(loaded.entries(), model.into_iter().collect::<Vec<_>>());
}

/// The input as one block, named by its own hash.
fn nodes(input: &[u8]) {
    let root = Cid::dag_cbor(input);
    let slice = car::write(&root, [(root, input)]);
    let blocks = Car::parse(&slice).expect("a CAR");
    let op = ProofOp { path: "app.bsky.feed.post/3jzfcijpj2z2a", cid: Some(root), prev: None };
    let _ = mst::invert(&blocks, &root, &[op]);
    let _ = mst::find(&blocks, &root, op.path);
    if let Ok(commit) = SignedCommit::decode(input) {
        let _ = commit.unsigned_bytes();
    }
    if let Ok(mut tree) = Tree::load(&blocks, &root) {
        assert_eq!(tree.root(), root, "a tree that was read has the root that it was read by");
    }
}

/// A proof of the tree as it is now undoes the change that led to it.
fn undone(tree: &mut Tree<'_>, op: &ProofOp<'_>, before: Cid) {
    let root = tree.root();
    let proof = tree.proof(&[op.path]).expect("a whole tree");
    let slice = car::write(&root, proof);
    let blocks = Car::parse(&slice).expect("a CAR");
    assert_eq!(mst::invert(&blocks, &root, &[*op]), Ok(before), "{op:?}");
    assert_eq!(mst::find(&blocks, &root, op.path), Ok(op.cid), "{op:?}");
}

/// A text is found by itself, and whatever a query asks for that holds of it stands in its tokens: those are all that an index knows.
pub fn search(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let alt = Value::map([("alt", Value::text(text))]);
    let embed = Value::map([("$type", Value::text("app.bsky.embed.images")), ("images", Value::Array(vec![alt]))]);
    let record = Value::map([("text", Value::text(text)), ("embed", embed)]).encode();
    let document = Document::of(&PostFields::of(&record).expect("a map"), 1);
    let has = document.tokens();
    assert!(has.len() <= MAX_TOKENS, "{}", has.len());
    let found = |condition: &Condition| {
        let (holds, tokens) = (condition.holds(&document), all_tokens(std::iter::once(condition)));
        assert!(!tokens.is_empty() || condition.is_void(), "{condition:?}");
        assert!(!holds || tokens.iter().all(|token| has.contains(token)), "{condition:?}");
        holds
    };
    let itself = Condition::words(text);
    assert_eq!(found(&itself), !itself.is_void());
    let Ok(asked) = Asked::of(text) else { return };
    for clause in asked.clauses {
        if let What::Has(condition) = clause.what {
            found(&condition);
        }
    }
}

/// An entry that was read is written and read again.
pub fn entry(input: &[u8]) {
    let input = Bytes::copy_from_slice(input);
    let count = entry::count(&input);
    let Ok(events) = entry::decode(&input) else { return };
    assert_eq!(count.map(usize::from), Some(events.len()));
    let written = Bytes::from(entry::encode(&events));
    assert_eq!(entry::decode(&written).expect("what was written is an entry"), events);
    assert_eq!(entry::encode(&events), written);
}

/// `collection/rkey`, a 0, and a record: whatever its rows hold gives its bytes back, and all of it can be packed.
pub fn record(input: &[u8]) {
    let Some(at) = input.iter().position(|byte| *byte == 0) else { return };
    let (path, record) = (String::from_utf8_lossy(&input[..at]), &input[at + 1..]);
    let (nsid, rkey) = path.split_once('/').unwrap_or((&path, ""));
    let schemas = lexicon::embedded();
    let allowed = cbor::validate(record).is_ok() && (!schemas.has_record(nsid) || schemas.validate_record(nsid, rkey, record).is_ok());
    for coll in Coll::known() {
        // Rows are made of what the lexicon allows only; names are asked of anything.
        let (numbers, mut names) = (Numbers::default(), Names::default());
        collection::names(coll, record, &mut names);
        if allowed && coll.nsid() == Some(nsid) {
            numbers.intern(&names);
            rows(coll, rkey, record, &numbers);
        }
    }
    if record.len() <= collection::MAX_UNPACKED {
        let packed = collection::pack(record).expect("a record is packed");
        assert_eq!(collection::unpack(&packed).expect("what was packed is unpacked"), record);
    }
    let _ = collection::unpack(record);
}

fn rows(coll: Coll, rkey: &str, record: &[u8], numbers: &Numbers) {
    const AUTHOR: &str = "did:plc:author";
    let rkey = rkey.parse::<Tid>().map_or(-1, Tid::value);
    let place = Place { coll, author: numbers.did(AUTHOR), rkey, indexed_at: NOW };
    let Row::Edge { kind, edge, cid } = collection::rows(place, record, numbers).expect("all names have numbers") else { return };
    if edge.is_raw() {
        return;
    }
    let (author, subject) = (numbers.did_of(edge.author), numbers.did_of(edge.sa));
    let key = edge.record(kind).map(|(_, at)| numbers.rkey_of(at.rkey));
    let names = EdgeNames { author: &author, subject: &subject, rkey: key.as_deref(), cid: cid.as_ref() };
    assert_eq!(edge.rebuild(kind, &names).as_deref(), Some(record), "{edge:?}");
}

/// Texts: whoever accepts one writes it as it was read, and nobody accepts what its parts' rules refuse.
pub fn syntax(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    assert_eq!(text.parse::<Did>().ok().map(|did| did.to_string()), Did::is_valid(text).then(|| text.to_owned()));
    assert_eq!(text.parse::<Nsid>().ok().map(|nsid| nsid.to_string()), Nsid::is_valid(text).then(|| text.to_owned()));
    assert_eq!(text.parse::<RecordKey>().ok().map(|key| key.to_string()), RecordKey::is_valid(text).then(|| text.to_owned()));
    // The syntax has texts that have no value: those whose first bit is 1.
    let valued = Tid::is_valid(text) && text.starts_with(|first| first < 'c');
    assert_eq!(text.parse::<Tid>().ok().map(|tid| tid.to_string()), valued.then(|| text.to_owned()));
    if let Ok(tid) = text.parse::<Tid>() {
        assert_eq!(Tid::from_value(tid.value()), Some(tid));
        assert!(RecordKey::is_valid(text));
    }
    if let Ok(cid) = text.parse::<Cid>() {
        assert_eq!(cid.to_string(), text);
    }
    if let Some(at) = AtUri::parse(text) {
        assert_eq!(at.to_string(), text);
        assert!(text.len() > 8192 || aturi::is_valid(text));
    }
    assert_eq!(handle::is_at_identifier(text), handle::is_valid(text) || Did::is_valid(text));
    assert_eq!(datetime::is_valid(text), datetime::parse_micros(text).is_some());
    if let Some(micros) = datetime::parse_micros(text) {
        let written = datetime::format_micros(micros);
        if !written.starts_with("9999") {
            assert_eq!(datetime::parse_micros(&written), Some(micros - micros.rem_euclid(1000)), "{written}");
        }
    }
    assert!(!language::is_valid(text) || language::is_well_formed(text));
    let _ = uri::is_valid(text);
    let _ = lexicon::embedded().params("app.bsky.feed.getAuthorFeed", text);
}

/// Stands in for the database: numbers names as they come.
#[derive(Debug, Default)]
struct Numbers {
    dids: RefCell<Vec<String>>,
    keys: RefCell<HashMap<(String, Coll, String), i64>>,
}

impl Numbers {
    fn did(&self, did: &str) -> i32 {
        let mut dids = self.dids.borrow_mut();
        let at = dids.iter().position(|known| known == did).unwrap_or_else(|| {
            dids.push(did.to_owned());
            dids.len() - 1
        });
        i32::try_from(at + 1).expect("few names")
    }

    fn intern(&self, names: &Names<'_>) {
        for did in &names.dids {
            self.did(did);
        }
        for key in &names.keys {
            let mut keys = self.keys.borrow_mut();
            let next = -2 - i64::try_from(keys.len()).expect("few names");
            keys.entry((key.did.to_owned(), key.coll, key.rkey.to_owned())).or_insert(next);
        }
    }

    fn did_of(&self, id: i32) -> String {
        self.dids.borrow()[usize::try_from(id - 1).expect("a number that was given")].clone()
    }

    fn rkey_of(&self, rkey: i64) -> String {
        let of_alias = || self.keys.borrow().iter().find(|(_, known)| **known == rkey).map(|((.., text), _)| text.clone());
        Tid::from_value(rkey).map(|tid| tid.to_string()).or_else(of_alias).expect("a number that was given")
    }
}

impl Ids for Numbers {
    fn account(&self, did: &str) -> Option<i32> {
        let dids = self.dids.borrow();
        dids.iter().position(|known| known == did).and_then(|at| i32::try_from(at + 1).ok())
    }

    fn key(&self, key: &Key<'_>) -> Option<i64> {
        self.keys.borrow().get(&(key.did.to_owned(), key.coll, key.rkey.to_owned())).copied()
    }
}
