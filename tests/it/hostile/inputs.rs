//! What is bent: frames of the real network where its data is at hand, and the sandbox's in any case.

use appviewd::atproto::car::Car;
use appviewd::atproto::frame::Frame;
use appviewd::queue::{Action, Body, Commit, Event, Op, entry};
use appviewd::sandbox::network::Network;
use bytes::Bytes;

use crate::support::data;

/// Whole frames.
pub fn frames() -> Vec<Vec<u8>> {
    let mut network = Network::new(7, 40);
    let mut frames: Vec<_> = (0..200).map(|_| network.next_event().unwrap().frame).collect();
    frames.extend(data::frames().unwrap_or_default());
    frames
}

/// The CAR slices of the commits.
pub fn cars() -> Vec<Vec<u8>> {
    let frames = frames();
    let slices = frames.iter().filter_map(|frame| match Frame::parse(frame) {
        Ok(Frame::Commit(commit)) => Some(commit.blocks.to_vec()),
        _ => None,
    });
    slices.collect()
}

/// The blocks of the commits: commits, tree nodes, records.
pub fn blocks() -> Vec<Vec<u8>> {
    let cars = cars();
    cars.iter().flat_map(|car| Car::parse(car).unwrap().blocks().map(|(_, block)| block.to_vec()).collect::<Vec<_>>()).collect()
}

/// The records of the commits, each with its path in front and a 0 between.
pub fn records() -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    for frame in frames() {
        let Ok(Frame::Commit(commit)) = Frame::parse(&frame) else { continue };
        let car = Car::parse(commit.blocks).unwrap();
        for op in &commit.ops {
            let Some(block) = op.cid.and_then(|cid| car.get(&cid)) else { continue };
            records.push([op.path.as_bytes(), b"\0", block].concat());
        }
    }
    records
}

/// Texts that have a syntax.
pub fn texts() -> Vec<Vec<u8>> {
    let texts = [
        "did:plc:z72i7hdynmk6r22z27h6tvur",
        "did:web:example.com%3A443",
        "alice.test-site.example.com",
        "at://did:plc:z72i7hdynmk6r22z27h6tvur/app.bsky.feed.post/3jzfcijpj2z2a",
        "app.bsky.feed.getAuthorFeed",
        "3jzfcijpj2z2a",
        "2026-07-04T12:34:56.789Z",
        "1985-04-12T23:20:50.123456789+05:45",
        "zh-Hant-TW-x-private",
        "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua",
        "https://example.com/path?query=1#fragment",
        "actor=did%3Aplc%3Aabc&limit=50&cursor=%F0%9F%A6%8B&uris=a&uris[]=b",
    ];
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// Queries of a search, and texts that they may find.
pub fn queries() -> Vec<Vec<u8>> {
    let texts = [
        "the quick \"brown fox\" -lazy",
        "#caturday from:alice.test -from:me",
        "to:did:plc:z72i7hdynmk6r22z27h6tvur mentions:bob.test @carol.test",
        "since:2026-07-04 until:2026-07-05T12:34:56Z lang:pt-br -lang:de",
        "domain:www.example.com https://example.com/path?query=1#fragment",
        "\"an open phrase from:",
        "Crème brûlée à l'été, STRASSE ß",
        "สวัสดีชาวโลก นี่คือภาษาไทย",
        "ကြောင် မြန်မာဘာသာ ភាសាខ្មែរ ກິນເຂົ້າ",
        "東京タワーへ行きました 天安门 오늘 학교에서",
        "שָׁלוֹם السَّلَامُ नमस्ते दुनिया",
        "🌅👍🏽 👨‍👩‍👧 🇩🇪🇫🇷",
        "a\u{300}\u{301}\u{e34}\u{200d}\u{ad}b \u{fdfa}",
    ];
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// Queue entries that hold the commits, eight events each.
pub fn entries() -> Vec<Vec<u8>> {
    let frames = frames();
    let events: Vec<_> = frames.iter().filter_map(|frame| event(frame)).collect();
    events.chunks(8).map(entry::encode).collect()
}

fn event(frame: &[u8]) -> Option<Event> {
    let Ok(Frame::Commit(commit)) = Frame::parse(frame) else { return None };
    let car = Car::parse(commit.blocks).unwrap();
    let ops = commit.ops.iter().map(|op| {
        let (collection, rkey) = op.path.split_once('/').unwrap();
        let action = if op.cid.is_none() { Action::Delete } else { Action::Create };
        let record = op.cid.and_then(|cid| car.get(&cid)).map(Bytes::copy_from_slice).unwrap_or_default();
        Op { action, collection: collection.parse().unwrap(), rkey: rkey.parse().unwrap(), cid: op.cid, prev: op.prev, record }
    });
    let body = Body::Commit(Commit {
        rev: commit.rev.parse().unwrap(),
        since: commit.since.and_then(|since| since.parse().ok()),
        prev_data: commit.prev_data,
        data: commit.commit,
        commit: commit.commit,
        block: None,
        fault: None,
        ops: ops.collect(),
    });
    Some(Event { seq: commit.seq, time: 1_700_000_000_000_000 + commit.seq, did: commit.repo.parse().ok(), body })
}
