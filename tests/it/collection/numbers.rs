//! Stands in for the database: numbers names as they come.

use std::cell::RefCell;
use std::collections::HashMap;

use appviewd::collection::{Coll, EdgeNames, Ids, Key, Names, Place, Ref, Row, names, rows};

use crate::support::records::Real;

/// 2026-07-04, when the frames were recorded: microseconds.
pub const INDEXED_AT: i64 = 1_783_175_954_000_000;

#[derive(Debug, Default)]
pub struct Numbers {
    dids: RefCell<HashMap<String, i32>>,
    keys: RefCell<HashMap<(String, Coll, String), i64>>,
}

impl Numbers {
    pub fn did(&self, did: &str) -> i32 {
        let mut dids = self.dids.borrow_mut();
        let next = i32::try_from(dids.len()).unwrap() + 1;
        *dids.entry(did.to_owned()).or_insert(next)
    }

    /// What the database does between the two passes.
    pub fn intern(&self, names: &Names<'_>) {
        for did in &names.dids {
            self.did(did);
        }
        for key in &names.keys {
            let mut keys = self.keys.borrow_mut();
            let next = -i64::try_from(keys.len()).unwrap() - 1;
            keys.entry((key.did.to_owned(), key.coll, key.rkey.to_owned())).or_insert(next);
        }
    }

    pub fn did_of(&self, id: i32) -> String {
        self.dids.borrow().iter().find(|(_, known)| **known == id).unwrap().0.clone()
    }

    /// The text of a record's key.
    pub fn rkey_of(&self, key: Ref) -> String {
        match appviewd::atproto::Tid::from_value(key.rkey) {
            Some(tid) => tid.to_string(),
            None => self.keys.borrow().iter().find(|(_, known)| **known == key.rkey).unwrap().0.2.clone(),
        }
    }

    /// Both passes over one record.
    pub fn row(&self, real: &Real) -> Row {
        let coll = Coll::from_nsid(&real.collection).unwrap();
        let mut found = Names::default();
        names(coll, &real.record, &mut found);
        self.intern(&found);
        let place = Place { coll, author: self.did(&real.did), rkey: real.key(), indexed_at: INDEXED_AT };
        rows(place, &real.record, self).unwrap()
    }

    /// The record's bytes from its row alone, with the names that the database keeps; `None` where the row does not hold them.
    pub fn rebuild(&self, row: &Row) -> Option<Vec<u8>> {
        let Row::Edge { kind, edge, cid } = row else { return None };
        let (author, subject) = (self.did_of(edge.author), self.did_of(edge.sa));
        let rkey = edge.record(*kind).map(|(_, at)| self.rkey_of(at));
        edge.rebuild(*kind, &EdgeNames { author: &author, subject: &subject, rkey: rkey.as_deref(), cid: cid.as_ref() })
    }
}

impl Ids for Numbers {
    fn account(&self, did: &str) -> Option<i32> {
        self.dids.borrow().get(did).copied()
    }

    fn key(&self, key: &Key<'_>) -> Option<i64> {
        self.keys.borrow().get(&(key.did.to_owned(), key.coll, key.rkey.to_owned())).copied()
    }
}

/// The flags of an edge.
pub fn flags(row: &Row) -> Option<i16> {
    match row {
        Row::Edge { edge, .. } => Some(edge.flags),
        _ => None,
    }
}

pub fn via(row: &Row) -> Option<i32> {
    match row {
        Row::Edge { edge, .. } => edge.via,
        _ => None,
    }
}
