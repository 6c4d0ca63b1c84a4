//! Edges are rebuilt from their columns byte for byte, or say that they are not.

use appviewd::atproto::cbor::Value;
use appviewd::atproto::{Cid, Tid, datetime};
use appviewd::collection::{EdgeKind, FLAG_RAW, Row, SubjectKind};
use proptest::prelude::*;

use super::numbers::{INDEXED_AT, Numbers, flags, via};
use crate::support::records::{self, Real};

fn has_via(real: &Real) -> bool {
    Value::decode(&real.record).unwrap().get("via").is_some()
}

#[test]
fn of_the_127_real_edges_at_most_two_without_via_are_kept_raw() {
    let Some(all) = records::of_frames() else { return };
    let numbers = Numbers::default();
    let (mut edges, mut raw_without_via, mut with_via) = (0, 0, 0);
    for real in all.iter().filter(|real| appviewd::lexicon::embedded().has_record(&real.collection)) {
        let row = numbers.row(real);
        let Some(flags) = flags(&row) else { continue };
        edges += 1;
        with_via += usize::from(has_via(real));
        if flags & FLAG_RAW == 0 {
            let rebuilt = numbers.rebuild(&row).unwrap();
            assert_eq!(Cid::dag_cbor(&rebuilt), Cid::dag_cbor(&real.record), "{real:?}");
        } else {
            assert_ne!(numbers.rebuild(&row).as_deref(), Some(&real.record[..]), "{real:?}");
            raw_without_via += usize::from(!has_via(real));
        }
        if has_via(real) {
            assert!(flags & FLAG_RAW != 0 && via(&row).is_some(), "{real:?}");
        }
    }
    assert_eq!((edges, with_via), (127, 24));
    assert!(raw_without_via <= 2, "{raw_without_via} edges without via cannot be rebuilt");
}

#[test]
fn edges_of_whole_repos_are_rebuilt_or_kept_raw() {
    let (Some(a), Some(b), Some(c)) = (
        records::of_car("frames/repo.car"),
        records::of_car("cars/bnewbold.robocracy.org.20250310005405.car"),
        records::of_car("cars/greenground.repo.car"),
    ) else {
        return;
    };
    let numbers = Numbers::default();
    let (mut edges, mut raw) = (0, 0);
    for real in a.iter().chain(&b).chain(&c).filter(|real| appviewd::lexicon::embedded().has_record(&real.collection)) {
        let row = numbers.row(real);
        let Some(flags) = flags(&row) else { continue };
        edges += 1;
        if flags & FLAG_RAW == 0 {
            assert_eq!(numbers.rebuild(&row).as_deref(), Some(&real.record[..]));
        } else {
            raw += 1;
        }
    }
    assert_eq!((edges, raw), (24, 2));
}

/// How a generated edge departs from what clients write.
#[derive(Debug, Clone)]
struct Edge {
    collection: &'static str,
    subject: Value,
    created_at: String,
    via: Option<Value>,
    extra: Option<(String, Value)>,
    rkey: String,
}

impl Edge {
    fn real(&self) -> Real {
        let mut entries = vec![
            ("$type".to_owned(), Value::text(self.collection)),
            ("subject".to_owned(), self.subject.clone()),
            ("createdAt".to_owned(), Value::text(&self.created_at)),
        ];
        entries.extend(self.via.clone().map(|via| ("via".to_owned(), via)));
        entries.extend(self.extra.clone());
        Real {
            did: "did:plc:author".to_owned(),
            collection: self.collection.to_owned(),
            rkey: self.rkey.clone(),
            record: Value::Map(entries).encode(),
        }
    }
}

fn strong_ref(collections: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let rkey = prop_oneof![3 => (0..i64::MAX).prop_map(|v| Tid::from_value(v).unwrap().to_string()), 1 => "[a-z][a-z0-9._:~-]{0,12}"];
    let cid = prop_oneof![
        8 => any::<u64>().prop_map(|n| Cid::dag_cbor(&n.to_le_bytes()).to_string()),
        1 => Just("QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR".to_owned()),
        1 => "b[a-z2-7]{58}",
    ];
    let kind = proptest::option::weighted(0.1, Just(("$type", Value::text("com.atproto.repo.strongRef"))));
    ("did:plc:[a-z2-7]{24}", prop::sample::select(collections), rkey, cid, kind).prop_map(|(did, collection, rkey, cid, kind)| {
        let fields = [("uri", Value::text(format!("at://{did}/{collection}/{rkey}"))), ("cid", Value::text(cid))];
        Value::map(fields.into_iter().chain(kind))
    })
}

/// A time near the key's, near the ends of what 16 bits hold, or in another spelling.
fn created_at(key_micros: i64) -> impl Strategy<Value = String> {
    let near = prop_oneof![-3000_i64..3000, 32_760_i64..32_775, -32_775_i64..-32_760, any::<i32>().prop_map(i64::from)];
    near.prop_flat_map(move |ms| {
        let text = datetime::format_micros((key_micros / 1000 + ms) * 1000);
        let bare = text.trim_end_matches('Z').to_owned();
        prop_oneof![6 => Just(text), 1 => Just(format!("{bare}+00:00")), 1 => Just(format!("{bare}123Z")), 1 => Just(format!("{}Z", &bare[..19]))]
    })
}

fn edge() -> impl Strategy<Value = Edge> {
    const SUBJECTS: &[&str] =
        &["app.bsky.feed.post", "app.bsky.feed.generator", "app.bsky.graph.list", "app.bsky.labeler.service", "app.bsky.feed.like"];
    let micros = prop_oneof![4 => INDEXED_AT - 4_000_000_000..INDEXED_AT, 1 => 0..(1_i64 << 53)];
    (micros, 0..1024_u16, 0..4_usize).prop_flat_map(|(micros, clock, kind)| {
        let collection = ["app.bsky.feed.like", "app.bsky.feed.repost", "app.bsky.graph.follow", "app.bsky.graph.block"][kind];
        let subject =
            if kind < 2 { strong_ref(SUBJECTS).boxed() } else { "did:(plc|web):[a-z0-9.]{1,20}[a-z]".prop_map(Value::Text).boxed() };
        let via =
            proptest::option::weighted(0.2, strong_ref(&["app.bsky.feed.repost", "app.bsky.graph.starterpack", "app.bsky.feed.post"]));
        let extra = proptest::option::weighted(
            0.1,
            ("[a-zA-Z$]{1,12}", any::<i64>().prop_map(Value::Int))
                .prop_filter("new keys only", |(key, _)| !["via", "$type", "subject", "createdAt"].contains(&key.as_str())),
        );
        let tid = Tid::from_micros(micros, clock).to_string();
        let rkey = prop_oneof![9 => Just(tid), 1 => Just("self".to_owned())];
        (subject, created_at(micros), via, extra, rkey).prop_map(move |(subject, created_at, via, extra, rkey)| Edge {
            collection,
            subject,
            created_at,
            via,
            extra,
            rkey,
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// A row without the flag gives the bytes back; one with the flag never pretends to.
    #[test]
    fn an_edge_is_rebuilt_exactly_or_flagged(edge in edge()) {
        let numbers = Numbers::default();
        let real = edge.real();
        let row = numbers.row(&real);
        let Some(flags) = flags(&row) else {
            let uri = edge.subject.get("uri").unwrap();
            prop_assert!(uri.as_text().unwrap().contains("/app.bsky.feed.like/"), "not derived: {:?}", edge);
            return Ok(());
        };
        let is_exact = numbers.rebuild(&row).as_deref() == Some(&real.record[..]);
        prop_assert_eq!(is_exact, flags & FLAG_RAW == 0, "{:?}", &edge);
        let is_plain = edge.via.is_none() && edge.extra.is_none() && edge.rkey != "self";
        let Row::Edge { kind, edge: found, cid } = &row else { unreachable!() };
        let is_named = cid.is_some() || matches!(kind, EdgeKind::Follow | EdgeKind::Block);
        if is_plain && found.dms.is_some() && is_named && edge.subject.get("$type").is_none() {
            prop_assert!(is_exact, "{:?}", edge);
        }
    }

    /// Whatever bytes come: an answer, and never a wrong rebuild.
    #[test]
    fn mutated_edges_are_never_rebuilt_wrong(edge in edge(), edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5), cut in any::<prop::sample::Index>()) {
        let numbers = Numbers::default();
        let mut real = edge.real();
        for (at, byte) in &edits {
            let at = at.index(real.record.len());
            real.record[at] = *byte;
        }
        if edits.len() == 4 {
            real.record.truncate(cut.index(real.record.len()));
        }
        let row = numbers.row(&real);
        if flags(&row).is_some_and(|flags| flags & FLAG_RAW == 0) {
            prop_assert_eq!(numbers.rebuild(&row), Some(real.record));
        }
    }
}

#[test]
fn the_kind_of_subject_stands_in_the_flags() {
    let numbers = Numbers::default();
    for (kind, collection) in [
        (SubjectKind::Post, "app.bsky.feed.post"),
        (SubjectKind::Generator, "app.bsky.feed.generator"),
        (SubjectKind::List, "app.bsky.graph.list"),
        (SubjectKind::StarterPack, "app.bsky.graph.starterpack"),
        (SubjectKind::Labeler, "app.bsky.labeler.service"),
    ] {
        let subject = Value::map([
            ("uri", Value::text(format!("at://did:plc:subject/{collection}/self"))),
            ("cid", Value::text(Cid::dag_cbor(b"x").to_string())),
        ]);
        let created_at = datetime::format_micros(INDEXED_AT);
        let rkey = Tid::from_micros(INDEXED_AT, 0).to_string();
        let edge = Edge { collection: "app.bsky.feed.like", subject, created_at, via: None, extra: None, rkey };
        let row = numbers.row(&edge.real());
        let Row::Edge { kind: EdgeKind::Like, edge: like, .. } = row else { panic!("{row:?}") };
        assert_eq!(like.subject_kind(), Some(kind));
        assert_eq!((like.dms, like.flags & FLAG_RAW), (Some(0), 0));
        assert!(like.sr < 0, "a key that is no TID has a negative number");
    }
}
