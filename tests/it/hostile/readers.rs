//! One test a kind of input; each says whether the bent input was accepted.

use appviewd::atproto::car::Car;
use appviewd::atproto::commit::SignedCommit;
use appviewd::atproto::frame::{self, Frame};
use appviewd::atproto::mst::{self, ProofOp, Tree};
use appviewd::atproto::{AtUri, Cid, Did, Nsid, RecordKey, Tid, aturi, car, cbor, datetime, handle, language, uri};
use appviewd::collection::{self, Coll, Names};
use appviewd::config::ingest::Verify;
use appviewd::ingest::judge::{Verdict, judge};
use appviewd::lexicon;
use appviewd::queue::entry;
use bytes::Bytes;

use super::{inputs, withstand};

/// Ingest's clock, after all that is bent: microseconds since 1970.
const NOW: i64 = 1_790_000_000_000_000;

#[test]
fn frames_of_strangers_neither_panic_nor_bloat() {
    withstand("frame", 1, &inputs::frames(), |input| {
        let _ = frame::peek(input);
        Frame::parse(input).is_ok()
    });
}

/// All of ingest's judgement, proof included: what it makes of a frame stays within bounds too.
#[test]
fn judgements_of_strangers_neither_panic_nor_bloat() {
    withstand("judgement", 7, &inputs::frames(), |input| match judge(input, NOW, Verify::Proof) {
        Verdict::Event(judged) => judged.reject.is_none(),
        _ => false,
    });
}

#[test]
fn slices_of_strangers_neither_panic_nor_bloat() {
    withstand("CAR", 2, &inputs::cars(), |input| Car::parse(input).is_ok());
}

/// Each bent block is named by its own hash, so that a bent node is reached, and its tree read and changed.
#[test]
fn tree_nodes_of_strangers_neither_panic_nor_bloat() {
    withstand("tree node", 3, &inputs::blocks(), |input| {
        let root = Cid::dag_cbor(input);
        let slice = car::write(&root, [(root, input)]);
        let blocks = Car::parse(&slice).unwrap();
        let op = ProofOp { path: "app.bsky.feed.post/3jzfcijpj2z2a", cid: Some(root), prev: None };
        let _ = mst::invert(&blocks, &root, &[op]);
        let _ = mst::find(&blocks, &root, op.path);
        let _ = SignedCommit::decode(input).map(|commit| commit.unsigned_bytes());
        Tree::load(&blocks, &root).is_ok()
    });
}

#[test]
fn records_of_strangers_neither_panic_nor_bloat() {
    lexicon::embedded();
    withstand("record", 4, &inputs::records(), |input| {
        let Some(at) = input.iter().position(|b| *b == 0) else { return false };
        let (path, record) = (String::from_utf8_lossy(&input[..at]), &input[at + 1..]);
        let (collection, rkey) = path.split_once('/').unwrap_or((&path, ""));
        let mut names = Names::default();
        for coll in Coll::known() {
            collection::names(coll, record, &mut names);
        }
        cbor::validate(record).is_ok() && lexicon::embedded().validate_record(collection, rkey, record).is_ok()
    });
}

#[test]
fn entries_of_strangers_neither_panic_nor_bloat() {
    let corpus = inputs::entries();
    withstand("entry", 5, &corpus, |input| {
        let input = Bytes::copy_from_slice(input);
        let _ = entry::count(&input);
        entry::decode(&input).is_ok()
    });
}

#[test]
fn texts_of_strangers_neither_panic_nor_bloat() {
    lexicon::embedded();
    withstand("text", 6, &inputs::texts(), |input| {
        let text = &*String::from_utf8_lossy(input);
        let syntaxes: [fn(&str) -> bool; 12] = [
            Did::is_valid,
            Nsid::is_valid,
            RecordKey::is_valid,
            aturi::is_valid,
            handle::is_valid,
            handle::is_at_identifier,
            datetime::is_valid,
            language::is_valid,
            uri::is_valid,
            |text| text.parse::<Tid>().is_ok(),
            |text| text.parse::<Cid>().is_ok(),
            |text| AtUri::parse(text).is_some(),
        ];
        let _ = datetime::parse_micros(text);
        let _ = lexicon::embedded().params("app.bsky.feed.getAuthorFeed", text);
        // No short circuit: each of them reads the text.
        syntaxes.iter().filter(|is_valid| is_valid(text)).count() > 0
    });
}
