//! From the names in a request to the database's numbers. A name that was never seen is no error: it has no number.

use std::borrow::Cow;
use std::collections::HashMap;

use super::{QueryError, Source};
use crate::atproto::{AtUri, Did, Nsid, RecordKey, Tid, handle};
use crate::collection::{Coll, Ref};
use crate::db::alias::{self, Alias};
use crate::db::record::Path;
use crate::db::{Client, account, collection, identity};

/// The account that an at-identifier names: a handle the one that it was verified for.
///
/// # Errors
/// The database's.
pub async fn account(client: &Client, identifier: &str) -> Result<Option<i32>, QueryError> {
    if !Did::is_valid(identifier) {
        let handle = identifier.to_ascii_lowercase();
        return Ok(identity::owners(client, &[&handle]).await?.into_iter().next().map(|(_, id)| id));
    }
    Ok(account::ids(client, &[identifier]).await?.into_iter().next().map(|(_, id)| id))
}

/// The same, where the ids of DIDs are remembered.
///
/// # Errors
/// The database's.
pub async fn known_account(source: &Source, identifier: &str) -> Result<Option<i32>, QueryError> {
    let remembered = source.remembered().filter(|_| Did::is_valid(identifier));
    if let Some(id) = remembered.and_then(|(cache, _)| cache.id(identifier)) {
        return Ok(Some(id));
    }
    let id = account(source, identifier).await?;
    if let (Some((cache, read)), Some(id)) = (remembered, id) {
        cache.keep_id(read, identifier, id);
    }
    Ok(id)
}

/// The accounts that these at-identifiers name, in their order, each once; names that were never seen fall away.
///
/// # Errors
/// The database's.
pub async fn accounts(client: &Client, identifiers: impl Iterator<Item = &str>) -> Result<Vec<i32>, QueryError> {
    let identifiers: Vec<Cow<'_, str>> = identifiers.map(named).collect();
    let known = owners(client, identifiers.iter().map(AsRef::as_ref)).await?;
    let mut found: Vec<i32> = Vec::with_capacity(identifiers.len());
    for id in identifiers.iter().filter_map(|name| known.get(name.as_ref())) {
        if !found.contains(id) {
            found.push(*id);
        }
    }
    Ok(found)
}

/// The record that an address names, by DID or by handle, as (collection, place), whether it is held or not.
///
/// # Errors
/// The database's.
pub async fn record(client: &Client, uri: &str) -> Result<Option<(Coll, Ref)>, QueryError> {
    let Some(address) = Address::of(uri) else { return Ok(None) };
    let (author, coll) = tokio::try_join!(account(client, &address.owner), collection(client, address.collection))?;
    let (Some(author), Some(coll)) = (author, coll) else { return Ok(None) };
    Ok(key(client, author, coll, address.rkey).await?.map(|rkey| (coll, Ref { rkey, author })))
}

/// The number of a collection.
///
/// # Errors
/// The database's.
pub async fn collection(client: &Client, nsid: &str) -> Result<Option<Coll>, QueryError> {
    if let Some(coll) = Coll::from_nsid(nsid) {
        return Ok(Some(coll));
    }
    Ok(collection::ids(client, &[nsid]).await?.into_iter().next().map(|(_, coll)| coll))
}

/// The number of a record key of `author`.
///
/// # Errors
/// The database's.
pub async fn key(client: &Client, author: i32, coll: Coll, rkey: &str) -> Result<Option<i64>, QueryError> {
    if let Ok(tid) = rkey.parse::<Tid>() {
        return Ok(Some(tid.value()));
    }
    let alias = Alias { author, coll: coll.number(), rkey: rkey.into() };
    Ok(alias::ids(client, &[alias]).await?.into_iter().next().map(|(_, id)| id))
}

/// The posts that these addresses name, by DID or by handle, in their order, each once; addresses of other things and names that were never
/// seen fall away.
///
/// # Errors
/// The database's.
pub async fn posts(client: &Client, uris: impl Iterator<Item = &str>) -> Result<Vec<Ref>, QueryError> {
    let mut found: Vec<Ref> = Vec::new();
    for (_, path) in find(client, of_coll(Coll::POST, uris)).await? {
        if !found.contains(&path.at) {
            found.push(path.at);
        }
    }
    Ok(found)
}

/// The post that an address names, by DID or by handle; whether it is held or not.
///
/// # Errors
/// The database's.
pub async fn post(source: &Source, uri: &str) -> Result<Option<Ref>, QueryError> {
    let Some(address) = Address::of(uri).filter(|address| Some(address.collection) == Coll::POST.nsid()) else { return Ok(None) };
    let Some(author) = known_account(source, &address.owner).await? else { return Ok(None) };
    Ok(key(source, author, Coll::POST, address.rkey).await?.map(|rkey| Ref { rkey, author }))
}

/// The places of those of these addresses, by DID or by handle, that are of records of `coll`, held or not; addresses of other things and
/// names that were never seen fall away.
///
/// # Errors
/// The database's.
pub async fn records<'a>(client: &Client, coll: Coll, uris: impl Iterator<Item = &'a str>) -> Result<HashMap<&'a str, Ref>, QueryError> {
    Ok(find(client, of_coll(coll, uris)).await?.into_iter().map(|(uri, path)| (uri, path.at)).collect())
}

/// Where the records stand that records name by these addresses, held or not, of collections that the code numbers. Addresses by handle name
/// none there, since a handle moves; names that were never seen fall away too.
///
/// # Errors
/// The database's.
pub async fn paths<'a>(client: &Client, uris: impl Iterator<Item = &'a str>) -> Result<HashMap<&'a str, Path>, QueryError> {
    let by_did = uris.filter(|uri| AtUri::parse(uri).is_some());
    let known = by_did.filter_map(|uri| Some((Address::of(uri)?, Coll::from_nsid(AtUri::parse(uri)?.collection)?)));
    Ok(find(client, known.collect()).await?.into_iter().collect())
}

/// An address by DID or by handle.
struct Address<'a> {
    text: &'a str,
    /// A DID, or a handle in lower case.
    owner: Cow<'a, str>,
    collection: &'a str,
    rkey: &'a str,
}

impl<'a> Address<'a> {
    /// `None` where the text names no record.
    fn of(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix("at://")?.split('/');
        let (owner, collection, rkey) = (parts.next()?, parts.next()?, parts.next()?);
        let holds = parts.next().is_none() && handle::is_at_identifier(owner) && Nsid::is_valid(collection) && RecordKey::is_valid(rkey);
        holds.then(|| Self { text, owner: named(owner), collection, rkey })
    }
}

/// Those of these addresses that are of records of `coll`.
fn of_coll<'a>(coll: Coll, uris: impl Iterator<Item = &'a str>) -> Vec<(Address<'a>, Coll)> {
    let addresses = uris.filter_map(Address::of).filter(|address| Some(address.collection) == coll.nsid());
    addresses.map(|address| (address, coll)).collect()
}

/// Where these records stand, in their order; what names something that was never seen falls away.
async fn find<'a>(client: &Client, addresses: Vec<(Address<'a>, Coll)>) -> Result<Vec<(&'a str, Path)>, QueryError> {
    let owners = owners(client, addresses.iter().map(|(address, _)| &*address.owner)).await?;
    let alias = |author, (address, coll): &(Address<'_>, Coll)| Alias { author, coll: coll.number(), rkey: address.rkey.into() };
    let aliased = addresses.iter().filter(|(address, _)| address.rkey.parse::<Tid>().is_err());
    let aliased: Vec<Alias> = aliased.filter_map(|named| Some(alias(*owners.get(&*named.0.owner)?, named))).collect();
    let keys: HashMap<Alias, i64> =
        if aliased.is_empty() { HashMap::new() } else { alias::ids(client, &aliased).await?.into_iter().collect() };
    let paths = addresses.into_iter().filter_map(|named| {
        let author = *owners.get(&*named.0.owner)?;
        let tid = named.0.rkey.parse::<Tid>().ok().map(Tid::value);
        let rkey = tid.or_else(|| keys.get(&alias(author, &named)).copied())?;
        Some((named.0.text, Path { coll: named.1, at: Ref { rkey, author } }))
    });
    Ok(paths.collect())
}

/// A DID as it is, a handle in lower case.
fn named(identifier: &str) -> Cow<'_, str> {
    if Did::is_valid(identifier) { identifier.into() } else { identifier.to_ascii_lowercase().into() }
}

/// The accounts that these DIDs and handles (in lower case) name.
async fn owners(client: &Client, names: impl Iterator<Item = &str>) -> Result<HashMap<String, i32>, QueryError> {
    let (dids, handles): (Vec<&str>, Vec<&str>) = names.partition(|name| Did::is_valid(name));
    let dids = async { if dids.is_empty() { Ok(Vec::new()) } else { account::ids(client, &dids).await } };
    let handles = async { if handles.is_empty() { Ok(Vec::new()) } else { identity::owners(client, &handles).await } };
    let (dids, handles) = tokio::try_join!(dids, handles)?;
    Ok(dids.into_iter().chain(handles).collect())
}

/// Texts of record keys that are no TID, by author and id.
pub type Aliases = HashMap<(i32, i64), String>;

/// The text of a record key: its TID, or the alias among `aliases`.
#[must_use]
pub fn key_text(at: Ref, aliases: &Aliases) -> Option<String> {
    match Tid::from_value(at.rkey) {
        Some(tid) => Some(tid.to_string()),
        None => aliases.get(&(at.author, at.rkey)).cloned(),
    }
}

/// The paths of those of `places` whose key is no TID.
#[must_use]
pub fn aliased(coll: Coll, places: impl Iterator<Item = Ref>) -> Vec<Path> {
    places.filter(|at| at.rkey < 0).map(|at| Path { coll, at }).collect()
}
