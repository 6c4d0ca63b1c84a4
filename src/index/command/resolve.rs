//! From the names in a command to the database's numbers. Never asks the database: everything was interned before.

use std::collections::HashSet;

use super::changes::World;
use crate::atproto::{Did, Tid};
use crate::collection::{Coll, Ids as _, Key, Ref};
use crate::db::record::Path;
use crate::index::names::Known;
use crate::queue::command::{RecordUri, Refusal};

/// What a command does, with its names resolved.
pub(super) type Play = Box<dyn FnOnce(&mut World) + Send + Sync>;

pub(super) struct Resolver<'a> {
    pub known: &'a Known,
    /// Accounts of commands that are deleted.
    pub deleted: HashSet<i32>,
}

impl Resolver<'_> {
    /// The account whose wish a command is.
    pub fn owner(&self, did: &Did) -> Result<i32, Refusal> {
        let account = self.account(did)?;
        if self.deleted.contains(&account) { Err(Refusal::invalid("Account not found")) } else { Ok(account) }
    }

    /// An account that a command is about.
    pub fn account(&self, did: &Did) -> Result<i32, Refusal> {
        self.known.account(did.as_str()).ok_or_else(|| Refusal::invalid("Account not found"))
    }

    /// A record of one collection.
    pub fn record_of(&self, coll: Coll, uri: &RecordUri) -> Result<Ref, Refusal> {
        let path = self.record(uri)?;
        let wanted = || Refusal::invalid(format!("Not a record of {}", coll.nsid().unwrap_or_default()));
        if path.coll == coll { Ok(path.at) } else { Err(wanted()) }
    }

    /// A record of any collection that has a number.
    pub fn record(&self, uri: &RecordUri) -> Result<Path, Refusal> {
        self.path(uri).ok_or_else(|| Refusal::invalid("Record not found"))
    }

    fn path(&self, uri: &RecordUri) -> Option<Path> {
        let parts = uri.parts()?;
        let coll = self.known.collection(parts.collection)?;
        let author = self.known.account(parts.did)?;
        let tid = parts.rkey.parse::<Tid>().ok().map(Tid::value);
        let rkey = tid.or_else(|| self.known.key(&Key { did: parts.did, coll, rkey: parts.rkey }))?;
        Some(Path { coll, at: Ref { rkey, author } })
    }
}
