//! The trees that repos have at the beginning: a few whole ones are grown, and of each the nodes at its growing places are kept.

use anyhow::Context as _;
use fastrand::Rng;

use super::super::network::BEGINNING;
use super::chance::choose;
use super::records::Kind;
use crate::atproto::mst::{Tree, height};
use crate::atproto::{Cid, Tid, car};

/// Records of each tree: so that a commit of one record carries about eight nodes.
const SIZES: &[i64] = &[4_000, 12_000, 25_000, 40_000, 60_000, 90_000];
/// Keys that stand this high are on the way to many places.
const HIGH: u8 = 2;
/// Of the others about so many at each end of a collection are on the way to a growing place.
const ENDS: i64 = 40;
/// Collections of a repo's records, by how many in 100 it has.
const KINDS: &[(u32, Kind)] =
    &[(66, Kind::Like), (15, Kind::Post), (10, Kind::Repost), (7, Kind::Follow), (1, Kind::Block), (1, Kind::ListItem)];
/// Microseconds of two years, over which they were written.
const TWO_YEARS: i64 = 63_072_000_000_000;
/// Where profiles are.
pub(super) const PROFILE: &str = "app.bsky.actor.profile/self";

/// Slices of trees, as CARs.
#[derive(Debug)]
pub(super) struct Forest(Vec<Planted>);

#[derive(Debug)]
struct Planted {
    slice: Vec<u8>,
    profile: Cid,
}

/// A tree of the forest, ready to grow.
#[derive(Debug)]
pub(super) struct Grown<'f> {
    pub car: car::Car<'f>,
    /// The profile that it holds.
    pub profile: Cid,
}

impl Forest {
    pub(super) fn plant(seed: u64) -> anyhow::Result<Self> {
        let mut rng = Rng::with_seed(seed ^ 0x7ee5);
        SIZES.iter().map(|size| plant(*size, &mut rng)).collect::<anyhow::Result<_>>().map(Self)
    }

    pub(super) fn grown(&self) -> anyhow::Result<Vec<Grown<'_>>> {
        self.0.iter().map(Planted::grown).collect()
    }
}

impl Planted {
    fn grown(&self) -> anyhow::Result<Grown<'_>> {
        Ok(Grown { car: car::Car::parse(&self.slice)?, profile: self.profile })
    }
}

fn plant(size: i64, rng: &mut Rng) -> anyhow::Result<Planted> {
    let mut tree = Tree::new();
    let kinds: Vec<_> = KINDS.iter().map(|kind| (kind.0, *kind)).collect();
    let profile = some_cid(rng);
    tree.insert(PROFILE, profile).context("a tree without a profile")?;
    for _ in 0..size {
        let (weight, kind) = choose(rng, &kinds, (1, Kind::Like));
        let age = rng.i64(1..TWO_YEARS);
        let tid = Tid::from_micros((BEGINNING - age) / 1000 * 1000, rng.u16(0..32));
        let key = format!("{}/{tid}", kind.collection());
        // All others are in nodes that no commit shows: they are never made.
        let ends = TWO_YEARS / (i64::from(weight) * size / 100 / ENDS).max(1);
        if (ends..TWO_YEARS - ends).contains(&age) && height(key.as_bytes()) < HIGH {
            continue;
        }
        tree.insert(&key, some_cid(rng)).context("a tree that does not grow")?;
    }
    let now = Tid::from_micros(BEGINNING, 0);
    let places: Vec<String> = Kind::ALL.iter().map(|kind| format!("{}/{now}", kind.collection())).chain([PROFILE.to_owned()]).collect();
    let places: Vec<&str> = places.iter().map(String::as_str).collect();
    let root = tree.root();
    let nodes = tree.proof(&places).context("a tree without its nodes")?;
    Ok(Planted { slice: car::write(&root, nodes), profile })
}

fn some_cid(rng: &mut Rng) -> Cid {
    Cid::dag_cbor(&rng.u64(..).to_le_bytes())
}
