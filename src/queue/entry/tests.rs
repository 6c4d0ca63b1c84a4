//! Every event comes back as it went in; no bytes do harm.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::atproto::{Cid, Did, Nsid, RecordKey, Tid};
use crate::queue::Position;
use crate::queue::event::{Action, Commit, Op};

fn cid() -> impl Strategy<Value = Cid> {
    (any::<[u8; 4]>(), any::<bool>()).prop_map(|(seed, raw)| if raw { Cid::raw(&seed) } else { Cid::dag_cbor(&seed) })
}

fn tid() -> impl Strategy<Value = Tid> {
    (0..=i64::MAX).prop_map(|v| Tid::from_value(v).unwrap())
}

fn blob() -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..80).prop_map(Bytes::from)
}

fn op() -> impl Strategy<Value = Op> {
    let action = prop_oneof![Just(Action::Create), Just(Action::Update), Just(Action::Delete)];
    (action, "app\\.bsky\\.[a-z]{1,9}\\.[a-z]{1,9}", "[a-z0-9]{1,15}", prop::option::of(cid()), prop::option::of(cid()), blob()).prop_map(
        |(action, collection, rkey, cid, prev, record)| Op {
            action,
            collection: collection.parse::<Nsid>().unwrap(),
            rkey: rkey.parse::<RecordKey>().unwrap(),
            cid,
            prev,
            record,
        },
    )
}

fn commit() -> impl Strategy<Value = Body> {
    let options = (prop::option::of(tid()), prop::option::of(cid()), prop::option::of(blob()), prop::option::of(".*"));
    (tid(), cid(), cid(), options, prop::collection::vec(op(), 0..5)).prop_map(
        |(rev, data, commit, (since, prev_data, block, fault), ops)| {
            Body::Commit(Commit { rev, since, prev_data, data, commit, block, fault, ops })
        },
    )
}

fn position() -> impl Strategy<Value = Position> {
    (any::<i64>(), any::<i64>()).prop_map(|(epoch, seq)| Position { epoch, seq })
}

fn body() -> impl Strategy<Value = Body> {
    prop_oneof![
        4 => commit(),
        1 => (tid(), cid(), cid()).prop_map(|(rev, data, commit)| Body::Sync { rev, data, commit }),
        1 => prop::option::of(".*").prop_map(|handle| Body::Identity { handle }),
        1 => (any::<bool>(), prop::option::of(".*")).prop_map(|(active, status)| Body::Account { active, status }),
        1 => (position(), position()).prop_map(|(from, to)| Body::Gap { from, to }),
        1 => (".*", blob()).prop_map(|(reason, frame)| Body::Reject { reason, frame }),
        1 => (".*", blob()).prop_map(|(reason, frame)| Body::Unreadable { reason, frame }),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    (any::<i64>(), any::<i64>(), prop::option::of("did:plc:[a-z2-7]{24}"), body()).prop_map(|(seq, time, did, body)| Event {
        seq,
        time,
        did: did.map(|d| d.parse::<Did>().unwrap()),
        body,
    })
}

proptest! {
    #[test]
    fn events_come_back_as_they_went_in(events in prop::collection::vec(event(), 0..6)) {
        let entry = Bytes::from(encode(&events));
        prop_assert_eq!(count(&entry).map(usize::from), Some(events.len()));
        prop_assert_eq!(decode(&entry), Ok(events));
    }

    #[test]
    fn damaged_entries_do_no_harm(events in prop::collection::vec(event(), 1..4), hits in prop::collection::vec((any::<u16>(), any::<u8>()), 1..4), cut in any::<u16>()) {
        let mut entry = encode(&events);
        for (place, byte) in hits {
            let place = usize::from(place) % entry.len();
            entry[place] = byte;
        }
        entry.truncate(usize::from(cut) % entry.len() + 1);
        let _ = decode(&Bytes::from(entry));
    }

    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let entry = Bytes::from([&[VERSION][..], &bytes].concat());
        let _ = (count(&entry), decode(&entry));
    }
}

#[test]
fn a_cut_entry_is_refused_at_every_length() {
    let entry = Bytes::from(encode(&[like(1), like(2)]));
    assert!((0..entry.len()).all(|len| decode(&entry.slice(..len)).is_err()));
    assert_eq!(decode(&Bytes::from([&entry[..], b"x"].concat())), Err(EntryError::Damaged("bytes after its end")));
}

#[test]
fn an_entry_of_a_newer_version_is_named() {
    assert_eq!(decode(&Bytes::from_static(&[VERSION + 1, 0])), Err(EntryError::Version(VERSION + 1)));
}

#[test]
fn counts_beyond_the_limits_are_refused_before_memory_is_taken() {
    let mut entry = encode(&[]);
    entry.truncate(1);
    entry.extend([0xff, 0xff, 0x7f]);
    entry.resize(4 << 20, 0);
    assert_eq!(decode(&Bytes::from(entry)), Err(EntryError::Damaged("too many events")));
}

#[test]
fn what_fits_is_read_again_and_nothing_is_left_out() {
    let few = Event { body: Body::Identity { handle: None }, ..like(1) };
    let many_ops = |n| {
        let mut event = like(1);
        if let Body::Commit(commit) = &mut event.body {
            commit.ops = vec![commit.ops[0].clone(); n];
        }
        event
    };
    for events in [vec![few; 2000], vec![many_ops(200); 60], vec![many_ops(1), many_ops(200), many_ops(0)]] {
        let mut rest = &events[..];
        while !rest.is_empty() {
            let (first, others) = rest.split_at(fit(rest));
            assert_eq!(decode(&encode(first).into()).unwrap(), first);
            rest = others;
        }
    }
}

/// The figure behind "300-600 bytes an event": a like of today's network, on its own and packed.
#[test]
fn a_like_takes_under_half_a_kilobyte() {
    let one = encode(&[like(26_000_000_000)]).len();
    let packed = encode(&(0..32).map(|n| like(26_000_000_000 + n)).collect::<Vec<_>>()).len() / 32;
    println!("like: {one} bytes alone, {packed} packed");
    assert!((300..512).contains(&one) && packed < one);
}

fn like(seq: i64) -> Event {
    let record = Bytes::from(vec![7; 190]);
    Event {
        seq,
        time: 1_764_000_000_000_000,
        did: Some("did:plc:ewvi7nxzyoun6zhxrhs64oiz".parse().unwrap()),
        body: Body::Commit(Commit {
            rev: "3m6d5xkqyrs2a".parse().unwrap(),
            since: Some("3m6d5xkqyrs22".parse().unwrap()),
            prev_data: Some(Cid::dag_cbor(b"before")),
            data: Cid::dag_cbor(b"after"),
            commit: Cid::dag_cbor(b"commit"),
            block: None,
            fault: None,
            ops: vec![Op {
                action: Action::Create,
                collection: "app.bsky.feed.like".parse().unwrap(),
                rkey: "3m6d5xkqyrs2b".parse().unwrap(),
                cid: Some(Cid::dag_cbor(&record)),
                prev: None,
                record,
            }],
        }),
    }
}
