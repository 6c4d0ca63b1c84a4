//! Labels: what a labeler says becomes rows, together with how far its labels are applied, in one transaction that is durable when it is
//! told. Whether a label is the labeler's was judged before; what of its words counts is decided here (`words.rs`).
//!
//! Labels derive nothing: what follows from them is decided when a page is made.

pub(super) mod adopt;
mod words;

use std::collections::{BTreeSet, HashMap};

use self::words::{Play, play};
use super::names::{Known, Wanted};
use super::{Index, IndexError, begin};
use crate::atproto::label::Label;
use crate::atproto::{AtUri, Did, Position, Tid};
use crate::collection::{Coll, Ids as _, Key, Ref};
use crate::db::label::{self, Subject, Word};
use crate::db::labeler::{self, Labeler};
use crate::db::{Client, Transaction, lock};

/// What became of labels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Labelled {
    /// Words that count now.
    pub said: u64,
    /// Passed over: a later word on the same stands there.
    pub older: u64,
    /// Passed over: the labeler has too many words on the subject.
    pub too_many: u64,
}

/// What a label is about, by names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named<'a> {
    Account(&'a str),
    Record(Coll, AtUri<'a>),
    /// The one record of an account in a collection.
    Single(Coll, &'a str),
    Other(&'a str),
}

impl Index {
    /// All labelers of the database, with these among them as far as it takes more: each stands where its labels are applied up to.
    ///
    /// # Errors
    /// The database's.
    pub async fn labelers(&self, client: &mut Client, dids: &[Did]) -> Result<Vec<Labeler>, IndexError> {
        let held = labeler::all(client).await?;
        let missing: Vec<&Did> = dids.iter().filter(|did| held.iter().all(|labeler| labeler.did != did.as_str())).collect();
        if missing.is_empty() {
            return Ok(held);
        }
        let wanted = Wanted { dids: missing.iter().map(|did| did.as_str().into()).collect(), ..Wanted::default() };
        let known = self.names.of(client).await?.intern(client, &wanted).await?;
        let accounts: Vec<i32> = missing.iter().filter_map(|did| known.account(did.as_str())).collect();
        let tx = begin(client).await?;
        lock::commit_durably(&tx).await?;
        labeler::insert_missing(&tx, &accounts).await?;
        let labelers = labeler::all(&tx).await?;
        tx.commit().await?;
        Ok(labelers)
    }

    /// Applies what a labeler said after `labeler.at` and up to `new`, in the order in which it was said; durable when it returns.
    ///
    /// # Errors
    /// [`IndexError::Lost`]: the labeler stands elsewhere; [`IndexError::Stale`]: give the same again; else the database's.
    pub async fn label(&self, client: &mut Client, labeler: &Labeler, new: Position, labels: &[&Label]) -> Result<Labelled, IndexError> {
        let names = self.names.of(client).await?;
        names.adopt(client).await?;
        let said: Vec<(Named<'_>, &Label)> = labels.iter().map(|label| (named(&label.uri), *label)).collect();
        let known = names.intern(client, &wanted(said.iter().map(|(name, _)| *name))).await?;
        let tx = begin(client).await?;
        lock::commit_durably(&tx).await?;
        if !names.hold(&tx, known.keys().iter()).await? {
            return Err(IndexError::Stale);
        }
        if !labeler::compare_and_set(&tx, labeler.id, labeler.at, new).await? {
            return Err(IndexError::Lost);
        }
        let labelled = if said.is_empty() { Labelled::default() } else { write(&tx, labeler.id, &known, &said).await? };
        crate::telemetry::failpoint::hit("label.before_commit");
        tx.commit().await?;
        crate::telemetry::failpoint::hit("label.after_commit");
        Ok(labelled)
    }
}

fn named(uri: &str) -> Named<'_> {
    if Did::is_valid(uri) {
        return Named::Account(uri);
    }
    let Some((parts, coll)) = AtUri::parse(uri).and_then(|parts| Some((parts, Coll::from_nsid(parts.collection)?))) else {
        return Named::Other(uri);
    };
    match Subject::is_single(coll) {
        false => Named::Record(coll, parts),
        true if parts.rkey == "self" => Named::Single(coll, parts.did),
        true => Named::Other(uri),
    }
}

/// The names that rows need numbers for.
fn wanted<'a>(named: impl Iterator<Item = Named<'a>>) -> Wanted {
    let mut wanted = Wanted::default();
    for name in named {
        match name {
            Named::Account(did) | Named::Single(_, did) => drop(wanted.dids.insert(did.into())),
            Named::Record(_, uri) => {
                wanted.dids.insert(uri.did.into());
                if uri.rkey.parse::<Tid>().is_err() {
                    wanted.keys.insert((uri.did.into(), uri.collection.into(), uri.rkey.into()));
                }
            }
            Named::Other(_) => {}
        }
    }
    wanted
}

/// Writes the words that count.
async fn write(tx: &Transaction<'_>, labeler: i16, known: &Known, named: &[(Named<'_>, &Label)]) -> Result<Labelled, IndexError> {
    let vals: BTreeSet<&str> = named.iter().map(|(_, label)| &*label.val).collect();
    let vals = values(tx, &vals.into_iter().collect::<Vec<_>>()).await?;
    let others = named.iter().filter_map(|(name, _)| if let Named::Other(uri) = name { Some(*uri) } else { None });
    let uris = uris(tx, &others.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()).await?;
    let mut said = Vec::with_capacity(named.len());
    for (name, label) in named {
        let (Some(subject), Some(val)) = (subject(*name, known, &uris), vals.get(&*label.val)) else {
            return Err(IndexError::Other(format!("no number was given to the subject or the value of a label of {}", label.uri)));
        };
        let key = label::Key { subject, val: *val, cid: label.cid };
        said.push((key, Word { cts: label.cts, exp: label.exp, neg: label.neg }));
    }
    let subjects: BTreeSet<Subject> = said.iter().map(|(key, _)| key.subject).collect();
    let held = label::held(tx, labeler, &subjects.into_iter().collect::<Vec<_>>()).await?;
    let Play { changed, labelled } = play(held, said);
    if !changed.is_empty() {
        label::put(tx, labeler, &changed).await?;
    }
    Ok(labelled)
}

fn subject(name: Named<'_>, known: &Known, uris: &HashMap<String, i64>) -> Option<Subject> {
    Some(match name {
        Named::Account(did) => Subject::account(known.account(did)?),
        Named::Single(coll, did) => Subject::single(coll, known.account(did)?),
        Named::Other(uri) => Subject::uri(*uris.get(uri)?),
        Named::Record(coll, uri) => {
            let tid = uri.rkey.parse::<Tid>().ok().map(Tid::value);
            let rkey = tid.or_else(|| known.key(&Key { did: uri.did, coll, rkey: uri.rkey }))?;
            Subject::record(coll, Ref { rkey, author: known.account(uri.did)? })
        }
    })
}

/// The numbers of values, those that had none included: nobody else gives any while the lock is held.
async fn values(tx: &Transaction<'_>, vals: &[&str]) -> Result<HashMap<String, i32>, IndexError> {
    let mut found: HashMap<String, i32> = label::values(tx, vals).await?.into_iter().collect();
    let missing: Vec<&str> = vals.iter().copied().filter(|val| !found.contains_key(*val)).collect();
    if !missing.is_empty() {
        found.extend(label::add_values(tx, &missing).await?);
    }
    Ok(found)
}

/// The same for addresses.
async fn uris(tx: &Transaction<'_>, uris: &[&str]) -> Result<HashMap<String, i64>, IndexError> {
    if uris.is_empty() {
        return Ok(HashMap::new());
    }
    let mut found: HashMap<String, i64> = label::uris(tx, uris).await?.into_iter().collect();
    let missing: Vec<&str> = uris.iter().copied().filter(|uri| !found.contains_key(*uri)).collect();
    if !missing.is_empty() {
        found.extend(label::add_uris(tx, &missing).await?);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_accounts_records_or_neither() {
        let post = "at://did:plc:a/app.bsky.feed.post/3jzfcijpj2z2b";
        assert_eq!(named("did:plc:a"), Named::Account("did:plc:a"));
        assert_eq!(named(post), Named::Record(Coll::POST, AtUri::parse(post).unwrap()));
        assert_eq!(named("at://did:plc:a/app.bsky.actor.profile/self"), Named::Single(Coll::PROFILE, "did:plc:a"));
        for other in [
            "at://did:plc:a",
            "at://did:plc:a/app.bsky.actor.profile/other",
            "at://did:plc:a/com.example.thing/x",
            "at://alice.example/app.bsky.feed.post/3jzfcijpj2z2b",
            "https://example.com/",
        ] {
            assert_eq!(named(other), Named::Other(other));
        }
    }
}
