//! Dead letters once more: outside the rev gate, and only while the letter is there, since every later op on its path takes it away.

use std::sync::Arc;

use super::item::{Body, Item, RecordOp, Verdict};
use super::names::Names;
use super::{Batch, Index, IndexError, begin, settled, write};
use crate::atproto::Cid;
use crate::db::Client;
use crate::db::alias::Alias;
use crate::db::dead_letter::{self, Filter, Stored};
use crate::queue::{self, Action, Event, Position};

/// Letters that are read and applied together; each may hold a record of 1 MB.
const CHUNK: i64 = 50;

/// What a replay came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Indexed now.
    pub applied: u64,
    /// Refused again: the letter stays, with its newest reason.
    pub kept: u64,
    /// Gone in the meantime: a later op has replaced the letter, or its account is deleted.
    pub gone: u64,
}

impl Index {
    /// Applies the dead letters that `filter` takes.
    ///
    /// # Errors
    /// The database's; what was replayed until then stays so, and replaying again is always right.
    pub async fn replay(&self, client: &mut Client, filter: &Filter) -> Result<Replayed, IndexError> {
        let (mut done, mut after) = (Replayed::default(), 0);
        loop {
            let letters = dead_letter::list(client, filter, after, CHUNK).await?;
            let Some(last) = letters.last() else { return Ok(done) };
            match self.replay_chunk(client, &letters, &mut done).await {
                Ok(()) => after = last.id,
                // A key's id is gone: the letters that are left are read and prepared again.
                Err(IndexError::Stale) => {}
                Err(other) => return Err(other),
            }
        }
    }

    async fn replay_chunk(&self, client: &mut Client, letters: &[Stored], done: &mut Replayed) -> Result<(), IndexError> {
        let events = letters.iter().map(event).collect::<Result<Vec<_>, _>>()?;
        let batch = Batch { source: Arc::from(""), part: 0, old: Position::LIVE, new: Position::LIVE, events };
        let prepared = self.prepare(client, batch).await?;
        let names = self.names.of(client).await?;
        let pairs: Vec<_> = letters.iter().zip(&prepared.items).collect();
        let mut left = vec![&*pairs];
        while let Some(asked) = left.pop() {
            match transact(client, (&names, &prepared.keys), asked, done).await {
                Ok(()) => {}
                Err(error) => match (error.sql_state_of_data(), asked) {
                    (None, _) => return Err(error),
                    (Some(state), [(letter, _)]) => {
                        dead_letter::set_reason(client, letter.id, &format!("SQLSTATE {state}")).await?;
                        done.kept += 1;
                    }
                    (Some(_), _) => {
                        let (first, second) = asked.split_at(asked.len() / 2);
                        left.extend([second, first]);
                    }
                },
            }
        }
        Ok(())
    }
}

/// The letter as the commit that it came with.
fn event(stored: &Stored) -> Result<Event, IndexError> {
    let broken = |what: &str| IndexError::Other(format!("dead letter {} has no valid {what}", stored.id));
    let letter = &stored.letter;
    let op = queue::Op {
        action: match letter.action.as_str() {
            "create" => Action::Create,
            "update" => Action::Update,
            "delete" => Action::Delete,
            _ => return Err(broken("action")),
        },
        collection: letter.coll.parse().map_err(|_| broken("collection"))?,
        rkey: letter.rkey.parse().map_err(|_| broken("record key"))?,
        cid: letter.cid,
        prev: None,
        record: letter.record.clone(),
    };
    let unused = Cid::dag_cbor(b"");
    let commit = queue::Commit {
        rev: letter.rev,
        since: None,
        prev_data: None,
        data: unused,
        commit: unused,
        block: None,
        fault: None,
        ops: vec![op],
    };
    let did = stored.did.parse().map_err(|_| broken("DID"))?;
    Ok(Event { seq: letter.seq, time: letter.time, did: Some(did), body: queue::Body::Commit(commit) })
}

/// `keys`: the record keys of the items that are no TID, and what remembers them.
async fn transact(
    client: &mut Client,
    (names, keys): (&Names, &[(Alias, i64)]),
    asked: &[(&Stored, &Item)],
    done: &mut Replayed,
) -> Result<(), IndexError> {
    let tx = begin(client).await?;
    if !names.hold(&tx, keys.iter()).await? {
        return Err(IndexError::Stale);
    }
    let ids: Vec<i64> = asked.iter().map(|(letter, _)| letter.id).collect();
    let still = dead_letter::still(&tx, &ids).await?;
    let items: Vec<&Item> = asked.iter().map(|(_, item)| *item).collect();
    let mut world = settled::read(&tx, &items, false).await?;
    let mut now = Replayed::default();
    for (letter, item) in asked {
        let account = letter.letter.account;
        // What is left of a deleted account is about to go.
        let ended = world.repos.is_deleted(account) || world.repos.is_purged(account);
        let Some(op) = op(item).filter(|_| still.contains(&letter.id) && !ended) else {
            now.gone += 1;
            continue;
        };
        if let Some(reason) = reason_to_keep(op) {
            dead_letter::set_reason(&tx, letter.id, reason).await?;
            now.kept += 1;
        } else {
            world.perform(account, op, item.time)?;
            world.settle_arrivals(item.time);
            now.applied += 1;
        }
    }
    write::all(&tx, &world, &[]).await?;
    tx.commit().await?;
    done.applied += now.applied;
    done.kept += now.kept;
    done.gone += now.gone;
    Ok(())
}

fn op(item: &Item) -> Option<&RecordOp> {
    match &item.body {
        Body::Commit(commit) => commit.ops.first(),
        _ => None,
    }
}

fn reason_to_keep(op: &RecordOp) -> Option<&str> {
    match &op.verdict {
        Verdict::Put(..) | Verdict::Delete(_) => None,
        Verdict::Dead(_, reason) => Some(reason),
        Verdict::Ignored => Some("the collection is not indexed"),
    }
}
