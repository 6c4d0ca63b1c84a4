//! References from one record to another: from `at://` text to the two numbers that columns hold, and back.

use super::{Coll, Ids, Key, Names, Place, RecordError};
use crate::atproto::{AtUri, Tid};

/// A record by its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ref {
    /// The key's TID as 64 bits, or the negative id of a key that is no TID.
    pub rkey: i64,
    pub author: i32,
}

/// What likes and reposts may be of; its number stands in the flags of the edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i16)]
pub enum SubjectKind {
    Post = 0,
    Generator = 1,
    List = 2,
    StarterPack = 3,
    Labeler = 4,
}

impl SubjectKind {
    const ALL: [Self; 5] = [Self::Post, Self::Generator, Self::List, Self::StarterPack, Self::Labeler];

    /// The kind of a collection's records; `None` where likes and reposts of them are not derived.
    #[must_use]
    pub fn of(coll: Coll) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.coll() == coll)
    }

    #[must_use]
    pub fn coll(self) -> Coll {
        match self {
            Self::Post => Coll::POST,
            Self::Generator => Coll::GENERATOR,
            Self::List => Coll::LIST,
            Self::StarterPack => Coll::STARTERPACK,
            Self::Labeler => Coll::LABELER,
        }
    }

    #[must_use]
    pub const fn number(self) -> i16 {
        self as i16
    }

    #[must_use]
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }
}

/// A parsed address whose collection has a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Target<'a> {
    pub uri: AtUri<'a>,
    pub coll: Coll,
}

impl<'a> Target<'a> {
    pub(super) fn parse(uri: &'a str) -> Option<Self> {
        let uri = AtUri::parse(uri)?;
        Coll::from_nsid(uri.collection).map(|coll| Self { uri, coll })
    }

    /// An address of a record of `coll`.
    pub(super) fn of(uri: &'a str, coll: Coll) -> Option<Self> {
        Self::parse(uri).filter(|target| target.coll == coll)
    }

    fn key(&self) -> Key<'a> {
        Key { did: self.uri.did, coll: self.coll, rkey: self.uri.rkey }
    }

    pub(super) fn name(&self, into: &mut Names<'a>) {
        into.dids.push(self.uri.did);
        if self.uri.rkey.parse::<Tid>().is_err() {
            into.keys.push(self.key());
        }
    }

    pub(super) fn resolve(&self, ids: &dyn Ids) -> Result<Ref, RecordError> {
        let author = ids.account(self.uri.did).ok_or(RecordError::Unnamed)?;
        let rkey = match self.uri.rkey.parse::<Tid>() {
            Ok(tid) => tid.value(),
            Err(_) => ids.key(&self.key()).ok_or(RecordError::Unnamed)?,
        };
        Ok(Ref { rkey, author })
    }
}

/// Whether the gate at `place` is of `post`: its author's own, with the same key. Keys that are no TID are numbered for each collection and
/// cannot be compared: gates with such a key derive nothing.
pub(super) fn is_own_post(place: Place, post: Ref) -> bool {
    place.rkey >= 0 && post == Ref { rkey: place.rkey, author: place.author }
}
