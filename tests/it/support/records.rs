//! The real records of the test data: those of the production frames, and those of whole repos.

use appviewd::atproto::commit::SignedCommit;
use appviewd::atproto::mst::Tree;
use appviewd::atproto::{Car, Frame, Tid};

use super::data;

/// One record as its repo holds it.
#[derive(Debug, Clone)]
pub struct Real {
    pub did: String,
    pub collection: String,
    pub rkey: String,
    pub record: Vec<u8>,
}

impl Real {
    fn new(did: &str, path: &str, record: &[u8]) -> Self {
        let (collection, rkey) = path.split_once('/').unwrap();
        Self { did: did.to_owned(), collection: collection.to_owned(), rkey: rkey.to_owned(), record: record.to_vec() }
    }

    /// The key's TID as 64 bits, or -1 for all others.
    pub fn key(&self) -> i64 {
        self.rkey.parse::<Tid>().map_or(-1, Tid::value)
    }
}

/// The records of the frames that were created or updated.
pub fn of_frames() -> Option<Vec<Real>> {
    let mut records = Vec::new();
    for frame in data::frames()? {
        let Frame::Commit(commit) = Frame::parse(&frame).unwrap() else { continue };
        let car = Car::parse(commit.blocks).unwrap();
        for op in &commit.ops {
            let Some(cid) = op.cid else { continue };
            records.push(Real::new(commit.repo, op.path, car.get(&cid).unwrap()));
        }
    }
    Some(records)
}

/// The records of a whole repo (version 3).
pub fn of_car(name: &str) -> Option<Vec<Real>> {
    let bytes = data::read(name)?;
    let car = Car::parse(&bytes).unwrap();
    let commit = SignedCommit::decode(car.get(&car.root()).unwrap()).unwrap();
    let tree = Tree::load(&car, &commit.data).unwrap();
    Some(tree.entries().iter().map(|(path, cid)| Real::new(commit.did, path, car.get(cid).unwrap())).collect())
}

/// Every real record that there is.
pub fn all() -> Option<Vec<Real>> {
    let mut records = of_frames()?;
    for name in ["frames/repo.car", "cars/bnewbold.robocracy.org.20250310005405.car", "cars/greenground.repo.car"] {
        records.extend(of_car(name)?);
    }
    Some(records)
}
