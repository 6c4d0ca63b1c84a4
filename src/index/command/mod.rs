//! Commands: what people and operators write through the API, each applied once, by its id. One file a command.
//!
//! Under the lock of applying, in one transaction with the commands' outcomes, and durable before anybody is told. A command that can never
//! be applied is refused, with words for its caller; it never stands in the way of the others.

mod changes;
mod mute_actor;
mod mute_list;
mod mute_thread;
mod resolve;
mod takedown;
mod trust_verifier;
mod update_seen;

use std::collections::{BTreeSet, HashSet};

use self::changes::World;
use self::resolve::{Play, Resolver};
use super::names::{Known, Names, Wanted};
use super::{Index, IndexError, begin};
use crate::atproto::Tid;
use crate::collection::{Coll, Ids as _};
use crate::db::alias::Alias;
use crate::db::repo::{self, Status};
use crate::db::{Client, Transaction, command, lock};
use crate::queue::command::{Body, CommandError, Outcome, RecordUri, Refusal};
use crate::queue::{Command, CommandEntry, CommandId};

/// Seconds for which a command is known by its id: who repeats one does so within minutes.
const KEPT: f64 = 86_400.0;
/// An older command, in microseconds, is not applied: it may have been, and be forgotten. Half of [`KEPT`], for clocks that differ.
const EXPIRED: i64 = 12 * 3600 * 1_000_000;
/// Outcomes that one transaction forgets at most.
const FORGOTTEN: i64 = 5000;

/// What became of commands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Commanded {
    pub done: u64,
    /// Passed over: their outcomes stood already.
    pub known: u64,
    pub refused: u64,
}

/// A command that was read, or why its caller is refused.
struct Given<'a> {
    id: CommandId,
    command: Result<&'a Command, Refusal>,
}

impl Index {
    /// Applies commands in the order in which they wait; when it returns, their outcomes are durable. Those without an id have no outcome.
    ///
    /// # Errors
    /// The database's, and [`IndexError::Stale`]; giving the same commands again is always right.
    pub async fn command(&self, client: &mut Client, entries: &[CommandEntry]) -> Result<Commanded, IndexError> {
        let mut met = HashSet::new();
        let readable = entries.iter().filter_map(|entry| Some(Given::of(entry.id?, &entry.command)));
        let (given, doubled): (Vec<Given<'_>>, Vec<_>) = readable.partition(|given| met.insert(given.id));
        if given.is_empty() {
            return Ok(Commanded::default());
        }
        let names = self.names.of(client).await?;
        names.adopt(client).await?;
        let known = names.intern(client, &wanted(&given)).await?;
        let keys = known.keys();
        let mut commanded = Commanded { known: count(doubled.len()), ..Commanded::default() };
        let mut left = vec![given];
        while let Some(mut asked) = left.pop() {
            match transact(client, (&names, &keys), &known, &asked).await {
                Ok(more) => commanded += more,
                Err(error) if error.sql_state_of_data().is_some() && asked.len() > 1 => {
                    let second = asked.split_off(asked.len() / 2);
                    left.extend([second, asked]);
                }
                Err(error) => commanded += give_up(client, (&names, &keys), &known, asked, error).await?,
            }
        }
        Ok(commanded)
    }

    /// Forgets up to 5,000 outcomes that nobody will ask for any more; how many that were.
    ///
    /// # Errors
    /// The database's.
    pub async fn forget_commands(&self, client: &Client) -> Result<u64, IndexError> {
        Ok(command::forget(client, KEPT, FORGOTTEN).await?)
    }
}

impl<'a> Given<'a> {
    fn of(id: CommandId, command: &'a Result<Command, CommandError>) -> Self {
        let refuse = |error: &CommandError| match error {
            CommandError::Version(_) => Refusal { error: "MethodNotImplemented".to_owned(), message: "Method Not Implemented".to_owned() },
            CommandError::Malformed(_) | CommandError::TooLong(_) => Refusal::invalid("The command could not be read"),
        };
        Self { id, command: command.as_ref().map_err(refuse) }
    }
}

/// The names that the commands' rows need numbers for.
fn wanted(given: &[Given<'_>]) -> Wanted {
    let mut wanted = Wanted::default();
    for body in given.iter().filter_map(|given| given.command.as_ref().ok()).map(|command| &command.body) {
        let dids = [body.account(), body.subject()].into_iter().flatten();
        wanted.dids.extend(dids.map(|did| did.as_str().into()));
        let Some(uri) = body.record().and_then(RecordUri::parts) else { continue };
        wanted.dids.insert(uri.did.into());
        if Coll::from_nsid(uri.collection).is_none() {
            wanted.collections.insert(uri.collection.into());
        }
        if uri.rkey.parse::<Tid>().is_err() {
            wanted.keys.insert((uri.did.into(), uri.collection.into(), uri.rkey.into()));
        }
    }
    wanted
}

/// Refuses the one command that the database does not take; every other failure is the caller's.
async fn give_up(
    client: &mut Client,
    keys: (&Names, &[(Alias, i64)]),
    known: &Known,
    mut asked: Vec<Given<'_>>,
    error: IndexError,
) -> Result<Commanded, IndexError> {
    let Some(state) = error.sql_state_of_data().map(ToOwned::to_owned) else { return Err(error) };
    for given in &mut asked {
        tracing::error!(id = %given.id, state, "the database refuses a command");
        given.command = Err(Refusal { error: "InternalServerError".to_owned(), message: "Internal Server Error".to_owned() });
    }
    transact(client, keys, known, &asked).await
}

async fn transact(
    client: &mut Client,
    (names, keys): (&Names, &[(Alias, i64)]),
    known: &Known,
    asked: &[Given<'_>],
) -> Result<Commanded, IndexError> {
    let tx = begin(client).await?;
    lock::commit_durably(&tx).await?;
    if !names.hold(&tx, keys.iter()).await? {
        return Err(IndexError::Stale);
    }
    let resolver = Resolver { known, deleted: deleted(&tx, known, asked).await? };
    let oldest = command::now(&tx).await? - EXPIRED;
    let mut plays: Vec<(CommandId, Result<Play, Refusal>)> =
        asked.iter().map(|given| (given.id, given.command.clone().and_then(|command| play(&resolver, command, oldest)))).collect();
    let new = insert(&tx, &plays).await?;
    plays.retain(|(id, _)| new.contains(id));
    let mut commanded = Commanded { known: count(asked.len() - plays.len()), ..Commanded::default() };
    let mut world = World::default();
    for (_, play) in plays {
        match play {
            Ok(play) => {
                play(&mut world);
                commanded.done += 1;
            }
            Err(_) => commanded.refused += 1,
        }
    }
    world.write(&tx).await?;
    crate::telemetry::failpoint::hit("command.before_commit");
    tx.commit().await?;
    crate::telemetry::failpoint::hit("command.after_commit");
    Ok(commanded)
}

/// Notes the outcomes; those of which ids are new.
async fn insert(tx: &Transaction<'_>, plays: &[(CommandId, Result<Play, Refusal>)]) -> Result<BTreeSet<CommandId>, IndexError> {
    let outcome = |play: &Result<Play, Refusal>| match play {
        Ok(_) => Outcome::Done,
        Err(refusal) => Outcome::Refused(refusal.clone()),
    };
    let mut outcomes: Vec<(&[u8], String)> = plays.iter().map(|(id, play)| (id.0.as_slice(), outcome(play).to_json())).collect();
    outcomes.sort_unstable();
    let new = command::insert(tx, &outcomes).await?;
    Ok(new.into_iter().filter_map(|id| id.try_into().ok().map(CommandId)).collect())
}

/// What the command does, in numbers.
fn play(resolver: &Resolver<'_>, command: &Command, oldest: i64) -> Result<Play, Refusal> {
    if command.time < oldest {
        return Err(Refusal::invalid("The request is too old"));
    }
    let time = command.time;
    match &command.body {
        Body::MuteActor { account, subject, only_reposts, only_quoteposts } => {
            mute_actor::mute(resolver, time, (account, subject), (*only_reposts, *only_quoteposts))
        }
        Body::UnmuteActor { account, subject } => mute_actor::unmute(resolver, account, subject),
        Body::MuteActorList { account, list } => mute_list::mute(resolver, time, account, list),
        Body::UnmuteActorList { account, list } => mute_list::unmute(resolver, account, list),
        Body::MuteThread { account, root } => mute_thread::mute(resolver, time, account, root),
        Body::UnmuteThread { account, root } => mute_thread::unmute(resolver, account, root),
        Body::UpdateSeen { account, seen_at } => update_seen::mark(resolver, account, *seen_at),
        Body::Takedown { subject, applied: true, reference } => takedown::take_down(resolver, time, subject, reference.as_deref()),
        Body::Takedown { subject, applied: false, .. } => takedown::restore(resolver, subject),
        Body::TrustVerifier { verifier, trusted: true } => trust_verifier::trust(resolver, time, verifier),
        Body::TrustVerifier { verifier, trusted: false } => trust_verifier::distrust(resolver, verifier),
    }
}

/// Those of the commands' accounts that are deleted: nothing of theirs is kept any more.
async fn deleted(tx: &Transaction<'_>, known: &Known, asked: &[Given<'_>]) -> Result<HashSet<i32>, IndexError> {
    let commands = asked.iter().filter_map(|given| given.command.as_ref().ok());
    let accounts: BTreeSet<i32> = commands.filter_map(|command| known.account(command.body.account()?.as_str())).collect();
    let accounts: Vec<i32> = accounts.into_iter().collect();
    let repos = if accounts.is_empty() { Vec::new() } else { repo::of(tx, &accounts).await? };
    Ok(repos.into_iter().filter(|(_, repo)| repo.status == Status::Deleted).map(|(account, _)| account).collect())
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

impl std::ops::AddAssign for Commanded {
    fn add_assign(&mut self, other: Self) {
        self.done += other.done;
        self.known += other.known;
        self.refused += other.refused;
    }
}
