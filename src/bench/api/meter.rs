//! What a load costs: CPU time of every process, and what PostgreSQL did, between two moments.

use std::time::Duration;

use anyhow::Context as _;

use super::super::process;
use super::writing::Writer;
use crate::db::size::{self, Activity};
use crate::db::statements::{self, Statement};
use crate::db::{Client, pool};

/// Watches the daemon and the PostgreSQL that it asks.
#[derive(Debug)]
pub(super) struct Meter {
    daemon: u32,
    postgres: Option<u32>,
    database: Client,
    /// Whether the server counts by statement.
    by_statement: bool,
    /// Who writes meanwhile.
    pub writer: Option<Writer>,
}

/// Statements that are told, those that take most time first.
const STATEMENTS: i64 = 12;

/// The state at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    pub daemon: Duration,
    pub postgres: Option<Duration>,
    /// This process: the load itself.
    pub client: Duration,
    pub activity: Activity,
    /// Of who writes meanwhile: its CPU time, and the events that it has applied.
    pub writer: Option<(Duration, u64)>,
}

impl Meter {
    pub(super) async fn new(daemon: u32, url: &str, by_statement: bool, writer: Option<Writer>) -> anyhow::Result<Self> {
        let database = pool::writer(url, 1)?.get().await.context("no connection to the database")?;
        let backend = u32::try_from(size::backend(&database).await?).unwrap_or(0);
        let by_statement = by_statement && statements::begin(&database).await?;
        Ok(Self { daemon, postgres: process::parent(backend, "postgres"), database, by_statement, writer })
    }

    pub(super) async fn read(&self) -> anyhow::Result<Reading> {
        let writer = match &self.writer {
            Some(writer) => Some((writer.cpu(), writer.events().await?)),
            None => None,
        };
        Ok(Reading {
            writer,
            daemon: process::alone(self.daemon).unwrap_or_default(),
            postgres: self.postgres.and_then(process::family),
            client: process::alone(std::process::id()).unwrap_or_default(),
            activity: size::activity(&self.database).await?,
        })
    }

    /// Has the server count statements anew.
    pub(super) async fn forget(&self) -> anyhow::Result<()> {
        if self.by_statement {
            statements::forget(&self.database).await?;
        }
        Ok(())
    }

    /// What the server counted by statement, where it does.
    pub(super) async fn statements(&self) -> anyhow::Result<Vec<Statement>> {
        Ok(if self.by_statement { statements::most(&self.database, STATEMENTS).await? } else { Vec::new() })
    }

    /// Most memory that the daemon ever had, in bytes.
    pub(super) fn peak_memory(&self) -> Option<u64> {
        process::peak_memory(self.daemon)
    }
}
