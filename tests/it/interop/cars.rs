//! Whole repositories of the real network, old ones that are refused, and a slice.

use appviewd::atproto::car::{self, CarError};
use appviewd::atproto::cbor::{Value, validate};
use appviewd::atproto::commit::CommitError;
use appviewd::atproto::mst::{MstError, Tree, find};
use appviewd::atproto::{Car, Cid, PublicKey, SignedCommit};

use crate::support::data;

#[test]
fn repositories_of_version_3_are_read_whole() {
    let mut total = 0;
    for (name, did, records) in [
        ("frames/repo.car", "did:plc:53iucmf5ldftgqyf2ac7hmhd", 23),
        ("cars/bnewbold.robocracy.org.20250310005405.car", "did:plc:nhxcyu4ewwhl5pqil4dotqjo", 38),
        ("cars/greenground.repo.car", "did:plc:kzcqyc3unb33eh5sxzsfs25z", 2),
    ] {
        let Some(bytes) = data::read(name) else { return };
        let car = Car::parse(&bytes).unwrap();
        let commit = SignedCommit::decode(car.get(&car.root()).unwrap()).unwrap();
        assert_eq!(commit.did, did, "{name}");
        let entries = Tree::load(&car, &commit.data).unwrap().entries();
        assert_eq!(entries.len(), records, "{name}");
        for (path, cid) in &entries {
            let record = car.get(cid).unwrap_or_else(|| panic!("{name}: no record {path}"));
            assert!(cid.matches(record));
            assert_eq!(validate(record), Ok(()), "{name}: {path}");
            assert_eq!(find(&car, &commit.data, path), Ok(Some(*cid)));
        }
        let mut tree = super::mst::build(entries.iter().map(|(k, v)| (&k[..], *v)));
        assert_eq!(tree.root(), commit.data, "{name}: the tree has the shape that we build");
        let rewritten = car::write(&car.root(), car.blocks());
        assert_eq!(Car::parse(&rewritten).unwrap().blocks().collect::<Vec<_>>(), car.blocks().collect::<Vec<_>>());
        total += records;
    }
    assert_eq!(total, 63);
}

#[test]
fn the_real_repository_is_what_its_description_says() {
    let (Some(bytes), Some(said)) = (data::read("frames/repo.car"), data::read("frames/car_expected_commit.txt")) else { return };
    let car = Car::parse(&bytes).unwrap();
    let commit = SignedCommit::decode(car.get(&car.root()).unwrap()).unwrap();
    let said = String::from_utf8(said).unwrap();
    let field = |name: &str| said.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(": ")).unwrap().to_owned();
    assert_eq!(field("DID"), commit.did);
    assert_eq!(field("Data CID"), commit.data.to_string());
    assert_eq!(field("Revision"), commit.rev.to_string());
    assert_eq!((field("Prev CID"), commit.prev), ("<nil>".to_owned(), None));
}

#[test]
fn a_signature_of_a_repository_is_checked() {
    // The document is of another account of the same host, which then signed for all with one key.
    let (Some(bytes), Some(document)) = (data::read("cars/greenground.repo.car"), data::read("cars/greenground.didDoc.json")) else {
        return;
    };
    let document: serde_json::Value = serde_json::from_slice(&document).unwrap();
    let method = &document["verificationMethod"][0];
    let key =
        PublicKey::from_verification_method(method["type"].as_str().unwrap(), method["publicKeyMultibase"].as_str().unwrap()).unwrap();
    let car = Car::parse(&bytes).unwrap();
    assert!(SignedCommit::decode(car.get(&car.root()).unwrap()).unwrap().verify(&key));
}

#[test]
fn repositories_of_version_2_are_refused_by_their_version() {
    for name in ["cars/paul_staging.repo.car", "cars/divy.repo", "cars/bafyreieovfuizojpw3zresz7sx3nk4trm2by23pt5rxbey3jme4uo5ogiu.car"] {
        let Some(bytes) = data::read(name) else { return };
        let car = Car::parse(&bytes).unwrap();
        assert_eq!(SignedCommit::decode(car.get(&car.root()).unwrap()), Err(CommitError::Version(2)), "{name}");
    }
}

#[test]
fn a_slice_proves_what_it_holds_and_misses_the_rest() {
    let (Some(bytes), Some(record)) = (data::read("cars/repo_slice.car"), data::read("cars/repo_slice_record.json")) else { return };
    let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
    let (uri, cid) = (record["uri"].as_str().unwrap(), record["cid"].as_str().unwrap().parse::<Cid>().unwrap());
    let path = uri.strip_prefix("at://").unwrap().split_once('/').unwrap().1;
    let car = Car::parse(&bytes).unwrap();
    // The repository is one of version 2, whose trees are the same.
    let Some(Value::Link(data)) = Value::decode(car.get(&car.root()).unwrap()).unwrap().get("data").cloned() else { panic!("no data") };
    assert_eq!(find(&car, &data, path), Ok(Some(cid)));
    assert!(cid.matches(car.get(&cid).unwrap()));
    assert!(matches!(Tree::load(&car, &data), Err(MstError::Missing(_))));
}

#[test]
fn files_that_are_not_right_are_refused() {
    let (a, b) = (Cid::dag_cbor(b"\xa0"), Cid::raw(b"blob"));
    let good = car::write(&a, [(a, &b"\xa0"[..]), (b, b"blob"), (a, b"\xa0")]);
    let car = Car::parse(&good).unwrap();
    assert_eq!((car.root(), car.get(&b), car.blocks().len()), (a, Some(&b"blob"[..]), 2), "a block may come twice");
    assert!(Car::parse(&car::write(&a, [] as [(Cid, &[u8]); 0])).unwrap().get(&a).is_none());
    for len in 0..good.len() {
        let is_whole_sections = Car::parse(&good[..len]).is_ok();
        assert!(!is_whole_sections || [59, 97, 138].contains(&len), "cut at {len}");
    }
    let mut other = good.clone();
    *other.last_mut().unwrap() = 0xa1;
    assert_eq!(Car::parse(&other).unwrap_err(), CarError::Hash(a));
    let wrong_version: Vec<u8> = good[..58].iter().copied().chain([2]).chain(good[59..].iter().copied()).collect();
    assert_eq!(Car::parse(&wrong_version).unwrap_err(), CarError::Header);
    assert_eq!(Car::parse(b"\x11\xa2\x65roots\x80\x67version\x01").unwrap_err(), CarError::Header, "no root");
    assert_eq!(Car::parse(&[&good[..59], b"\x80\x00"].concat()).unwrap_err(), CarError::Varint, "a longer form of 0");
    assert_eq!(Car::parse(&[&good[..59], b"\x01\x00"].concat()).unwrap_err(), CarError::Cid, "a section shorter than a name");
    assert_eq!(
        Car::parse(&[&good[..59], b"\xff\xff\xff\xff\xff\xff\xff\x01"].concat()).unwrap_err(),
        CarError::Varint,
        "too long a length"
    );
}
