//! A client of the durable path from the API to the worker, over the servers of a worker's rig.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use appviewd::api::commands::{Commands, DEADLINE, SubmitError};
use appviewd::config::database::Database;
use appviewd::db::pool::Pools;
use appviewd::query::Store;
use appviewd::queue::command::{Body, Subject};
use appviewd::queue::{Command, CommandId, Queue};
use appviewd::telemetry::Telemetry;
use tokio_util::task::AbortOnDropHandle;

use crate::support::postgres::Postgres;
use crate::worker::rig::Rig;

pub const ALICE: &str = "did:plc:aliceaaaaaaaaaaaaaaaaaaa";
pub const BOB: &str = "did:plc:bobbbbbbbbbbbbbbbbbbbbbb";
pub const CAROL: &str = "did:web:carol.example";

/// The path as the api role holds it. Dropped, its driver ends.
#[derive(Clone)]
pub struct Client {
    commands: Arc<Commands>,
    pub telemetry: Telemetry,
    _driver: Arc<AbortOnDropHandle<Infallible>>,
}

impl Client {
    pub fn of(rig: &Rig) -> Self {
        Self::at(rig, &rig.redis.url(), &rig.postgres.url(), DEADLINE)
    }

    /// One that reaches the stores by other ways, and gives up earlier.
    pub fn at(rig: &Rig, redis: &str, postgres: &str, deadline: Duration) -> Self {
        let database = Database { url: Some(postgres.to_owned()), pool_size: 4, ..Database::default() };
        let (store, telemetry) = (Store::new(Pools::new(&database).unwrap().api, 1 << 20), Telemetry::new(&["api"]));
        let queue = Queue::new(redis, &rig.config.queue.key, &rig.config.queue.group);
        let (commands, driver) = Commands::new(Some(queue), store, telemetry.clone(), deadline);
        let driver = AbortOnDropHandle::new(tokio::spawn(driver.run()));
        Self { commands: Arc::new(commands), telemetry, _driver: Arc::new(driver) }
    }

    /// Gives a command and waits for its effect.
    pub async fn give(&self, body: Body) -> Result<(), SubmitError> {
        self.give_as(id(fastrand::u64(..)), body).await
    }

    pub async fn give_as(&self, id: CommandId, body: Body) -> Result<(), SubmitError> {
        self.commands.give(id, body).await
    }
}

pub fn id(n: u64) -> CommandId {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&n.to_be_bytes());
    CommandId(id)
}

pub fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()).unwrap()
}

/// Puts a command into the queue, of which nobody waits for the outcome.
pub async fn queue(rig: &Rig, n: u64, time: i64, body: Body) {
    let command = Command { id: id(n), time, body };
    rig.queue().add_command(command.id, command.encode().unwrap().into()).await.unwrap();
}

pub fn mute(account: &str, subject: &str) -> Body {
    scoped(account, subject, false, false)
}

pub fn scoped(account: &str, subject: &str, only_reposts: bool, only_quoteposts: bool) -> Body {
    Body::MuteActor { account: account.parse().unwrap(), subject: subject.parse().unwrap(), only_reposts, only_quoteposts }
}

pub fn unmute(account: &str, subject: &str) -> Body {
    Body::UnmuteActor { account: account.parse().unwrap(), subject: subject.parse().unwrap() }
}

pub fn seen(account: &str, seen_at: i64) -> Body {
    Body::UpdateSeen { account: account.parse().unwrap(), seen_at }
}

pub fn take_down(subject: Subject, reference: Option<&str>) -> Body {
    Body::Takedown { subject, applied: true, reference: reference.map(ToOwned::to_owned) }
}

pub fn account(did: &str) -> Subject {
    Subject::Account { did: did.parse().unwrap() }
}

pub fn record(uri: &str) -> Subject {
    Subject::Record { uri: uri.parse().unwrap() }
}

/// The rows of a statement, their columns as text with a blank in between, sorted.
pub async fn rows(postgres: &Postgres, sql: &str) -> Vec<String> {
    let rows = postgres.connect().await.simple_query(sql).await.unwrap();
    let mut lines: Vec<String> = rows
        .iter()
        .filter_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|at| row.get(at).unwrap_or("-")).collect::<Vec<_>>().join(" "))
            }
            _ => None,
        })
        .collect();
    lines.sort();
    lines
}

/// Who mutes whom, in what scope.
pub async fn mutes(postgres: &Postgres) -> Vec<String> {
    rows(postgres, "SELECT a.did, s.did, m.scope FROM mute m JOIN account a ON a.id = m.account JOIN account s ON s.id = m.subject").await
}

/// What the queue of commands holds.
pub fn queued(rig: &Rig) -> String {
    rig.redis.cli(&["XLEN", "firehose:events:commands"]).trim().to_owned()
}
