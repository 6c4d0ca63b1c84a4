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
