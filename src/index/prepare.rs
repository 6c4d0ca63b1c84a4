//! From events to items, in two passes with the interning in between: `survey` judges records and gathers names, `build` makes rows.
//! Both are pure and CPU-bound; neither knows what is held.

use super::item::{Body, Commit, Item, RecordOp, Row, Verdict};
use super::names::{Known, Wanted};
use super::{Batch, IndexError};
use crate::atproto::{Did, Tid};
use crate::collection::{self, Coll, Ids, Key, MAX_UNPACKED, Names, Place, Ref, search};
use crate::db::record::Path;
use crate::db::{post, repo};
use crate::lexicon;
use crate::queue::event::{self, Op};
use crate::queue::{Action, Event, Position};

/// Longest reason that is kept, in bytes.
const MAX_REASON: usize = 1024;
/// Most of a rejected or unreadable frame that is kept, in bytes.
const MAX_FRAME: usize = 64 * 1024;
/// Longest handle (DNS) in bytes; a longer text is no handle and is passed over.
const MAX_HANDLE: usize = 253;

/// What the records of a batch were found to be: a reason for each op whose record cannot be indexed, by event and op.
type Faults = Vec<Vec<Option<String>>>;

/// A batch whose records are judged.
pub(super) struct Surveyed {
    batch: Batch,
    faults: Faults,
    pub wanted: Wanted,
}

/// Judges every record and gathers every name.
pub(super) fn survey(batch: Batch, other_collections: bool) -> Surveyed {
    let mut wanted = Wanted::default();
    let faults = batch.events.iter().map(|event| survey_event(event, other_collections, &mut wanted)).collect();
    Surveyed { batch, faults, wanted }
}

fn survey_event(event: &Event, other_collections: bool, wanted: &mut Wanted) -> Vec<Option<String>> {
    let Some(did) = &event.did else { return Vec::new() };
    wanted.dids.insert(did.as_str().into());
    let event::Body::Commit(commit) = &event.body else { return Vec::new() };
    commit.ops.iter().map(|op| survey_op(did, op, other_collections, wanted)).collect()
}

fn survey_op(did: &Did, op: &Op, other_collections: bool, wanted: &mut Wanted) -> Option<String> {
    let nsid = op.collection.as_str();
    let coll = Coll::from_nsid(nsid);
    if coll.is_none() {
        if !other_collections {
            return None;
        }
        wanted.collections.insert(nsid.into());
    }
    if op.rkey.tid().is_none() {
        wanted.keys.insert((did.as_str().into(), nsid.into(), op.rkey.as_str().into()));
    }
    if op.action == Action::Delete {
        return None;
    }
    let fault = judge(op);
    if let (None, Some(coll)) = (&fault, coll) {
        let mut names = Names::default();
        collection::names(coll, &op.record, &mut names);
        wanted.dids.extend(names.dids.into_iter().map(Into::into));
        let key = |key: Key<'_>| Some((key.did.into(), key.coll.nsid()?.into(), key.rkey.into()));
        wanted.keys.extend(names.keys.into_iter().filter_map(key));
    }
    fault
}

/// Why a record cannot be indexed. Collections without a schema are kept as they are.
fn judge(op: &Op) -> Option<String> {
    if op.record.len() > MAX_UNPACKED {
        return Some(format!("a record of {} bytes", op.record.len()));
    }
    let schemas = lexicon::embedded();
    let nsid = op.collection.as_str();
    let verdict = if schemas.has_record(nsid) { schemas.validate_record(nsid, op.rkey.as_str(), &op.record) } else { Ok(()) };
    verdict.err().map(|invalid| clean(&format!("lexicon: {invalid}"), MAX_REASON))
}

/// Builds the rows, all of whose names are `known`.
pub(super) fn build(surveyed: Surveyed, known: &Known) -> Result<(Batch, Vec<Item>), IndexError> {
    let Surveyed { mut batch, faults, .. } = surveyed;
    let mut epoch = first_epoch(&batch);
    let mut items = Vec::with_capacity(batch.events.len());
    for (event, faults) in std::mem::take(&mut batch.events).into_iter().zip(faults) {
        if let event::Body::Gap { to, .. } = &event.body {
            epoch = to.epoch;
        }
        items.push(build_item(event, epoch, faults, known)?);
    }
    Ok((batch, items))
}

/// Events carry no epoch: only a gap changes it, and the batch ends in the epoch of its last event.
fn first_epoch(batch: &Batch) -> i64 {
    let changes = batch.events.iter().any(|event| matches!(event.body, event::Body::Gap { .. }));
    if changes { batch.old.epoch } else { batch.new.epoch }
}

fn build_item(event: Event, epoch: i64, faults: Vec<Option<String>>, known: &Known) -> Result<Item, IndexError> {
    let account = match &event.did {
        Some(did) => Some(known.account(did.as_str()).ok_or_else(|| IndexError::Other(format!("{did} was not interned")))?),
        None => None,
    };
    let body = match event.body {
        event::Body::Commit(commit) => {
            let did = event.did.as_ref().zip(account);
            let ops = commit.ops.into_iter().zip(faults).map(|(op, fault)| build_op(did, event.time, op, fault, known));
            Body::Commit(Commit {
                rev: commit.rev,
                since: commit.since,
                prev_data: commit.prev_data,
                data: commit.data,
                fault: commit.fault.map(|fault| clean(&fault, MAX_REASON)),
                ops: ops.collect::<Result<_, _>>()?,
            })
        }
        event::Body::Sync { rev, data, .. } => Body::Sync { rev, data },
        event::Body::Identity { handle } => {
            Body::Identity { handle: handle.filter(|handle| handle.len() <= MAX_HANDLE && !handle.contains('\0')) }
        }
        event::Body::Account { active, status } => Body::Account { status: repo::Status::of(active, status.as_deref()) },
        event::Body::Gap { from, to } => Body::Gap { from, to },
        event::Body::Reject { reason, frame } => {
            Body::Reject { reason: clean(&reason, MAX_REASON), frame: frame.slice(..frame.len().min(MAX_FRAME)) }
        }
        event::Body::Unreadable { reason, frame } => {
            Body::Unreadable { reason: clean(&reason, MAX_REASON), frame: frame.slice(..frame.len().min(MAX_FRAME)) }
        }
    };
    Ok(Item { at: Position::new(epoch, event.seq), time: event.time, account, body })
}

fn build_op(repo: Option<(&Did, i32)>, time: i64, op: Op, fault: Option<String>, known: &Known) -> Result<RecordOp, IndexError> {
    let verdict = match repo.zip(known.collection(op.collection.as_str())) {
        None => Verdict::Ignored,
        Some(((did, author), coll)) => {
            let key = Key { did: did.as_str(), coll, rkey: op.rkey.as_str() };
            let rkey = op.rkey.tid().map(Tid::value).or_else(|| known.key(&key));
            let rkey = rkey.ok_or_else(|| IndexError::Other(format!("key {} of {did} was not interned", op.rkey)))?;
            let path = Path { coll, at: Ref { rkey, author } };
            match fault {
                Some(reason) => Verdict::Dead(path, reason),
                None if op.action == Action::Delete => Verdict::Delete(path),
                None => Verdict::Put(path, row(path, time, &op.record, known)?),
            }
        }
    };
    Ok(RecordOp { action: op.action, collection: op.collection, rkey: op.rkey, cid: op.cid, record: op.record, verdict })
}

fn row(path: Path, time: i64, record: &[u8], known: &Known) -> Result<Row, IndexError> {
    let place = Place { coll: path.coll, author: path.at.author, rkey: path.at.rkey, indexed_at: time };
    let built = collection::rows(place, record, known).map_err(|e| IndexError::Other(e.to_string()))?;
    let pack = || collection::pack(record).map_err(|e| IndexError::Other(e.to_string()));
    match built {
        collection::Row::Edge { kind, edge, cid } => Ok(Row::Edge { kind, edge, cid, raw: edge.is_raw().then(pack).transpose()? }),
        collection::Row::Post(post) => {
            let tokens = search::of_post(&post, record);
            Ok(Row::Post(post::Stored { post: *post, record: pack()?, tokens }))
        }
        collection::Row::Whole(derived) => Ok(Row::Whole { packed: pack()?, derived }),
    }
}

/// Text that PostgreSQL takes: without U+0000, at most `most` bytes.
pub(super) fn clean(text: &str, most: usize) -> String {
    let mut clean: String = text.chars().filter(|c| *c != '\0').collect();
    let end = (0..=most.min(clean.len())).rev().find(|at| clean.is_char_boundary(*at)).unwrap_or(0);
    clean.truncate(end);
    clean
}
