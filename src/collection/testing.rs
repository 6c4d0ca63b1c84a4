//! For the tests beside the record types: records from JSON, and ids as a database would give them.

use std::cell::RefCell;
use std::collections::HashMap;

use serde_json::Value as Json;

use super::{Coll, Derived, EdgeNames, Fields, Ids, Key, Names, Place, Ref, Row, names, rows};
use crate::atproto::{Cid, Tid, json};

/// The author of every record.
pub const AUTHOR: &str = "did:plc:author";
/// 2025-10-09T08:53:20Z in microseconds: the time of [`KEY`], and of indexing.
pub const NOW: i64 = 1_760_000_000_000_000;

/// The key of every record.
pub fn key() -> String {
    Tid::from_micros(NOW, 0).to_string()
}

pub fn dag_cbor(json: &Json) -> Vec<u8> {
    json::read_record(json).unwrap().encode()
}

/// Gives every name a number when it is first asked for.
#[derive(Default)]
pub struct Numbers {
    dids: RefCell<Vec<String>>,
    keys: RefCell<HashMap<(String, Coll, String), i64>>,
}

impl Numbers {
    pub fn did(&self, did: &str) -> i32 {
        let mut dids = self.dids.borrow_mut();
        let at = dids.iter().position(|known| known == did).unwrap_or_else(|| {
            dids.push(did.to_owned());
            dids.len() - 1
        });
        i32::try_from(at).unwrap() + 1
    }

    fn did_of(&self, id: i32) -> String {
        self.dids.borrow()[usize::try_from(id).unwrap() - 1].clone()
    }

    /// A record by its numbers.
    pub fn at(&self, did: &str, rkey: &str) -> Ref {
        Ref { rkey: rkey.parse::<Tid>().unwrap().value(), author: self.did(did) }
    }

    /// The row of a record of [`AUTHOR`]; its names are interned first, and none else are known.
    pub fn row(&self, coll: Coll, record: &[u8]) -> Row {
        let mut found = Names::default();
        names(coll, record, &mut found);
        for did in &found.dids {
            self.did(did);
        }
        for Key { did, coll, rkey } in found.keys {
            let next = -1 - i64::try_from(self.keys.borrow().len()).unwrap();
            self.keys.borrow_mut().entry((did.to_owned(), coll, rkey.to_owned())).or_insert(next);
        }
        rows(Place { coll, author: self.did(AUTHOR), rkey: key().parse::<Tid>().unwrap().value(), indexed_at: NOW }, record, self).unwrap()
    }

    /// The bytes that an edge's row gives back.
    pub fn rebuild(&self, row: &Row) -> Option<Vec<u8>> {
        let Row::Edge { kind, edge, cid } = row else { panic!("no edge: {row:?}") };
        let rkey = edge.record(*kind).map(|(_, at)| match Tid::from_value(at.rkey) {
            Some(tid) => tid.to_string(),
            None => self.keys.borrow().iter().find(|(_, id)| **id == at.rkey).unwrap().0.2.clone(),
        });
        let (author, subject) = (self.did_of(edge.author), self.did_of(edge.sa));
        edge.rebuild(*kind, &EdgeNames { author: &author, subject: &subject, rkey: rkey.as_deref(), cid: cid.as_ref() })
    }
}

impl Ids for Numbers {
    fn account(&self, did: &str) -> Option<i32> {
        let at = self.dids.borrow().iter().position(|known| known == did)?;
        i32::try_from(at + 1).ok()
    }

    fn key(&self, key: &Key<'_>) -> Option<i64> {
        self.keys.borrow().get(&(key.did.to_owned(), key.coll, key.rkey.to_owned())).copied()
    }
}

/// The record is kept whole and derives nothing; so do bytes that are no record of its kind.
pub fn assert_kept_whole(coll: Coll, record: &[u8]) {
    let numbers = Numbers::default();
    for bytes in [record, b"\xa0", b"", b"\x00", &record[..record.len() - 1]] {
        assert_eq!(numbers.row(coll, bytes), Row::Whole(Derived::Nothing));
    }
    assert!(Fields::of(b"\x00").is_none());
}

/// The edge's columns give its bytes back, and so its CID; `more` fields in the record, or another form of its time, have it kept raw.
pub fn assert_rebuilt(coll: Coll, record: &Json) {
    let numbers = Numbers::default();
    let bytes = dag_cbor(record);
    let row = numbers.row(coll, &bytes);
    let Row::Edge { edge, .. } = &row else { panic!("no edge: {row:?}") };
    assert!(!edge.is_raw());
    assert_eq!(Cid::dag_cbor(&numbers.rebuild(&row).unwrap()), Cid::dag_cbor(&bytes));
    for (field, value) in [("more", Json::from(1)), ("createdAt", Json::from("2025-10-09T08:53:20Z"))] {
        let mut odd = record.clone();
        odd[field] = value;
        let row = numbers.row(coll, &dag_cbor(&odd));
        assert!(matches!(&row, Row::Edge { edge, .. } if edge.is_raw()), "{odd} -> {row:?}");
    }
}
