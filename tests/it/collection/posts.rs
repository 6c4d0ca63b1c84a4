//! Posts and profiles: flags, references and the fields that views read.

use appviewd::atproto::cbor::Value;
use appviewd::atproto::{Cid, Tid};
use appviewd::collection::actor::profile::ProfileFields;
use appviewd::collection::feed::post::{FLAG_MEDIA, FLAG_QUOTE, FLAG_REPLY, FLAG_VIDEO, MAX_MENTIONS, MediaKind, PostFields};
use appviewd::collection::{Post, Ref, Row};
use proptest::prelude::*;

use super::numbers::{INDEXED_AT, Numbers};
use crate::support::records::{self, Real};

fn strong_ref(uri: &str) -> Value {
    Value::map([("uri", Value::text(uri)), ("cid", Value::text(Cid::dag_cbor(uri.as_bytes()).to_string()))])
}

fn post(fields: Vec<(&str, Value)>) -> Real {
    let usual = [
        ("$type", Value::text("app.bsky.feed.post")),
        ("text", Value::text("hello")),
        ("createdAt", Value::text("2026-07-04T14:39:14.000Z")),
    ];
    Real {
        did: "did:plc:author".to_owned(),
        collection: "app.bsky.feed.post".to_owned(),
        rkey: Tid::from_micros(INDEXED_AT, 0).to_string(),
        record: Value::map(usual.into_iter().chain(fields)).encode(),
    }
}

fn row(numbers: &Numbers, real: &Real) -> Post {
    match numbers.row(real) {
        Row::Post(post) => *post,
        other => panic!("{other:?}"),
    }
}

fn reply(root: &str, parent: &str) -> (&'static str, Value) {
    ("reply", Value::map([("root", strong_ref(root)), ("parent", strong_ref(parent))]))
}

fn embed(kind: &str, fields: Vec<(&str, Value)>) -> Value {
    Value::map([("$type", Value::text(format!("app.bsky.embed.{kind}")))].into_iter().chain(fields))
}

const A: &str = "at://did:plc:a/app.bsky.feed.post/3jzfcijpj2z2a";
const B: &str = "at://did:plc:b/app.bsky.feed.post/3jzfcijpj2z2b";

fn reference(numbers: &Numbers, uri: &str) -> Ref {
    let uri = appviewd::atproto::AtUri::parse(uri).unwrap();
    Ref { rkey: uri.rkey.parse::<Tid>().unwrap().value(), author: numbers.did(uri.did) }
}

#[test]
fn the_root_is_kept_only_where_it_is_not_the_parent() {
    let numbers = Numbers::default();
    let direct = row(&numbers, &post(vec![reply(A, A)]));
    assert_eq!((direct.flags, direct.parent, direct.root), (FLAG_REPLY, Some(reference(&numbers, A)), None));
    let deeper = row(&numbers, &post(vec![reply(A, B)]));
    assert_eq!((deeper.parent, deeper.root), (Some(reference(&numbers, B)), Some(reference(&numbers, A))));
}

#[test]
fn only_posts_named_by_did_are_references() {
    let numbers = Numbers::default();
    let odd = [
        "at://alice.example.com/app.bsky.feed.post/3jzfcijpj2z2a",
        "at://did:plc:a/app.bsky.feed.generator/x",
        "at://did:plc:a",
        "nonsense",
    ];
    for uri in odd {
        let found = row(&numbers, &post(vec![reply(A, uri), ("embed", embed("record", vec![("record", strong_ref(uri))]))]));
        assert_eq!((found.flags, found.parent, found.quote), (FLAG_REPLY, None, None), "{uri}");
        assert_eq!(found.root, Some(reference(&numbers, A)));
    }
}

fn facet(did: &str) -> Value {
    let feature = |kind: &str, key, value: &str| {
        Value::map([("$type", Value::text(format!("app.bsky.richtext.facet#{kind}"))), (key, Value::text(value))])
    };
    Value::map([("features", Value::Array(vec![feature("tag", "tag", "did:plc:tag"), feature("mention", "did", did)]))])
}

#[test]
fn mentions_are_taken_from_facets_once_each_and_within_a_bound() {
    let numbers = Numbers::default();
    let mentions =
        |dids: &[String]| row(&numbers, &post(vec![("facets", Value::Array(dids.iter().map(|did| facet(did)).collect()))])).mentions;
    let number = |did: &str| numbers.did(did);
    let some = ["did:plc:a", "did:plc:b", "did:plc:a", "no did"].map(str::to_owned);
    assert_eq!(mentions(&some), [number("did:plc:a"), number("did:plc:b")]);
    let many: Vec<_> = (0..60).map(|n| format!("did:plc:m{n}")).collect();
    assert_eq!(mentions(&many).len(), MAX_MENTIONS);
    assert_eq!(row(&numbers, &post(vec![])).mentions, [0_i32; 0]);
}

#[test]
fn embeds_set_their_flags() {
    let numbers = Numbers::default();
    let quote = || vec![("record", strong_ref(B))];
    let with_media = |media| embed("recordWithMedia", vec![("record", embed("record", quote())), ("media", media)]);
    for (value, flags) in [
        (embed("record", quote()), FLAG_QUOTE),
        (embed("images", vec![]), FLAG_MEDIA),
        (embed("gallery", vec![]), FLAG_MEDIA),
        (embed("video", vec![]), FLAG_MEDIA | FLAG_VIDEO),
        (embed("external", vec![]), 0),
        (with_media(embed("images", vec![])), FLAG_QUOTE | FLAG_MEDIA),
        (with_media(embed("video", vec![])), FLAG_QUOTE | FLAG_MEDIA | FLAG_VIDEO),
        (Value::map([("$type", Value::text("com.example.embed")), ("record", Value::Int(7))]), 0),
    ] {
        let found = row(&numbers, &post(vec![("embed", value.clone())]));
        assert_eq!(found.flags, flags, "{value:?}");
        assert_eq!(found.quote, (flags & FLAG_QUOTE != 0).then(|| reference(&numbers, B)));
    }
}

#[test]
fn views_find_the_fields_of_a_post() {
    let langs = Value::Array(vec![Value::text("de"), Value::text("en")]);
    let real = post(vec![("langs", langs), reply(A, B), ("embed", embed("images", vec![("images", Value::Array(vec![]))]))]);
    let fields = PostFields::of(&real.record).unwrap();
    assert_eq!((fields.text, fields.created_at), ("hello", "2026-07-04T14:39:14.000Z"));
    assert_eq!(fields.langs().collect::<Vec<_>>(), ["de", "en"]);
    assert_eq!(fields.reply.map(|reply| (reply.root.uri, reply.parent.uri)), Some((A, B)));
    assert_eq!(fields.embed.clone().and_then(|e| e.media).map(|m| m.kind), Some(MediaKind::Images));
    assert_eq!(fields.all().text("text"), Some("hello"));
}

#[test]
fn real_posts_and_profiles_are_read() {
    let Some(all) = records::all() else { return };
    let numbers = Numbers::default();
    let (mut posts, mut replies, mut quotes, mut media, mut profiles) = (0, 0, 0, 0, 0);
    for real in &all {
        match real.collection.as_str() {
            "app.bsky.feed.post" => {
                let found = row(&numbers, real);
                posts += 1;
                replies += usize::from(found.flags & FLAG_REPLY != 0);
                quotes += usize::from(found.flags & FLAG_QUOTE != 0);
                media += usize::from(found.flags & FLAG_MEDIA != 0);
                assert_eq!(found.parent.is_some(), found.flags & FLAG_REPLY != 0);
            }
            "app.bsky.actor.profile" => {
                profiles += 1;
                let fields = ProfileFields::of(&real.record).unwrap();
                assert!(matches!(numbers.row(real), Row::Whole(_)));
                assert!(fields.display_name.is_some() || fields.avatar.is_some());
            }
            _ => {}
        }
    }
    assert_eq!((posts, replies, quotes, media, profiles), (46, 11, 1, 7, 2));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Bytes changed and cut at random: a row or none, never a panic, whatever collection they are said to be of.
    #[test]
    fn mutated_records_never_panic(pick in any::<prop::sample::Index>(), edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), kind in 1_i16..=26) {
        thread_local!(static ALL: Option<Vec<Real>> = records::all());
        ALL.with(|all| {
            let Some(all) = all else { return };
            let mut real = pick.get(all).clone();
            for (at, byte) in &edits {
                let at = at.index(real.record.len());
                real.record[at] = *byte;
            }
            real.collection = appviewd::collection::Coll::from_number(kind).nsid().unwrap().to_owned();
            let numbers = Numbers::default();
            numbers.row(&real);
            if let Some(fields) = ProfileFields::of(&real.record) {
                assert!(fields.self_labels().count() <= real.record.len());
            }
        });
    }
}
