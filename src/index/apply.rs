//! One transaction over prepared batches, and what to do where the database refuses a record. Never holds the lock without a transaction.

use tokio_postgres::IsolationLevel;

use super::item::Body;
use super::names::Names;
use super::simulate::{Refusal, Refused, World};
use super::write::{self, Sourced};
use super::{Applied, IndexError, Prepared, Purging, Waiting, settled};
use crate::db::offset::Move;
use crate::db::{Client, lock, offset};
use crate::queue::Position;
use crate::telemetry::failpoint;

/// Successive events of one batch, with their own move of the offset.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    prepared: &'a Prepared,
    from: usize,
    to: usize,
    old: Position,
    new: Position,
}

/// Where a part has an event that cannot be applied before an account's purge is complete.
#[derive(Clone, Copy)]
struct Wait {
    part: usize,
    number: usize,
    account: i32,
}

/// What a transaction came to.
enum Outcome {
    Applied(Applied),
    /// Rolled back.
    Waits(Vec<Wait>),
}

/// How a transaction ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Commit,
    /// Rolled back: only whether the database takes it was asked.
    Probe,
}

impl<'a> Part<'a> {
    pub fn whole(prepared: &'a Prepared) -> Self {
        Self { prepared, from: 0, to: prepared.items.len(), old: prepared.old, new: prepared.new }
    }

    fn items(&self) -> impl Iterator<Item = (usize, Sourced<'a>)> + use<'a> {
        let (source, part) = (&*self.prepared.source, self.prepared.part);
        let items = self.prepared.items.iter().enumerate().take(self.to).skip(self.from);
        items.map(move |(number, item)| (number, Sourced { source, part, item }))
    }

    fn at(&self, number: usize) -> Option<Position> {
        self.prepared.items.get(number).map(|item| item.at)
    }

    /// Whether the part may be cut before this event: events of one position are applied together.
    fn splits(&self, number: usize) -> bool {
        self.at(number - 1).zip(self.at(number)).is_some_and(|(before, after)| before < after)
    }

    /// Two parts of about the same number of events.
    fn halve(self) -> Option<(Self, Self)> {
        let middle = self.from + (self.to - self.from) / 2;
        let cut = (self.from + 1..self.to).filter(|number| self.splits(*number)).min_by_key(|number| number.abs_diff(middle))?;
        let between = self.at(cut - 1)?;
        Some((Self { to: cut, new: between, ..self }, Self { from: cut, old: between, ..self }))
    }

    /// What can be applied without this event and those after it.
    fn before(self, number: usize) -> Option<Self> {
        let cut = (self.from + 1..=number).rev().find(|number| self.splits(*number))?;
        Some(Self { to: cut, new: self.at(cut - 1)?, ..self })
    }

    /// The ops that the database may be asked about one by one.
    fn ops(&self) -> Vec<(usize, usize)> {
        let of_item = |(number, Sourced { item, .. }): (usize, Sourced<'a>)| match &item.body {
            Body::Commit(commit) => (0..commit.ops.len()).map(move |op| (number, op)).collect(),
            _ => Vec::new(),
        };
        self.items().flat_map(of_item).collect()
    }
}

/// Applies the parts in one transaction; where the database refuses a record, in more and more, until it stands alone. Parts with a commit
/// that waits for a purge are applied up to it.
pub(super) async fn all(client: &mut Client, names: &Names, parts: Vec<Part<'_>>) -> Result<Applied, IndexError> {
    let (mut applied, mut waiting) = (Applied::default(), Vec::new());
    let mut left = vec![parts];
    while let Some(parts) = left.pop() {
        match transact(client, names, &parts, &Refused::new(), End::Commit).await {
            Ok(Outcome::Applied(more)) => applied += more,
            Ok(Outcome::Waits(waits)) => left.extend(Some(cut(&parts, &waits, &mut waiting)).filter(|parts| !parts.is_empty())),
            Err(refusal) if refusal.sql_state_of_data().is_some() => match (halve(&parts), &*parts) {
                (Some((first, second)), _) => left.extend([second, first]),
                (None, [part]) => {
                    let refused = culprits(client, names, *part, refusal).await?;
                    match transact(client, names, &parts, &refused, End::Commit).await? {
                        Outcome::Applied(more) => applied += more,
                        Outcome::Waits(_) => left.push(parts),
                    }
                }
                (None, _) => return Err(refusal),
            },
            Err(other) => return Err(other),
        }
    }
    if waiting.is_empty() { Ok(applied) } else { Err(IndexError::Purging(Box::new(Purging { applied, waiting }))) }
}

/// The parts up to where they wait; where that is goes into `waiting`.
fn cut<'a>(parts: &[Part<'a>], waits: &[Wait], waiting: &mut Vec<Waiting>) -> Vec<Part<'a>> {
    let mut left = Vec::with_capacity(parts.len());
    for (place, part) in parts.iter().enumerate() {
        let Some(wait) = waits.iter().find(|wait| wait.part == place) else {
            left.push(*part);
            continue;
        };
        let before = part.before(wait.number);
        let (source, reached) = (part.prepared.source.clone(), before.map_or(part.old, |before| before.new));
        waiting.push(Waiting { source, part: part.prepared.part, reached, account: wait.account });
        left.extend(before);
    }
    left
}

fn halve<'a>(parts: &[Part<'a>]) -> Option<(Vec<Part<'a>>, Vec<Part<'a>>)> {
    if let [part] = parts {
        return part.halve().map(|(first, second)| (vec![first], vec![second]));
    }
    let (first, second) = parts.split_at(parts.len() / 2);
    (!first.is_empty()).then(|| (first.to_vec(), second.to_vec()))
}

/// The ops of `part` that the database refuses, each with its SQLSTATE; found by halving, with the others left out, and rolled back.
async fn culprits(client: &mut Client, names: &Names, part: Part<'_>, refusal: IndexError) -> Result<Refused, IndexError> {
    let ops = part.ops();
    let without =
        |left_in: &[(usize, usize)]| -> Refused { ops.iter().filter(|op| !left_in.contains(op)).map(|op| (*op, Refusal::Skip)).collect() };
    // Refused even without any op: none of them is to blame.
    transact(client, names, &[part], &without(&[]), End::Probe).await?;
    let mut refused = Refused::new();
    let mut left = vec![&*ops];
    while let Some(asked) = left.pop() {
        let Err(error) = transact(client, names, &[part], &without(asked), End::Probe).await else { continue };
        let Some(state) = error.sql_state_of_data() else { return Err(error) };
        match asked {
            [op] => drop(refused.insert(*op, Refusal::Dead(format!("SQLSTATE {state}")))),
            _ => left.extend(<[_; 2]>::from(asked.split_at(asked.len() / 2))),
        }
    }
    if refused.is_empty() { Err(refusal) } else { Ok(refused) }
}

async fn transact(client: &mut Client, names: &Names, parts: &[Part<'_>], refused: &Refused, end: End) -> Result<Outcome, IndexError> {
    let tx = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).start().await?;
    lock::apply(&tx).await?;
    if parts.iter().any(|part| part.old.is_live()) {
        lock::commit_durably(&tx).await?;
    }
    let moves: Vec<Move<'_>> =
        parts.iter().map(|part| Move { source: &part.prepared.source, part: part.prepared.part, old: part.old, new: part.new }).collect();
    if offset::compare_and_set(&tx, &moves).await? != u64::try_from(moves.len()).unwrap_or(u64::MAX) {
        tx.rollback().await?;
        return Err(IndexError::Lost);
    }
    if !names.hold(&tx, parts.iter().flat_map(|part| &part.prepared.keys)).await? {
        tx.rollback().await?;
        return Err(IndexError::Stale);
    }
    let numbered: Vec<_> = parts.iter().flat_map(Part::items).collect();
    let items: Vec<_> = numbered.iter().map(|(_, sourced)| sourced.item).collect();
    let mut world = settled::read(&tx, &items, !refused.is_empty()).await?;
    let waits = play(&mut world, parts, refused)?;
    if !waits.is_empty() {
        tx.rollback().await?;
        return Ok(Outcome::Waits(waits));
    }
    let sourced: Vec<_> = numbered.iter().map(|(_, sourced)| *sourced).collect();
    let written = write::all(&tx, &world, &sourced).await;
    let applied = world.outcome();
    if end == End::Probe || written.is_err() {
        tx.rollback().await?;
        written?;
        return Ok(Outcome::Applied(applied));
    }
    failpoint::hit("worker.before_commit");
    tx.commit().await?;
    Ok(Outcome::Applied(applied))
}

/// Plays the parts, each up to where it waits.
fn play<'a>(world: &mut World<'a>, parts: &[Part<'a>], refused: &Refused) -> Result<Vec<Wait>, IndexError> {
    let mut waits = Vec::new();
    for (part, items) in parts.iter().map(Part::items).enumerate() {
        for (number, Sourced { item, .. }) in items {
            if let Some(account) = world.waits_for(item) {
                waits.push(Wait { part, number, account });
                break;
            }
            world.play(item, number, refused)?;
        }
    }
    Ok(waits)
}
