//! What a load costs: CPU time of every process, and what PostgreSQL did, between two moments.

use std::time::Duration;

use anyhow::Context as _;

use super::super::process;
use crate::db::size::{self, Activity};
use crate::db::{Client, pool};

/// Watches the daemon and the PostgreSQL that it asks.
#[derive(Debug)]
pub(super) struct Meter {
    daemon: u32,
    postgres: Option<u32>,
    database: Client,
}

/// The state at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    pub daemon: Duration,
    pub postgres: Option<Duration>,
    /// This process: the load itself.
    pub client: Duration,
    pub activity: Activity,
}

impl Meter {
    pub(super) async fn new(daemon: u32, url: &str) -> anyhow::Result<Self> {
        let database = pool::writer(url, 1)?.get().await.context("no connection to the database")?;
        let backend = u32::try_from(size::backend(&database).await?).unwrap_or(0);
        Ok(Self { daemon, postgres: process::parent(backend, "postgres"), database })
    }

    pub(super) async fn read(&self) -> anyhow::Result<Reading> {
        Ok(Reading {
            daemon: process::alone(self.daemon).unwrap_or_default(),
            postgres: self.postgres.and_then(process::family),
            client: process::alone(std::process::id()).unwrap_or_default(),
            activity: size::activity(&self.database).await?,
        })
    }

    /// Most memory that the daemon ever had, in bytes.
    pub(super) fn peak_memory(&self) -> Option<u64> {
        process::peak_memory(self.daemon)
    }
}
