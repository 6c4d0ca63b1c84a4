//! From the names in a request to the database's numbers. A name that was never seen is no error: it has no number.

use std::borrow::Cow;
use std::collections::HashMap;

use super::{QueryError, Source};
use crate::atproto::{AtUri, Did, Tid};
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
    let identifiers: Vec<Cow<'_, str>> =
        identifiers.map(|name| if Did::is_valid(name) { name.into() } else { name.to_ascii_lowercase().into() }).collect();
    let (dids, handles): (Vec<&str>, Vec<&str>) = identifiers.iter().map(AsRef::as_ref).partition(|name| Did::is_valid(name));
    let (dids, handles) = tokio::try_join!(account::ids(client, &dids), identity::owners(client, &handles))?;
    let known: HashMap<String, i32> = dids.into_iter().chain(handles).collect();
    let mut found: Vec<i32> = Vec::with_capacity(identifiers.len());
    for id in identifiers.iter().filter_map(|name| known.get(name.as_ref())) {
        if !found.contains(id) {
            found.push(*id);
        }
    }
    Ok(found)
}

/// The record that an address names, as (collection, place), whether it is held or not.
///
/// # Errors
/// The database's.
pub async fn record(client: &Client, uri: &str) -> Result<Option<(Coll, Ref)>, QueryError> {
    let Some(uri) = AtUri::parse(uri) else { return Ok(None) };
    let (author, coll) = tokio::try_join!(account(client, uri.did), collection(client, uri.collection))?;
    let (Some(author), Some(coll)) = (author, coll) else { return Ok(None) };
    Ok(key(client, author, coll, uri.rkey).await?.map(|rkey| (coll, Ref { rkey, author })))
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

/// The posts that these addresses name, in their order, each once; addresses of other things and names that were never seen fall away.
///
/// # Errors
/// The database's.
pub async fn posts(client: &Client, uris: impl Iterator<Item = &str>) -> Result<Vec<Ref>, QueryError> {
    let uris: Vec<AtUri<'_>> = uris.filter_map(AtUri::parse).filter(|uri| Some(uri.collection) == Coll::POST.nsid()).collect();
    let dids: Vec<&str> = uris.iter().map(|uri| uri.did).collect();
    let authors: HashMap<String, i32> = account::ids(client, &dids).await?.into_iter().collect();
    let aliased = uris.iter().filter(|uri| uri.rkey.parse::<Tid>().is_err()).filter_map(|uri| {
        let author = *authors.get(uri.did)?;
        Some(Alias { author, coll: Coll::POST.number(), rkey: uri.rkey.into() })
    });
    let aliased: Vec<Alias> = aliased.collect();
    let keys: HashMap<Alias, i64> =
        if aliased.is_empty() { HashMap::new() } else { alias::ids(client, &aliased).await?.into_iter().collect() };
    let mut found = Vec::with_capacity(uris.len());
    for uri in uris {
        let Some(&author) = authors.get(uri.did) else { continue };
        let rkey = uri.rkey.parse::<Tid>().ok().map(Tid::value);
        let rkey = rkey.or_else(|| keys.get(&Alias { author, coll: Coll::POST.number(), rkey: uri.rkey.into() }).copied());
        let Some(rkey) = rkey else { continue };
        let place = Ref { rkey, author };
        if !found.contains(&place) {
            found.push(place);
        }
    }
    Ok(found)
}

/// The post that an address names, by DID or by handle; whether it is held or not.
///
/// # Errors
/// The database's.
pub async fn post(source: &Source, uri: &str) -> Result<Option<Ref>, QueryError> {
    let mut parts = uri.strip_prefix("at://").unwrap_or_default().splitn(3, '/');
    let (Some(owner), Some(coll), Some(rkey)) = (parts.next(), parts.next(), parts.next()) else { return Ok(None) };
    if Some(coll) != Coll::POST.nsid() {
        return Ok(None);
    }
    let Some(author) = known_account(source, owner).await? else { return Ok(None) };
    Ok(key(source, author, Coll::POST, rkey).await?.map(|rkey| Ref { rkey, author }))
}

/// The places of those of these addresses that are of records of `coll`, held or not; addresses of other things and names that were never
/// seen fall away.
///
/// # Errors
/// The database's.
pub async fn records<'a>(client: &Client, coll: Coll, uris: impl Iterator<Item = &'a str>) -> Result<HashMap<&'a str, Ref>, QueryError> {
    let of = |uri: &&str| AtUri::parse(uri).is_some_and(|uri| Some(uri.collection) == coll.nsid());
    Ok(paths(client, uris.filter(of)).await?.into_iter().map(|(uri, path)| (uri, path.at)).collect())
}

/// Where the records stand that these addresses name, held or not, of collections that the code numbers; other addresses and names that were
/// never seen fall away.
///
/// # Errors
/// The database's.
pub async fn paths<'a>(client: &Client, uris: impl Iterator<Item = &'a str>) -> Result<HashMap<&'a str, Path>, QueryError> {
    let parsed = uris.filter_map(|text| {
        let uri = AtUri::parse(text)?;
        Some((text, uri, Coll::from_nsid(uri.collection)?))
    });
    let uris: Vec<(&str, AtUri<'_>, Coll)> = parsed.collect();
    if uris.is_empty() {
        return Ok(HashMap::new());
    }
    let dids: Vec<&str> = uris.iter().map(|(_, uri, _)| uri.did).collect();
    let authors: HashMap<String, i32> = account::ids(client, &dids).await?.into_iter().collect();
    let alias = |author, coll: Coll, rkey: &str| Alias { author, coll: coll.number(), rkey: rkey.into() };
    let aliased = uris.iter().filter(|(_, uri, _)| uri.rkey.parse::<Tid>().is_err());
    let aliased: Vec<Alias> = aliased.filter_map(|(_, uri, coll)| Some(alias(*authors.get(uri.did)?, *coll, uri.rkey))).collect();
    let keys: HashMap<Alias, i64> =
        if aliased.is_empty() { HashMap::new() } else { alias::ids(client, &aliased).await?.into_iter().collect() };
    let paths = uris.into_iter().filter_map(|(text, uri, coll)| {
        let author = *authors.get(uri.did)?;
        let rkey = uri.rkey.parse::<Tid>().ok().map(Tid::value).or_else(|| keys.get(&alias(author, coll, uri.rkey)).copied())?;
        Some((text, Path { coll, at: Ref { rkey, author } }))
    });
    Ok(paths.collect())
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
