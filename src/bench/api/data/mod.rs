//! The data that requests are asked of: a network of a given size, made by a seed and written straight into tables, with all that the index
//! derives. Made once and used again and again; never written by a run unless that is what is measured.

mod edges;
mod plan;
mod posts;
mod records;
mod rows;

use std::fs;
use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::info;

use self::rows::{Addresses, Rows};
use super::chance;
use crate::collection::{search, unpack};
use crate::db::record::Kept;
use crate::db::{Client, bulk, edge, migrate, notif, pool, post, repo, stat};

pub(super) use self::plan::THREAD;
pub(in crate::bench) use self::plan::{LEAST, MOST};
pub use self::plan::{Plan, Readers};

/// Says what a folder's database holds.
const FILE: &str = "data.json";
/// Another number where the same seed gives other data.
const VERSION: u32 = 2;
/// Batches that are made ahead of the one being written.
const AHEAD: usize = 8;
/// Accounts are not resolved again while the data is of use: a year.
const RESOLVED_AGAIN: i32 = 365 * 24 * 60 * 60;
/// Timelines of data older than this look further back than those of a network that lives, in seconds.
const FRESH: u64 = 12 * 60 * 60;

/// What a database holds, and the names that requests are made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Data {
    version: u32,
    pub plan: Plan,
    /// When the network ends, microseconds since 1970.
    pub end: i64,
    /// Seconds that it took to make.
    pub made_in: u64,
    /// The post that so many like.
    pub hot: String,
    /// The first posts of threads of [`THREAD`] posts.
    pub threads: Vec<String>,
    /// Posts of all kinds.
    pub posts: Vec<String>,
}

impl Data {
    /// The data in `folder`, whose PostgreSQL is at `url`; made where there is none.
    ///
    /// # Errors
    /// Other data than is asked for, or a half that an earlier attempt left; those of disk and database.
    pub async fn of(folder: &Path, url: &str, seed: u64, records: u32, stop: &CancellationToken) -> anyhow::Result<Self> {
        let file = folder.join(FILE);
        let plan = Plan::new(seed, records);
        let mut client = pool::writer(url, 1)?.get().await.context("no connection to the database")?;
        let before = migrate::status(&client).await?.database;
        let is_new = migrate::run(&mut client).await?.database != before;
        if let Ok(text) = fs::read_to_string(&file) {
            let held: Self = serde_json::from_str(&text).with_context(|| format!("{} cannot be read", file.display()))?;
            let is_asked = held.version == VERSION && held.plan == plan;
            ensure!(is_asked, "{} holds other data (seed {}, {} records)", folder.display(), held.plan.seed, held.plan.records);
            if is_new {
                bulk::unhurried(&client).await?;
                bulk::settle(&client).await?;
            }
            return Ok(held);
        }
        ensure!(!bulk::holds_accounts(&client).await?, "{} holds half a network: remove it", folder.display());
        let data = fill(&client, plan, stop).await?;
        fs::write(&file, serde_json::to_vec_pretty(&data)?).with_context(|| format!("cannot write {}", file.display()))?;
        Ok(data)
    }

    pub fn did(&self, account: u32) -> String {
        chance::did(self.plan.seed, account)
    }

    /// Seconds since the newest record, where those are too many for timelines to be what they were.
    pub fn is_old(&self) -> Option<u64> {
        let age = now().saturating_sub(u64::try_from(self.end).unwrap_or(0)) / 1_000_000;
        (age > FRESH).then_some(age)
    }
}

/// Microseconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_micros()).unwrap_or(0))
}

/// Writes a network into an empty database.
async fn fill(client: &Client, plan: Plan, stop: &CancellationToken) -> anyhow::Result<Data> {
    let begun = Instant::now();
    bulk::unhurried(client).await?;
    let indexes = bulk::indexes(client).await?;
    for index in &indexes {
        bulk::drop_index(client, index).await?;
    }
    let (sender, mut rows) = mpsc::channel(AHEAD);
    let (end, of) = (i64::try_from(now())?, plan.clone());
    let maker = tokio::task::spawn_blocking(move || rows::all(&of, end, |rows| sender.blocking_send(rows).context("nobody writes")));
    while let Some(rows) = rows.recv().await {
        ensure!(!stop.is_cancelled(), "stopped");
        write(client, rows).await?;
    }
    let Addresses { hot, threads, posts } = maker.await.context("the maker of the data panicked")??;
    info!(records = plan.records, seconds = begun.elapsed().as_secs(), "rows are written");
    bulk::move_sequences(client).await?;
    for index in &indexes {
        ensure!(!stop.is_cancelled(), "stopped");
        bulk::make_index(client, index).await?;
    }
    bulk::settle(client).await?;
    info!(seconds = begun.elapsed().as_secs(), "indexes are made");
    Ok(Data { version: VERSION, plan, end, made_in: begun.elapsed().as_secs(), hot, threads, posts })
}

async fn write(client: &Client, rows: Rows) -> Result<(), tokio_postgres::Error> {
    match rows {
        Rows::Accounts(rows) => {
            let (accounts, repos): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
            let ids: Vec<i32> = accounts.iter().map(|account| account.id).collect();
            bulk::accounts(client, &accounts).await?;
            bulk::identities(client, &ids, RESOLVED_AGAIN).await?;
            let repos: Vec<_> = ids.into_iter().zip(&repos).collect();
            repo::insert(client, &repos).await?;
        }
        Rows::Profiles(rows) => {
            bulk::keys(client, &rows.iter().map(|(key, ..)| key.clone()).collect::<Vec<_>>()).await?;
            let found_by = |author, packed: &[u8]| Some(search::of_profile(author, &unpack(packed).ok()?));
            let kept = rows.iter().map(|(_, path, record)| (Kept { path: *path, record }, found_by(path.at.author, record)));
            bulk::records(client, &kept.collect::<Vec<_>>()).await?;
        }
        Rows::Posts(posts, notifs) => {
            let posts: Vec<_> = posts.iter().map(|stored| (stored, stored.post.flags)).collect();
            post::insert(client, &posts).await?;
            notif::insert(client, &notifs).await?;
        }
        Rows::Edges(kind, edges) => {
            edge::insert(client, kind, &edges).await?;
        }
        Rows::Subjects(subjects) => {
            stat::insert(client, &subjects).await?;
        }
        Rows::Actors(deltas) => {
            stat::add_to_actors(client, &deltas).await?;
        }
    }
    Ok(())
}
