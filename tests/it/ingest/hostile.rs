//! Frames that were tampered with: no panic, a verdict for each, and a stream that goes on.

use appviewd::config::ingest::Verify;
use appviewd::ingest::judge::{KEPT, Verdict, judge};
use appviewd::queue::{Body, Position, entry};
use appviewd::sandbox::Network;
use appviewd::sandbox::relay::Fault;
use proptest::prelude::*;

use super::Bench;

/// One change to bytes.
#[derive(Debug, Clone)]
enum Change {
    Set(usize, u8),
    Flip(usize, u8),
    Cut(usize),
    Remove(usize, usize),
    Copy(usize, usize, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let at = 0..20_000_usize;
    prop_oneof![
        (at.clone(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (at.clone(), 0..8_u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        at.clone().prop_map(Change::Cut),
        (at.clone(), 1..64_usize).prop_map(|(at, len)| Change::Remove(at, len)),
        (at.clone(), at, 1..64_usize).prop_map(|(from, to, len)| Change::Copy(from, to, len)),
    ]
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    if bytes.is_empty() {
        return;
    }
    let len = bytes.len();
    let end = |at: usize, n: usize| (at % len + n).min(len);
    match *change {
        Change::Set(at, byte) => bytes[at % len] = byte,
        Change::Flip(at, bit) => bytes[at % len] ^= 1 << bit,
        Change::Cut(at) => bytes.truncate(at % len),
        Change::Remove(at, n) => drop(bytes.drain(at % len..end(at, n))),
        Change::Copy(from, to, n) => {
            let piece = bytes[from % len..end(from, n)].to_vec();
            let to = to % len;
            bytes.splice(to..to, piece);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    /// Whatever the verdict on a tampered frame, what would be queued can be encoded and read back.
    #[test]
    fn a_tampered_frame_gets_a_verdict(seed in 0..40_usize, changes in proptest::collection::vec(change(), 1..4), blocks_only in any::<bool>()) {
        let frames = frames();
        let mut bytes = frames[seed].clone();
        for change in &changes {
            apply(&mut bytes, change);
        }
        let verify = if blocks_only { Verify::Blocks } else { Verify::Proof };
        if let Verdict::Event(judged) = judge(&bytes, 1_800_000_000_000_000, verify) {
            if let Body::Reject { frame, .. } = &judged.event.body {
                prop_assert!(frame.len() <= KEPT);
            }
            let encoded = entry::encode(std::slice::from_ref(&judged.event));
            prop_assert_eq!(entry::decode(&encoded.into()).unwrap(), vec![judged.event]);
        }
    }
}

fn frames() -> &'static [Vec<u8>] {
    static FRAMES: std::sync::OnceLock<Vec<Vec<u8>>> = std::sync::OnceLock::new();
    FRAMES.get_or_init(|| {
        let mut network = Network::new(5, 10);
        (0..40).map(|_| network.next_event().unwrap().frame).collect()
    })
}

#[tokio::test]
async fn a_bad_frame_is_counted_and_the_stream_goes_on() {
    let mut bench = Bench::new().await;
    bench.config.relay.cursor = Some(0);
    bench.begin(Position::LIVE).await;
    bench.send(80);
    let unknown = [b"\xa2at\x65#newsbop\x01".as_slice(), b"\xa1cseq\x18\x29"].concat();
    let no_repo = [b"\xa2at\x69#identitybop\x01".as_slice(), b"\xa3cdid\x63foocseq\x18\x2adtime\x60"].concat();
    bench.relay.faults().once(41, Fault::Instead(unknown.into()));
    bench.relay.faults().once(42, Fault::Instead(no_repo.into()));
    let ingest = bench.ingest();
    bench.arrived_all().await;
    let found = super::seqs(&bench.queued().await, |_| true);
    assert_eq!(found, (1..=80).filter(|seq| ![41, 42].contains(seq)).collect::<Vec<_>>());
    let telemetry = ingest.stop().await;
    let ignored = &telemetry.metrics().ingest.ignored;
    assert_eq!((ignored.get("unknown_type"), ignored.get("did")), (1, 1));
    assert_eq!(bench.relay.stats().connections(), 1);
}
