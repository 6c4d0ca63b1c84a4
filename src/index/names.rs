//! Names to numbers: accounts, record keys that are no TID, collections that the code does not number. Never gives out a number that a
//! crash of the server could take back: interning commits durably before its ids are used, and all caches go when the server changes. Keys
//! of deleted accounts lose their ids: whoever writes asks whether they hold, under the lock of applying.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quick_cache::sync::Cache;
use tokio::sync::OnceCell;

use super::{IndexError, adopt};
use crate::collection::{Coll, Ids, Key};
use crate::db::alias::Alias;
use crate::db::server::{Connection, Identity};
use crate::db::{Client, Transaction, account, alias, collection, lock, server};

/// Accounts whose ids are remembered: about 120 bytes each, and the active accounts of some hours.
const ACCOUNTS: usize = 300_000;
/// Record keys that are remembered; nearly all keys are TIDs, which have no ids.
const KEYS: usize = 50_000;
/// Most collections that get a number, so that nobody can use the numbers up by inventing names.
const COLLECTIONS: u16 = 10_000;

/// Names whose numbers a batch needs.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub dids: BTreeSet<Box<str>>,
    /// (DID, collection, record key) of keys that are no TID; the DIDs stand in `dids` too.
    pub keys: BTreeSet<(Box<str>, Box<str>, Box<str>)>,
    /// Collections that the code does not number.
    pub collections: BTreeSet<Box<str>>,
}

/// The numbers of all names that a batch wanted, but for collections beyond the bound.
#[derive(Debug, Default)]
pub(super) struct Known {
    dids: HashMap<Box<str>, i32>,
    keys: HashMap<Alias, i64>,
    collections: HashMap<Box<str>, Coll>,
}

impl Known {
    /// The record keys that are no TID, with their ids.
    pub fn into_keys(self) -> Vec<(Alias, i64)> {
        self.keys.into_iter().collect()
    }

    /// The same, without giving up the rest.
    pub fn keys(&self) -> Vec<(Alias, i64)> {
        self.keys.iter().map(|(alias, id)| (alias.clone(), *id)).collect()
    }

    pub fn collection(&self, nsid: &str) -> Option<Coll> {
        Coll::from_nsid(nsid).or_else(|| self.collections.get(nsid).copied())
    }
}

impl Ids for Known {
    fn account(&self, did: &str) -> Option<i32> {
        self.dids.get(did).copied()
    }

    fn key(&self, key: &Key<'_>) -> Option<i64> {
        let alias = Alias { author: self.account(key.did)?, coll: key.coll.number(), rkey: key.rkey.into() };
        self.keys.get(&alias).copied()
    }
}

/// What was learnt from one life of one server.
#[derive(Debug)]
pub(super) struct Names {
    /// Rises with each change of server.
    pub generation: u64,
    /// Whether no record is kept under a number that its collection had before.
    adopted: OnceCell<()>,
    identity: Identity,
    dids: Cache<Box<str>, i32>,
    keys: Cache<Alias, i64>,
    collections: Cache<Box<str>, Coll>,
}

/// The names of the server that answers now.
#[derive(Debug, Default)]
pub(super) struct Registry(Mutex<Met>);

#[derive(Debug, Default)]
struct Met {
    names: Option<Arc<Names>>,
    /// Open connections, each with the generation of the server that it was found to lead to. A connection leads to one server for all its
    /// life, and dies with it.
    connections: Vec<(Connection, u64)>,
}

impl Registry {
    /// The names of the server behind `client`; new and empty ones where it is not the one that answered last. Asks the server once a
    /// connection, and again where another connection has led elsewhere since.
    pub async fn of(&self, client: &Client) -> Result<Arc<Names>, IndexError> {
        let known = self.met().known(client);
        if let Some(names) = known {
            return Ok(names);
        }
        let identity = server::identity(client).await?;
        Ok(self.met().meet(client, identity))
    }

    fn met(&self) -> MutexGuard<'_, Met> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Met {
    fn known(&self, client: &Client) -> Option<Arc<Names>> {
        let names = self.names.as_ref()?;
        let found = |(connection, generation): &(Connection, u64)| *generation == names.generation && connection.is(client);
        self.connections.iter().any(found).then(|| names.clone())
    }

    fn meet(&mut self, client: &Client, identity: Identity) -> Arc<Names> {
        let names = match &self.names {
            Some(names) if names.identity == identity => names.clone(),
            other => Arc::new(Names::new(other.as_ref().map_or(1, |names| names.generation + 1), identity)),
        };
        self.connections.retain(|(connection, _)| connection.lives() && !connection.is(client));
        self.connections.push((Connection::of(client), names.generation));
        self.names = Some(names.clone());
        names
    }
}

/// What the database has to give numbers to.
#[derive(Default)]
struct Missing<'a> {
    dids: Vec<&'a str>,
    collections: Vec<&'a str>,
    keys: Vec<&'a (Box<str>, Box<str>, Box<str>)>,
}

impl Missing<'_> {
    fn is_empty(&self) -> bool {
        self.dids.is_empty() && self.collections.is_empty() && self.keys.is_empty()
    }
}

impl Names {
    fn new(generation: u64, identity: Identity) -> Self {
        Self {
            generation,
            adopted: OnceCell::new(),
            identity,
            dids: Cache::new(ACCOUNTS),
            keys: Cache::new(KEYS),
            collections: Cache::new(COLLECTIONS.into()),
        }
    }

    /// Brings what is kept under the numbers that collections have now, once in this life of the server.
    pub async fn adopt(&self, client: &mut Client) -> Result<(), IndexError> {
        let adopt = async || {
            adopt::all(client).await?;
            super::label::adopt::all(client, self).await
        };
        self.adopted.get_or_try_init(adopt).await.map(drop)
    }

    /// Whether these ids still are those of their keys, under the lock of applying; a key whose id is gone is forgotten, to be interned
    /// again.
    pub async fn hold(&self, transaction: &Transaction<'_>, keys: impl Iterator<Item = &(Alias, i64)>) -> Result<bool, IndexError> {
        let mut keys: Vec<(&Alias, i64)> = keys.map(|(alias, id)| (alias, *id)).collect();
        keys.sort_unstable();
        keys.dedup();
        let gone = if keys.is_empty() { Vec::new() } else { alias::gone(transaction, &keys).await? };
        for alias in &gone {
            self.keys.remove(alias);
        }
        Ok(gone.is_empty())
    }

    /// The numbers of everything `wanted`: from the caches, else from the database, else given now and committed durably.
    pub async fn intern(&self, client: &mut Client, wanted: &Wanted) -> Result<Known, IndexError> {
        let mut known = Known::default();
        let mut missing = Missing { dids: self.find_accounts(client, wanted, &mut known).await?, ..Missing::default() };
        missing.collections = self.find_collections(client, wanted, &mut known).await?;
        missing.keys = self.find_keys(client, wanted, &mut known).await?;
        if !missing.is_empty() {
            self.give(client, &missing, &mut known).await?;
        }
        Ok(known)
    }

    async fn find_accounts<'w>(&self, client: &Client, wanted: &'w Wanted, known: &mut Known) -> Result<Vec<&'w str>, IndexError> {
        let mut missing: Vec<&str> = Vec::new();
        for did in &wanted.dids {
            match self.dids.get(did) {
                Some(id) => drop(known.dids.insert(did.clone(), id)),
                None => missing.push(did),
            }
        }
        if !missing.is_empty() {
            self.learn_accounts(account::ids(client, &missing).await?, known);
        }
        missing.retain(|did| !known.dids.contains_key(*did));
        Ok(missing)
    }

    async fn find_collections<'w>(&self, client: &Client, wanted: &'w Wanted, known: &mut Known) -> Result<Vec<&'w str>, IndexError> {
        let mut missing: Vec<&str> = Vec::new();
        for nsid in &wanted.collections {
            match self.collections.get(nsid) {
                Some(coll) => drop(known.collections.insert(nsid.clone(), coll)),
                None => missing.push(nsid),
            }
        }
        if !missing.is_empty() {
            self.learn_collections(collection::ids(client, &missing).await?, known);
        }
        missing.retain(|nsid| !known.collections.contains_key(*nsid));
        Ok(missing)
    }

    async fn find_keys<'w>(
        &self,
        client: &Client,
        wanted: &'w Wanted,
        known: &mut Known,
    ) -> Result<Vec<&'w (Box<str>, Box<str>, Box<str>)>, IndexError> {
        let mut asked = Vec::new();
        let aliases: Vec<Alias> = wanted.keys.iter().filter_map(|key| numbered(key, known)).collect();
        for alias in aliases {
            match self.keys.get(&alias) {
                Some(id) => drop(known.keys.insert(alias, id)),
                None => asked.push(alias),
            }
        }
        if !asked.is_empty() {
            self.learn_keys(alias::ids(client, &asked).await?, known);
        }
        Ok(wanted.keys.iter().filter(|key| numbered(key, known).is_none_or(|alias| !known.keys.contains_key(&alias))).collect())
    }

    /// Gives numbers in a transaction of its own. What another transaction was faster with is read again afterwards. The caches learn only
    /// what is committed; sorted inserts keep two of these from waiting for each other.
    async fn give(&self, client: &mut Client, missing: &Missing<'_>, known: &mut Known) -> Result<(), IndexError> {
        let transaction = client.transaction().await?;
        lock::commit_durably(&transaction).await?;
        let mut accounts = Vec::new();
        if !missing.dids.is_empty() {
            accounts = account::insert(&transaction, &missing.dids).await?;
            if accounts.len() < missing.dids.len() {
                accounts = account::ids(&transaction, &missing.dids).await?;
            }
        }
        let mut collections = Vec::new();
        if !missing.collections.is_empty() {
            collection::insert(&transaction, &missing.collections, COLLECTIONS.into()).await?;
            collections = collection::ids(&transaction, &missing.collections).await?;
        }
        known.dids.extend(accounts.iter().map(|(did, id)| (did.as_str().into(), *id)));
        known.collections.extend(collections.iter().map(|(nsid, coll)| (nsid.as_str().into(), *coll)));
        let mut wanted: Vec<Alias> = missing.keys.iter().filter_map(|key| numbered(key, known)).collect();
        wanted.sort();
        let mut keys = Vec::new();
        if !wanted.is_empty() {
            keys = alias::insert(&transaction, &wanted).await?;
            if keys.len() < wanted.len() {
                keys = alias::ids(&transaction, &wanted).await?;
            }
        }
        transaction.commit().await?;
        self.learn_accounts(accounts, known);
        self.learn_collections(collections, known);
        self.learn_keys(keys, known);
        Ok(())
    }

    fn learn_accounts(&self, found: Vec<(String, i32)>, known: &mut Known) {
        for (did, id) in found {
            let did: Box<str> = did.into();
            self.dids.insert(did.clone(), id);
            known.dids.insert(did, id);
        }
    }

    fn learn_collections(&self, found: Vec<(String, Coll)>, known: &mut Known) {
        for (nsid, coll) in found {
            let nsid: Box<str> = nsid.into();
            self.collections.insert(nsid.clone(), coll);
            known.collections.insert(nsid, coll);
        }
    }

    fn learn_keys(&self, found: Vec<(Alias, i64)>, known: &mut Known) {
        for (alias, id) in found {
            self.keys.insert(alias.clone(), id);
            known.keys.insert(alias, id);
        }
    }
}

/// A wanted key by its numbers; `None` where the account or the collection has none (yet).
fn numbered((did, collection, rkey): &(Box<str>, Box<str>, Box<str>), known: &Known) -> Option<Alias> {
    Some(Alias { author: known.account(did)?, coll: known.collection(collection)?.number(), rkey: rkey.clone() })
}
