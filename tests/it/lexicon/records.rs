//! Real records: all are valid, but for those listed here with what is wrong with them.

use appviewd::lexicon;
use proptest::prelude::*;

use crate::support::records;

/// Real records that their lexicons do not allow, and why.
const INVALID: &[(&str, &str)] = &[];

#[test]
fn every_real_record_of_a_known_collection_is_valid() {
    let Some(all) = records::all() else { return };
    let lexicons = lexicon::embedded();
    let (mut known, mut invalid) = (0, Vec::new());
    for real in all.iter().filter(|real| lexicons.has_record(&real.collection)) {
        known += 1;
        if let Err(error) = lexicons.validate_record(&real.collection, &real.rkey, &real.record) {
            invalid.push((format!("{}/{}/{}", real.did, real.collection, real.rkey), error.to_string()));
        }
    }
    assert_eq!((all.len(), known), (209, 205));
    let listed: Vec<_> = INVALID.iter().map(|(uri, why)| ((*uri).to_owned(), (*why).to_owned())).collect();
    assert_eq!(invalid, listed);
}

#[test]
fn single_posts_are_valid() {
    for name in ["cars/feedpost_record.cbor", "cars/post_richtext_link.cbor"] {
        let Some(record) = crate::support::data::read(name) else { return };
        lexicon::embedded().validate_record("app.bsky.feed.post", "3jzfcijpj2z2a", &record).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}

#[test]
fn keys_are_judged_by_the_collection() {
    let Some(all) = records::all() else { return };
    let judge = |collection: &str, rkey: &str| {
        let real = all.iter().find(|real| real.collection == collection).unwrap();
        lexicon::embedded().validate_record(collection, rkey, &real.record).is_ok()
    };
    assert!(judge("app.bsky.actor.profile", "self") && !judge("app.bsky.actor.profile", "3jzfcijpj2z2a"));
    assert!(judge("app.bsky.feed.post", "3jzfcijpj2z2a") && judge("app.bsky.feed.post", "hello") && !judge("app.bsky.feed.post", "no/key"));
}

#[test]
fn a_record_must_be_of_its_collection_and_strict() {
    let Some(all) = records::all() else { return };
    let like = all.iter().find(|real| real.collection == "app.bsky.feed.like").unwrap();
    let judge = |collection: &str, record: &[u8]| {
        lexicon::embedded().validate_record(collection, "3jzfcijpj2z2a", record).map_err(|e| e.to_string())
    };
    let expected = "Record/$type must be app.bsky.feed.repost, got app.bsky.feed.like";
    assert_eq!(judge("app.bsky.feed.repost", &like.record), Err(expected.to_owned()));
    assert_eq!(judge("app.bsky.feed.like", b"\xa0"), Err("Record/$type must be a string".to_owned()));
    assert_eq!(judge("com.example.thing", b"\xa0"), Err("Record has a type that is not known".to_owned()));
    let trailing = [&like.record[..], b"\0"].concat();
    assert_eq!(judge("app.bsky.feed.like", &trailing), Err("Record is not DAG-CBOR: bytes follow the item".to_owned()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Bytes changed, cut and repeated at random: an answer, never a panic.
    #[test]
    fn mutated_records_get_an_answer(pick in any::<prop::sample::Index>(), edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), cut in any::<prop::sample::Index>()) {
        thread_local!(static ALL: Option<Vec<records::Real>> = records::all());
        ALL.with(|all| {
            let Some(all) = all else { return };
            let real = pick.get(all);
            let mut record = real.record.clone();
            for (at, byte) in &edits {
                let at = at.index(record.len());
                record[at] = *byte;
            }
            let lexicons = lexicon::embedded();
            let _ = lexicons.validate_record(&real.collection, &real.rkey, &record);
            record.truncate(cut.index(record.len()));
            assert!(lexicons.validate_record(&real.collection, &real.rkey, &record).is_err());
        });
    }
}
